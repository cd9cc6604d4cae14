//! One attempt to bring a zone up to its primaries: ask them all, choose, transfer, and say how it went.
//!
//! Invariant: every attempt ends in the ledger with an outcome, and every failure in it has a reason.

mod at_once;
mod choice;
mod following;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use answer::Contents;
use dns::Serial;
use inventory::{Outcome, RecordedAttempt};
use tokio::time::Instant;
use transfer::{Lane, Received};
use xfr::{Moment, Reason};
use zone::Snapshot;

use crate::followed::{Condition, Followed, Guard, Source, Trigger, Wake};
use crate::holds::Hold;
use crate::node::Node;
use crate::orders;
use crate::refresh::Refreshed;
use crate::warnings;

/// How one attempt went.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) at: Moment,
    pub(crate) primary: Option<SocketAddr>,
    pub(crate) trigger: Trigger,
    pub(crate) kind: Kind,
    pub(crate) from_serial: Option<Serial>,
    pub(crate) to_serial: Option<Serial>,
    pub(crate) received: Received,
    pub(crate) millis: u64,
    pub(crate) result: Result<Refreshed, Reason>,
    /// In how many seconds the primary's own copy expires, if it says so.
    pub(crate) expires_in_secs: Option<u32>,
}

impl Attempt {
    /// Into the log. What is as it was `before` is said once, and then to whoever looks closely: a primary of a hundred
    /// thousand zones may be dead for days.
    pub(crate) fn say(&self, zone: &Followed, before: Option<&RecordedAttempt>) {
        let is_again = before.is_some_and(|before| self.ends_as(&before.attempt));
        let zone = &zone.name;
        let primary = self.primary.map(|address| address.to_string()).unwrap_or_default();
        let serial = self.to_serial.map(|serial| serial.0);
        match &self.result {
            Ok(Refreshed::Published) => {
                let (kind, received, millis) = (self.kind, self.received.records, self.millis);
                tracing::info!(%zone, primary, serial, ?kind, records_received = received, millis, "a new version is served");
            }
            Ok(Refreshed::Unchanged) => tracing::debug!(%zone, primary, serial, "nothing new"),
            Ok(Refreshed::Held(reason)) if is_again => tracing::debug!(%zone, primary, serial, "{reason}"),
            Ok(Refreshed::Held(reason)) => tracing::info!(%zone, primary, serial, "{reason}"),
            Err(reason) => {
                let (kind, code) = (self.kind, reason.code());
                if is_again {
                    tracing::debug!(%zone, primary, serial, ?kind, reason = code, "the attempt failed again: {reason}");
                } else {
                    tracing::warn!(%zone, primary, serial, ?kind, reason = code, "the attempt failed: {reason}");
                }
            }
        }
    }

    /// Whether it came to nothing from the same primary and for the same reason, or has the same version held back.
    fn ends_as(&self, before: &inventory::Attempt) -> bool {
        let is_as_before = match (&before.outcome, &self.result) {
            (Outcome::Held(recorded), Ok(Refreshed::Held(reason))) => {
                recorded.code == reason.code() && before.to_serial == self.to_serial
            }
            (Outcome::Failed(recorded), Err(reason)) => recorded.code == reason.code(),
            _ => false,
        };
        is_as_before && before.primary == self.primary
    }
}

/// What was asked of the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Check,
    Ixfr,
    Axfr,
    /// Nothing: a version that was here already is published.
    Publish,
}

/// Makes one attempt; all of it is on record when this returns. The last part of it is returned.
pub(crate) async fn attempt(node: &Arc<Node>, zone: &Arc<Followed>, wake: &Wake) -> Attempt {
    let under_way = UnderWay::new(node, zone, wake);
    if let Guard::Released(released) = wake.guard
        && let Some(attempt) = orders::publish_what_is_here(node, zone, released).await
    {
        if attempt.result.is_err() {
            zone.condition().timers.failed(&zone.bounds(), under_way.at, node.clock.random());
        }
        return attempt;
    }
    let (attempt, heard_all) = match under_way.step_at_once().await {
        Some(attempt) => (attempt, true),
        None => match under_way.choose().await {
            Ok(choice) => {
                let heard_all = choice.silent == 0;
                (under_way.follow(choice).await, heard_all)
            }
            Err(attempt) => (*attempt, false),
        },
    };
    node.record(zone, &attempt);
    under_way.settle(&attempt, heard_all);
    warnings::tell_of_attempt(node, zone, &attempt);
    // Whether a version is held back may have changed.
    if zone.wanted_note() != zone.note()
        && let Some(writing) = zone.write().await
    {
        node.write_note(&writing).await;
    }
    attempt
}

struct UnderWay<'a> {
    node: &'a Arc<Node>,
    zone: &'a Arc<Followed>,
    wake: &'a Wake,
    lane: Lane,
    at: Moment,
    began: Instant,
    /// What we held when it began.
    held: Option<Arc<Snapshot>>,
    /// Whether it has come to its end, so that what is still being fetched beside is of no use.
    has_ended: AtomicBool,
}

