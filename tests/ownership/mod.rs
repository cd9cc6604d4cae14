//! Whose names are, where organisations share the service: proofs that count, and attacks that do not get anybody's name.
//!
//! In a network of its own: the root, `test.` and whoever has names now are real NSD and BIND at port 53, as the service
//! finds them from its hints.

mod attacks;
mod moves;
mod pages;
mod proofs;

use std::net::{IpAddr, SocketAddr};

use dns::{Rcode, Type};
use serde_json::Value;
use testing::namespace::add_address;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, query};

use crate::scene::{FAST_TIMERS, SOON, secondo};

const ROOT: &str = "\
. 60 IN SOA a.root. host.root. 1 60 60 600 60
. 60 IN NS a.root.
a.root. 60 IN A 127.0.53.1
test. 60 IN NS ns1.nic.test.
test. 60 IN NS ns2.nic.test.
ns1.nic.test. 60 IN A 127.0.53.2
ns2.nic.test. 60 IN A 127.0.53.3
";

/// The service's name servers. Their addresses are its own, which it does not ask, as it is everywhere.
const SERVICE: &str = "\
ns1.us.test. 60 IN A 127.0.53.9
ns2.us.test. 60 IN A 127.0.53.10
ns3.us.test. 60 IN A 127.0.53.11
ns4.us.test. 60 IN A 127.0.53.12
";

/// Where whoever has names now answers for them, and where the hidden primary of somebody else is.
const NOW: u8 = 4;
const OTHER: u8 = 5;

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 53, last], 53))
}

fn ip(last: u8) -> IpAddr {
    address(last).ip()
}

/// The world around the service, and the service.
struct World {
    _root: Peer,
    parents: [Peer; 2],
    serial: u32,
    secondo: Secondo,
}

impl World {
    /// With these delegations below `test.`.
    fn new(delegations: &str) -> Self {
        // BIND listens only at addresses that an interface has as its own.
        (1..=9).for_each(|last| add_address(ip(last)));
        let root = Peer::start(Software::Nsd, Setup::zone(".", ROOT).at(address(1)));
        let parents = [
            Peer::start(Software::Bind, Setup::zone("test", parent(1, delegations)).at(address(2))),
            Peer::start(Software::Nsd, Setup::zone("test", parent(1, delegations)).at(address(3))),
        ];
        let secondo = secondo();
        let hints = secondo.scratch_file("named.root", ". 60 NS a.root.\na.root. 60 IN A 127.0.53.1\n");
        let allowed: Vec<String> = (1..=8).map(|last| ip(last).to_string()).collect();
        let own: Vec<String> = (9..=12).map(|last| ip(last).to_string()).collect();
        let servers = ["ns1.us.test", "ns2.us.test", "ns3.us.test", "ns4.us.test"];
        let secondo = secondo.configured(&format!(
            "{FAST_TIMERS}[tenancy]\nmode = \"multi\"\nallow_addresses = {allowed:?}\nown_addresses = {own:?}\n\
             [delegation]\nhints = {hints:?}\nname_servers = {servers:?}\nname_servers_per_tenant = 2\n"
        ));
        Self { _root: root, parents, serial: 1, secondo: secondo.started() }
    }

    /// Has the parent delegate so from now on.
    fn delegates(&mut self, delegations: &str) {
        self.serial += 1;
        let text = parent(self.serial, delegations);
        self.parents.iter_mut().for_each(|one| one.replace("test", &text));
    }

