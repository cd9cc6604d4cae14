//! When a zone is checked next, and when it expires (RFC 1034 §4.3.5, RFC 1035 §3.3.13).
//!
//! ```text
//!              confirmed                 failed
//!  ┌─────────┐ ────────► ┌─────────┐ ───────────► ┌───────┐  expiry passes  ┌─────────┐
//!  │ pending │           │ current │              │ stale │ ──────────────► │ expired │
//!  └─────────┘           └─────────┘ ◄─────────── └───────┘                 └─────────┘
//!    │  ▲ failed           │  ▲ confirmed             │ ▲ failed               │  │ confirmed
//!    └──┘ retry            └──┘ next: refresh         └─┘ next: retry,         │  ▼
//!                                                         growing              │ current
//!                                                                              └─ failed: retry, growing
//! ```
//!
//! `confirmed` means: the primary showed the serial that we serve, or a newer version was installed. Only that moves
//! the expiry. Invariants: `now` and random numbers are arguments; expiry never moves later without a confirmation;
//! there is always a next check, also for an expired zone.

use std::num::NonZeroU64;
use std::time::Duration;

use dns::Soa;

use crate::moment::Moment;

/// Between which values a zone's own timers are kept, all in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub refresh_min_secs: u32,
    pub refresh_max_secs: u32,
    pub retry_min_secs: u32,
    pub retry_max_secs: u32,
    pub expire_min_secs: u32,
    pub expire_max_secs: u32,
}

impl Default for Bounds {
    /// Refresh 30 s to a day and retry 10 s to two hours: a zero must not become a flood, and a year must not hide a
    /// lost NOTIFY. Expiry is the owner's word and is not bounded from above.
    fn default() -> Self {
        Self {
            refresh_min_secs: 30,
            refresh_max_secs: 24 * 3600,
            retry_min_secs: 10,
            retry_max_secs: 2 * 3600,
            expire_min_secs: 1,
            expire_max_secs: u32::MAX,
        }
    }
}

/// How up to date a zone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Never had.
    Pending,
    /// The last check confirmed it.
    Current,
    /// The last check failed; still served.
    Stale,
    /// No confirmation for too long; not served.
    Expired,
}

/// A zone's timers: 40 octets, because there may be a million of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// None until the first version is there.
    confirmation: Option<Confirmation>,
    next_check: Moment,
    refresh_secs: u32,
    retry_secs: u32,
    expire_secs: u32,
    /// Failed checks since the last confirmation.
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Confirmation {
    at: Moment,
    /// Never 0, so that it takes no room to say that there is none.
    expires_at_ms: NonZeroU64,
}

impl Confirmation {
    fn new(at: Moment, expires_at: Moment) -> Self {
        Self { at, expires_at_ms: NonZeroU64::new(expires_at.0).unwrap_or(NonZeroU64::MIN) }
    }

    fn expires_at(self) -> Moment {
        Moment(self.expires_at_ms.get())
    }
}

/// Checks that are overdue because nobody was there to make them, before a start or while the machine was suspended, are
/// spread over this many seconds, or the zone's retry time if that is shorter.
const OVERDUE_SPREAD_SECS: u32 = 30;
/// Checks are this share of their time earlier than they could be, at most: zones loaded together drift apart.
const JITTER_PARTS: u64 = 10;
/// A zone of which nothing is answered, because it has expired or was never had, is tried at least so often, unless its
/// own retry time is longer: its primary may be well again, and everybody who asks finds the zone dark until then.
const DARK_LONGEST_SECS: u64 = 300;
/// Delays are doubled at most so often; the bound of the retry time comes first.
const DOUBLINGS_MAX: u32 = 20;

impl Timers {
    /// A zone that was never had: due at once.
    pub fn pending(bounds: &Bounds, now: Moment) -> Self {
        Self {
            confirmation: None,
            next_check: now,
            refresh_secs: bounds.refresh_min_secs,
            retry_secs: bounds.retry_min_secs,
            expire_secs: 0,
            failures: 0,
        }
    }

