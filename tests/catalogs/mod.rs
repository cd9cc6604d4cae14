//! Catalogs (RFC 9432): zones come and go as a producer lists them, and never all at once by an accident.

mod guarded;
mod kept;
mod made;

use dns::{Rcode, Type};
use serde_json::Value;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, query, zone_text};

use crate::scene::{SOON, add, secondo, serves, with_each_primary};

/// The catalog of most tests.
const CATALOG: &str = "catalog.test";

/// A catalog zone with timers of hours. Each line is one of a zone file, such as `l1.zones PTR a.test.`.
fn catalog_text(serial: u32, lines: &[&str]) -> String {
    let start = format!("$TTL 0\n@ SOA invalid. invalid. {serial} 7200 3600 604800 60\n@ NS invalid.\n");
    format!("{start}version TXT \"2\"\n{}\n", lines.join("\n"))
}

/// A primary with the catalog, which lists what the lines say, and small zones of these names, at serial 1.
fn producer(software: Software, secondo: &Secondo, lines: &[&str], zones: &[&str]) -> Peer {
    let catalog = Setup::zone(CATALOG, catalog_text(1, lines)).notifying(secondo.dns());
    let setup = zones.iter().fold(catalog, |setup, zone| setup.and_zone(zone, zone_text::small(1)));
    Peer::start(software, setup)
}

#[track_caller]
fn add_catalog(secondo: &Secondo, peer: &Peer, more: &[&str]) {
    let primary = peer.address().to_string();
    secondo.expect(&[&["catalog", "add", CATALOG, "--primary", &primary], more].concat());
}

/// Waits until the catalog has been followed at this serial.
#[track_caller]
fn followed(secondo: &Secondo, catalog: &str, serial: u32) -> Value {
    shown(secondo, catalog, &format!("{catalog} to be followed at serial {serial}"), |shown| {
        shown["followed_serial"] == serial
    })
}

/// Waits until the catalog looks as wanted, and gives it with all that it lists.
#[track_caller]
fn shown(secondo: &Secondo, catalog: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(SOON, what, || {
        let shown = secondo.json(&["catalog", "show", catalog]);
        if wanted(&shown) { Ok(shown) } else { Err(shown.to_string()) }
    })
}

/// What the catalog has of the zone.
fn listed<'a>(shown: &'a Value, zone: &str) -> &'a Value {
    let listed = shown["listed"].as_array().unwrap();
    listed.iter().find(|member| member["name"] == format!("{zone}.")).unwrap_or(&Value::Null)
}

#[track_caller]
fn refuses(secondo: &Secondo, zone: &str) {
    eventually(SOON, &format!("{zone} to be refused"), || {
        let reply = query::ask(secondo.dns(), zone, Type::SOA)?;
        if reply.rcode == Rcode::REFUSED { Ok(()) } else { Err(format!("{reply:?}")) }
    });
}

#[test]
fn members_of_a_catalog_are_copied_and_served_and_refused_when_they_go() {
    with_each_primary(|software| {
        let secondo = secondo().started();
        let first = ["l1.zones PTR a.test.", "l2.zones PTR b.test."];
        let mut peer = producer(software, &secondo, &first, &["a.test", "b.test", "c.test"]);
        add_catalog(&secondo, &peer, &[]);
        serves(&secondo, "a.test", 1);
        serves(&secondo, "b.test", 1);
        let zone = secondo.zone("a.test");
        assert_eq!((&zone["origin"], &zone["catalog"]), (&"member".into(), &"catalog.test.".into()));
        peer.replace(CATALOG, &catalog_text(2, &["l2.zones PTR b.test.", "l3.zones PTR c.test."]));
        serves(&secondo, "c.test", 1);
        refuses(&secondo, "a.test");
        serves(&secondo, "b.test", 1);
        let shown = followed(&secondo, CATALOG, 2);
        assert_eq!((&shown["member_count"], &shown["waiting_count"]), (&2.into(), &0.into()), "{shown}");
        secondo.client(&["zone", "show", "a.test"]).must_fail(&["zone_unknown"]);
        // And a member is followed as any zone.
        peer.replace("b.test", &zone_text::small(2));
        secondo.expect(&["zone", "refresh", "b.test"]);
        serves(&secondo, "b.test", 2);
    });
}

/// RFC 9432 §7: what zones there are is their consumers' business.
#[test]
fn the_catalog_itself_is_answered_to_nobody_also_after_a_restart_without_the_inventory() {
    let mut secondo = secondo().started();
    let peer = producer(Software::Bind, &secondo, &["l1.zones PTR a.test."], &["a.test"]);
    add_catalog(&secondo, &peer, &[]);
    serves(&secondo, "a.test", 1);
    let is_private = |secondo: &Secondo| {
        for (name, qtype) in
            [(CATALOG, Type::SOA), ("l1.zones.catalog.test", Type::PTR), ("version.catalog.test", Type::TXT)]
        {
            let reply = query::ask(secondo.dns(), name, qtype).unwrap();
            assert_eq!((reply.rcode, reply.answer.len()), (Rcode::REFUSED, 0), "{name}: {reply:?}");
        }
        assert!(query::transfer(secondo.dns(), CATALOG).is_err());
    };
    is_private(&secondo);
    assert!(secondo.expect(&["zone", "export", CATALOG]).contains("l1.zones"), "its owner may see it");
    secondo.kill_and_restart();
    is_private(&secondo);
    secondo.kill();
    for entry in std::fs::read_dir(secondo.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("inventory") {
            std::fs::remove_file(path).unwrap();
        }
    }
    secondo.start();
    serves(&secondo, "a.test", 1);
    is_private(&secondo);
}