    fn organisation(&self, name: &str) -> Organisation<'_> {
        let added = self.secondo.json(&["tenant", "add", name]);
        let id = added["organisation"]["id"].as_u64().unwrap_or_else(|| panic!("{added:#}"));
        Organisation { secondo: &self.secondo, id: id.to_string() }
    }

    /// One that was made before, when what borrowed it has to move on.
    fn again(&self, id: &str) -> Organisation<'_> {
        Organisation { secondo: &self.secondo, id: id.to_owned() }
    }

    /// Whether anything is answered for the name, and by whose contents: the serial.
    fn answered(&self, zone: &str) -> Result<u32, Rcode> {
        let reply = query::ask(self.secondo.dns(), zone, Type::SOA).unwrap();
        match reply.rcode {
            Rcode::NOERROR => Ok(reply.serial.unwrap_or_else(|| panic!("{zone} has no SOA: {reply:?}")).0),
            rcode => Err(rcode),
        }
    }

    #[track_caller]
    fn is_refused(&self, zone: &str) {
        assert_eq!(self.answered(zone), Err(Rcode::REFUSED), "{zone}");
    }

    #[track_caller]
    fn answers(&self, zone: &str, serial: u32) {
        eventually(SOON, &format!("{zone} to be answered with serial {serial}"), || match self.answered(zone) {
            Ok(found) if found == serial => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
}

/// One of those who share the service.
struct Organisation<'a> {
    secondo: &'a Secondo,
    id: String,
}

impl Organisation<'_> {
    fn variables(&self) -> [(&'static str, &str); 1] {
        [("SECONDO_ORGANISATION", &self.id)]
    }

    #[track_caller]
    fn expect(&self, words: &[&str]) -> String {
        let ran = self.secondo.client_with(&self.variables(), words);
        assert_eq!(ran.code, Some(0), "{words:?}: {}", ran.words());
        ran.stdout
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let text = self.expect(&[words, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Creates the zone and waits until it is copied.
    #[track_caller]
    fn creates(&self, zone: &str, primary: &Peer, serial: u32) {
        self.expect(&["zone", "add", zone, "--primary", &primary.address().to_string()]);
        eventually(SOON, &format!("{zone} to be copied"), || {
            let shown = self.json(&["zone", "show", zone]);
            if shown["serial"] == serial { Ok(()) } else { Err(format!("{shown:#}")) }
        });
    }

    /// The text that proves the claim.
    #[track_caller]
    fn text(&self, zone: &str) -> String {
        let shown = self.json(&["zone", "ownership", zone]);
        shown["challenge"]["text"].as_str().unwrap_or_else(|| panic!("{shown:#}")).to_owned()
    }

    #[track_caller]
    fn name_servers(&self, zone: &str) -> Vec<String> {
        let shown = self.json(&["zone", "ownership", zone]);
        assert_eq!(shown["name_servers_are_own"], true, "{shown:#}");
        shown["name_servers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// What is seen of the zone's name from now on.
    #[track_caller]
    fn looks(&self, zone: &str) -> Value {
        self.json(&["zone", "ownership", zone, "--look"])
    }

    #[track_caller]
    fn is(&self, zone: &str, state: &str, proof: Option<&str>) {
        let shown = self.json(&["zone", "ownership", zone]);
        assert_eq!((shown["state"].as_str(), shown["proof"].as_str()), (Some(state), proof), "{shown:#}");
    }

    /// Whether the organisation was told of this.
    #[track_caller]
    fn was_told(&self, kind: &str, zone: &str) {
        eventually(SOON, &format!("the organisation to be told of {kind}"), || {
            let log = self.json(&["audit"]);
            let told = log.as_array().unwrap().iter().any(|entry| entry["act"] == kind && entry["subject"] == zone);
            if told { Ok(()) } else { Err(format!("{log:#}")) }
        });
    }
}

/// `test.`, which delegates so.
fn parent(serial: u32, delegations: &str) -> String {
    format!(
        "test. 60 IN SOA ns1.nic.test. host.test. {serial} 60 60 600 60\ntest. 60 IN NS ns1.nic.test.\n\
         test. 60 IN NS ns2.nic.test.\nns1.nic.test. 60 IN A 127.0.53.2\nns2.nic.test. 60 IN A 127.0.53.3\n\
         {SERVICE}{delegations}"
    )
}

/// A delegation to whoever has the zone now.
fn to_now(zone: &str) -> String {
    format!("{zone}. 60 IN NS ns.{zone}.\nns.{zone}. 60 IN A {}\n", ip(NOW))
}

fn to(zone: &str, servers: &[String]) -> String {
    servers.iter().map(|server| format!("{zone}. 60 IN NS {server}\n")).collect()
}

/// A zone at whoever has it now, with more records.
fn zone(name: &str, serial: u32, more: &str) -> String {
    format!(
        "{name}. 60 IN SOA ns.{name}. host.{name}. {serial} 1 1 600 60\n{name}. 60 IN NS ns.{name}.\n\
         ns.{name}. 60 IN A {}\n{more}",
        ip(NOW)
    )
}

fn challenge(zone: &str, text: &str) -> String {
    format!("_secondo-challenge.{zone}. 60 IN TXT \"{text}\"\n")
}