    /// A zone read from disk: what is overdue is due soon, spread by `random`, and its expiry stays where it was, or is
    /// nearer if the bounds have been drawn closer since that was written.
    pub fn restored(
        soa: &Soa,
        bounds: &Bounds,
        confirmed_at: Moment,
        expires_at: Moment,
        next_check: Moment,
        now: Moment,
        random: u32,
    ) -> Self {
        let mut timers = Self::pending(bounds, now);
        timers.take_numbers(soa, bounds);
        let latest_expiry = timers.confirmation_at(confirmed_at).expires_at();
        timers.confirmation = Some(Confirmation::new(confirmed_at, expires_at.min(latest_expiry)));
        let latest = now.plus(Duration::from_secs(u64::from(timers.refresh_secs)));
        timers.next_check = next_check.min(latest);
        if timers.is_due(now) {
            timers.overdue(now, random);
        }
        timers
    }

    /// Nobody was there to make the check when it was due: it is due soon, spread by `random`.
    pub fn overdue(&mut self, now: Moment, random: u32) {
        let spread = u64::from(self.retry_secs.min(OVERDUE_SPREAD_SECS)) * 1000;
        self.next_check = now.plus(Duration::from_millis(share(spread, random)));
    }

    /// The primary showed our serial, or a newer version was installed, whose SOA this is: expiry starts again.
    ///
    /// A primary that is a secondary itself may say in how many seconds its own copy expires (RFC 7314 §4): then ours
    /// does not live longer than that, unless it would anyway, so that a chain of secondaries does not stretch the time
    /// that the zone's owner has set.
    pub fn confirmed(&mut self, soa: &Soa, expires_in_secs: Option<u32>, bounds: &Bounds, now: Moment, random: u32) {
        self.take_numbers(soa, bounds);
        self.failures = 0;
        let confirmation = self.renewed(expires_in_secs, now);
        self.confirmation = Some(confirmation);
        let mut delay = u64::from(self.refresh_secs) * 1000;
        if confirmation.expires_at() < self.confirmation_at(now).expires_at() {
            // The primary's own copy may expire before the zone is due: it is asked again in time.
            let left = u64::try_from(confirmation.expires_at().since(now).as_millis()).unwrap_or(u64::MAX);
            delay = delay.min((left / 2).max(u64::from(bounds.retry_min_secs.max(1)) * 1000));
        }
        self.next_check = now.plus(jittered(delay, random));
    }

    /// A check or a transfer failed, for whatever reason, bad contents among them: the delay doubles each time up to
    /// the longest retry time, but never reaches beyond the middle of what is left until expiry, nor beyond five minutes
    /// or the zone's own retry time where nothing is answered.
    ///
    /// A failure before the zone was due is that of an extra attempt, for a NOTIFY or by hand. It lets nothing grow
    /// and puts nothing off, or a burst of NOTIFYs, forged ones even, would send the next check hours away.
    pub fn failed(&mut self, bounds: &Bounds, now: Moment, random: u32) {
        let base = u64::from(self.retry_secs) * 1000;
        if !self.is_due(now) {
            self.failures = self.failures.max(1);
            self.next_check = self.next_check.min(now.plus(jittered(base, random)));
            return;
        }
        let longest = (u64::from(bounds.retry_max_secs) * 1000).max(base);
        let delay = (base << self.failures.min(DOUBLINGS_MAX)).min(longest);
        self.failures = self.failures.saturating_add(1);
        let bound = match self.expires_at() {
            Some(expires_at) if expires_at > now => {
                u64::try_from(expires_at.since(now).as_millis()).unwrap_or(u64::MAX) / 2
            }
            _ => DARK_LONGEST_SECS * 1000,
        };
        self.next_check = now.plus(jittered(delay.min(bound.max(base)), random));
    }

    /// Another primary showed our serial while the one with news did not give it: the zone stays stale and is tried
    /// again, but somebody vouches for it, and expiry starts again.
    pub fn vouched_for(&mut self, expires_in_secs: Option<u32>, now: Moment) {
        self.confirmation = self.confirmation.map(|_| self.renewed(expires_in_secs, now));
    }

    /// Somebody who may say so says that there is something new: due at once.
    pub fn notified(&mut self, now: Moment) {
        self.next_check = self.next_check.min(now);
    }

