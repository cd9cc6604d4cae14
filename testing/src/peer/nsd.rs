//! NSD.
//!
//! Found by trying 4.6: it answers IXFR only for zones with `store-ixfr`, from differences that `create-ixfr` makes
//! when a zone file is read again; these differences add every record again whose data holds a name beside other
//! things (MX, RRSIG), although it was there before; `nsd-control reload` returns before the zone is there; its servers
//! are children that outlive a killed parent, so that the whole group is killed.
//!
//! Over TLS, 4.6: versions 1.2 and 1.3. It never selects an ALPN protocol, so that a client that insists on "dot" (`dig`,
//! RFC 9103 §7.1) takes no zone from it; it gives SOA, AXFR and IXFR to any client, with "dot", another or none. It
//! cannot ask for a client's certificate.
//!
//! Connections, plain and TLS: as many requests one after the other as wanted, after refusals too; closed 120 s after
//! the last one. Requests that wait together are answered in their order, each wholly before the next. But over TLS
//! only one request of each TLS record is answered; the others in it wait, for ever if nothing more comes, until the next
//! record arrives. One request in each record is safe, however closely they follow each other.

use std::fmt::Write;
use std::process::Command;

use super::{Dialect, Place, dotted, system_program};
use crate::process;

pub(super) struct Nsd;

impl Dialect for Nsd {
    fn prepare(&self, place: &Place) {
        let directory = place.directory.display();
        let (ip, port) = (place.address.ip(), place.address.port());
        let over_tls = over_tls(place);
        let bundle = place.setup.follows.as_ref().filter(|follows| follows.over_tls.is_some());
        let bundle =
            bundle.map_or_else(String::new, |_| format!("  tls-cert-bundle: \"{}\"\n", place.path("primary.pem")));
        let mut text = format!(
            "server:\n  ip-address: {ip}@{port}\n{over_tls}{bundle}  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
             zonesdir: \"{directory}\"\n  database: \"\"\n  pidfile: \"{directory}/nsd.pid\"\n  \
             xfrdfile: \"{directory}/xfrd.state\"\n  zonelistfile: \"{directory}/zone.list\"\n  \
             xfrdir: \"{directory}\"\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n  verbosity: 2\n\
             remote-control:\n  control-enable: yes\n  control-interface: \"{directory}/nsd.sock\"\n"
        );
        let mut key_name = "NOKEY";
        if let Some(key) = &place.setup.key {
            let (name, algorithm, secret) = (&key.name, key.algorithm, &key.secret);
            let _ = write!(text, "key:\n  name: \"{name}\"\n  algorithm: {algorithm}\n  secret: \"{secret}\"\n");
            key_name = name;
        }
        for (zone, _) in &place.setup.zones {
            let file = place.zone_file(zone);
            let _ = write!(
                text,
                "zone:\n  name: \"{}\"\n  zonefile: \"{}\"\n  store-ixfr: yes\n  create-ixfr: yes\n  \
                 provide-xfr: 127.0.0.0/8 {key_name}\n",
                dotted(zone),
                file.display()
            );
            for target in &place.setup.notify {
                let _ = writeln!(text, "  notify: {}@{} {key_name}", target.ip(), target.port());
            }
        }
        follow(place, key_name, &mut text);
        place.write("nsd.conf", &text);
    }

    fn configuration(&self) -> &'static str {
        "nsd.conf"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(system_program("nsd"));
        command.args(["-d", "-c", &place.path("nsd.conf")]);
        command
    }

    fn reload(&self, place: &Place, zone: &str) {
        process::run(Command::new(system_program("nsd-control")).args([
            "-c",
            &place.path("nsd.conf"),
            "reload",
            &dotted(zone),
        ]));
    }

    fn tells_of_differences(&self, line: &str, zone: &str) -> bool {
        line.contains(&format!("ixfr for {} from", dotted(zone)))
    }
}

fn follow(place: &Place, key_name: &str, text: &mut String) {
    let Some(follows) = &place.setup.follows else { return };
    let mut with_tls = "";
    if let Some((name, _)) = &follows.over_tls {
        let _ = write!(text, "tls-auth:\n  name: \"theirs\"\n  auth-domain-name: \"{name}\"\n");
        with_tls = " theirs";
    }
    let (ip, port) = (follows.primary.ip(), follows.primary.port());
    // Zones that are added while it runs are made by this pattern too.
    let directory = place.directory.display();
    let _ = write!(
        text,
        "pattern:\n  name: \"copied\"\n  zonefile: \"{directory}/%s.zone\"\n  \
         request-xfr: {ip}@{port} {key_name}{with_tls}\n  allow-notify: 127.0.0.0/8 {key_name}\n  \
         provide-xfr: 127.0.0.0/8 {key_name}\n"
    );
    for zone in follows.asked() {
        let _ = write!(text, "zone:\n  name: \"{}\"\n  include-pattern: \"copied\"\n", dotted(zone));
    }
}

/// The lines that listen with TLS: one of the addresses must have the port that is said to be TLS's.
fn over_tls(place: &Place) -> String {
    if place.setup.tls.is_none() {
        return String::new();
    }
    let (ip, port) = (place.tls_address.ip(), place.tls_address.port());
    let (certificate, key) = (place.path("tls.pem"), place.path("tls.key"));
    format!(
        "  ip-address: {ip}@{port}\n  tls-port: {port}\n  tls-service-pem: \"{certificate}\"\n  \
         tls-service-key: \"{key}\"\n"
    )
}
