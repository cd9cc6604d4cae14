//! When a zone is checked and when it expires.

use dns::{Serial, Soa};
use proptest::prelude::*;
use xfr::{Bounds, Freshness, Moment, Timers};

const LATEST: u32 = 0;
const EARLIEST: u32 = u32::MAX;

fn soa(refresh: u32, retry: u32, expire: u32) -> Soa {
    Soa { serial: Serial(1), refresh, retry, expire, minimum: 60 }
}

fn at(secs: u64) -> Moment {
    Moment(secs * 1000)
}

fn confirmed(soa: &Soa, now: u64) -> Timers {
    let mut timers = Timers::pending(&Bounds::default(), at(now));
    timers.confirmed(soa, None, &Bounds::default(), at(now), LATEST);
    timers
}

#[test]
fn they_stay_small() {
    assert!(size_of::<Timers>() <= 64, "{}", size_of::<Timers>());
}

#[test]
fn a_zone_never_had_is_due_at_once_and_pending_however_often_it_fails() {
    let mut timers = Timers::pending(&Bounds::default(), at(100));
    assert!(timers.is_due(at(100)));
    for _ in 0..100 {
        let now = timers.next_check();
        timers.failed(&Bounds::default(), now, LATEST);
        assert!(timers.next_check() > now);
        assert_eq!(timers.freshness(now), Freshness::Pending);
    }
    assert!(!timers.is_expired(at(1 << 40)));
}

#[test]
fn a_confirmation_sets_refresh_and_starts_expiry_again() {
    // CoreDNS #1931.
    let mut timers = confirmed(&soa(1000, 100, 5000), 0);
    assert_eq!((timers.next_check(), timers.expires_at()), (at(1000), Some(at(5000))));
    timers.confirmed(&soa(1000, 100, 5000), None, &Bounds::default(), at(1000), EARLIEST);
    assert_eq!(timers.expires_at(), Some(at(6000)));
    assert!((at(1900)..at(2000)).contains(&timers.next_check()));
    assert_eq!(timers.freshness(at(5999)), Freshness::Current);
}

#[test]
fn a_zone_expires_at_its_moment_and_is_still_checked() {
    let mut timers = confirmed(&soa(1000, 100, 5000), 0);
    timers.failed(&Bounds::default(), at(1000), LATEST);
    assert_eq!(timers.freshness(at(4999)), Freshness::Stale);
    assert_eq!(timers.freshness(at(5000)), Freshness::Expired);
    assert_eq!(timers.next_event(at(4999)), timers.next_check().min(at(5000)));
    timers.failed(&Bounds::default(), at(6000), LATEST);
    assert!(timers.next_event(at(6000)) > at(6000));
    timers.confirmed(&soa(1000, 100, 5000), None, &Bounds::default(), at(7000), LATEST);
    assert_eq!(timers.freshness(at(7000)), Freshness::Current);
}

#[test]
fn retries_grow_to_their_bound() {
    // PDNS #349, Knot 3.1.6.
    let mut timers = confirmed(&soa(1000, 100, u32::MAX), 0);
    let mut now = at(1000);
    let mut delays = Vec::new();
    for _ in 0..9 {
        timers.failed(&Bounds::default(), now, LATEST);
        delays.push(timers.next_check().since(now).as_secs());
        now = timers.next_check();
    }
    assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 6400, 7200, 7200]);
}

#[test]
fn a_growing_retry_does_not_sleep_past_expiry() {
    let mut timers = confirmed(&soa(1000, 100, 4000), 0);
    let mut now = at(1000);
    let mut before_expiry = 0;
    while now < at(4000) {
        timers.failed(&Bounds::default(), now, LATEST);
        now = timers.next_check();
        before_expiry += 1;
    }
    assert!(before_expiry >= 5, "{before_expiry}");
}

#[test]
fn a_zone_of_which_nothing_is_answered_is_tried_every_five_minutes_or_as_its_soa_says() {
    let slowest = |mut timers: Timers, mut now| {
        for _ in 0..20 {
            timers.failed(&Bounds::default(), now, LATEST);
            now = timers.next_check();
        }
        timers.failed(&Bounds::default(), now, LATEST);
        timers.next_check().since(now).as_secs()
    };
    assert_eq!(slowest(confirmed(&soa(1000, 100, 4000), 0), at(1000)), 300, "expired");
    assert_eq!(slowest(confirmed(&soa(1000, 900, 4000), 0), at(1000)), 900, "expired, and its owner wants no more");
    assert_eq!(slowest(Timers::pending(&Bounds::default(), at(0)), at(0)), 300, "never had");
}

