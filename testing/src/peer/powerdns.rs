//! PowerDNS (`pdns_server`) with its SQLite backend.
//!
//! Found by trying 4.7: it folds owner names to lower case; it answers IXFR with the whole zone; keys and other
//! settings of zones need `gsqlite3-dnssec` although nothing is signed; answers are cached for 20 s unless every
//! cache is off; it would notify the zone's name servers, by asking a resolver for them, unless `only-notify` is
//! empty; signatures in a zone file are not served unless the zone is marked as signed elsewhere; a transfer sends the
//! first and the last SOA in messages of their own. A signed zone file that `load-zone` takes over lacks what it needs to
//! know for opt-out and for empty non-terminals: it must copy the zone from another server, and then finds out all that.
//!
//! As a secondary: it takes differences only with the meta `IXFR`, from any primary so that it does not answer the records
//! that came ("please run pdnsutil rectify-zone"); it takes no differences of a catalog, and does not sign what it asks for its
//! members.
//!
//! 4.7 does not speak TLS. On a TCP connection: as many requests one after the other as wanted, after refusals too;
//! closed 5 s after the last one. Requests that wait together are answered in their order, each wholly before the next.

use std::fmt::Write;
use std::process::{Command, Stdio};

use super::{Answers, Dialect, Place, dotted, system_program};
use crate::process;

pub(super) struct PowerDns;

const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

impl Dialect for PowerDns {
    fn prepare(&self, place: &Place) {
        let directory = place.directory.display();
        let targets: Vec<_> = place.setup.notify.iter().map(ToString::to_string).collect();
        // Whose address is allowed needs no key; nobody has this one.
        let allowed = if place.setup.key.is_some() { "192.0.2.255/32" } else { "127.0.0.0/8" };
        let mut text = format!(
            "launch=gsqlite3\ngsqlite3-database={directory}/pdns.sqlite3\ngsqlite3-pragma-synchronous=0\n\
             gsqlite3-dnssec=yes\nlocal-address={}\nlocal-port={}\nsocket-dir={directory}\n\
             daemon=no\nguardian=no\nprimary=yes\nonly-notify=\nallow-axfr-ips={allowed}\n\
             zone-cache-refresh-interval=0\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n\
             receiver-threads=1\ndistributor-threads=1\nsecurity-poll-suffix=\nloglevel=5\n",
            place.address.ip(),
            place.address.port()
        );
        if place.setup.answers == Answers::Sparing {
            text.push_str("dname-processing=yes\n");
        }
        if place.setup.copied_from.is_some() || place.setup.follows.is_some() {
            text.push_str("secondary=yes\nxfr-cycle-interval=1\n");
        }
        if !targets.is_empty() {
            let _ = writeln!(text, "also-notify={}", targets.join(","));
        }
        place.write("pdns.conf", &text);
        let schema = std::fs::File::open(SCHEMA).unwrap_or_else(|error| panic!("{SCHEMA}: {error}"));
        process::run(Command::new("sqlite3").arg(place.path("pdns.sqlite3")).stdin(Stdio::from(schema)));
        if let Some(key) = &place.setup.key {
            tool(place, &["import-tsig-key", &key.name, key.algorithm, &key.secret]);
        }
        follow(place);
        if let Some(primary) = place.setup.copied_from {
            for (zone, _) in &place.setup.zones {
                tool(place, &["create-secondary-zone", &dotted(zone), &primary.to_string()]);
            }
            return;
        }
        for (zone, _) in &place.setup.zones {
            self.take_over(place, zone);
            tool(place, &["set-kind", &dotted(zone), "primary"]);
            if let Some(key) = &place.setup.key {
                tool(place, &["activate-tsig-key", &dotted(zone), &key.name, "primary"]);
            }
        }
    }

    fn configuration(&self) -> &'static str {
        "pdns.conf"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(system_program("pdns_server"));
        command.arg(format!("--config-dir={}", place.directory.display()));
        command
    }

    fn take_over(&self, place: &Place, zone: &str) {
        let file = place.zone_file(zone).display().to_string();
        tool(place, &["load-zone", &dotted(zone), &file]);
    }

    fn reload(&self, place: &Place, zone: &str) {
        if !place.setup.notify.is_empty() {
            process::run(
                Command::new("pdns_control")
                    .arg(format!("--config-dir={}", place.directory.display()))
                    .args(["notify", &dotted(zone)]),
            );
        }
    }

    fn settle(&self, place: &Place, zone: &str) {
        tool(place, &["rectify-zone", &dotted(zone)]);
    }

    fn tells_of_differences(&self, _line: &str, _zone: &str) -> bool {
        false
    }
}

fn follow(place: &Place) {
    let Some(follows) = &place.setup.follows else { return };
    for zone in follows.asked() {
        let name = dotted(zone);
        tool(place, &["create-secondary-zone", &name, &follows.primary.to_string()]);
        if follows.catalog.as_ref() != Some(zone) {
            tool(place, &["set-meta", &name, "IXFR", "1"]);
        }
        if let Some(key) = &place.setup.key {
            tool(place, &["activate-tsig-key", &name, &key.name, "secondary"]);
        }
        if follows.catalog.as_ref() == Some(zone) {
            tool(place, &["set-kind", &name, "consumer"]);
        }
    }
}

fn tool(place: &Place, words: &[&str]) {
    process::run(Command::new("pdnsutil").arg(format!("--config-dir={}", place.directory.display())).args(words));
}
