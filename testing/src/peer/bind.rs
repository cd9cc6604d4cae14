//! BIND (`named`).
//!
//! Found by trying: without `-g` it logs to syslog whatever else is said; `rndc` needs a configuration of its own;
//! IXFR answers larger than the zone are sent as a whole zone unless `max-ixfr-ratio` is off; NOTIFYs wait five
//! seconds unless `notify-delay` is 0; a zone whose file is older than its journal keeps the journal's serial.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Dialect, Place, system_program, zone_file_name};
use crate::process;

pub(super) struct Bind;

const CONTROL_KEY: &str =
    "key \"control\" { algorithm hmac-sha256; secret \"Y29udHJvbCBjaGFubmVsIG9mIGEgdGVzdCBzZXJ2ZXI=\"; };\n";

impl Dialect for Bind {
    fn prepare(&self, place: &Place) {
        let directory = place.directory.display();
        let port = place.address.port();
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
        let _ = write!(
            text,
            "controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ \"control\"; }}; }};\n\
             options {{\n\
             directory \"{directory}\"; pid-file none; session-keyfile \"{directory}/session.key\"; lock-file none;\n\
             managed-keys-directory \"{directory}\"; listen-on-v6 {{ none; }};\n\
             listen-on port {port} {{ 127.0.0.1; }}; recursion no; dnssec-validation no;\n\
             allow-transfer {{ {allowed} }};\n\
             notify explicit; also-notify {{ {targets}}};\n\
             notify-delay 0; notify-rate 1000; startup-notify-rate 1000;\n\
             transfers-out 100; ixfr-from-differences yes; max-ixfr-ratio unlimited; empty-zones-enable no;\n\
             check-names primary ignore;\n}};\n"
        );
        for (zone, _) in &place.setup.zones {
            let _ = writeln!(text, "zone \"{zone}\" {{ type primary; file \"{}\"; }};", zone_file_name(zone));
        }
        place.write("named.conf", &text);
        place.write("rndc.conf", &format!("{CONTROL_KEY}options {{ default-key \"control\"; }};\n"));
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(program(&place.directory));
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

/// `named`, or a copy of it where AppArmor would keep Debian's own out of temporary directories.
fn program(directory: &Path) -> PathBuf {
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
