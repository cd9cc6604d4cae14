//! Versions that are held back because they lost too much, and zones that are frozen.

mod doubts;
mod frozen;

use std::time::Duration;

use serde_json::Value;
use testing::eventually::throughout;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::zone_text::of_hosts;
use testing::{eventually, query};

use crate::scene::{SOON, ZONE, add, attempt, following, is_told, secondo, serves};

/// Waits until this version is held back, and returns what `zone show` says of it.
#[track_caller]
fn is_held(secondo: &Secondo, serial: u32) -> Value {
    eventually(SOON, &format!("serial {serial} to be held back"), || {
        let zone = secondo.zone(ZONE);
        if zone["hold"] == "held" && zone["held_back"]["serial"] == serial { Ok(zone) } else { Err(zone.to_string()) }
    })
}

#[test]
fn a_version_that_lost_too_much_is_held_until_the_owner_publishes_it() {
    for software in [Software::Bind, Software::Knot] {
        let (mut secondo, mut peer) = following(secondo(), software, ZONE, &of_hosts(1, 200));
        peer.replace(ZONE, &of_hosts(2, 80));
        let zone = is_held(&secondo, 2);
        assert_eq!((&zone["state"], &zone["freshness"]), (&"held".into(), &"current".into()), "{zone}");
        assert!(zone["held_back"]["ends_at"].is_string(), "{zone}");
        let shown = secondo.expect(&["zone", "show", ZONE]);
        assert!(shown.contains("held back") && shown.contains("serial 2, which lost"), "{shown}");
        assert!(secondo.log().contains("secondo zone publish"), "{}", secondo.log());
        is_told(&secondo, "version_held", &["version 2 of the zone", "has lost 57 % of its records"]);
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        secondo.kill_and_restart();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        assert_eq!(secondo.zone(ZONE)["held_back"]["serial"], 2);
        secondo.expect(&["zone", "publish", ZONE]);
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
        assert_eq!(secondo.zone(ZONE)["state"], "active");
        secondo.client(&["zone", "publish", ZONE]).must_fail(&["nothing_held"]);
    }
}

#[test]
fn what_the_owner_keeps_stays_until_the_next_version() {
    let (secondo, mut peer) = following(secondo(), Software::Knot, ZONE, &of_hosts(1, 200));
    peer.replace(ZONE, &of_hosts(2, 80));
    is_held(&secondo, 2);
    let status = secondo.json(&["status"]);
    assert!(status["zones"]["held"] == 1 && status["warnings"].to_string().contains("held back"), "{status}");
    secondo.expect(&["zone", "keep", ZONE]);
    secondo.expect(&["zone", "refresh", ZONE]);
    attempt(&secondo, ZONE, "the check on record", |attempt| attempt["reason"]["code"] == "version_kept");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    peer.replace(ZONE, &of_hosts(3, 190));
    serves(&secondo, ZONE, 3);
    assert_eq!(secondo.zone(ZONE)["hold"], "none");
}

#[test]
fn a_hold_ends_by_itself_unless_nearly_everything_is_gone() {
    let (secondo, mut peer) = following(secondo(), Software::Bind, ZONE, &of_hosts(1, 200));
    secondo.expect(&["zone", "set", ZONE, "hold-for=1s"]);
    peer.replace(ZONE, &of_hosts(2, 80));
    serves(&secondo, ZONE, 2);
    attempt(&secondo, ZONE, "the hold on record", |attempt| attempt["reason"]["code"] == "version_held");
    peer.replace(ZONE, &of_hosts(3, 200));
    serves(&secondo, ZONE, 3);
    peer.replace(ZONE, &of_hosts(4, 0));
    let zone = is_held(&secondo, 4);
    assert!(
        zone["held_back"]["ends_at"].is_null() && zone["held_back"]["lost_percent"].as_u64() > Some(90),
        "{zone}"
    );
    throughout(Duration::from_secs(2), "it waits for the owner", || query::has_serial(secondo.dns(), ZONE, 3));
    let shown = secondo.expect(&["zone", "show", ZONE]);
    assert!(shown.contains("it waits for your word"), "{shown}");
    let log = secondo.log();
    let said = log.lines().filter(|line| line.contains("serial=4") && line.contains("`secondo zone publish")).count();
    assert!(said > 1, "its owner is told again: {log}");
}

#[test]
fn a_hold_whose_time_is_over_ends_also_where_nobody_was_there_to_see_it() {
    let configured = "[defaults]\nretry_min = \"1s\"\n";
    let (mut secondo, mut peer) =
        following(secondo().configured(configured), Software::Knot, ZONE, &of_hosts(1, 200));
    peer.replace(ZONE, &of_hosts(2, 80));
    is_held_for_longer_than_a_second(&secondo, 2);
    secondo.expect(&["zone", "set", ZONE, "hold-for=1s"]);
    serves(&secondo, ZONE, 2);
    secondo.expect(&["zone", "set", ZONE, "hold-for="]);
    peer.replace(ZONE, &of_hosts(3, 200));
    serves(&secondo, ZONE, 3);
    peer.replace(ZONE, &of_hosts(4, 80));
    is_held_for_longer_than_a_second(&secondo, 4);
    secondo.kill();
    secondo.configure(&format!("{configured}hold_for = \"1s\"\n"));
    secondo.start();
    serves(&secondo, ZONE, 4);
}

#[track_caller]
fn is_held_for_longer_than_a_second(secondo: &Secondo, serial: u32) {
    is_held(secondo, serial);
    throughout(Duration::from_millis(1_100), "it is held for a day", || {
        query::has_serial(secondo.dns(), ZONE, serial - 1)
    });
}

#[test]
fn nothing_is_held_that_is_new_asked_for_whole_or_allowed() {
    let peer = &mut Peer::start(Software::Knot, Setup::zone(ZONE, of_hosts(1, 200)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    peer.replace(ZONE, &of_hosts(2, 80));
    secondo.expect(&["zone", "refresh", ZONE]);
    is_held(&secondo, 2);
    secondo.expect(&["zone", "refresh", ZONE, "--full"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
    peer.replace(ZONE, &of_hosts(3, 200));
    secondo.expect(&["zone", "refresh", ZONE]);
    secondo.expect(&["zone", "set", ZONE, "shrink-limit=off"]);
    peer.replace(ZONE, &of_hosts(4, 0));
    secondo.expect(&["zone", "refresh", ZONE]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(4));
    // The first copy is compared with nothing.
    peer.replace(ZONE, &of_hosts(5, 200));
    secondo.expect(&["zone", "refresh", ZONE]);
    secondo.expect(&["zone", "remove", "--now", ZONE]);
    peer.replace(ZONE, &of_hosts(6, 0));
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 6);
}
