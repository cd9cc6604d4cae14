//! Zones that a catalog has removed are kept for a while: REFUSED, and served at once when they come back.

use std::time::Duration;

use dns::edns::extended_error;
use dns::{Rcode, Type};
use testing::eventually::throughout;
use testing::peer::{Peer, Setup, Software};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::zone_text::{self, Timers};
use testing::{eventually, query};

use super::{CATALOG, add_catalog, catalog_text, followed, refuses};
use crate::scene::{FAST_TIMERS, SOON, has_nothing_to_serve, secondo, serves};

/// What comes and goes, and what stays, since a catalog that is emptied waits.
const BOTH: [&str; 2] = ["l1.zones PTR a.test.", "l2.zones PTR b.test."];
const WITHOUT: [&str; 1] = ["l2.zones PTR b.test."];

/// A catalog whose member is copied from another primary, and has come from there by now.
fn with_member(configuration: &str, text: &str) -> (Secondo, Peer, Primary) {
    let secondo = secondo().configured(configuration).started();
    let member = Primary::with_zone("a.test", text);
    member.publish("b.test", text);
    let catalog = Setup::zone(CATALOG, catalog_text(1, &BOTH)).notifying(secondo.dns());
    let catalog = Peer::start(Software::Knot, catalog);
    add_catalog(&secondo, &catalog, &["--member-primary", &member.address().to_string()]);
    serves(&secondo, "a.test", 1);
    (secondo, catalog, member)
}

#[test]
fn a_member_that_comes_back_is_served_at_once_with_what_it_had() {
    let (mut secondo, mut catalog, member) = with_member("", &zone_text::small(1));
    let before = secondo.zone("a.test");
    // From here on nothing can be transferred.
    drop(member);
    catalog.replace(CATALOG, &catalog_text(2, &WITHOUT));
    refuses(&secondo, "a.test");
    secondo.client(&["zone", "show", "a.test"]).must_fail(&["zone_unknown"]);
    assert!(secondo.json(&["zone", "list"]).as_array().unwrap().iter().all(|zone| zone["name"] != "a.test."));
    secondo.kill_and_restart();
    assert_eq!(query::ask(secondo.dns(), "a.test", Type::SOA).unwrap().rcode, Rcode::REFUSED);
    catalog.replace(CATALOG, &catalog_text(3, &BOTH));
    serves(&secondo, "a.test", 1);
    let after = secondo.zone("a.test");
    assert_eq!((&after["id"], &after["generation"]), (&before["id"], &before["generation"]));
    secondo.kill_and_restart();
    assert_eq!(query::serial(secondo.dns(), "a.test"), Ok(1));
}

#[test]
fn a_member_that_comes_back_follows_its_primary_at_once() {
    // Its timers are hours.
    let (secondo, mut catalog, member) = with_member("", &zone_text::small(1));
    catalog.replace(CATALOG, &catalog_text(2, &WITHOUT));
    refuses(&secondo, "a.test");
    member.publish("a.test", &zone_text::small(2));
    catalog.replace(CATALOG, &catalog_text(3, &BOTH));
    serves(&secondo, "a.test", 2);
}

#[test]
fn under_another_label_a_zone_begins_anew_and_by_hand_it_goes_on() {
    let (secondo, mut catalog, member) = with_member("", &zone_text::small(1));
    let primary = member.address().to_string();
    drop(member);
    catalog.replace(CATALOG, &catalog_text(2, &WITHOUT));
    refuses(&secondo, "a.test");
    // RFC 9432 §5.4.
    catalog.replace(CATALOG, &catalog_text(3, &["l2.zones PTR b.test.", "l3.zones PTR a.test."]));
    followed(&secondo, CATALOG, 3);
    eventually(SOON, "the zone to be here", || match secondo.client(&["zone", "show", "a.test"]).code {
        Some(0) => Ok(()),
        _ => Err(secondo.log()),
    });
    has_nothing_to_serve(&secondo, "a.test");
    catalog.replace(CATALOG, &catalog_text(4, &WITHOUT));
    refuses(&secondo, "a.test");
    followed(&secondo, CATALOG, 4);
    // The newer one of that name, which holds nothing, and then the older one.
    secondo.expect(&["zone", "remove", "--now", "a.test"]);
    let added = secondo.json(&["zone", "add", "a.test", "--primary", &primary]);
    assert_eq!((&added["serial"], &added["origin"]), (&1.into(), &"configured".into()), "{added}");
    assert_eq!(query::serial(secondo.dns(), "a.test"), Ok(1));
}

#[test]
fn what_has_expired_meanwhile_is_not_answered() {
    let text = zone_text::with_timers(1, Timers { refresh: 1, retry: 1, expire: 3 });
    let (secondo, mut catalog, member) = with_member(FAST_TIMERS, &text);
    drop(member);
    catalog.replace(CATALOG, &catalog_text(2, &WITHOUT));
    refuses(&secondo, "a.test");
    throughout(Duration::from_secs(3), "the zone is removed", || {
        let reply = query::ask(secondo.dns(), "a.test", Type::SOA)?;
        if reply.rcode == Rcode::REFUSED { Ok(()) } else { Err(format!("{reply:?}")) }
    });
    catalog.replace(CATALOG, &catalog_text(3, &BOTH));
    eventually(SOON, "the zone to be here, and expired", || {
        let reply = query::ask(secondo.dns(), "a.test", Type::SOA)?;
        assert_ne!(reply.rcode, Rcode::NOERROR, "{reply:?}");
        let is_expired = reply.rcode == Rcode::SERVFAIL && reply.extended_errors == [extended_error::INVALID_DATA];
        if is_expired { Ok(()) } else { Err(format!("{reply:?}")) }
    });
}

#[test]
fn what_is_not_wanted_any_more_is_deleted_when_its_time_is_over_or_at_once() {
    for (keep, deleted) in [("1s", "the zone is removed"), ("off", "the zone is removed"), ("7d", "")] {
        let configuration = format!("[catalogs]\nkeep_removed = \"{keep}\"\n");
        let (secondo, mut catalog, member) = with_member(&configuration, &zone_text::small(1));
        drop(member);
        catalog.replace(CATALOG, &catalog_text(2, &WITHOUT));
        refuses(&secondo, "a.test");
        if deleted.is_empty() {
            secondo.expect(&["zone", "remove", "--now", "a.test"]);
            secondo.client(&["zone", "remove", "--now", "a.test"]).must_fail(&["zone_unknown"]);
        } else {
            eventually(SOON, "the zone to be deleted", || {
                if secondo.log().contains(deleted) { Ok(()) } else { Err(secondo.log()) }
            });
        }
        catalog.replace(CATALOG, &catalog_text(3, &BOTH));
        followed(&secondo, CATALOG, 3);
        eventually(SOON, "the zone to be here", || match secondo.client(&["zone", "show", "a.test"]).code {
            Some(0) => Ok(()),
            _ => Err(secondo.log()),
        });
        has_nothing_to_serve(&secondo, "a.test");
    }
}
