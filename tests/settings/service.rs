//! Zones that are paused or disabled.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dns::edns::extended_error;
use dns::{Rcode, Type};
use serde_json::Value;
use testing::eventually::throughout;
use testing::primary::{Kind, Primary};
use testing::secondo::Secondo;
use testing::zone_text::{self, Timers};
use testing::{eventually, query};

use crate::scene::{FAST_TIMERS, SOON, ZONE, add, secondo, serves};

#[test]
fn a_paused_zone_is_answered_and_neither_checked_nor_woken() {
    let primary = Primary::with_zone(ZONE, &zone_text::with_timers(1, Timers::SECONDS));
    let mut secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "pause", ZONE]);
    secondo.kill_and_restart();
    let zone = secondo.zone(ZONE);
    assert_eq!((&zone["state"], &zone["next_refresh"]), (&"paused".into(), &Value::Null), "{zone}");
    let asked = primary.count(Kind::SoaOverUdp);
    primary.publish(ZONE, &zone_text::with_timers(2, Timers::SECONDS));
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    throughout(Duration::from_millis(1_500), "the zone is paused", || query::has_serial(secondo.dns(), ZONE, 1));
    assert_eq!(primary.count(Kind::SoaOverUdp), asked);
    secondo.client(&["zone", "refresh", ZONE]).must_fail(&["zone_paused", "zone resume"]);
    secondo.expect(&["zone", "resume", ZONE]);
    serves(&secondo, ZONE, 2);
}

#[test]
fn a_resumed_zone_is_checked_at_once() {
    // Its timers are hours.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "pause", ZONE]);
    primary.publish(ZONE, &zone_text::small(2));
    secondo.expect(&["zone", "resume", ZONE]);
    serves(&secondo, ZONE, 2);
}

#[test]
fn a_paused_zone_expires_in_its_time() {
    let text = zone_text::with_timers(1, Timers { refresh: 1, retry: 1, expire: 3 });
    let primary = Primary::with_zone(ZONE, &text);
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "pause", ZONE]);
    eventually(SOON, "the zone to expire", || {
        let reply = query::ask(secondo.dns(), ZONE, Type::SOA)?;
        let is_expired = reply.rcode == Rcode::SERVFAIL && reply.extended_errors == [extended_error::INVALID_DATA];
        if is_expired { Ok(()) } else { Err(format!("{reply:?}")) }
    });
    secondo.expect(&["zone", "resume", ZONE]);
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_disabled_zone_is_never_answered_whatever_becomes_of_the_program_and_its_inventory() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    primary.publish("other.test", &zone_text::small(1));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    add(&secondo, "other.test", primary.address());
    serves(&secondo, ZONE, 1);
    serves(&secondo, "other.test", 1);
    secondo.expect(&["zone", "disable", ZONE]);
    is_refused(&secondo);
    // Killed at once, and the inventory is lost.
    secondo.kill();
    let aside = secondo.data().join("aside");
    fs::create_dir(&aside).unwrap();
    let files = ["inventory.db", "inventory.db-wal", "inventory.db-shm"];
    let put = |from: &Path, to: &Path| {
        files.iter().filter(|file| from.join(file).exists()).for_each(|file| {
            fs::rename(from.join(file), to.join(file)).unwrap();
        });
    };
    put(&secondo.data(), &aside);
    starts_refusing(&mut secondo);
    assert_eq!(secondo.json(&["status"])["inventory"], "unavailable");
    secondo.client(&["zone", "enable", ZONE]).must_fail(&["inventory"]);
    is_refused(&secondo);
    // And found again.
    secondo.kill();
    put(&aside, &secondo.data());
    starts_refusing(&mut secondo);
    assert_eq!(secondo.zone(ZONE)["state"], "disabled");
    secondo.client(&["zone", "refresh", ZONE]).must_fail(&["zone_paused", "zone enable"]);
    secondo.expect(&["zone", "enable", ZONE]);
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_disabled_zone_is_answered_again_by_enable_alone() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "pause", ZONE]);
    secondo.client(&["zone", "enable", ZONE]).must_fail(&["zone_paused", "zone resume"]);
    assert_eq!(secondo.zone(ZONE)["state"], "paused");
    secondo.expect(&["zone", "disable", ZONE]);
    for order in ["pause", "resume"] {
        secondo.client(&["zone", order, ZONE]).must_fail(&["zone_disabled", "zone enable"]);
        is_refused(&secondo);
    }
    secondo.expect(&["zone", "enable", ZONE]);
    serves(&secondo, ZONE, 1);
    assert_eq!(secondo.zone(ZONE)["service"], "answering");
    // Whoever says again what is so already does no harm.
    secondo.expect(&["zone", "enable", ZONE]);
    secondo.expect(&["zone", "resume", ZONE]);
}

#[track_caller]
fn is_refused(secondo: &Secondo) {
    let reply = query::ask(secondo.dns(), ZONE, Type::SOA).unwrap();
    assert_eq!((reply.rcode, reply.answer.len()), (Rcode::REFUSED, 0), "{reply:?}");
    assert!(query::transfer(secondo.dns(), ZONE).is_err(), "a disabled zone is transferred out");
}

/// Starts it and asks for the disabled zone all the while, from before its sockets are open.
#[track_caller]
fn starts_refusing(secondo: &mut Secondo) {
    let (dns, stop, began) = (secondo.dns(), AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut rcodes = Vec::new();
            while !stop.load(Ordering::Relaxed) && began.elapsed() < SOON * 2 {
                rcodes.extend(query::ask_udp(dns, ZONE, Type::SOA).map(|reply| reply.rcode));
            }
            rcodes
        });
        secondo.start();
        assert_eq!(query::serial(secondo.dns(), "other.test"), Ok(1));
        is_refused(secondo);
        stop.store(true, Ordering::Relaxed);
        let rcodes = asking.join().unwrap();
        assert!(!rcodes.is_empty() && rcodes.iter().all(|rcode| *rcode == Rcode::REFUSED), "{rcodes:?}");
    });
}

#[test]
fn any_gets_one_rrset_unless_all_are_wanted_for_the_zone() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let types = |secondo: &Secondo| {
        let answer = query::ask_tcp(secondo.dns(), ZONE, Type::ANY).unwrap().answer;
        let mut types: Vec<String> =
            answer.iter().filter_map(|line| line.split_whitespace().nth(3)).map(ToOwned::to_owned).collect();
        types.dedup();
        types
    };
    assert_eq!(types(&secondo).len(), 1, "{:?}", types(&secondo));
    secondo.expect(&["zone", "set", ZONE, "any=all"]);
    let all = types(&secondo);
    assert!(all.len() > 1 && all.contains(&"SOA".into()) && all.contains(&"NS".into()), "{all:?}");
    secondo.kill_and_restart();
    assert_eq!(types(&secondo), all);
}
