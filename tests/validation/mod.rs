//! What we answer of signed zones, judged by those who validate: dnsviz looks at each signature and proof of whatever it
//! is told, delv follows them up to a key that it trusts.
//!
//! dnsviz says nothing of who is to be trusted here: Debian's 0.9.4 takes no trusted keys, because it does not recognise
//! Debian's pygraphviz. It does not ask below the delegations, whose servers do not exist.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testing::primary::Primary;
use testing::process::run;
use testing::secondo::Secondo;

use crate::scene::{secondo, serves};
use crate::signing::{Denial, Signed, signed};

const ZONES: [(&str, Denial); 3] =
    [("nsec.test", Denial::Nsec), ("nsec3.test", Denial::Nsec3), ("opt-out.test", Denial::OptOut)];

/// A name for each kind of answer, and nothing that leads elsewhere: dnsviz would go there.
const TEXT: &str = "\
@ 300 SOA ns hostmaster 1 7200 3600 604800 60
@ 300 NS ns
ns 300 A 127.0.0.1
www 300 A 192.0.2.1
www 300 AAAA 2001:db8::1
alias 300 CNAME www
far 300 CNAME x.wild
*.wild 300 TXT \"any\"
*.wild 300 AAAA 2001:db8::2
a.deep.below 300 TXT \"empty non-terminals above\"
insecure 300 NS ns.insecure
ns.insecure 300 A 192.0.2.54
another 300 NS ns.insecure
secure 300 NS ns.insecure
secure 300 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
tree 300 DNAME below
";

/// Names below the apex that dnsviz asks for, each with every type that it knows a reason for.
const NAMES: [&str; 9] =
    ["", "www.", "alias.", "far.", "x.wild.", "deep.below.", "a.deep.tree.", "nothing.", "nothing.below."];

/// What delv asks for, and on what the answer stands.
const QUESTIONS: [(&str, &str, Standing); 16] = [
    ("", "SOA", Standing::Signed),
    ("www.", "A", Standing::Signed),
    ("www.", "MX", Standing::Denied),
    ("alias.", "AAAA", Standing::Signed),
    ("far.", "AAAA", Standing::SignedInTheGap),
    ("x.wild.", "TXT", Standing::SignedInTheGap),
    ("x.y.wild.", "AAAA", Standing::SignedInTheGap),
    ("x.wild.", "A", Standing::DeniedInTheGap),
    ("wild.", "A", Standing::Denied),
    ("deep.below.", "A", Standing::Denied),
    ("a.deep.tree.", "TXT", Standing::Signed),
    ("nothing.", "A", Standing::DeniedInTheGap),
    ("nothing.at.all.", "A", Standing::DeniedInTheGap),
    ("secure.", "DS", Standing::Signed),
    ("insecure.", "DS", Standing::DeniedInTheGap),
    ("another.", "DS", Standing::DeniedInTheGap),
];

/// What an answer needs beside its signatures.
#[derive(Clone, Copy)]
enum Standing {
    Signed,
    /// The record of a name shows what is not there.
    Denied,
    /// A wildcard's, and so that there is nothing nearer between two names.
    SignedInTheGap,
    /// That there is no such name between two. (An insecure delegation has a record of its own without opt-out.)
    DeniedInTheGap,
}

impl Standing {
    /// What delv may say. Between two names there may be insecure delegations where opt-out is: that the proof is right is
    /// then mostly said in the words that it proves nothing (RFC 5155 §9.2). Of one that is not right, "resolution failed".
    fn said(self, denial: Denial) -> &'static [&'static str] {
        let signed = &["; fully validated", "; unsigned answer"];
        let denied = &["; negative response, fully validated", "; negative response, unsigned answer"];
        match (self, denial) {
            (Self::SignedInTheGap, Denial::OptOut) => signed,
            (Self::DeniedInTheGap, Denial::OptOut) => denied,
            (Self::Signed | Self::SignedInTheGap, _) => &signed[..1],
            (Self::Denied | Self::DeniedInTheGap, _) => &denied[..1],
        }
    }
}

