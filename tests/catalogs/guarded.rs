//! What keeps a producer's accident from taking zones away.

use std::time::Duration;

use testing::eventually::throughout;
use testing::peer::Software;
use testing::primary::Primary;
use testing::{query, zone_text};

use super::{CATALOG, add_catalog, catalog_text, followed, listed, producer, refuses, shown};
use crate::scene::{secondo, serves};

const BOTH: [&str; 2] = ["l1.zones PTR a.test.", "l2.zones PTR b.test."];

#[test]
fn an_emptied_catalog_removes_nothing_until_its_owner_accepts_that() {
    let secondo = secondo().started();
    // Records enough for the guard of any other zone, which catalogs have no need of.
    let more: Vec<String> = (0..150).map(|number| format!("p{number}.ext TXT more")).collect();
    let lines: Vec<&str> = BOTH.into_iter().chain(more.iter().map(String::as_str)).collect();
    let mut peer = producer(Software::Bind, &secondo, &lines, &["a.test", "b.test"]);
    add_catalog(&secondo, &peer, &[]);
    serves(&secondo, "a.test", 1);
    serves(&secondo, "b.test", 1);
    peer.replace(CATALOG, &catalog_text(2, &[]));
    let waiting = followed(&secondo, CATALOG, 2);
    assert_eq!((&waiting["member_count"], &waiting["waiting_count"]), (&2.into(), &2.into()), "{waiting}");
    let a = listed(&waiting, "a.test");
    assert!(a["state"] == "waiting" && a["since"].is_string() && a["until"].is_string(), "{a}");
    assert!(secondo.log().contains("secondo catalog accept catalog.test."), "{}", secondo.log());
    serves(&secondo, "a.test", 1);
    // One that is listed again waits no longer.
    peer.replace(CATALOG, &catalog_text(3, &BOTH[..1]));
    let waiting = followed(&secondo, CATALOG, 3);
    assert_eq!((&listed(&waiting, "a.test")["state"], &waiting["waiting_count"]), (&"member".into(), &1.into()));
    peer.replace(CATALOG, &catalog_text(4, &[]));
    followed(&secondo, CATALOG, 4);
    // Only what has been looked at is accepted.
    secondo.client(&["catalog", "accept", CATALOG, "--serial", "2"]).must_fail(&["catalog_changed"]);
    serves(&secondo, "a.test", 1);
    let accepted = secondo.expect(&["catalog", "accept", CATALOG]);
    assert!(accepted.starts_with("2 zones"), "{accepted}");
    refuses(&secondo, "a.test");
    refuses(&secondo, "b.test");
}

/// An old copy of a catalog says nothing about what its producer wants now.
#[test]
fn a_wait_runs_out_only_when_a_primary_confirms_that_the_catalog_does_without_the_zone() {
    let mut secondo = secondo().started();
    let mut peer = producer(Software::Bind, &secondo, &BOTH, &["a.test", "b.test"]);
    add_catalog(&secondo, &peer, &["--guard-delay", "1s"]);
    serves(&secondo, "a.test", 1);
    serves(&secondo, "b.test", 1);
    peer.replace(CATALOG, &catalog_text(2, &[]));
    followed(&secondo, CATALOG, 2);
    peer.switch_off();
    secondo.kill_and_restart();
    let both_are_served = || {
        query::has_serial(secondo.dns(), "a.test", 1)?;
        query::has_serial(secondo.dns(), "b.test", 1)
    };
    throughout(Duration::from_secs(2), "a zone went though nobody confirmed that", both_are_served);
    peer.switch_on();
    secondo.expect(&["zone", "refresh", CATALOG]);
    refuses(&secondo, "a.test");
    refuses(&secondo, "b.test");
}

#[test]
fn a_broken_version_changes_nothing_and_the_next_good_one_does() {
    let secondo = secondo().started();
    let primary = Primary::start();
    for zone in ["a.test", "b.test", "c.test"] {
        primary.publish(zone, &zone_text::small(1));
    }
    primary.publish(CATALOG, &catalog_text(1, &BOTH));
    secondo.expect(&["catalog", "add", CATALOG, "--primary", &primary.address().to_string()]);
    serves(&secondo, "a.test", 1);
    serves(&secondo, "b.test", 1);
    let listed_twice = ["l1.zones PTR a.test.", "l4.zones PTR A.test.", "l3.zones PTR c.test."];
    let without_version = catalog_text(3, &BOTH[..1]).replace("version", "versions");
    let of_another_day = catalog_text(4, &BOTH[..1]).replace("\"2\"", "\"3\"");
    for (text, why) in [
        (catalog_text(2, &listed_twice), "listed twice"),
        (without_version, "no TXT record at version"),
        (of_another_day, "only \"2\" can be read"),
    ] {
        primary.publish(CATALOG, &text);
        primary.notify(CATALOG, secondo.dns());
        let broken =
            shown(&secondo, CATALOG, why, |shown| shown["fault"].to_string().contains(&why.replace('"', "\\\"")));
        assert_eq!((&broken["member_count"], &broken["waiting_count"]), (&2.into(), &0.into()), "{broken}");
        assert_eq!(broken["followed_serial"], 1, "{broken}");
        secondo.client(&["catalog", "accept", CATALOG]).must_fail(&["catalog_not_read"]);
        serves(&secondo, "a.test", 1);
        serves(&secondo, "b.test", 1);
    }
    primary.publish(CATALOG, &catalog_text(5, &listed_twice[..1]));
    primary.notify(CATALOG, secondo.dns());
    refuses(&secondo, "b.test");
    let mended = followed(&secondo, CATALOG, 5);
    assert!(mended["fault"].is_null() && mended["member_count"] == 1, "{mended}");
}
