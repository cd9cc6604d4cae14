//! The client commands that the other folders do not use.

use testing::peer::{Peer, Setup, Software};
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
        &["status"],
    ] {
        let help = secondo.expect(&[words, &["--help"]].concat());
        assert!(help.contains(&format!("secondo {}", words.join(" "))), "no example in {words:?}: {help}");
    }
}