fn all_signed() -> [(&'static str, Denial, Signed); 3] {
    ZONES.map(|(zone, denial)| (zone, denial, signed(zone, TEXT, denial)))
}

fn serving(zones: &[(&'static str, Denial, Signed)]) -> (Secondo, Primary) {
    let primary = Primary::start();
    let mut secondo = secondo();
    for (zone, _, Signed { text, .. }) in zones {
        primary.publish(zone, text);
        secondo = secondo.with_zone(zone, primary.address());
    }
    let secondo = secondo.started();
    zones.iter().for_each(|(zone, ..)| serves(&secondo, zone, 1));
    (secondo, primary)
}

/// What dnsviz makes of the answers about a zone's names: all that it has looked at, and how it speaks of errors.
fn dnsviz(directory: &Path, server: SocketAddr, zone: &str) -> (Value, String) {
    let file = directory.join(zone).display().to_string();
    let servers = format!("{zone}+:{}:{}", server.ip(), server.port());
    let names = NAMES.map(|name| format!("{name}{zone}"));
    run(Command::new("dnsviz")
        .args(["probe", "-4", "-A", "-t", "9", "-a", zone, "-x", &servers, "-o", &file])
        .args(&names));
    let grok = |level: &str| run(Command::new("dnsviz").args(["grok", "-P", "-l", level, "-r", &file]).args(&names));
    (serde_json::from_str(&grok("info")).unwrap(), grok("error"))
}

/// How often each status stands anywhere in it.
fn statuses<'a>(found: &'a Value, into: &mut Vec<&'a str>) {
    match found {
        Value::Object(fields) => {
            into.extend(fields.get("status").and_then(Value::as_str));
            fields.values().for_each(|value| statuses(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| statuses(value, into)),
        _ => {}
    }
}

/// What delv says first of an answer.
fn delv(directory: &Path, server: SocketAddr, zone: &str, key: &str, question: (&str, &str)) -> String {
    let file = directory.join(format!("{zone}.anchor"));
    let fields: Vec<&str> = key.splitn(4, ' ').collect();
    let [flags, protocol, algorithm, key] = fields[..] else { panic!("{key}") };
    let anchor = format!("trust-anchors {{ {zone} static-key {flags} {protocol} {algorithm} \"{key}\"; }};\n");
    std::fs::write(&file, anchor).unwrap();
    let (ip, port) = (format!("@{}", server.ip()), server.port().to_string());
    let (anchor, root) = (file.display().to_string(), format!("+root={zone}"));
    let (name, qtype) = question;
    let output = Command::new("delv")
        .args([&ip, "-p", &port, "-a", &anchor, &root, &format!("{name}{zone}"), qtype])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn dnsviz_finds_no_fault_with_what_is_answered_of_signed_zones() {
    let directory = tempfile::tempdir().unwrap();
    let zones = all_signed();
    let (secondo, _primary) = serving(&zones);
    std::thread::scope(|scope| {
        for (zone, ..) in &zones {
            let (directory, server) = (directory.path(), secondo.dns());
            scope.spawn(move || {
                let (found, errors) = dnsviz(directory, server, zone);
                assert_eq!(errors.trim(), "", "{zone}");
                let mut all = Vec::new();
                statuses(&found, &mut all);
                let valid = all.iter().filter(|status| **status == "VALID").count();
                let others: Vec<_> =
                    all.iter().filter(|status| !["VALID", "NOERROR", "NXDOMAIN"].contains(status)).collect();
                assert!(valid > 30 && others.is_empty(), "{zone}: {valid} are valid, others are {others:?}");
            });
        }
    });
}

#[test]
fn delv_validates_every_kind_of_answer_up_to_the_key_of_the_zone() {
    let directory = tempfile::tempdir().unwrap();
    let zones = all_signed();
    let (secondo, _primary) = serving(&zones);
    let mut wrong = Vec::new();
    for (zone, denial, Signed { key, .. }) in &zones {
        let ask = |name: &str, qtype: &str| delv(directory.path(), secondo.dns(), zone, key, (name, qtype));
        for (name, qtype, standing) in QUESTIONS {
            let printed = ask(name, qtype);
            if !printed.lines().any(|line| standing.said(*denial).contains(&line)) {
                wrong.push(format!("{name}{zone} {qtype}: {printed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A key that is another zone's.
    let printed = delv(directory.path(), secondo.dns(), zones[0].0, &zones[1].2.key, ("www.", "A"));
    assert!(!printed.contains("; fully validated"), "{printed}");
}

#[test]
fn dnsviz_finds_a_signature_that_is_not_of_what_it_covers() {
    let directory = tempfile::tempdir().unwrap();
    let Signed { text, key } = signed("broken.test", TEXT, Denial::Nsec);
    let text = text.replace("192.0.2.1\n", "192.0.2.2\n");
    let (secondo, _primary) = serving(&[("broken.test", Denial::Nsec, Signed { text, key })]);
    let (_, errors) = dnsviz(directory.path(), secondo.dns(), "broken.test");
    assert!(errors.contains("SIGNATURE_INVALID"), "{errors}");
}