fn millis_since(moment: Instant) -> u64 {
    u64::try_from(moment.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Which places the attempt takes: zones of which nothing is there yet may be many, and must not keep news waiting.
fn lane(zone: &Followed, trigger: Trigger) -> Lane {
    match trigger {
        Trigger::Request => Lane::Request,
        Trigger::Notify => Lane::Notify,
        _ if zone.condition().held.is_none() => Lane::First,
        _ => Lane::Refresh,
    }
}

impl<'a> UnderWay<'a> {
    fn new(node: &'a Arc<Node>, zone: &'a Arc<Followed>, wake: &'a Wake) -> Self {
        Self {
            node,
            zone,
            wake,
            lane: lane(zone, wake.trigger),
            at: node.clock.now(),
            began: Instant::now(),
            held: zone.condition().held.clone(),
            has_ended: AtomicBool::new(false),
        }
    }

    fn ours(&self) -> Option<Serial> {
        self.held.as_ref().map(|held| held.image.serial())
    }

    /// Whether the version that we held when this began is the one that we hold.
    fn is_still_held(&self, condition: &Condition) -> bool {
        let generation = |held: &Option<Arc<Snapshot>>| held.as_ref().map(|held| held.generation);
        generation(&condition.held) == generation(&self.held)
    }

    /// Whether nobody waits any more for what this brings.
    fn is_given_up(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed) || self.zone.condition().is_overtaken(self.wake)
    }

    fn failed(&self, source: Option<&Source>, kind: Kind, reason: Reason) -> Attempt {
        self.ended(source, kind, Err(reason))
    }

    fn ended(&self, source: Option<&Source>, kind: Kind, result: Result<Refreshed, Reason>) -> Attempt {
        Attempt {
            at: self.at,
            primary: source.map(|source| source.primary.address),
            trigger: self.wake.trigger,
            kind,
            from_serial: self.ours(),
            to_serial: None,
            received: Received::default(),
            millis: millis_since(self.began),
            result,
            expires_in_secs: None,
        }
    }

    /// A primary showed our serial: expiry begins anew now, and not when a transfer from another has ended, which may take
    /// hours. `expires_in_secs` is what the longest-lived copy has left.
    fn vouched_for(&self, expires_in_secs: Option<u32>) {
        let mut condition = self.zone.condition();
        if !self.is_still_held(&condition) {
            return;
        }
        let now = self.node.clock.now();
        condition.timers.vouched_for(expires_in_secs, now);
        if let Some(held) = condition.held.clone().filter(|_| !self.zone.is_over(&condition, now)) {
            self.answer_again(held);
        }
        self.zone.show_expiry(&condition);
        let facts = self.node.clock_facts(&condition.timers);
        drop(condition);
        self.node.store.confirm(self.zone.id, facts);
    }

    /// Has a zone answered again that had expired, and that a primary has confirmed.
    fn answer_again(&self, held: Arc<Snapshot>) {
        if matches!(self.zone.served.contents(), Contents::Expired) {
            self.zone.served.publish(Contents::Live(held));
            tracing::info!(zone = %self.zone.name, "the primary confirmed the expired zone: it is answered again");
        }
    }

    /// Moves the timers, and has an expired zone answered again if it was confirmed.
    fn settle(&self, attempt: &Attempt, heard_all: bool) {
        let now = self.node.clock.now();
        let mut condition = self.zone.condition();
        let is_confirmed = match (&attempt.result, condition.held.clone()) {
            // Somebody's word has published another version meanwhile, of which nobody has said anything.
            (Ok(Refreshed::Unchanged | Refreshed::Held(_)), _) if !self.is_still_held(&condition) => {
                condition.timers.notified(now);
                false
            }
            (Ok(Refreshed::Unchanged | Refreshed::Held(_)), Some(held)) => {
                let (soa, bounds) = (held.image.soa(), self.zone.bounds());
                condition.timers.confirmed(&soa, attempt.expires_in_secs, &bounds, now, self.node.clock.random());
                // A primary that shows our serial has nothing newer that could be held back, or kept. One that is silent
                // may have it still.
                let has_taken_back = heard_all || condition.hold.came_from(attempt.primary);
                if attempt.result == Ok(Refreshed::Unchanged) && has_taken_back && !condition.hold.is_frozen() {
                    condition.hold = Hold::None;
                }
                self.answer_again(held);
                true
            }
            // Publishing has moved the timers, and the commit before it has written them.
            (Ok(Refreshed::Published), _) => false,
            // What is wanted now has not been tried yet.
            (Err(Reason::Overtaken), _) => {
                condition.timers.notified(now);
                false
            }
            // Nothing came, and nothing is there; or it failed.
            (Ok(_), None) | (Err(_), _) => {
                condition.timers.failed(&self.zone.bounds(), now, self.node.clock.random());
                false
            }
        };
        self.zone.show_expiry(&condition);
        let facts = self.node.clock_facts(&condition.timers);
        drop(condition);
        if is_confirmed {
            self.node.store.confirm(self.zone.id, facts);
        }
    }
}
