//! BIND (`named`).
//!
//! Found by trying: without `-g` it logs to syslog whatever else is said; `rndc` needs a configuration of its own;
//! IXFR answers larger than the zone are sent as a whole zone unless `max-ixfr-ratio` is off; NOTIFYs wait five
//! seconds unless `notify-delay` is 0; a zone whose file is older than its journal keeps the journal's serial.
//!
//! Over TLS, 9.18: versions 1.2 and 1.3; whoever comes with 1.1 is cut off without an alert. It selects "dot" when that
//! is offered, and nothing otherwise. With "dot" it answers everything as over TCP; without, it answers queries, but
//! transfers with SERVFAIL. A client that does not show the certificate that `ca-file` asks for is cut off without an
//! alert or close_notify: in TLS 1.3 behind its own handshake, at its first read.
//!
//! Connections, plain and TLS: as many requests one after the other as wanted, after refusals too; closed 30 s after
//! the last one. Requests that wait together are answered side by side: the messages of large transfers take turns,
//! small answers overtake large ones, and over TLS five requests in one record are answered as 1, 3, 5, 2, 4.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Answers, Dialect, Follows, Place, system_program, zone_file_name};
use crate::process;

pub(super) struct Bind;

const CONTROL_KEY: &str =
    "key \"control\" { algorithm hmac-sha256; secret \"Y29udHJvbCBjaGFubmVsIG9mIGEgdGVzdCBzZXJ2ZXI=\"; };\n";

impl Dialect for Bind {
    fn prepare(&self, place: &Place) {
        let directory = place.directory.display();
        let (ip, port) = (place.address.ip(), place.address.port());
        let control = place.control.port();
        let mut text = CONTROL_KEY.to_owned();
        let mut allowed = "any;".to_owned();
        let mut signed = String::new();
        if let Some(key) = &place.setup.key {
            let (name, algorithm, secret) = (&key.name, key.algorithm, &key.secret);
            let _ = writeln!(text, "key \"{name}\" {{ algorithm {algorithm}; secret \"{secret}\"; }};");
            allowed = format!("key \"{name}\";");
            signed = format!(" key \"{name}\"");
        }
        let mut targets = String::new();
        for target in &place.setup.notify {
            let _ = write!(targets, "{} port {}{signed}; ", target.ip(), target.port());
        }
        let over_tls = over_tls(place, &mut text);
        let sparing = match place.setup.answers {
            Answers::AsInstalled => "",
            Answers::Sparing => "minimal-responses no-auth; minimal-any yes; zero-no-soa-ttl no; ",
        };
        let catalogs = catalogs(place, &signed);
        let _ = write!(
            text,
            "controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ \"control\"; }}; }};\n\
             options {{\n\
             directory \"{directory}\"; pid-file none; session-keyfile \"{directory}/session.key\"; lock-file none;\n\
             managed-keys-directory \"{directory}\"; listen-on-v6 {{ none; }};\n\
             listen-on port {port} {{ {ip}; }}; {over_tls}{sparing}recursion no; dnssec-validation no;\n\
             allow-transfer {{ {allowed} }};\n\
             notify explicit; also-notify {{ {targets}}};\n\
             notify-delay 0; notify-rate 1000; startup-notify-rate 1000;\n\
             ixfr-from-differences yes; max-ixfr-ratio unlimited; empty-zones-enable no;\n\
             check-names primary ignore; check-names secondary ignore;\n{catalogs}}};\n"
        );
        follow(place, &signed, &mut text);
        for (zone, _) in &place.setup.zones {
            let _ = writeln!(text, "zone \"{zone}\" {{ type primary; file \"{}\"; }};", zone_file_name(zone));
        }
        place.write("named.conf", &text);
        place.write("rndc.conf", &format!("{CONTROL_KEY}options {{ default-key \"control\"; }};\n"));
    }

    fn configuration(&self) -> &'static str {
        "named.conf"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(named(&place.directory));
        // One thread: the tests run many servers side by side.
        command.args(["-g", "-n", "1", "-c", &place.path("named.conf")]);
        command
    }

    fn reload(&self, place: &Place, zone: &str) {
        let control = place.control.port().to_string();
        process::run(
            Command::new(system_program("rndc"))
                .args(["-c", &place.path("rndc.conf"), "-s", "127.0.0.1", "-p", &control])
                .args(["reload", zone]),
        );
    }

    fn tells_of_differences(&self, line: &str, zone: &str) -> bool {
        let name = if zone == "." { "." } else { zone.trim_end_matches('.') };
        line.contains(&format!("transfer of '{name}/IN': IXFR started"))
    }
}

/// The primary that it copies from, as zones and catalogs name it.
fn primary(follows: &Follows, signed: &str) -> String {
    let tls = if follows.over_tls.is_some() { " tls theirs" } else { "" };
    format!("{} port {}{signed}{tls};", follows.primary.ip(), follows.primary.port())
}

fn follow(place: &Place, signed: &str, text: &mut String) {
    let Some(follows) = &place.setup.follows else { return };
    if let Some((name, _)) = &follows.over_tls {
        let authority = place.path("primary.pem");
        let _ = writeln!(text, "tls theirs {{ remote-hostname \"{name}\"; ca-file \"{authority}\"; }};");
    }
    for zone in follows.asked() {
        let (primary, file) = (primary(follows, signed), zone_file_name(zone));
        let _ = writeln!(text, "zone \"{zone}\" {{ type secondary; primaries {{ {primary} }}; file \"{file}\"; }};");
    }
}

fn catalogs(place: &Place, signed: &str) -> String {
    let follows = place.setup.follows.as_ref();
    let Some((follows, catalog)) = follows.and_then(|follows| Some((follows, follows.catalog.as_ref()?))) else {
        return String::new();
    };
    let primary = primary(follows, signed);
    format!("catalog-zones {{ zone \"{catalog}\" default-primaries {{ {primary} }} min-update-interval 1; }};\n")
}

/// Writes what TLS needs, and gives the option that listens with it.
fn over_tls(place: &Place, text: &mut String) -> String {
    if place.setup.tls.is_none() {
        return String::new();
    }
    // Whoever names an authority for a listening socket wants every client's certificate.
    let clients = place.setup.clients_of.as_ref();
    let clients = clients.map_or_else(String::new, |_| format!(" ca-file \"{}\";", place.path("clients.pem")));
    let (certificate, key) = (place.path("tls.pem"), place.path("tls.key"));
    let _ = writeln!(text, "tls ours {{ cert-file \"{certificate}\"; key-file \"{key}\";{clients} }};");
    format!("listen-on port {} tls ours {{ 127.0.0.1; }}; ", place.tls_address.port())
}

/// `named`, or a copy of it where AppArmor would keep Debian's own out of temporary directories.
pub fn named(directory: &Path) -> PathBuf {
    let installed = system_program("named");
    let confined = std::fs::read("/sys/module/apparmor/parameters/enabled").is_ok_and(|word| word.starts_with(b"Y"));
    if !confined {
        return installed;
    }
    let copy = directory.join("named");
    if !copy.exists() {
        std::fs::copy(&installed, &copy).expect("named can be copied");
    }
    copy
}
