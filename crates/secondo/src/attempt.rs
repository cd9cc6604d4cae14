//! One attempt to bring a zone up to its primaries: ask them all, choose, transfer, and say how it went.
//!
//! Invariant: every attempt ends in the ledger with an outcome, and every failure in it has a reason.

use std::net::SocketAddr;
use std::sync::Arc;

use answer::Contents;
use dns::{Serial, Soa};
use tokio::task::JoinSet;
use tokio::time::Instant;
use transfer::{Fetch, Lane};
use xfr::settings::SerialWentBack;
use xfr::{Moment, Reason};
use zone::Snapshot;

use crate::followed::{Followed, Source, Transfer, Trigger, Wake};
use crate::ledger;
use crate::node::Node;
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
}

/// What was asked of the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Check,
    Ixfr,
    Axfr,
}

/// Makes one attempt; all of it is on record when this returns. The last part of it is returned.
pub(crate) async fn attempt(node: &Arc<Node>, zone: &Arc<Followed>, wake: &Wake) -> Attempt {
    let lane = lane(zone, wake.trigger);
    let under_way = UnderWay { node, zone, trigger: wake.trigger, lane, at: node.clock.now(), began: Instant::now() };
    let (attempt, is_vouched_for) = match under_way.choose(wake.transfer).await {
        Ok(choice) => {
            let is_vouched_for = choice.shows_ours();
            (under_way.follow(choice, wake.transfer).await, is_vouched_for)
        }
        Err(attempt) => (*attempt, false),
    };
    under_way.record(&attempt);
    under_way.settle(&attempt, is_vouched_for);
    attempt
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
    /// None when it was not asked: nothing that it said could change what is done.
    soa: Option<Soa>,
}

impl Choice {
    /// Whether any primary showed the serial that we hold.
    fn shows_ours(&self) -> bool {
        let ours = self.held.as_ref().map(|held| held.image.serial());
        let mut shown = [&self.best].into_iter().chain(&self.others).filter_map(|candidate| candidate.soa);
        shown.any(|soa| Some(soa.serial) == ours)
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
        Trigger::Notify | Trigger::Request => Lane::Notify,
        _ if zone.condition().held.is_none() => Lane::First,
        _ => Lane::Refresh,
    }
}

