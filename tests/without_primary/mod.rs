//! The primary is gone: answers go on, also from a server that was killed and started meanwhile.

use dns::{Rcode, Serial, Type};
use serde_json::json;
use testing::peer::{Peer, Setup};
use testing::primary::Primary;
use testing::zone_text::{self, Timers};
use testing::{eventually, query};

use crate::scene::{FAST_TIMERS, SOON, ZONE, add, attempt, failure, following, secondo, serves, with_each_primary};

#[test]
fn answers_go_on_when_the_primary_is_switched_off_and_we_are_killed_and_started_again() {
    with_each_primary(|software| {
        let (mut secondo, mut peer) = following(secondo(), software, ZONE, &zone_text::small(1));
        peer.replace(ZONE, &zone_text::small(2));
        serves(&secondo, ZONE, 2);
        let before = query::transfer(secondo.dns(), ZONE).unwrap();
        peer.switch_off();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
        for _ in 0..2 {
            secondo.kill_and_restart();
            // It says that it is ready, and it is: not one answer is missing.
            assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
            assert_eq!(query::transfer(secondo.dns(), ZONE).unwrap(), before);
        }
    });
}

#[test]
fn a_primary_that_comes_back_is_followed_again() {
    with_each_primary(|software| {
        let text = |serial| zone_text::with_timers(serial, Timers::SECONDS);
        let mut peer = Peer::start(software, Setup::zone(ZONE, text(1)));
        let mut secondo = secondo().configured(FAST_TIMERS).started();
        add(&secondo, ZONE, peer.address());
        serves(&secondo, ZONE, 1);
        peer.switch_off();
        let reason = failure(&secondo, ZONE);
        assert_eq!(reason["fault"], "network", "{reason}");
        secondo.kill_and_restart();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        peer.switch_on();
        peer.replace(ZONE, &text(2));
        serves(&secondo, ZONE, 2);
        eventually(SOON, "the zone to be active again", || {
            let zone = secondo.zone(ZONE);
            if zone["state"] == "active" { Ok(()) } else { Err(zone.to_string()) }
        });
    });
}

#[test]
fn a_service_manager_ends_it_cleanly() {
    let peer = Peer::start(testing::peer::Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let mut secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    assert_eq!(secondo.terminate().code(), Some(0), "{}", secondo.log());
    assert!(query::serial(secondo.dns(), ZONE).is_err());
}

#[test]
fn the_first_answer_after_a_start_is_the_zones_own() {
    let zones: Vec<String> = (0..200).map(|number| format!("zone-{number}.test")).collect();
    let primary = Primary::start();
    let mut secondo = secondo().started();
    for zone in &zones {
        primary.publish(zone, &zone_text::small(1));
    }
    let lines: String = zones.iter().map(|zone| format!("{zone} {}\n", primary.address())).collect();
    let file = secondo.scratch_file("zones.txt", &lines);
    secondo.expect(&["zone", "import", &file]);
    zones.iter().for_each(|zone| serves(&secondo, zone, 1));
    drop(primary);
    for zone in zones.iter().step_by(50) {
        secondo.kill();
        secondo.start_unannounced();
        let first = eventually(SOON, "the first answer", || query::ask(secondo.dns(), zone, Type::SOA));
        assert_eq!((first.rcode, first.serial), (Rcode::NOERROR, Some(Serial(1))), "{first:?}");
    }
}

#[test]
fn a_primary_that_shows_nothing_while_another_is_well_is_said() {
    let text = zone_text::with_timers(1, Timers::SECONDS);
    let (well, empty) = (Primary::with_zone(ZONE, &text), Primary::start());
    let secondo = secondo().configured(FAST_TIMERS).started();
    let (first, second) = (well.address().to_string(), empty.address().to_string());
    secondo.expect(&["zone", "add", ZONE, "--primary", &first, "--primary", &second]);
    serves(&secondo, ZONE, 1);
    eventually(SOON, "what the second primary says", || {
        let (zone, silent) = (secondo.zone(ZONE), json!([{ "primary": second, "code": "notauth" }]));
        let status = secondo.expect(&["status"]);
        let is_said = status.contains("1 zones have a primary that shows nothing of them");
        if zone["silent"] == silent && is_said { Ok(()) } else { Err(format!("{zone} {status}")) }
    });
    let shown = secondo.expect(&["zone", "show", ZONE]);
    assert!(shown.contains(&format!("{second} (notauth)")), "{shown}");
    empty.publish(ZONE, &text);
    eventually(SOON, "the second primary to be heard", || {
        let status = secondo.expect(&["status"]);
        if status.contains("warning") { Err(status) } else { Ok(()) }
    });
}

#[test]
fn what_fails_again_and_again_is_one_line_in_the_log_and_one_row_that_counts() {
    let empty = Primary::start();
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, empty.address());
    attempt(&secondo, ZONE, "several tries", |attempt| attempt["count"].as_u64() >= Some(3));
    let lines = |what: &str| secondo.log().lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines("the attempt failed"), 1, "{}", secondo.log());
    empty.publish(ZONE, &zone_text::small(1));
    serves(&secondo, ZONE, 1);
    assert_eq!(lines("a new version is served"), 1, "{}", secondo.log());
}