#[test]
fn overdue_checks_are_spread_after_a_start_and_expiry_stays() {
    // NSD #25, PDNS #6038.
    let restored = |next: u64, now: u64, random| {
        let soa = soa(1000, 100, 5000);
        Timers::restored(&soa, &Bounds::default(), at(0), at(5000), at(next), at(now), random)
    };
    assert_eq!(restored(1000, 500, 7).next_check(), at(1000));
    assert_eq!(restored(1000, 2000, LATEST).next_check(), at(2000));
    assert_eq!(restored(1000, 2000, u32::MAX / 2).next_check().since(at(2000)).as_secs(), 14);
    assert!(restored(1000, 6000, 7).is_expired(at(6000)));
    assert_eq!(restored(900_000, 500, 7).next_check(), at(1500), "a clock that went back does not freeze a zone");
}

#[test]
fn overdue_checks_are_spread_after_a_suspension_and_expiry_stays() {
    let mut timers = confirmed(&soa(1000, 100, 5000), 0);
    timers.overdue(at(4000), u32::MAX / 2);
    assert_eq!(timers.next_check().since(at(4000)).as_secs(), 14);
    assert_eq!(timers.expires_at(), Some(at(5000)));
    timers.overdue(at(4000), LATEST);
    assert!(timers.is_due(at(4000)), "there is always a next check, and it may be now");
}

#[test]
fn a_start_under_closer_bounds_revives_nothing() {
    let soa = soa(1000, 100, 2_419_200);
    let bounds = Bounds { expire_max_secs: 86_400, ..Bounds::default() };
    let restored = Timers::restored(&soa, &bounds, at(100), at(2_419_300), at(1000), at(90_000), LATEST);
    assert_eq!(restored.expires_at(), Some(at(86_500)));
    assert!(restored.is_expired(at(90_000)));
    let sooner = Timers::restored(&soa, &bounds, at(100), at(5000), at(1000), at(200), LATEST);
    assert_eq!(sooner.expires_at(), Some(at(5000)), "the primary's own copy lives no longer, say");
}

#[test]
fn zero_and_huge_values_are_bounded() {
    // NSD #103, #106.
    let low = confirmed(&soa(0, 0, 0), 0);
    assert_eq!((low.next_check(), low.expires_at()), (at(30), Some(at(40))));
    let high = confirmed(&soa(u32::MAX, u32::MAX, u32::MAX), 0);
    assert_eq!((high.next_check(), high.expires_at()), (at(86_400), Some(at(u64::from(u32::MAX)))));
}

#[test]
fn a_healthy_zone_never_expires_between_two_checks_whatever_its_soa_says() {
    for (refresh, retry, expire) in
        [(7200, 3600, 300), (7200, 3600, 3600), (60, 86_400, 100), (0, 0, 0), (1000, 9, 31)]
    {
        let timers = confirmed(&soa(refresh, retry, expire), 0);
        let mut unlucky = timers;
        unlucky.failed(&Bounds::default(), timers.next_check(), LATEST);
        let expires_at = timers.expires_at().unwrap();
        assert!(timers.next_check() < expires_at, "{refresh} {retry} {expire}: checked before it expires");
        assert!(unlucky.next_check() <= expires_at, "{refresh} {retry} {expire}: one failure is survived");
    }
}

#[test]
fn a_burst_of_failing_notifies_puts_no_check_off() {
    let due = confirmed(&soa(1000, 100, 50_000), 0);
    let mut timers = due;
    for second in 1..=50 {
        timers.failed(&Bounds::default(), at(second), LATEST);
    }
    assert_eq!((timers.next_check(), timers.freshness(at(50))), (at(101), Freshness::Stale));
    timers.failed(&Bounds::default(), at(101), LATEST);
    assert_eq!(timers.next_check(), at(301), "only the check that was due counts");
}

