//! What is known of primaries that failed lately, so that they are left alone and nobody waits for them.
//!
//! ```text
//!              it cannot be reached                          its time is up: one asks
//!  unmarked ──────────────────────► marked, nobody asks ─────────────────────────────► being tried
//!     ▲  ▲                             │     ▲                                            │  │
//!     │  └── a NOTIFY came from there ─┘     └──────── it cannot be reached ──────────────┘  │
//!     └────────────────────────────────────── it answers ────────────────────────────────────┘
//! ```
//!
//! A mark is short: it spares a primary of thousands of zones, and us, from finding out thousands of times that it is
//! dead; when each zone is tried again is its own timers'. A primary that is there and fails transfers is asked no more
//! often than [`FAILING_EVERY`] unless somebody wants to know now; one that gives them has no limit in time, and as soon
//! as it gives one, all that wait go on.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};
use xfr::reason::Waiting;
use xfr::{Reason, Tls};

use crate::Primary;

/// Primaries that are remembered before the ones that were heard of longest ago are forgotten.
const REMEMBERED_MAX: usize = 4096;
/// How long nobody asks after the first failure, and after many.
const MARKED_MIN: Duration = Duration::from_secs(5);
const MARKED_MAX: Duration = Duration::from_secs(60);
/// Who waited less than this for a connection has not shown that none can be had.
const CONNECTING_MIN: Duration = Duration::from_secs(1);
/// Who tries a marked primary and never says how it went does not keep others from trying.
const TRIAL_MAX: Duration = Duration::from_secs(30);
/// A NOTIFY may be forged: it clears a mark no more often than this.
const CLEARED_EVERY: Duration = Duration::from_secs(60);
/// After so many failed transfers in a row there is a limit to their rate.
const FAILED_IN_A_ROW: u32 = 10;
const FAILING_EVERY: Duration = Duration::from_millis(200);
/// How long it is remembered that a primary does not implement IXFR.
const NO_IXFR_REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// A primary as somebody asks it. Who asks it in a way that cannot go well, from an address that leads nowhere or over TLS
/// where there is none, says nothing about it to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    address: SocketAddr,
    source: Option<IpAddr>,
    over_tls: bool,
}

impl Target {
    pub(crate) fn new(address: SocketAddr, source: Option<IpAddr>, tls: Option<&Tls>) -> Self {
        Self { address, source, over_tls: tls.is_some() }
    }

    pub(crate) fn of(primary: &Primary) -> Self {
        Self::new(primary.address, primary.source, primary.tls.as_ref())
    }
}

/// All primaries of which something is known.
#[derive(Default)]
pub(crate) struct Reach {
    known: Mutex<BTreeMap<Target, Known>>,
    /// A primary that failed transfers has given one.
    gives_again: Notify,
}

#[derive(Clone, Copy)]
struct Known {
    heard_of: Instant,
    mark: Option<Mark>,
    cleared_at: Option<Instant>,
    /// Failed transfers since the last that went well.
    failed_in_a_row: u32,
    next_transfer: Option<Instant>,
    no_ixfr_since: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Mark {
    failures: u32,
    failed_at: Instant,
    /// When one may ask again.
    until: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    LeftAlone,
    /// One asks, and the others wait for how that goes.
    BeingTried,
}

impl Mark {
    fn reason(&self, now: Instant) -> Reason {
        let ago_secs = now.duration_since(self.failed_at).as_secs();
        let detail = format!("it could not be reached {ago_secs} s ago, and has not been asked again");
        Reason::Unreachable { detail }
    }

    fn is_left_alone(&self, now: Instant) -> bool {
        self.stage == Stage::LeftAlone && self.until > now
    }

    fn is_over(&self, now: Instant) -> Result<(), Reason> {
        if self.until > now { Err(self.reason(now)) } else { Ok(()) }
    }
}

impl Reach {
    /// Whether the primary may be asked now.
    ///
    /// # Errors
    /// When it could not be reached a moment ago.
    pub(crate) fn may_ask(&self, primary: Target) -> Result<(), Reason> {
        let now = Instant::now();
        let mut known = self.known();
        let Some(mark) = known.get_mut(&primary).and_then(|known| known.mark.as_mut()) else { return Ok(()) };
        mark.is_over(now)?;
        // This one tries, and until it has said how it went the others do not.
        (mark.until, mark.stage) = (now + TRIAL_MAX, Stage::BeingTried);
        Ok(())
    }

