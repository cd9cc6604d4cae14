//! One attempt to bring a zone up to its primaries: ask them all, choose, transfer, and say how it went.
//!
//! Invariant: every attempt ends in the ledger with an outcome, and every failure in it has a reason.

use std::net::SocketAddr;
use std::sync::Arc;

use answer::Contents;
use dns::Serial;
use tokio::task::JoinSet;
use tokio::time::Instant;
use transfer::{Fetch, Lane};
use xfr::settings::{IxfrFrom, SerialWentBack};
use xfr::{Moment, Reason, Shown};
use zone::Snapshot;

use crate::followed::{Followed, Guard, Source, Transfer, Trigger, Wake};
use crate::holds::{Hold, Want};
use crate::node::Node;
use crate::orders;
use crate::refresh::{Received, Refreshed, Way, refresh};

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

/// The primaries to fetch from, best first, and what they are compared with.
struct Choice {
    best: Candidate,
    others: Vec<Candidate>,
    /// How many primaries did not say what they have.
    silent: usize,
    held: Option<Snapshot>,
}

/// A primary, and what it showed.
struct Candidate {
    source: Source,
    shown: Shown,
}

impl Choice {
    /// Whether any primary showed the serial that we hold.
    fn shows_ours(&self) -> bool {
        let ours = self.held.as_ref().map(|held| held.image.serial());
        self.shown().any(|shown| Some(shown.soa.serial) == ours)
    }

    /// In how many seconds the copy expires that lives longest, among those of primaries that have our version and say
    /// so; none if any of them does not.
    fn expires_in_secs(&self) -> Option<u32> {
        let ours = self.held.as_ref().map(|held| held.image.serial());
        let mut same = self.shown().filter(|shown| Some(shown.soa.serial) == ours);
        same.try_fold(None, |longest: Option<u32>, shown| Some(longest.max(Some(shown.expires_in_secs?)))).flatten()
    }

