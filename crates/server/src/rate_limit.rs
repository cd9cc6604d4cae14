//! How often one network gets the same answer over UDP: who asks in somebody else's name must not be able to have us flood
//! them.
//!
//! What counts as the same is what an attacker can repeat at will: the same kind of answer from one owner of one zone, so
//! that all names that a wildcard stands for are one, as are all names that do not exist. Besides, each network has so many
//! answers of all kinds. Of answers beyond the limit each second one is sent without its records, so that whoever is there
//! asks again over TCP, or with the cookie that comes with it; the others are not sent. Who shows a cookie of ours is at the
//! address that it asks from, and is not limited.
//!
//! ```text
//! a cell, one for each network and answer that is remembered:  tag:16 │ free at:48
//!    free at is when all that has been sent would be paid off, in microseconds since the start; it is pushed on by each
//!    answer, and no answer is due while it is more than a second ahead (the generic cell rate algorithm)
//! ```
//!
//! Cells stand in rows of four. A row that is full loses the one that is free first: memory is bounded, and an attacker who
//! fills it has as many networks limited as there are cells. Nothing here locks or allocates.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use answer::{CookieShown, Kind, Outcome};
use xfr::Prefix;

/// Cells of one row.
const ROW: usize = 4;
/// Rows: two mebibytes.
const ROWS: usize = 1 << 16;
const TAG_BITS: u32 = 16;
const MICROS_BITS: u32 = 64 - TAG_BITS;
const SECOND_MICROS: u64 = 1_000_000;
/// One of so many answers beyond the limit is sent without its records.
const SLIP: u32 = 2;

/// The limits, for each network: an IPv4 /24 or an IPv6 /48.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Answers that are the same, each second; 1 to 1,000,000.
    pub responses_per_second: u32,
    /// Answers of all kinds, each second; 1 to 1,000,000.
    pub all_per_second: u32,
    /// Who is not limited.
    pub exempt: Vec<Prefix>,
}

