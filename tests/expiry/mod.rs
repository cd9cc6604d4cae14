//! EXPIRE (RFC 1034 §4.3.5): nobody vouches for the zone any more, so it is not answered any more, and this heals.

use std::time::Duration;

use dns::edns::extended_error;
use dns::{Rcode, Type};
use testing::eventually::throughout;
use testing::peer::{Peer, Setup};
use testing::primary::{Behaviour, Kind, Primary};
use testing::zone_text::{self, Timers};
use testing::{eventually, query};

use crate::scene::{FAST_TIMERS, SOON, ZONE, add, attempts, secondo, serves, with_each_primary};

const EXPIRE_SECS: u32 = 6;

fn text(serial: u32) -> String {
    zone_text::with_timers(serial, Timers { refresh: 1, retry: 1, expire: EXPIRE_SECS })
}

#[test]
fn an_expired_zone_is_servfail_until_a_primary_is_back() {
    with_each_primary(|software| {
        let mut peer = Peer::start(software, Setup::zone(ZONE, text(1)));
        let mut secondo = secondo().configured(FAST_TIMERS).started();
        add(&secondo, ZONE, peer.address());
        serves(&secondo, ZONE, 1);
        // RFC 1034 §4.3.5: every check that finds nothing new starts the time again.
        throughout(Duration::from_secs(u64::from(EXPIRE_SECS) + 2), "the primary is there", || {
            query::has_serial(secondo.dns(), ZONE, 1)
        });
        peer.switch_off();
        expires(&secondo);
        assert_eq!(secondo.zone(ZONE)["state"], "expired");
        assert!(query::transfer(secondo.dns(), ZONE).is_err(), "an expired zone is transferred out");
        // A restart does not make it valid again.
        secondo.kill_and_restart();
        throughout(Duration::from_secs(1), "a restart revives nothing", || is_expired(&secondo, ZONE, Type::SOA));
        peer.switch_on();
        serves(&secondo, ZONE, 1);
        peer.replace(ZONE, &text(2));
        serves(&secondo, ZONE, 2);
    });
}

#[test]
fn an_expired_zone_comes_back_even_with_a_lower_serial() {
    // As when the primary was set up anew: nobody's copy is valid any more, so any version is better than none.
    let mut peer = Peer::start(testing::peer::Software::Nsd, Setup::zone(ZONE, text(50)));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 50);
    peer.switch_off();
    expires(&secondo);
    peer.change_while_off(ZONE, &text(10));
    peer.switch_on();
    serves(&secondo, ZONE, 10);
}

#[test]
fn a_zone_whose_primary_went_back_expires_and_then_takes_what_there_is() {
    // NSD #104, #213, #420: an older serial confirms nothing, and the primary's being there does not either.
    let primary = Primary::with_zone(ZONE, &text(50));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 50);
    primary.publish(ZONE, &text(10));
    serves(&secondo, ZONE, 10);
    let attempts = attempts(&secondo, ZONE);
    let went_back = attempts.iter().rposition(|attempt| attempt["reason"]["code"] == "serial_went_back");
    let taken = attempts.iter().position(|attempt| attempt["kind"] == "axfr" && attempt["from_serial"] == 50);
    assert!(taken.is_some() && taken < went_back, "{attempts:#?}");
    assert!(secondo.log().contains("the zone has expired"));
}

#[test]
fn a_transfer_that_hangs_does_not_put_expiry_off() {
    let primary = Primary::with_zone(ZONE, &text(1));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.behave(Behaviour::HangHalfWay);
    primary.publish(ZONE, &text(2));
    // No NOTIFY: the timer finds the new serial, and its attempt waits longer for the primary than the zone is valid.
    primary.wait_for(Kind::Ixfr, 1);
    expires(&secondo);
    let hung = attempts(&secondo, ZONE).into_iter().find(|attempt| attempt["reason"]["code"] == "hung");
    assert_eq!(hung, None, "the attempt ended before the zone expired, so this shows nothing");
}

#[test]
fn a_log_that_cannot_be_written_keeps_nothing_from_being_done() {
    let mut peer = Peer::start(testing::peer::Software::Knot, Setup::zone(ZONE, text(1)));
    let mut secondo = secondo().configured(FAST_TIMERS).logging_to("/dev/full").started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    peer.replace(ZONE, &text(2));
    serves(&secondo, ZONE, 2);
    peer.switch_off();
    expires(&secondo);
    peer.switch_on();
    serves(&secondo, ZONE, 2);
    assert!(secondo.terminate().success());
}