    fn shown(&self) -> impl Iterator<Item = Shown> + '_ {
        [&self.best].into_iter().chain(&self.others).map(|candidate| candidate.shown)
    }
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
    /// Asks all primaries at the same time; the newest serial wins. They are asked also where whatever they have is taken:
    /// how long their own copies live is said in answers to this question (RFC 7314 §4).
    async fn choose(&self) -> Result<Choice, Box<Attempt>> {
        let held = self.zone.condition().held.clone();
        let instructions = self.zone.instructions();
        let sources = &instructions.sources;
        let mut answered = Vec::new();
        let mut failures = Vec::new();
        for (source, answer) in self.ask(sources).await {
            match answer {
                Ok(shown) => answered.push((source, shown)),
                Err(reason) => failures.push((source, reason)),
            }
        }
        let mut candidates = newest_first(answered).into_iter().map(|(source, shown)| Candidate { source, shown });
        self.record_silence(&failures, candidates.len() > 0, held.as_ref());
        if let Some(best) = candidates.next() {
            return Ok(Choice { best, others: candidates.collect(), silent: failures.len(), held });
        }
        let attempt = match failures.into_iter().next() {
            Some((source, reason)) => self.failed(Some(&source), Kind::Check, held.as_ref(), reason),
            None => {
                let detail =
                    "the zone's primaries are not known: the inventory is not available, or does not know the zone \
                              (then add it again)"
                        .to_owned();
                self.failed(None, Kind::Check, held.as_ref(), Reason::Internal { detail })
            }
        };
        Err(Box::new(attempt))
    }

    /// Puts on record which primaries did not answer, each once until that changes: one that is dead for months must not
    /// push everything else out of the ledger. The first is left to the attempt itself where nobody answered.
    fn record_silence(&self, failures: &[(Source, Reason)], has_answer: bool, held: Option<&Snapshot>) {
        let silent: Vec<_> = failures.iter().map(|(source, why)| (source.primary.address, why.code())).collect();
        let before = std::mem::replace(&mut self.zone.condition().silent, silent.clone());
        let own = usize::from(!has_answer);
        for ((source, reason), silent) in failures.iter().zip(&silent).skip(own) {
            if !before.contains(silent) {
                self.node.record(self.zone, &self.failed(Some(source), Kind::Check, held, reason.clone()));
            }
        }
    }

    /// The answers of all primaries, in the order of the primaries.
    async fn ask(&self, sources: &[Source]) -> Vec<(Source, Result<Shown, Reason>)> {
        let mut asking = JoinSet::new();
        for (index, source) in sources.iter().cloned().enumerate() {
            let (node, name, lane) = (self.node.clone(), self.zone.name.clone(), self.lane);
            asking.spawn(async move {
                let answer = match source.missing_key() {
                    Some(key) => Err(Reason::KeyMissing { key: key.clone() }),
                    None => node.transfers.probe(&name, &source.primary, lane).await,
                };
                (index, source, answer)
            });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(index, ..)| *index);
        answers.into_iter().map(|(_, source, answer)| (source, answer)).collect()
    }

    /// Follows the best primary, and when that fails, the next one that could help.
    async fn follow(&self, choice: Choice, wake: &Wake) -> Attempt {
        let Choice { best, others, silent, held } = choice;
        let accepts_older = self.zone.instructions().policy.serial_went_back == SerialWentBack::Accept;
        // A primary that is away may hold ours: nobody goes back because of one that lags behind.
        let is_frozen = self.zone.condition().hold.is_frozen();
        let goes_back = accepts_older && !is_frozen && silent == 0 && self.went_back(&best, held.as_ref());
        let want = match (wake.transfer, wake.guard) {
            _ if is_frozen => Want::Newer,
            (Transfer::Full, _) => Want::Anything,
            // An expired zone takes any valid version: there is nothing left to protect.
            _ if goes_back || self.is_expired() => Want::Anything,
            (Transfer::Newer, Guard::Released(released)) => Want::Released(released),
            (Transfer::Newer, Guard::On) => Want::Newer,
        };
        let transfer = if goes_back { Transfer::Full } else { wake.transfer };
        let mut attempt = self.follow_one(&best, held.as_ref(), transfer, want).await;
        for other in others {
            match &attempt.result {
                Err(reason) if !reason.is_the_same_anywhere() => {}
                _ => break,
            }
            if self.could_help(&other, held.as_ref(), transfer) {
                self.node.record(self.zone, &attempt);
                attempt = self.follow_one(&other, held.as_ref(), transfer, want).await;
            }
        }
        attempt
    }

    /// Whether the newest serial that any primary shows is older than ours.
    fn went_back(&self, best: &Candidate, held: Option<&Snapshot>) -> bool {
        let Some(held) = held else { return false };
        let (ours, theirs) = (held.image.serial(), best.shown.soa.serial);
        ours != theirs && !theirs.is_newer_than(ours)
    }

    /// Whether this primary has anything that we do not hold already, or hold too long.
    fn could_help(&self, candidate: &Candidate, held: Option<&Snapshot>, transfer: Transfer) -> bool {
        let (Some(held), Transfer::Newer) = (held, transfer) else { return true };
        candidate.shown.soa.serial.is_newer_than(held.image.serial()) || self.is_expired()
    }

    fn is_expired(&self) -> bool {
        self.zone.condition().timers.is_expired(self.at)
    }

    async fn follow_one(
        &self,
        candidate: &Candidate,
        held: Option<&Snapshot>,
        transfer: Transfer,
        want: Want,
    ) -> Attempt {
        let Candidate { source, shown } = candidate;
        if let (Some(held), Transfer::Newer) = (held, transfer) {
            let (ours, theirs) = (held.image.serial(), shown.soa.serial);
            if ours == theirs {
                return self.checked(source, held, *shown, Ok(Refreshed::Unchanged));
            }
            let is_newer = theirs.is_newer_than(ours);
            let kept_back = self.zone.condition().hold.keeps_back(theirs).filter(|_| is_newer && want == Want::Newer);
            if let Some(reason) = kept_back {
                return self.checked(source, held, *shown, Ok(Refreshed::Held(reason)));
            }
            match want {
                Want::Anything => {}
                _ if is_newer => return self.step_or_replace(source, *shown, held, want).await,
                _ => return self.checked(source, held, *shown, Err(Reason::of_older_serial(ours, theirs))),
            }
        }
        self.transfer(source, Kind::Axfr, held, *shown, want).await
    }

    /// An attempt that ended with the primary's serial.
    fn checked(&self, source: &Source, held: &Snapshot, shown: Shown, result: Result<Refreshed, Reason>) -> Attempt {
        let mut attempt = self.ended(Some(source), Kind::Check, Some(held), result);
        attempt.to_serial = Some(shown.soa.serial);
        attempt.expires_in_secs = shown.expires_in_secs;
        attempt
    }

    /// Whether differences from this primary lead on from our version.
    fn has_our_history(&self, source: &Source) -> bool {
        let instructions = self.zone.instructions();
        match self.zone.condition().came_from {
            _ if instructions.policy.ixfr_from == IxfrFrom::Any => true,
            Some(came_from) => came_from == source.primary.address,
            // After a start, and with nothing on record: one primary is the one that it came from.
            None => instructions.sources.len() == 1,
        }
    }

    /// IXFR, and AXFR at once from the same primary if that fails in a way that AXFR might not.
    async fn step_or_replace(&self, source: &Source, shown: Shown, held: &Snapshot, want: Want) -> Attempt {
        if !self.has_our_history(source) || !self.node.transfers.may_know_ixfr(&source.primary) {
            return self.transfer(source, Kind::Axfr, Some(held), shown, want).await;
        }
        let stepped = self.transfer(source, Kind::Ixfr, Some(held), shown, want).await;
        match &stepped.result {
            Err(reason) if !reason.is_the_same_anywhere() => {
                self.node.record(self.zone, &stepped);
                self.transfer(source, Kind::Axfr, Some(held), shown, want).await
            }
            _ => stepped,
        }
    }

    async fn transfer(
        &self,
        source: &Source,
        kind: Kind,
        held: Option<&Snapshot>,
        shown: Shown,
        want: Want,
    ) -> Attempt {
        let fetch = match (kind, held) {
            (Kind::Ixfr, Some(held)) => Fetch::Ixfr { soa_rdata: held.image.soa_record().rdata.to_vec() },
            _ => Fetch::Axfr,
        };
        let mut received = Received::default();
        let expires_in_secs = shown.expires_in_secs;
        let way = Way { primary: &source.primary, lane: self.lane, fetch, want, expires_in_secs };
        let result = refresh(self.node, self.zone, way, &mut received).await;
        let result = match (result, held) {
            // Several servers behind one address, most likely: the zone is not confirmed, and not what it should be.
            (Ok(Refreshed::Unchanged), Some(held)) if shown.soa.serial.is_newer_than(held.image.serial()) => {
                Err(Reason::LessThanShown { shown: shown.soa.serial, given: held.image.serial() })
            }
            (result, _) => result,
        };
        let mut attempt = self.ended(Some(source), kind, held, result);
        attempt.received = received;
        attempt.expires_in_secs = expires_in_secs;
        attempt.to_serial = match attempt.result {
            Ok(Refreshed::Unchanged | Refreshed::Published) => {
                self.zone.condition().held.as_ref().map(|held| held.image.serial())
            }
            Ok(Refreshed::Held(_)) | Err(_) => Some(shown.soa.serial),
        };
        attempt
    }

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

/// The newest serial first; equal ones stay in their order. Serials far apart are not ordered (RFC 1982 §3.2), so this
/// is no sort: each is the newest of those that are left, as far as they can be compared.
fn newest_first(mut answered: Vec<(Source, Shown)>) -> Vec<(Source, Shown)> {
    let mut ordered = Vec::with_capacity(answered.len());
    while !answered.is_empty() {
        let newest = (1..answered.len()).fold(0, |best, next| {
            if answered[next].1.soa.serial.is_newer_than(answered[best].1.soa.serial) { next } else { best }
        });
        ordered.push(answered.remove(newest));
    }
    ordered
}