    /// Whether it is worth while to wait for a place to ask from: what then counts is whether it may be asked.
    ///
    /// # Errors
    /// When it could not be reached a moment ago.
    pub(crate) fn may_wait(&self, primary: Target) -> Result<(), Reason> {
        let mark = self.known().get(&primary).and_then(|known| known.mark);
        mark.map_or(Ok(()), |mark| mark.is_over(Instant::now()))
    }

    /// Whether somebody whom [`Reach::may_ask`] has let go, and who has waited since, may still ask.
    ///
    /// # Errors
    /// When others have found meanwhile that the primary cannot be reached.
    pub(crate) fn may_still_ask(&self, primary: Target) -> Result<(), Reason> {
        let now = Instant::now();
        let mark = self.known().get(&primary).and_then(|known| known.mark);
        mark.filter(|mark| mark.is_left_alone(now)).map_or(Ok(()), |mark| Err(mark.reason(now)))
    }

    /// What came of asking.
    pub(crate) fn note<T>(&self, primary: Target, asked: &Result<T, Reason>) {
        let now = Instant::now();
        let mut known = self.known();
        match asked {
            Err(Reason::Unreachable { .. }) => {}
            Err(Reason::TimedOut { waiting: Waiting::Connection | Waiting::Handshake, millis }) => {
                // One that had no time to be made, because that was needed for UDP, says nothing.
                if u128::from(*millis) < CONNECTING_MIN.as_millis() {
                    return;
                }
            }
            // Our own limits and faults say nothing about it.
            Err(reason) if reason.fault() == xfr::Fault::Ours => return,
            // Nor does silence about one zone say that it is away: somebody may have made it silent about theirs.
            _ => {
                if let Some(known) = known.get_mut(&primary) {
                    known.mark = None;
                }
                return;
            }
        }
        let entry = entry(&mut known, primary, now);
        // Whoever had asked before the mark was set says the same as it.
        if entry.mark.is_some_and(|mark| mark.is_left_alone(now)) {
            return;
        }
        let failures = entry.mark.map_or(0, |mark| mark.failures) + 1;
        let marked = (MARKED_MIN * 2_u32.pow(failures.min(8) - 1)).min(MARKED_MAX);
        entry.mark = Some(Mark { failures, failed_at: now, until: now + marked, stage: Stage::LeftAlone });
    }

    /// A NOTIFY came from this address: whoever sends it may be back.
    pub(crate) fn heard_from(&self, address: IpAddr) {
        let now = Instant::now();
        let address = address.to_canonical();
        for (primary, known) in self.known().iter_mut() {
            let may_clear = known.cleared_at.is_none_or(|at| now.duration_since(at) >= CLEARED_EVERY);
            if primary.address.ip().to_canonical() == address && known.mark.is_some() && may_clear {
                (known.mark, known.cleared_at) = (None, Some(now));
            }
        }
    }

    /// Waits until a transfer may begin.
    ///
    /// # Errors
    /// When that is later than in `patience`: so many are to begin before.
    pub(crate) async fn turn(&self, primary: Target, patience: Duration) -> Result<(), Reason> {
        let turn = self.next_transfer(primary, patience)?;
        loop {
            let mut gives_again = pin!(self.gives_again.notified());
            gives_again.as_mut().enable();
            if !self.fails_transfers(primary) {
                return Ok(());
            }
            tokio::select! {
                () = sleep_until(turn) => return Ok(()),
                () = gives_again => {}
            }
        }
    }

    /// When a transfer may begin; that moment is taken.
    fn next_transfer(&self, primary: Target, patience: Duration) -> Result<Instant, Reason> {
        let now = Instant::now();
        let mut known = self.known();
        let Some(known) = known.get_mut(&primary).filter(|known| known.fails_transfers()) else {
            return Ok(now);
        };
        let next = known.next_transfer.map_or(now, |next| next.max(now));
        // Whoever is turned away takes nobody's turn: else those who come again and again would put all others off.
        if next > now + patience {
            return Err(Reason::Busy { secs: patience.as_secs() });
        }
        known.next_transfer = Some(next + FAILING_EVERY);
        Ok(next)
    }

    fn fails_transfers(&self, primary: Target) -> bool {
        self.known().get(&primary).is_some_and(Known::fails_transfers)
    }

