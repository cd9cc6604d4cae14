//! The client commands that the other folders do not use.

use std::time::Duration;

use testing::peer::{Peer, Setup, Software};
use testing::primary::{Behaviour, Kind, Primary};
use testing::{query, zone_text};

use crate::scene::{ZONE, secondo, serves};

#[test]
fn an_export_is_a_zone_file_that_holds_what_is_served() {
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    let exported = secondo.expect(&["zone", "export", ZONE]);
    let again = Peer::start(Software::Knot, Setup::zone(ZONE, exported));
    let lines = |server| query::transfer(server, ZONE).unwrap();
    assert_eq!(lines(again.address()), lines(secondo.dns()));
}

#[test]
fn a_removed_zone_is_refused_at_once() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    crate::scene::add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "remove", ZONE]);
    assert_eq!(query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap().rcode, dns::Rcode::REFUSED);
    secondo.client(&["zone", "show", ZONE]).must_fail(&["zone_unknown"]);
    // And it can come again.
    crate::scene::add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_zone_removed_during_its_transfer_is_not_transferred_again() {
    // GL#5291.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    primary.behave(Behaviour::Trickle { octets: 10, pause: Duration::from_millis(40) });
    let mut secondo = secondo().started();
    crate::scene::add(&secondo, ZONE, primary.address());
    primary.wait_for(Kind::Axfr, 1);
    secondo.expect(&["zone", "remove", ZONE]);
    primary.behave_well();
    primary.wait_until_alone();
    for _ in 0..2 {
        assert_eq!(query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap().rcode, dns::Rcode::REFUSED);
        secondo.client(&["zone", "show", ZONE]).must_fail(&["zone_unknown"]);
        secondo.kill_and_restart();
    }
    assert_eq!(primary.count(Kind::Axfr), 1);
}

#[test]
fn a_zone_name_that_looks_like_a_path_goes_through_every_command() {
    // CVE-2026-42000, GL#1592; RFC 2317 §4 gives zones such names.
    let names = ["0/25.2.0.192.in-addr.arpa", "\\046\\046\\047\\046\\046\\047x.test", "semi\\;colon.test"];
    let primary = Primary::start();
    let mut secondo = secondo().started();
    for name in names {
        // Large enough for a file of its own.
        primary.publish(name, &zone_text::of_hosts(1, 40_000));
        crate::scene::add(&secondo, name, primary.address());
        serves(&secondo, name, 1);
        secondo.expect(&["zone", "show", name]);
        secondo.expect(&["zone", "refresh", name]);
        secondo.expect(&["zone", "history", name]);
        assert!(secondo.expect(&["zone", "export", name]).lines().count() > 40_000);
    }
    let images = std::fs::read_dir(secondo.data().join("images")).unwrap();
    let files: Vec<String> = images.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let is_a_number = |file: &String| file.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-');
    assert!(files.len() == names.len() && files.iter().all(is_a_number), "{files:?}");
    secondo.kill_and_restart();
    for name in names {
        assert_eq!(query::serial(secondo.dns(), name), Ok(1), "{name}");
        secondo.expect(&["zone", "remove", name]);
    }
}

#[test]
fn lists_are_for_people_and_for_programs() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    let list = secondo.expect(&["zone", "list"]);
    assert!(list.contains(ZONE), "{list}");
    let shown = secondo.expect(&["zone", "show", ZONE]);
    assert!(shown.contains(&peer.address().to_string()), "{shown}");
    let status = secondo.json(&["status"]);
    assert_eq!(status["zones"]["total"], 1, "{status}");
    assert_eq!(status["dns"][0], secondo.dns().to_string(), "{status}");
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let secondo = secondo();
    for words in [
        &["serve"][..],
        &["zone", "add"],
        &["zone", "list"],
        &["zone", "show"],
        &["zone", "refresh"],
        &["zone", "history"],
        &["zone", "notifies"],
        &["zone", "export"],
        &["zone", "remove"],
        &["zone", "import"],
        &["key", "add"],
        &["key", "list"],
        &["key", "remove"],
        &["catalog", "add"],
        &["catalog", "list"],
        &["catalog", "show"],
        &["catalog", "set"],
        &["catalog", "accept"],
        &["catalog", "remove"],
        &["doctor"],
        &["notifies"],
        &["token", "add"],
        &["token", "list"],
        &["token", "remove"],
        &["user", "add"],
        &["user", "list"],
        &["user", "link"],
        &["user", "remove"],
        &["audit"],
        &["status"],
    ] {
        let help = secondo.expect(&[words, &["--help"]].concat());
        assert!(help.contains(&format!("secondo {}", words.join(" "))), "no example in {words:?}: {help}");
    }
}
