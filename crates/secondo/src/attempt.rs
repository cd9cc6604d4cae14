//! One attempt to bring a zone up to its primaries: ask them all, choose, transfer, and say how it went.
//!
//! Invariant: every attempt ends in the ledger with an outcome, and every failure in it has a reason.

mod choice;
mod following;

use std::net::SocketAddr;
use std::sync::Arc;

use answer::Contents;
use dns::Serial;
use tokio::time::Instant;
use transfer::Lane;
use xfr::{Moment, Reason};
use zone::Snapshot;

use crate::followed::{Followed, Guard, Source, Trigger, Wake};
use crate::holds::Hold;
use crate::node::Node;
use crate::orders;
use crate::refresh::{Received, Refreshed};

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
    /// Into the log.
    pub(crate) fn say(&self, zone: &Followed) {
        let zone = &zone.name;
        let primary = self.primary.map(|address| address.to_string()).unwrap_or_default();
        let serial = self.to_serial.map(|serial| serial.0);
        match &self.result {
            Ok(Refreshed::Published) => {
                let (kind, records, millis) = (self.kind, self.received.records, self.millis);
                tracing::info!(%zone, primary, serial, ?kind, records, millis, "a new version is served");
            }
            Ok(Refreshed::Unchanged) => tracing::debug!(%zone, primary, serial, "nothing new"),
            Ok(Refreshed::Held(reason)) => tracing::info!(%zone, primary, serial, "{reason}"),
            Err(reason) => {
                let (kind, code) = (self.kind, reason.code());
                tracing::warn!(%zone, primary, serial, ?kind, reason = code, "the attempt failed: {reason}");
            }
        }
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
    let lane = lane(zone, wake.trigger);
    let under_way = UnderWay { node, zone, trigger: wake.trigger, lane, at: node.clock.now(), began: Instant::now() };
    if let Guard::Released(released) = wake.guard
        && let Some(attempt) = orders::publish_what_is_here(node, zone, released).await
    {
        if attempt.result.is_err() {
            zone.condition().timers.failed(&zone.bounds(), under_way.at, node.clock.random());
        }
        return attempt;
    }
    let (attempt, heard) = match under_way.choose().await {
        Ok(choice) => {
            let vouched = choice.shows_ours().then(|| choice.expires_in_secs());
            if let Some(expires_in_secs) = vouched {
                under_way.vouched_for(expires_in_secs);
            }
            let heard = Heard { is_vouched_for: vouched.is_some(), from_all: choice.silent == 0 };
            (under_way.follow(choice, wake).await, heard)
        }
        Err(attempt) => (*attempt, Heard::default()),
    };
    node.record(zone, &attempt);
    under_way.settle(&attempt, &heard);
    // Whether a version is held back may have changed.
    if zone.wanted_note() != zone.note()
        && let Some(writing) = zone.write().await
    {
        node.write_note(&writing).await;
    }
    attempt
}

/// What the primaries said, all together.
#[derive(Default)]
struct Heard {
    /// Whether some primary showed our serial.
    is_vouched_for: bool,
    /// Whether none was silent.
    from_all: bool,
}

struct UnderWay<'a> {
    node: &'a Arc<Node>,
    zone: &'a Arc<Followed>,
    trigger: Trigger,
    lane: Lane,
    at: Moment,
    began: Instant,
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

impl UnderWay<'_> {
    fn failed(&self, source: Option<&Source>, kind: Kind, held: Option<&Snapshot>, reason: Reason) -> Attempt {
        self.ended(source, kind, held, Err(reason))
    }

    fn ended(
        &self,
        source: Option<&Source>,
        kind: Kind,
        held: Option<&Snapshot>,
        result: Result<Refreshed, Reason>,
    ) -> Attempt {
        Attempt {
            at: self.at,
            primary: source.map(|source| source.primary.address),
            trigger: self.trigger,
            kind,
            from_serial: held.map(|held| held.image.serial()),
            to_serial: None,
            received: Received::default(),
            millis: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            result,
            expires_in_secs: None,
        }
    }

    /// A primary showed our serial: expiry begins anew now, and not when a transfer from another has ended, which may take
    /// hours. `expires_in_secs` is what the longest-lived copy has left.
    fn vouched_for(&self, expires_in_secs: Option<u32>) {
        let mut condition = self.zone.condition();
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
    fn answer_again(&self, held: Snapshot) {
        if matches!(**self.zone.served.contents(), Contents::Expired) {
            self.zone.served.publish(Contents::Live(held));
            tracing::info!(zone = %self.zone.name, "the primary confirmed the expired zone: it is answered again");
        }
    }

    /// Moves the timers, and has an expired zone answered again if it was confirmed.
    fn settle(&self, attempt: &Attempt, heard: &Heard) {
        let now = self.node.clock.now();
        let mut condition = self.zone.condition();
        let is_confirmed = match (&attempt.result, condition.held.clone()) {
            (Ok(Refreshed::Unchanged | Refreshed::Held(_)), Some(held)) => {
                let (soa, bounds) = (held.image.soa(), self.zone.bounds());
                condition.timers.confirmed(&soa, attempt.expires_in_secs, &bounds, now, self.node.clock.random());
                // A primary that shows our serial has nothing newer that could be held back, or kept. One that is silent
                // may have it still.
                let has_taken_back = heard.from_all || condition.hold.came_from(attempt.primary);
                if attempt.result == Ok(Refreshed::Unchanged) && has_taken_back && !condition.hold.is_frozen() {
                    condition.hold = Hold::None;
                }
                self.answer_again(held);
                true
            }
            // Publishing has moved the timers, and the commit before it has written them.
            (Ok(_), _) => false,
            // What is wanted now has not been tried yet.
            (Err(Reason::Overtaken), _) => {
                condition.timers.notified(now);
                false
            }
            (Err(_), _) => {
                condition.timers.failed(&self.zone.bounds(), now, self.node.clock.random());
                heard.is_vouched_for
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