#[test]
fn a_zone_may_be_served_beyond_its_expiry_for_so_long_and_no_longer() {
    let mut peer = Peer::start(testing::peer::Software::Bind, Setup::zone(ZONE, text(1)));
    let mut secondo = secondo().configured(FAST_TIMERS).started();
    let (address, past) = (peer.address().to_string(), "serve-past-expiry=5s");
    secondo.expect(&["zone", "add", ZONE, "--primary", &address, "--set", past]);
    serves(&secondo, ZONE, 1);
    peer.switch_off();
    let zone = eventually(SOON, "the zone's state to be expired", || match secondo.zone(ZONE) {
        zone if zone["state"] == "expired" => Ok(zone),
        zone => Err(zone.to_string()),
    });
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    let time = |field: &str| zone[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(time("answers_until") - time("expires_at"), 5_000, "{zone}");
    assert!(secondo.expect(&["zone", "show", ZONE]).contains("answers until"));
    secondo.kill_and_restart();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    expires(&secondo);
    secondo.kill_and_restart();
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
    peer.switch_on();
    serves(&secondo, ZONE, 1);
}

#[test]
fn what_is_set_about_expiry_counts_at_once() {
    // The zone's own timers are hours and days.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    drop(primary);
    // No zone expires sooner than after its shortest refresh and retry time.
    throughout(Duration::from_millis(2_100), "it is valid for days", || query::has_serial(secondo.dns(), ZONE, 1));
    secondo.expect(&["zone", "set", ZONE, "expire-max=1s"]);
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
    secondo.expect(&["zone", "set", ZONE, "serve-past-expiry=1d"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    let status = secondo.expect(&["status"]);
    assert!(status.contains("answered all the same") && !status.contains("SERVFAIL"), "{status}");
    secondo.expect(&["zone", "set", ZONE, "serve-past-expiry="]);
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
    secondo.kill_and_restart();
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
    // Nor does what is set for longer make it valid again, now or later.
    secondo.expect(&["zone", "set", ZONE, "expire-max="]);
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
    assert!(secondo.terminate().success());
    secondo.start();
    assert_eq!(is_expired(&secondo, ZONE, Type::SOA), Ok(()));
}

#[test]
fn it_is_said_before_that_a_zone_will_expire() {
    let primary = Primary::with_zone(ZONE, &text(1));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    drop(primary);
    expires(&secondo);
    let log = secondo.log();
    let said =
        |words: &str| log.lines().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {log}"));
    let warnings = ["left_percent=50", "left_percent=25", "left_percent=10", "the zone has expired"].map(said);
    assert!(warnings.is_sorted(), "{log}");
}

#[test]
fn a_copy_of_our_copy_does_not_outlive_ours() {
    // RFC 7314: the second in the chain is told when the first one's copy expires, also with its first copy.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let first = secondo().configured(FAST_TIMERS).started();
    add(&first, ZONE, primary.address());
    serves(&first, ZONE, 1);
    first.expect(&["zone", "set", ZONE, "expire-max=1h"]);
    let second = secondo().configured(FAST_TIMERS).started();
    add(&second, ZONE, first.dns());
    serves(&second, ZONE, 1);
    let expires_at = |secondo: &testing::secondo::Secondo| {
        let zone = secondo.zone(ZONE);
        zone["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    // What is told is in seconds; the zone's own SOA says weeks.
    let is_bounded = || expires_at(&second) <= expires_at(&first) + jiff::SignedDuration::from_secs(1);
    assert!(is_bounded(), "{} {}", expires_at(&first), expires_at(&second));
    second.expect(&["zone", "refresh", ZONE]);
    assert!(is_bounded(), "{} {}", expires_at(&first), expires_at(&second));
}

fn expires(secondo: &testing::secondo::Secondo) {
    for (name, qtype) in [(ZONE, Type::SOA), ("www.example.test", Type::A), ("nothing.example.test", Type::A)] {
        eventually(SOON, "the zone to expire", || is_expired(secondo, name, qtype));
    }
}

fn is_expired(secondo: &testing::secondo::Secondo, name: &str, qtype: Type) -> Result<(), String> {
    let reply = query::ask(secondo.dns(), name, qtype)?;
    let says_why = reply.extended_errors.contains(&extended_error::INVALID_DATA);
    if reply.rcode == Rcode::SERVFAIL && says_why && reply.answer.is_empty() {
        Ok(())
    } else {
        Err(format!("{reply:?}"))
    }
}
