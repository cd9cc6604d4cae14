//! The crates depend on each other, and on the outside, only as `ARCHITECTURE.md` draws it.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod workspace;

use std::collections::{BTreeMap, BTreeSet};

/// Our crates and the ones of ours that each may use. An arrow that is not here is a change of design.
const ARROWS: [(&str, &[&str]); 13] = [
    ("dns", &[]),
    ("zone", &["dns"]),
    ("answer", &["dns", "zone"]),
    ("xfr", &["dns", "zone"]),
    ("transfer", &["dns", "zone", "xfr"]),
    ("store", &["dns", "zone"]),
    ("server", &["dns", "zone", "answer", "xfr"]),
    ("inventory", &["dns", "zone", "xfr"]),
    ("delegation", &["dns", "xfr"]),
    ("alerts", &[]),
    ("api", &["dns", "xfr", "zone"]),
    (
        "secondo",
        &["dns", "zone", "answer", "xfr", "transfer", "store", "server", "inventory", "delegation", "api", "alerts"],
    ),
    ("testing", &["dns", "zone", "xfr", "store", "transfer"]),
];

/// Crates that know no socket, no clock, no disk and no async runtime.
const PURE: [&str; 4] = ["dns", "zone", "answer", "xfr"];

/// Crates from outside that only these of ours may use directly.
const OWNERS: [(&str, &[&str]); 14] = [
    ("domain", &["dns"]),
    // HMAC for TSIG, the hashes that ZONEMD names, and pins of TLS keys; nothing else here is cryptography of the protocol. The
    // API seals answers that clients may want again, and webhooks are signed.
    ("aws-lc-rs", &["xfr", "zone", "transfer", "api", "alerts", "testing"]),
    ("redb", &["store", "testing"]),
    ("memmap2", &["store"]),
    ("sqlx", &["inventory"]),
    ("axum", &["api"]),
    ("lettre", &["alerts"]),
    ("hyper", &["api"]),
    ("utoipa", &["api"]),
    ("reqwest", &["alerts", "secondo"]),
    ("clap", &["secondo"]),
    ("sd-notify", &["secondo"]),
    ("quinn", &["server"]),
    ("rcgen", &["testing"]),
];

/// What no pure crate may have anywhere below it.
const OUTSIDE: [&str; 9] =
    ["tokio", "mio", "socket2", "rustix", "redb", "sqlx", "axum", "reqwest", "tracing-subscriber"];

/// Words for clock, disk, sockets, threads and environment; pure code has none of them.
const IMPURE_WORDS: [&str; 10] = [
    "SystemTime",
    "Instant::now",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "println!",
];

/// A package's name and the names of the packages that it uses, tests' own needs left out.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = workspace::metadata();
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let used = uses.entry(names[node["id"].as_str().unwrap()].to_owned()).or_default();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                used.insert(names[dependency["pkg"].as_str().unwrap()].to_owned());
            }
        }
    }
    uses
}

#[test]
fn our_crates_use_each_other_only_along_the_arrows() {
    let uses = uses();
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<String> = workspace::metadata()["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| {
            let id = id.as_str().unwrap();
            // A path's last part, or the name after the last `#` where they differ.
            let (path, version) = id.rsplit_once('#').unwrap();
            let named = version.split_once('@').map(|(name, _)| name);
            named.unwrap_or_else(|| path.rsplit('/').next().unwrap()).to_owned()
        })
        .collect();
    assert_eq!(members, ours.iter().map(|name| (*name).to_owned()).collect(), "a crate is missing in ARROWS");
    for (name, allowed) in ARROWS {
        for used in uses[name].iter().filter(|used| ours.contains(used.as_str())) {
            assert!(allowed.contains(&used.as_str()), "{name} → {used} is no arrow of ARCHITECTURE.md");
        }
    }
}

#[test]
fn outside_things_are_used_only_by_the_crates_that_own_them() {
    let uses = uses();
    for (outside, owners) in OWNERS {
        for (name, _) in ARROWS {
            let allowed = owners.contains(&name) || !uses[name].contains(outside);
            assert!(allowed, "{name} uses {outside}, which belongs to {owners:?}");
        }
    }
}

#[test]
fn pure_crates_have_no_runtime_socket_or_disk_below_them() {
    let uses = uses();
    for pure in PURE {
        let mut below: BTreeSet<&str> = BTreeSet::new();
        let mut next = vec![pure];
        while let Some(name) = next.pop() {
            if below.insert(name) {
                next.extend(uses[name].iter().map(String::as_str));
            }
        }
        for outside in OUTSIDE {
            assert!(!below.contains(outside), "{pure} stands on {outside}");
        }
    }
}

#[test]
fn pure_code_names_no_clock_disk_or_socket() {
    for pure in PURE {
        for path in workspace::files(&workspace::root().join("crates").join(pure).join("src"), "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                if line.trim_start().starts_with("//") {
                    continue;
                }
                let found = IMPURE_WORDS.iter().find(|word| line.contains(*word));
                assert!(found.is_none(), "{}:{}: {}", path.display(), number + 1, line.trim());
            }
        }
    }
}