    /// The bounds were changed, or a version that nobody has just confirmed took the place of another: what the zone's SOA
    /// says counts again, within the new bounds. A check that would be later than the new refresh time is drawn nearer;
    /// expiry is only drawn nearer, never put off, and where it would come before the check the zone is due at once.
    pub fn rebound(&mut self, soa: &Soa, bounds: &Bounds, now: Moment) {
        self.take_numbers(soa, bounds);
        self.next_check = self.next_check.min(now.plus(Duration::from_secs(u64::from(self.refresh_secs))));
        self.confirmation = self.confirmation.map(|before| {
            let after = self.confirmation_at(before.at);
            Confirmation::new(before.at, before.expires_at().min(after.expires_at()))
        });
        if self.expires_at().is_some_and(|expires_at| expires_at <= self.next_check) {
            self.notified(now);
        }
    }

    pub fn is_due(&self, now: Moment) -> bool {
        self.next_check <= now
    }

    pub fn next_check(&self) -> Moment {
        self.next_check
    }

    /// Whether the zone was had and may no longer be served. The moment of expiry itself is expired.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at().is_some_and(|expires_at| expires_at <= now)
    }

    pub fn confirmed_at(&self) -> Option<Moment> {
        self.confirmation.map(|confirmation| confirmation.at)
    }

    pub fn expires_at(&self) -> Option<Moment> {
        self.confirmation.map(Confirmation::expires_at)
    }

    /// When there is next something to do: a check, or expiry if that comes first.
    pub fn next_event(&self, now: Moment) -> Moment {
        match self.expires_at() {
            Some(expires_at) if expires_at > now => self.next_check.min(expires_at),
            _ => self.next_check,
        }
    }

    /// How often the primary is asked when all is well: the SOA's REFRESH within the bounds.
    pub fn refresh(&self) -> Duration {
        Duration::from_secs(u64::from(self.refresh_secs))
    }

    /// Failed checks since the last confirmation.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn freshness(&self, now: Moment) -> Freshness {
        match self.confirmation {
            None => Freshness::Pending,
            Some(_) if self.is_expired(now) => Freshness::Expired,
            Some(_) if self.failures > 0 => Freshness::Stale,
            Some(_) => Freshness::Current,
        }
    }

    fn renewed(&self, expires_in_secs: Option<u32>, now: Moment) -> Confirmation {
        let full = self.confirmation_at(now);
        let Some(left) = expires_in_secs else { return full };
        let theirs = now.plus(Duration::from_secs(u64::from(left)));
        let ours = self.confirmation.map_or(theirs, |before| before.expires_at().max(theirs));
        Confirmation::new(now, ours.min(full.expires_at()))
    }

    fn confirmation_at(&self, at: Moment) -> Confirmation {
        Confirmation::new(at, at.plus(Duration::from_secs(u64::from(self.expire_secs))))
    }

    /// Takes the SOA's numbers such that they go together, whatever they are: a check and two retries fit in before
    /// expiry, so that a zone whose primary answers never expires between two checks.
    fn take_numbers(&mut self, soa: &Soa, bounds: &Bounds) {
        let expire = bounded(soa.expire, bounds.expire_min_secs, bounds.expire_max_secs);
        self.expire_secs = expire.max(bounds.refresh_min_secs.saturating_add(bounds.retry_min_secs));
        let refresh_max = bounds.refresh_max_secs.min(self.expire_secs / 2);
        self.refresh_secs = bounded(soa.refresh, bounds.refresh_min_secs, refresh_max);
        let retry_max = bounds.retry_max_secs.min(self.expire_secs / 4);
        self.retry_secs = bounded(soa.retry, bounds.retry_min_secs, retry_max);
    }
}

/// The lower bound wins over an upper one below it; nothing is ever zero, or a failing zone would spin.
fn bounded(secs: u32, min_secs: u32, max_secs: u32) -> u32 {
    secs.min(max_secs).max(min_secs).max(1)
}

fn share(millis: u64, random: u32) -> u64 {
    // At most 2³² · 1000 · 2³²: fits in 128 bits.
    let product = (u128::from(millis) * u128::from(random)) >> 32;
    u64::try_from(product).unwrap_or(u64::MAX)
}

fn jittered(millis: u64, random: u32) -> Duration {
    Duration::from_millis(millis - share(millis / JITTER_PARTS, random))
}