impl RateLimit {
    /// This machine, which is not limited unless somebody wants that.
    pub fn exempt_by_default() -> Vec<Prefix> {
        vec![Prefix::loopback_v4(), Prefix::of_one(Ipv6Addr::LOCALHOST.into())]
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Send,
    /// Without its records.
    Slip,
    Drop,
}

pub(crate) struct RateLimiter {
    limit: RateLimit,
    started: Instant,
    /// Nobody else knows it, so that nobody can choose what shares a cell.
    hash: RandomState,
    cells: Box<[AtomicU64]>,
    beyond: AtomicU32,
}

impl RateLimiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        let cells = std::iter::repeat_with(AtomicU64::default).take(ROWS * ROW).collect();
        Self { limit, started: Instant::now(), hash: RandomState::new(), cells, beyond: AtomicU32::new(0) }
    }

    pub(crate) fn judge(&self, address: IpAddr, outcome: &Outcome) -> Verdict {
        self.judge_at(self.started.elapsed().as_micros() as u64, address, outcome)
    }

    fn judge_at(&self, now_micros: u64, address: IpAddr, outcome: &Outcome) -> Verdict {
        let is_exempt = || self.limit.exempt.iter().any(|prefix| prefix.contains(address));
        if outcome.kind == Kind::Ignored || outcome.cookie == CookieShown::Ours || is_exempt() {
            return Verdict::Send;
        }
        let network = Prefix::of_site(address);
        // What an owner has is one answer; what is denied, or fails, is one for the zone.
        let about =
            if matches!(outcome.kind, Kind::Answer | Kind::NoData | Kind::Referral) { outcome.about } else { 0 };
        let same = self.hash.hash_one((network, outcome.zone, outcome.kind, about));
        let all = self.hash.hash_one(network);
        let is_within = self.pay(same, now_micros, self.limit.responses_per_second)
            && self.pay(all, now_micros, self.limit.all_per_second);
        if is_within {
            return Verdict::Send;
        }
        if self.beyond.fetch_add(1, Ordering::Relaxed).is_multiple_of(SLIP) { Verdict::Slip } else { Verdict::Drop }
    }

    /// Whether one more fits into the rate of what has this hash.
    fn pay(&self, hash: u64, now_micros: u64, per_second: u32) -> bool {
        let row = (hash as usize & (ROWS - 1)) * ROW;
        let cells = &self.cells[row..row + ROW];
        // 0 is a cell that was never used.
        let tag = (hash >> MICROS_BITS).max(1);
        let free_at = |value: u64| value & ((1 << MICROS_BITS) - 1);
        let mine = cells.iter().find(|cell| cell.load(Ordering::Relaxed) >> MICROS_BITS == tag);
        let first_free = || cells.iter().min_by_key(|cell| free_at(cell.load(Ordering::Relaxed)));
        let Some(cell) = mine.or_else(first_free) else { return true };
        let price = SECOND_MICROS / u64::from(per_second.clamp(1, 1_000_000));
        let mut is_within = true;
        // Whoever loses a race with another thread pays again from what that one has left.
        let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| {
            let owed_until = if value >> MICROS_BITS == tag { free_at(value).max(now_micros) } else { now_micros };
            is_within = owed_until + price <= now_micros + SECOND_MICROS;
            is_within.then(|| tag << MICROS_BITS | free_at(owed_until + price))
        });
        is_within
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use answer::{CookieShown, Kind, Outcome};
    use dns::Rcode;
    use zone::ZoneId;

    use super::{RateLimit, RateLimiter, SECOND_MICROS, Verdict};

    fn limiter() -> RateLimiter {
        let mut exempt = RateLimit::exempt_by_default();
        exempt.push("203.0.113.0/24".parse().unwrap());
        RateLimiter::new(RateLimit { responses_per_second: 5, all_per_second: 20, exempt })
    }

    const ANSWER: Outcome = Outcome {
        length: 100,
        rcode: Rcode::NOERROR,
        kind: Kind::Answer,
        zone: Some(ZoneId(1)),
        qtype: Some(dns::Type::A),
        about: 7,
        cookie: CookieShown::Client,
        opt_octets: 0,
    };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of a hundred are sent whole.
    fn sent(limiter: &RateLimiter, now_micros: u64, from: &str, outcome: impl Fn(u32) -> Outcome) -> usize {
        let judge = |number| limiter.judge_at(now_micros, address(from), &outcome(number));
        (0..100).map(judge).filter(|verdict| *verdict == Verdict::Send).count()
    }

    #[test]
    fn the_same_answer_goes_to_one_network_so_often_a_second_and_no_more() {
        let limiter = limiter();
        assert_eq!(sent(&limiter, 0, "192.0.2.1", |_| ANSWER), 5);
        assert_eq!(sent(&limiter, 0, "192.0.2.200", |_| ANSWER), 0, "the same network");
        assert_eq!(sent(&limiter, 0, "198.51.100.1", |_| ANSWER), 5, "another network");
        assert_eq!(sent(&limiter, 0, "192.0.2.1", |_| Outcome { about: 8, ..ANSWER }), 5, "another answer");
        assert_eq!(sent(&limiter, SECOND_MICROS / 5, "192.0.2.1", |_| ANSWER), 1, "one is paid off");
        assert_eq!(sent(&limiter, 10 * SECOND_MICROS, "192.0.2.1", |_| ANSWER), 5, "nothing is saved up");
        assert_eq!(sent(&limiter, 0, "2001:db8:0:1::1", |_| ANSWER), 5);
        assert_eq!(sent(&limiter, 0, "2001:db8:0:2::1", |_| ANSWER), 0, "the same site");
    }

    #[test]
    fn denials_are_one_for_a_zone_and_all_answers_together_have_a_limit() {
        let limiter = limiter();
        let denied = |about| Outcome { kind: Kind::NameError, about, ..ANSWER };
        assert_eq!(sent(&limiter, 0, "192.0.2.1", denied), 5);
        let elsewhere = |about| Outcome { zone: Some(ZoneId(2)), ..denied(about) };
        assert_eq!(sent(&limiter, 0, "192.0.2.1", elsewhere), 5);
        let many = |about| Outcome { about, ..ANSWER };
        assert_eq!(sent(&limiter, 0, "198.51.100.1", many), 20);
    }

    #[test]
    fn each_second_one_beyond_the_limit_slips() {
        let limiter = limiter();
        let verdicts: Vec<Verdict> = (0..9).map(|_| limiter.judge_at(0, address("192.0.2.1"), &ANSWER)).collect();
        assert_eq!(verdicts[..5], [Verdict::Send; 5]);
        assert_eq!(verdicts[5..], [Verdict::Slip, Verdict::Drop, Verdict::Slip, Verdict::Drop]);
    }

    #[test]
    fn who_shows_our_cookie_or_is_exempt_or_is_this_machine_is_not_limited() {
        let limiter = limiter();
        let with_cookie = |_| Outcome { cookie: CookieShown::Ours, ..ANSWER };
        assert_eq!(sent(&limiter, 0, "192.0.2.1", with_cookie), 100);
        for exempt in ["127.0.0.9", "::1", "::ffff:127.0.0.1", "203.0.113.9"] {
            assert_eq!(sent(&limiter, 0, exempt, |_| ANSWER), 100, "{exempt}");
        }
    }

    #[test]
    fn more_networks_than_there_is_room_for_are_answered_and_take_no_more_room() {
        let limiter = limiter();
        let cells = limiter.cells.len();
        for number in 0..600_000_u32 {
            let from = IpAddr::from((0x0b00_0000 + (number << 8)).to_be_bytes());
            assert_eq!(limiter.judge_at(0, from, &ANSWER), Verdict::Send, "{from}");
        }
        assert_eq!(limiter.cells.len(), cells);
    }
}