    /// What came of a transfer.
    pub(crate) fn note_transfer<T>(&self, primary: Target, transferred: &Result<T, Reason>) {
        let now = Instant::now();
        let mut known = self.known();
        match transferred {
            Ok(_) => {
                if let Some(known) = known.get_mut(&primary) {
                    (known.failed_in_a_row, known.next_transfer) = (0, None);
                    self.gives_again.notify_waiters();
                }
            }
            Err(reason) if reason.fault() != xfr::Fault::Ours => {
                let known = entry(&mut known, primary, now);
                known.failed_in_a_row = known.failed_in_a_row.saturating_add(1);
            }
            Err(_) => {}
        }
    }

    /// The primary has said that it does not know IXFR.
    pub(crate) fn note_no_ixfr(&self, primary: Target) {
        let now = Instant::now();
        entry(&mut self.known(), primary, now).no_ixfr_since = Some(now);
    }

    /// Whether it is worth while to ask the primary for differences.
    pub(crate) fn may_know_ixfr(&self, primary: Target) -> bool {
        let since = self.known().get(&primary).and_then(|known| known.no_ixfr_since);
        since.is_none_or(|since| since.elapsed() >= NO_IXFR_REMEMBERED)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Target, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn fails_transfers(&self) -> bool {
        self.failed_in_a_row >= FAILED_IN_A_ROW
    }
}

fn entry(known: &mut BTreeMap<Target, Known>, primary: Target, now: Instant) -> &mut Known {
    if known.len() >= REMEMBERED_MAX
        && !known.contains_key(&primary)
        && let Some(oldest) = known.iter().min_by_key(|(_, known)| known.heard_of).map(|(address, _)| *address)
    {
        known.remove(&oldest);
    }
    let fresh = Known {
        heard_of: now,
        mark: None,
        cleared_at: None,
        failed_in_a_row: 0,
        next_transfer: None,
        no_ixfr_since: None,
    };
    let known = known.entry(primary).or_insert(fresh);
    known.heard_of = now;
    known
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{Duration, Instant, advance};
    use xfr::Reason;
    use xfr::reason::{Asked, Waiting};

    use super::{FAILED_IN_A_ROW, FAILING_EVERY, MARKED_MAX, REMEMBERED_MAX, Reach, Target};
    use crate::Primary;

    fn primary(port: u16) -> Target {
        Target::of(&Primary::at(([192, 0, 2, 1], port).into()))
    }

    fn dead() -> Result<(), Reason> {
        Err(Reason::TimedOut { waiting: Waiting::Connection, millis: 5000 })
    }

    fn asks(reach: &Reach) -> bool {
        reach.may_ask(primary(53)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_primary_is_left_alone_and_then_tried_by_one() {
        let reach = Reach::default();
        assert!(asks(&reach) && asks(&reach), "nothing is known of it");
        reach.note(primary(53), &dead());
        let reason = reach.may_ask(primary(53)).unwrap_err().to_string();
        assert!(reason.contains("0 s ago, and has not been asked again"), "{reason}");
        assert!(reach.may_ask(primary(54)).is_ok(), "another server at the address");
        let over_tls = Target { over_tls: true, ..primary(53) };
        let from_elsewhere = Target { source: Some([192, 0, 2, 9].into()), ..primary(53) };
        assert!(reach.may_ask(over_tls).is_ok() && reach.may_ask(from_elsewhere).is_ok(), "another way to ask it");
        advance(Duration::from_secs(5)).await;
        assert!(asks(&reach) && !asks(&reach), "one tries");
        reach.note(primary(53), &dead());
        advance(Duration::from_secs(6)).await;
        assert!(!asks(&reach), "longer and longer");
        for _ in 0..20 {
            advance(MARKED_MAX).await;
            assert!(asks(&reach), "but never long");
            reach.note(primary(53), &dead());
        }
        advance(MARKED_MAX).await;
        assert!(asks(&reach));
        reach.note::<()>(primary(53), &Err(Reason::Refused(Asked::Soa)));
        assert!(asks(&reach) && asks(&reach), "who refuses is there");
        let silence = Reason::TimedOut { waiting: Waiting::Answer(Asked::Soa), millis: 9000 };
        reach.note::<()>(primary(53), &Err(silence));
        assert!(asks(&reach), "it may be silent about one zone");
        let hurried = Reason::TimedOut { waiting: Waiting::Connection, millis: 3 };
        reach.note::<()>(primary(53), &Err(hurried));
        assert!(asks(&reach), "it had no time to answer");
        reach.note::<()>(primary(53), &Err(Reason::Busy { secs: 600 }));
        assert!(asks(&reach), "who waited for a place has asked nobody");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_the_same_time_find_out_once() {
        let reach = Reach::default();
        for _ in 0..20 {
            reach.note(primary(53), &dead());
        }
        assert!(reach.may_still_ask(primary(53)).is_err());
        advance(Duration::from_secs(5)).await;
        assert!(asks(&reach), "as after one failure");
        assert!(reach.may_still_ask(primary(53)).is_ok(), "this one tries");
        reach.note(primary(53), &Ok(()));
        assert!(reach.may_still_ask(primary(53)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_tries_and_is_never_heard_of_again_holds_nobody_up() {
        let reach = Reach::default();
        reach.note(primary(53), &dead());
        advance(Duration::from_secs(5)).await;
        assert!(asks(&reach));
        advance(super::TRIAL_MAX).await;
        assert!(asks(&reach));
    }

    #[tokio::test(start_paused = true)]
    async fn a_notify_clears_a_mark_once_a_minute() {
        let reach = Reach::default();
        reach.note(primary(53), &dead());
        reach.heard_from([192, 0, 2, 2].into());
        assert!(!asks(&reach));
        reach.heard_from("::ffff:192.0.2.1".parse().unwrap());
        assert!(asks(&reach));
        reach.note(primary(53), &dead());
        reach.heard_from([192, 0, 2, 1].into());
        assert!(!asks(&reach), "it may have been forged");
        advance(Duration::from_secs(60)).await;
        reach.note(primary(53), &dead());
        reach.heard_from([192, 0, 2, 1].into());
        assert!(asks(&reach));
    }

    const PATIENCE: Duration = Duration::from_secs(600);

    /// A primary that has refused transfers a moment ago.
    fn refusing() -> Arc<Reach> {
        let reach = Reach::default();
        for _ in 0..FAILED_IN_A_ROW {
            reach.note_transfer::<()>(primary(53), &Err(Reason::Refused(Asked::Axfr)));
        }
        Arc::new(reach)
    }

    async fn waits(reach: &Reach) -> Duration {
        let began = Instant::now();
        reach.turn(primary(53), PATIENCE).await.unwrap();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn transfers_have_a_rate_only_while_they_fail() {
        let reach = Reach::default();
        for _ in 0..FAILED_IN_A_ROW {
            assert_eq!(waits(&reach).await, Duration::ZERO);
            reach.note_transfer::<()>(primary(53), &Err(Reason::Refused(Asked::Axfr)));
            reach.note_transfer::<()>(primary(54), &Err(Reason::Busy { secs: 600 }));
        }
        assert!(!reach.fails_transfers(primary(54)), "those have asked nobody");
        assert_eq!(waits(&reach).await, Duration::ZERO);
        assert_eq!((waits(&reach).await, waits(&reach).await), (FAILING_EVERY, FAILING_EVERY));
        reach.note_transfer(primary(53), &Ok(()));
        assert_eq!((waits(&reach).await, waits(&reach).await), (Duration::ZERO, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_turned_away_puts_nobody_off() {
        // Five thousand zones, the transfers of which a primary refuses, try for an hour.
        let reach = refusing();
        for _ in 0..42_000 {
            let _ = reach.next_transfer(primary(53), PATIENCE);
        }
        let reason = reach.turn(primary(53), PATIENCE).await.unwrap_err();
        assert_eq!(reason, Reason::Busy { secs: PATIENCE.as_secs() });
        advance(FAILING_EVERY * 2).await;
        assert!(waits(&reach).await <= PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_transfer_that_goes_well_lets_all_go_that_wait_for_the_primary() {
        let reach = refusing();
        let waiting: Vec<_> = (0..1000)
            .map(|_| {
                let reach = reach.clone();
                tokio::spawn(async move { waits(&reach).await })
            })
            .collect();
        advance(Duration::from_millis(1)).await;
        reach.note_transfer(primary(53), &Ok(()));
        for waited in waiting {
            assert!(waited.await.unwrap() <= Duration::from_millis(1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_is_bounded_and_grows_old() {
        let reach = Reach::default();
        reach.note_no_ixfr(primary(1));
        for port in 2..=u16::try_from(REMEMBERED_MAX).unwrap() + 1 {
            advance(Duration::from_millis(1)).await;
            reach.note_no_ixfr(primary(port));
        }
        assert!(reach.may_know_ixfr(primary(1)) && !reach.may_know_ixfr(primary(2)));
        assert_eq!(reach.known().len(), REMEMBERED_MAX);
        advance(Duration::from_secs(24 * 3600)).await;
        assert!(reach.may_know_ixfr(primary(2)));
    }
}