impl UnderWay<'_> {
    /// Asks all primaries at the same time; the newest serial wins.
    async fn choose(&self, transfer: Transfer) -> Result<Choice, Box<Attempt>> {
        let held = self.zone.condition().held.clone();
        let instructions = self.zone.instructions();
        let sources = &instructions.sources;
        let nothing_to_compare = held.is_none() || transfer == Transfer::Full;
        if let ([only], true) = (sources.as_slice(), nothing_to_compare) {
            if let Some(key) = only.missing_key() {
                let reason = Reason::KeyMissing { key: key.clone() };
                return Err(Box::new(self.failed(Some(only), Kind::Axfr, held.as_ref(), reason)));
            }
            let best = Candidate { source: only.clone(), soa: None };
            return Ok(Choice { best, others: Vec::new(), silent: 0, held });
        }
        let mut answered = Vec::new();
        let mut failures = Vec::new();
        for (source, answer) in self.ask(sources).await {
            match answer {
                Ok(soa) => answered.push((source, soa)),
                Err(reason) => failures.push((source, reason)),
            }
        }
        let mut candidates =
            newest_first(answered).into_iter().map(|(source, soa)| Candidate { source, soa: Some(soa) });
        if let Some(best) = candidates.next() {
            for (silent, reason) in &failures {
                tracing::info!(zone = %self.zone.name, primary = %silent.primary.address, "another primary answered, this one did not: {reason}");
            }
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

    /// The answers of all primaries, in the order of the primaries.
    async fn ask(&self, sources: &[Source]) -> Vec<(Source, Result<Soa, Reason>)> {
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
    async fn follow(&self, choice: Choice, transfer: Transfer) -> Attempt {
        let Choice { best, others, silent, held } = choice;
        let transfer = match self.zone.instructions().policy.serial_went_back {
            // A primary that is away may hold ours: nobody goes back because of one that lags behind.
            SerialWentBack::Accept if silent == 0 && self.went_back(&best, held.as_ref()) => Transfer::Full,
            _ => transfer,
        };
        let mut attempt = self.follow_one(&best, held.as_ref(), transfer).await;
        for other in others {
            match &attempt.result {
                Err(reason) if !reason.is_the_same_anywhere() => {}
                _ => break,
            }
            if self.could_help(&other, held.as_ref(), transfer) {
                self.record(&attempt);
                attempt = self.follow_one(&other, held.as_ref(), transfer).await;
            }
        }
        attempt
    }

    /// Whether the newest serial that any primary shows is older than ours.
    fn went_back(&self, best: &Candidate, held: Option<&Snapshot>) -> bool {
        let (Some(soa), Some(held)) = (best.soa, held) else { return false };
        let (ours, theirs) = (held.image.serial(), soa.serial);
        ours != theirs && !theirs.is_newer_than(ours)
    }

    /// Whether this primary has anything that we do not hold already, or hold too long.
    fn could_help(&self, candidate: &Candidate, held: Option<&Snapshot>, transfer: Transfer) -> bool {
        let (Some(soa), Some(held), Transfer::Newer) = (candidate.soa, held, transfer) else { return true };
        soa.serial.is_newer_than(held.image.serial()) || self.is_expired()
    }

    fn is_expired(&self) -> bool {
        self.zone.condition().timers.is_expired(self.at)
    }

    async fn follow_one(&self, candidate: &Candidate, held: Option<&Snapshot>, transfer: Transfer) -> Attempt {
        let Candidate { source, soa } = candidate;
        if let (Some(soa), Some(held), Transfer::Newer) = (soa, held, transfer) {
            let (ours, theirs) = (held.image.serial(), soa.serial);
            if ours == theirs {
                let mut attempt = self.ended(Some(source), Kind::Check, Some(held), Ok(Refreshed::Unchanged));
                attempt.to_serial = Some(theirs);
                return attempt;
            }
            let is_expired = self.is_expired();
            if theirs.is_newer_than(ours) && !is_expired {
                return self.step_or_replace(source, *soa, held).await;
            }
            // An expired zone takes any valid version: there is nothing left to protect.
            if !is_expired {
                let reason = Reason::of_older_serial(ours, theirs);
                let mut attempt = self.failed(Some(source), Kind::Check, Some(held), reason);
                attempt.to_serial = Some(theirs);
                return attempt;
            }
        }
        self.transfer(source, Kind::Axfr, held, *soa, transfer).await
    }

    /// IXFR, and AXFR at once from the same primary if that fails in a way that AXFR might not.
    async fn step_or_replace(&self, source: &Source, soa: Soa, held: &Snapshot) -> Attempt {
        let stepped = self.transfer(source, Kind::Ixfr, Some(held), Some(soa), Transfer::Newer).await;
        match &stepped.result {
            Err(reason) if !reason.is_the_same_anywhere() => {
                self.record(&stepped);
                self.transfer(source, Kind::Axfr, Some(held), Some(soa), Transfer::Newer).await
            }
            _ => stepped,
        }
    }

    async fn transfer(
        &self,
        source: &Source,
        kind: Kind,
        held: Option<&Snapshot>,
        soa: Option<Soa>,
        transfer: Transfer,
    ) -> Attempt {
        let fetch = match (kind, held) {
            (Kind::Ixfr, Some(held)) => Fetch::Ixfr { soa_rdata: held.image.soa_record().rdata.to_vec() },
            _ => Fetch::Axfr,
        };
        let mut received = Received::default();
        let way = Way { primary: &source.primary, lane: self.lane, fetch, transfer };
        let result = refresh(self.node, self.zone, way, &mut received).await;
        let result = match (result, soa, held) {
            // Several servers behind one address, most likely: the zone is not confirmed, and not what it should be.
            (Ok(Refreshed::Unchanged), Some(soa), Some(held)) if soa.serial.is_newer_than(held.image.serial()) => {
                Err(Reason::LessThanShown { shown: soa.serial, given: held.image.serial() })
            }
            (result, ..) => result,
        };
        let mut attempt = self.ended(Some(source), kind, held, result);
        attempt.received = received;
        attempt.to_serial = match attempt.result {
            Ok(_) => self.zone.condition().held.as_ref().map(|held| held.image.serial()),
            Err(_) => soa.map(|soa| soa.serial),
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
        }
    }

    /// Puts the attempt on record and into the log.
    fn record(&self, attempt: &Attempt) {
        let zone = &self.zone.name;
        let primary = attempt.primary.map(|address| address.to_string()).unwrap_or_default();
        let serial = attempt.to_serial.map(|serial| serial.0);
        match &attempt.result {
            Ok(Refreshed::Published) => {
                let (kind, records, millis) = (attempt.kind, attempt.received.records, attempt.millis);
                tracing::info!(%zone, primary, serial, ?kind, records, millis, "a new version is served");
            }
            Ok(Refreshed::Unchanged) => tracing::debug!(%zone, primary, serial, "nothing new"),
            Err(reason) => {
                let (kind, code) = (attempt.kind, reason.code());
                tracing::warn!(%zone, primary, serial, ?kind, reason = code, "the attempt failed: {reason}");
            }
        }
        self.node.record(self.zone, attempt);
    }

    /// Moves the timers, and has an expired zone answered again if it was confirmed.
    fn settle(&self, attempt: &Attempt, is_vouched_for: bool) {
        let now = self.node.clock.now();
        let mut condition = self.zone.condition();
        condition.last_attempt = Some(ledger::recorded(attempt));
        let is_confirmed = match (&attempt.result, condition.held.clone()) {
            (Ok(Refreshed::Unchanged), Some(held)) => {
                condition.timers.confirmed(&held.image.soa(), &self.zone.bounds(), now, self.node.clock.random());
                if matches!(**self.zone.served.contents(), Contents::Expired) {
                    self.zone.served.publish(Contents::Live(held));
                    tracing::info!(zone = %self.zone.name, "the primary confirmed the expired zone: it is answered again");
                }
                true
            }
            // Publishing has moved the timers, and the commit before it has written them.
            (Ok(_), _) => false,
            (Err(_), _) => {
                condition.timers.failed(&self.zone.bounds(), now, self.node.clock.random());
                if is_vouched_for {
                    condition.timers.vouched_for(now);
                }
                is_vouched_for
            }
        };
        let facts = self.node.clock_facts(&condition.timers);
        drop(condition);
        if is_confirmed {
            self.node.store.confirm(self.zone.id, facts);
        }
    }
}

/// The newest serial first; equal ones stay in their order. Serials far apart are not ordered (RFC 1982 §3.2), so this
/// is no sort: each is the newest of those that are left, as far as they can be compared.
fn newest_first(mut answered: Vec<(Source, Soa)>) -> Vec<(Source, Soa)> {
    let mut ordered = Vec::with_capacity(answered.len());
    while !answered.is_empty() {
        let newest = (1..answered.len()).fold(0, |best, next| {
            if answered[next].1.serial.is_newer_than(answered[best].1.serial) { next } else { best }
        });
        ordered.push(answered.remove(newest));
    }
    ordered
}