#[test]
fn a_notify_makes_a_zone_due_at_once() {
    let mut timers = confirmed(&soa(1000, 100, 5000), 0);
    timers.notified(at(10));
    assert!(timers.is_due(at(10)));
    assert_eq!(timers.expires_at(), Some(at(5000)));
}

#[test]
fn a_zone_that_would_expire_before_its_next_check_is_due_at_once() {
    let long_lived = soa(6 * 3600, 600, 14 * 86_400);
    for (expire_max_secs, is_due) in [(5 * 3600, false), (2 * 3600, true), (3600, true)] {
        let mut timers = confirmed(&long_lived, 0);
        timers.rebound(&long_lived, &Bounds { expire_max_secs, ..Bounds::default() }, at(80 * 60));
        assert_eq!(timers.is_due(at(80 * 60)), is_due, "{expire_max_secs}");
    }
}

proptest! {
    #[test]
    fn expiry_never_moves_later_without_a_confirmation_and_checks_never_stop(
        numbers: (u32, u32, u32), steps in proptest::collection::vec((0_u8..4, 0_u64..100_000, any::<u32>()), 1..50)
    ) {
        let soa = soa(numbers.0, numbers.1, numbers.2);
        let bounds = Bounds::default();
        let mut timers = confirmed(&soa, 0);
        let mut now = at(0);
        for (what, secs, random) in steps {
            now = now.plus(std::time::Duration::from_secs(secs));
            let before = timers;
            match what {
                0 => timers.failed(&bounds, now, random),
                1 => timers.notified(now),
                2 => timers.rebound(&soa, &Bounds { expire_max_secs: random, ..bounds }, now),
                _ => {
                    let (Some(confirmed), Some(expires)) = (timers.confirmed_at(), timers.expires_at()) else { panic!() };
                    timers = Timers::restored(&soa, &bounds, confirmed, expires, timers.next_check(), now, random);
                }
            }
            prop_assert!(timers.expires_at() <= before.expires_at());
            prop_assert_eq!(timers.confirmed_at(), before.confirmed_at());
            prop_assert!(timers.next_check() <= now.plus(std::time::Duration::from_secs(86_400)));
            if what == 0 {
                let is_put_off = timers.next_check().since(now).as_secs() >= 9;
                prop_assert!(is_put_off || !before.is_due(now), "a failing zone does not spin");
                prop_assert!(timers.next_check() <= before.next_check() || before.is_due(now));
            }
        }
    }
}

#[test]
fn a_chain_of_secondaries_does_not_stretch_the_time_until_expiry() {
    // RFC 7314 §4.
    let bounds = Bounds::default();
    let soa = soa(1000, 100, 50_000);
    let mut timers = Timers::pending(&bounds, at(0));
    timers.confirmed(&soa, Some(30_000), &bounds, at(0), LATEST);
    assert_eq!(timers.expires_at(), Some(at(30_000)), "the primary's own copy lives no longer");
    timers.confirmed(&soa, Some(20_000), &bounds, at(1000), LATEST);
    assert_eq!(timers.expires_at(), Some(at(30_000)), "it never comes nearer by a confirmation");
    timers.vouched_for(Some(49_000), at(2000));
    assert_eq!(timers.expires_at(), Some(at(51_000)));
    timers.confirmed(&soa, Some(u32::MAX), &bounds, at(3000), LATEST);
    assert_eq!(timers.expires_at(), Some(at(53_000)), "nor is it later than the SOA allows");
    timers.confirmed(&soa, None, &bounds, at(4000), LATEST);
    assert_eq!(timers.expires_at(), Some(at(54_000)));
}

#[test]
fn a_copy_that_expires_before_it_is_due_is_checked_in_time() {
    // RFC 7314: the primary's own copy has 100 s left, and the zone says to look after an hour.
    let soa = soa(3600, 600, 86_400);
    let mut timers = Timers::pending(&Bounds::default(), at(0));
    timers.confirmed(&soa, Some(100), &Bounds::default(), at(0), LATEST);
    assert_eq!(timers.expires_at(), Some(at(100)));
    assert_eq!(timers.next_check(), at(50));
    timers.confirmed(&soa, Some(86_400), &Bounds::default(), at(50), LATEST);
    assert_eq!(timers.next_check(), at(3650));
}