#[test]
fn after_a_restart_members_are_served_at_once_and_not_copied_again() {
    let mut secondo = secondo().started();
    let lines = ["l1.zones PTR a.test.", "l2.zones PTR b.test."];
    let mut peer = producer(Software::Bind, &secondo, &lines, &["a.test", "b.test"]);
    add_catalog(&secondo, &peer, &[]);
    let before = ["a.test", "b.test"].map(|zone| {
        serves(&secondo, zone, 1);
        secondo.zone(zone)
    });
    peer.switch_off();
    secondo.kill_and_restart();
    for (zone, before) in ["a.test", "b.test"].iter().zip(&before) {
        assert_eq!(query::serial(secondo.dns(), zone), Ok(1));
        let after = secondo.zone(zone);
        for fact in ["id", "generation", "digest", "origin"] {
            assert_eq!(after[fact], before[fact], "{fact}");
        }
    }
    peer.switch_on();
    secondo.expect(&["zone", "refresh", CATALOG]);
    let shown = followed(&secondo, CATALOG, 1);
    assert_eq!(shown["member_count"], 2, "{shown}");
    assert_eq!(secondo.zone("a.test")["generation"], before[0]["generation"]);
}

#[test]
fn a_configured_zone_goes_before_a_catalog_and_what_is_outside_of_its_suffixes_is_said() {
    let secondo = secondo().started();
    let lines = ["l1.zones PTR own.in.test.", "l2.zones PTR A.in.test.", "l3.zones PTR b.out.test."];
    let mut peer = producer(Software::Bind, &secondo, &lines, &["own.in.test", "a.in.test", "b.out.test"]);
    let own = Peer::start(Software::Knot, Setup::zone("own.in.test", zone_text::small(7)));
    add(&secondo, "own.in.test", own.address());
    serves(&secondo, "own.in.test", 7);
    add_catalog(&secondo, &peer, &["--suffix", "in.test"]);
    serves(&secondo, "a.in.test", 1);
    let shown = followed(&secondo, CATALOG, 1);
    for (zone, why) in [("own.in.test", "configured"), ("b.out.test", "none of the domains")] {
        let listed = listed(&shown, zone);
        assert_eq!(listed["state"], "skipped", "{shown}");
        assert!(listed["why"].as_str().unwrap().contains(why), "{listed}");
        assert!(secondo.log().contains(why), "{}", secondo.log());
    }
    refuses(&secondo, "b.out.test");
    assert_eq!(secondo.zone("own.in.test")["origin"], "configured");
    peer.replace(CATALOG, &catalog_text(2, &["l2.zones PTR A.in.test."]));
    followed(&secondo, CATALOG, 2);
    serves(&secondo, "own.in.test", 7);
}

#[test]
fn a_member_is_changed_by_its_catalog_and_by_nobody_else_until_it_is_configured() {
    let secondo = secondo().started();
    let mut peer = producer(Software::Bind, &secondo, &["l1.zones PTR a.test."], &["a.test"]);
    add_catalog(&secondo, &peer, &[]);
    serves(&secondo, "a.test", 1);
    let primary = peer.address().to_string();
    for words in [
        &["zone", "remove", "a.test"][..],
        &["zone", "set", "a.test", "refresh-max=2h"],
        &["zone", "set", "a.test", "--primary", "127.0.0.1:1"],
        &["zone", "disable", "a.test"],
    ] {
        secondo.client(words).must_fail(&["zone_of_catalog", "member of the catalog catalog.test."]);
    }
    secondo.client(&["zone", "remove", CATALOG]).must_fail(&["zone_is_catalog", "secondo catalog remove"]);
    let before = secondo.zone("a.test");
    let after = secondo.json(&["zone", "add", "a.test", "--primary", &primary, "--set", "refresh-max=3h"]);
    assert_eq!(
        (&after["origin"], &after["settings"]["refresh_max"]),
        (&"configured".into(), &"3h".into()),
        "as it is from now on"
    );
    assert_eq!((&after["id"], &after["generation"]), (&before["id"], &before["generation"]), "the same zone");
    secondo.expect(&["zone", "set", "a.test", "refresh-max=2h"]);
    peer.replace(CATALOG, &catalog_text(2, &[]));
    followed(&secondo, CATALOG, 2);
    serves(&secondo, "a.test", 1);
    secondo.client(&["zone", "add", "a.test", "--primary", &primary]).must_fail(&["zone_exists"]);
}

#[test]
fn catalogs_of_the_configuration_are_there_and_leave_their_members_when_they_are_removed() {
    let secondo = secondo();
    let peer = producer(Software::Nsd, &secondo, &["l1.zones PTR a.test."], &["a.test"]);
    let primary = peer.address();
    let text = format!("[[catalog]]\nname = \"{CATALOG}\"\nprimaries = [\"{primary}\"]\nsuffixes = [\"test\"]\n");
    let mut secondo = secondo.configured(&text).started();
    serves(&secondo, "a.test", 1);
    secondo.terminate();
    secondo.start();
    serves(&secondo, "a.test", 1);
    assert_eq!(secondo.json(&["catalog", "list"]).as_array().unwrap().len(), 1);
    secondo.expect(&["catalog", "remove", CATALOG]);
    secondo.client(&["zone", "show", CATALOG]).must_fail(&["zone_unknown"]);
    serves(&secondo, "a.test", 1);
    assert_eq!(secondo.zone("a.test")["origin"], "configured");
    secondo.expect(&["zone", "remove", "a.test"]);
}
