//! To whom a zone is delegated, as the program finds it out: in a network of its own with root, TLD and name servers by real
//! NSD and BIND at port 53.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use testing::namespace::{add_address, in_a_network_of_its_own};
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;

use crate::scene::{add, secondo, serves};

const ROOT: &str = "\
. 60 IN SOA a.root. host.root. 1 60 60 600 60
. 60 IN NS a.root.
a.root. 60 IN A 127.0.53.1
test. 60 IN NS ns1.nic.test.
test. 60 IN NS ns2.nic.test.
ns1.nic.test. 60 IN A 127.0.53.2
ns2.nic.test. 60 IN A 127.0.53.3
";

/// Our name servers are the one that has the zone, and one that has not.
const GLUE: &str = "ns1.delegated.test. 60 IN A 127.0.53.5\nns2.delegated.test. 60 IN A 127.0.53.6\n";

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 53, last], 53))
}

fn ip(last: u8) -> IpAddr {
    address(last).ip()
}

/// `test.`, which delegates so.
fn parent(serial: u32, delegations: &str) -> String {
    format!(
        "test. 60 IN SOA ns1.nic.test. host.test. {serial} 60 60 600 60\ntest. 60 IN NS ns1.nic.test.\n\
         test. 60 IN NS ns2.nic.test.\nns1.nic.test. 60 IN A 127.0.53.2\nns2.nic.test. 60 IN A 127.0.53.3\n{delegations}"
    )
}

fn to(names: &[&str]) -> String {
    let ns: String = names.iter().map(|name| format!("delegated.test. 60 IN NS {name}.delegated.test.\n")).collect();
    ns + GLUE
}

fn zone(name: &str, ns: &[&str], more: &str) -> String {
    let ns: String = ns.iter().map(|ns| format!("{name}. 60 IN NS {ns}.{name}.\n")).collect();
    format!("{name}. 60 IN SOA ns.{name}. host.{name}. 7 60 60 600 60\n{ns}{more}")
}

/// What was told of the zone's delegation: the newest first.
fn told(secondo: &Secondo) -> Vec<(String, String)> {
    let events = secondo.json(&["event", "list"]);
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let of_delegation =
        events.as_array().unwrap().iter().filter(|event| text(event, "kind").starts_with("delegation_"));
    of_delegation.map(|event| (text(event, "kind"), text(event, "message"))).collect()
}

/// Starts it anew, so that it knows nothing of what it has found before.
fn asked_anew(secondo: &mut Secondo, name: &str) -> Value {
    secondo.kill_and_restart();
    secondo.json(&["zone", "delegation", name])
}

#[test]
fn a_zone_is_delegated_to_us_then_in_part_then_to_nobody() {
    let test = "delegation::a_zone_is_delegated_to_us_then_in_part_then_to_nobody";
    in_a_network_of_its_own(test, || {
        // BIND listens only at addresses that an interface has as its own.
        (1..=6).for_each(|last| add_address(ip(last)));
        let _root = Peer::start(Software::Nsd, Setup::zone(".", ROOT).at(address(1)));
        let both = parent(1, &to(&["ns1", "ns2"]));
        let mut parents = [
            Peer::start(Software::Bind, Setup::zone("test", both.clone()).at(address(2))),
            Peer::start(Software::Nsd, Setup::zone("test", both).at(address(3))),
        ];
        let own = zone("delegated.test", &["ns1", "ns2"], GLUE);
        let child = Peer::start(Software::Nsd, Setup::zone("delegated.test", own).at(address(5)));
        let _lame = Peer::start(
            Software::Bind,
            Setup::zone("other.test", zone("other.test", &["ns"], "ns.other.test. 60 IN A 127.0.53.6\n"))
                .at(address(6)),
        );

        let mut secondo = secondo();
        let hints = secondo.scratch_file("named.root", ". 60 IN NS a.root.\na.root. 60 IN A 127.0.53.1\n");
        let ours = "name_servers = [\"ns1.delegated.test\", \"ns2.delegated.test\"]";
        secondo.configure(&format!("[delegation]\nhints = {hints:?}\n{ours}\n"));
        secondo.start();
        add(&secondo, "delegated.test", child.address());
        serves(&secondo, "delegated.test", 7);

        let found = secondo.json(&["zone", "delegation", "delegated.test"]);
        assert_eq!((&found["state"], &found["fit"]), (&json!("delegated"), &json!("exactly")), "{found:#}");
        assert_eq!((&found["parent"], &found["own"]), (&json!("test."), &found["name_servers"]), "{found:#}");
        assert_eq!(found["views"].as_array().unwrap().len(), 2, "{found:#}");
        let servers = &found["servers"];
        assert_eq!(servers[0]["at"][0]["serial"], 7, "{found:#}");
        let lame = &servers[1]["at"][0];
        assert_eq!((&lame["found"], &lame["code"]), (&json!("lame"), &json!("other_rcode")), "{found:#}");
        let shown = secondo.expect(&["zone", "delegation", "delegated.test"]);
        assert!(shown.contains("exactly: to all of ours") && shown.contains("LAME"), "{shown}");
        let is_lame = told(&secondo);
        assert_eq!((is_lame.len(), is_lame[0].0.as_str()), (1, "delegation_lame"), "{is_lame:?}");
        assert!(is_lame[0].1.contains("is delegated to ns2.delegated.test., which does not answer"), "{is_lame:?}");

        let mut serial = 1;
        let mut publish = |delegations: &str| {
            serial += 1;
            parents.iter_mut().for_each(|one| one.replace("test", &parent(serial, delegations)));
        };
        publish(&to(&["ns1"]));
        let remembered = secondo.json(&["zone", "delegation", "delegated.test"]);
        assert_eq!(remembered, found, "nobody is asked again within a minute");
        let found = asked_anew(&mut secondo, "delegated.test");
        assert_eq!((&found["fit"], &found["name_servers"]), (&json!("among"), &json!(["ns1.delegated.test."])));
        let changed = told(&secondo)[0].clone();
        assert_eq!(changed.0, "delegation_changed");
        let was = "is delegated to ns1.delegated.test. now, and was to ns1.delegated.test., ns2.delegated.test.:";
        assert!(changed.1.contains(was), "{changed:?}");

        publish("");
        let found = asked_anew(&mut secondo, "delegated.test");
        assert_eq!((&found["state"], &found["fit"]), (&json!("not_delegated"), &json!("none")), "{found:#}");
        assert_eq!(found["views"][0]["message"], "the name does not exist (NXDOMAIN)");
        let told = told(&secondo);
        assert!(told[0].1.contains("is delegated to nobody now, and was to ns1.delegated.test.:"), "{told:?}");
        assert_eq!(told.len(), 3, "each once: {told:?}");
    });
}

#[test]
fn where_no_way_leads_to_the_root_it_is_said_whose_fault_that_is() {
    let test = "delegation::where_no_way_leads_to_the_root_it_is_said_whose_fault_that_is";
    in_a_network_of_its_own(test, || {
        add_address(ip(5));
        let own = zone("delegated.test", &["ns1"], GLUE);
        let child = Peer::start(Software::Nsd, Setup::zone("delegated.test", own).at(address(5)));
        let secondo = secondo().started();
        add(&secondo, "delegated.test", child.address());
        serves(&secondo, "delegated.test", 7);
        let ran = secondo.client(&["zone", "delegation", "delegated.test"]);
        ran.must_fail(&["the network between those servers and us", "no way leads to it", "(nobody_answers)"]);
    });
}
