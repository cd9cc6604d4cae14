//! Knot DNS (`knotd`).
//!
//! Found by trying: `zonefile-load: difference` is what makes a changed zone file an IXFR; the journal needs a
//! directory that exists; NOTIFYs go out over TCP, and a refused connection is not tried again for a long time; an
//! 'IXFR' that becomes a whole zone is logged as AXFR.
//!
//! 3.2 does not speak TLS. On a TCP connection: as many requests one after the other as wanted, after refusals too;
//! closed 10 s after the last one. Requests that wait together are answered in their order, each wholly before the next.

use std::fmt::Write;
use std::process::Command;

use super::{Dialect, Follows, Place, dotted, system_program, zone_file_name};
use crate::process;

pub(super) struct Knot;

impl Dialect for Knot {
    fn prepare(&self, place: &Place) {
        let directory = place.directory.display();
        let (ip, port) = (place.address.ip(), place.address.port());
        let mut text = format!(
            "server:\n  listen: {ip}@{port}\n  rundir: {directory}\n  \
             udp-workers: 1\n  tcp-workers: 2\n  background-workers: 1\n\
             log:\n  - target: stderr\n    any: info\n\
             control:\n  listen: {directory}/knot.sock\n\
             database:\n  storage: {directory}/database\n  journal-db-max-size: 64M\n\
             \x20 timer-db-max-size: 4M\n"
        );
        let mut needs_key = "";
        if let Some(key) = &place.setup.key {
            let (name, algorithm, secret) = (&key.name, key.algorithm, &key.secret);
            let _ = write!(text, "key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n");
            needs_key = &key.name;
        }
        let with_key = if needs_key.is_empty() { String::new() } else { format!("    key: {needs_key}\n") };
        if !place.setup.notify.is_empty() || place.setup.follows.is_some() {
            text.push_str("remote:\n");
        }
        if let Some(Follows { primary, .. }) = &place.setup.follows {
            let _ = write!(text, "  - id: primary\n    address: {}@{}\n{with_key}", primary.ip(), primary.port());
        }
        for (number, target) in place.setup.notify.iter().enumerate() {
            let _ =
                write!(text, "  - id: target{number}\n    address: {}@{}\n{with_key}", target.ip(), target.port());
        }
        let _ = write!(
            text,
            "acl:\n  - id: transfer\n    address: 127.0.0.0/8\n{with_key}    action: transfer\n\
             \x20 - id: news\n    address: 127.0.0.0/8\n{with_key}    action: notify\n\
             template:\n  - id: default\n    storage: {directory}\n    zonefile-sync: -1\n\
             \x20   zonefile-load: difference\n    journal-content: changes\n    semantic-checks: off\n\
             \x20   acl: transfer\n"
        );
        if !place.setup.notify.is_empty() {
            let targets: Vec<_> = (0..place.setup.notify.len()).map(|number| format!("target{number}")).collect();
            let _ = writeln!(text, "    notify: [{}]", targets.join(", "));
        }
        // What is copied has no file, and a history of its own.
        let copied = "    master: primary\n    acl: [transfer, news]\n    zonefile-sync: -1\n    zonefile-load: none\n\
                      \x20   journal-content: all\n";
        if place.setup.follows.is_some() {
            let _ = write!(text, "  - id: copied\n    storage: {directory}\n{copied}");
        }
        text.push_str("zone:\n");
        if let Some(follows) = &place.setup.follows {
            for zone in follows.asked() {
                let _ = write!(text, "  - domain: {}\n    template: copied\n", dotted(zone));
                if follows.catalog.as_ref() == Some(zone) {
                    text.push_str("    catalog-role: interpret\n    catalog-template: copied\n");
                }
            }
        }
        for (zone, _) in &place.setup.zones {
            let _ = write!(text, "  - domain: {}\n    file: {}\n", dotted(zone), zone_file_name(zone));
        }
        place.write("knot.conf", &text);
        std::fs::create_dir(place.directory.join("database")).expect("the test's directory is writable");
    }

    fn configuration(&self) -> &'static str {
        "knot.conf"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(system_program("knotd"));
        command.args(["-c", &place.path("knot.conf")]);
        command
    }

    fn reload(&self, place: &Place, zone: &str) {
        process::run(Command::new(system_program("knotc")).args([
            "-b",
            "-s",
            &place.path("knot.sock"),
            "zone-reload",
            &dotted(zone),
        ]));
    }

    fn tells_of_differences(&self, line: &str, zone: &str) -> bool {
        // A whole zone in answer to IXFR is logged as AXFR.
        line.contains(&format!("[{}] IXFR, outgoing", dotted(zone))) && line.contains("finished")
    }
}
