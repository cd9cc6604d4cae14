//! Which primaries an attempt may fetch from: all are asked, and the newest serial goes first.

use std::cmp::Ordering;

use dns::Serial;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use inventory::Service;
use tokio::time::{Instant, timeout_at};
use xfr::{Reason, Shown};

use super::{Attempt, Kind, UnderWay};
use crate::followed::Source;
use crate::warnings;

/// The primaries to fetch from, best first.
pub(super) struct Choice {
    pub(super) best: Candidate,
    pub(super) others: Vec<Candidate>,
    /// How many primaries did not say what they have.
    pub(super) silent: usize,
}

/// A primary, and what it showed.
pub(super) struct Candidate {
    pub(super) source: Source,
    pub(super) shown: Shown,
}

impl UnderWay<'_> {
    /// Asks all primaries at the same time; the newest serial wins. They are asked also where whatever they have is taken:
    /// how long their own copies live is said in answers to this question (RFC 7314 §4).
    pub(super) async fn choose(&self) -> Result<Choice, Box<Attempt>> {
        let instructions = self.zone.instructions();
        let is_overtaken = || {
            let wanted = self.zone.instructions();
            self.is_given_up() || wanted.service != Service::Answering || wanted.sources != instructions.sources
        };
        let (candidates, failures) = tokio::select! {
            // First: nothing more is asked for a zone that nobody wants followed, or of whom it has no more to do with.
            biased;
            () = self.zone.until(is_overtaken) => {
                return Err(Box::new(self.failed(None, Kind::Check, Reason::Overtaken)));
            }
            asked = self.ask(&instructions.sources) => asked,
        };
        self.record_silence(&failures, !candidates.is_empty());
        if instructions.sources.len() > 1 {
            let shown: Vec<_> =
                candidates.iter().map(|one| (one.source.primary.address, one.shown.soa.serial)).collect();
            warnings::tell_of_disagreement(self.node, self.zone, &shown);
        }
        let mut candidates = candidates.into_iter();
        if let Some(best) = candidates.next() {
            return Ok(Choice { best, others: candidates.collect(), silent: failures.len() });
        }
        let attempt = match failures.into_iter().next() {
            Some((source, reason)) => self.failed(Some(&source), Kind::Check, reason),
            None => {
                let detail =
                    "the zone's primaries are not known: the inventory is not available, or does not know the zone \
                              (then add it again)"
                        .to_owned();
                self.failed(None, Kind::Check, Reason::Internal { detail })
            }
        };
        Err(Box::new(attempt))
    }

    /// Puts on record which primaries did not answer, each once until that changes: one that is dead for months must not
    /// push everything else out of the ledger. The first is left to the attempt itself where nobody answered.
    fn record_silence(&self, failures: &[(Source, Reason)], has_answer: bool) {
        let silent: Box<[_]> = failures.iter().map(|(source, why)| (source.primary.address, why.code())).collect();
        let before = std::mem::replace(&mut self.zone.condition().silent, silent.clone());
        let own = usize::from(!has_answer);
        for ((source, reason), silent) in failures.iter().zip(&silent).skip(own) {
            if !before.contains(silent) {
                self.node.record(self.zone, &self.failed(Some(source), Kind::Check, reason.clone()));
            }
        }
    }

    /// What these primaries show, the newest first, and why others of them show nothing. Whoever shows our serial confirms
    /// it. One that has not answered because it waits for a place, with thousands of zones perhaps, keeps nobody waiting
    /// for longer than a probe takes once another has answered.
    pub(super) async fn ask(&self, sources: &[Source]) -> (Vec<Candidate>, Vec<(Source, Reason)>) {
        let probing = |(index, source)| async move { (index, self.probe(source).await) };
        let mut asking: FuturesUnordered<_> = sources.iter().enumerate().map(probing).collect();
        let mut answers: Vec<Option<Result<Shown, Reason>>> = sources.iter().map(|_| None).collect();
        let (began, mut until) = (Instant::now(), None);
        loop {
            let next = match until {
                None => asking.next().await,
                Some(until) => timeout_at(until, asking.next()).await.ok().flatten(),
            };
            let Some((index, answer)) = next else { break };
            if answer.is_ok() {
                until.get_or_insert(Instant::now() + self.node.transfers.deadlines().probe);
            }
            answers[index] = Some(answer);
        }
        let (mut answered, mut failures) = (Vec::new(), Vec::new());
        for (source, answer) in sources.iter().zip(answers) {
            let busy = || Err(Reason::Busy { secs: began.elapsed().as_secs() });
            match answer.unwrap_or_else(busy) {
                Ok(shown) => answered.push(Candidate { source: source.clone(), shown }),
                Err(reason) => failures.push((source.clone(), reason)),
            }
        }
        if let Some(expires_in_secs) = self.vouching(&answered) {
            self.vouched_for(expires_in_secs);
        }
        if answered.iter().any(|candidate| candidate.shown.ages()) {
            self.zone.condition().leads_on = None;
        }
        (newest_first(answered, self.ours()), failures)
    }

    async fn probe(&self, source: &Source) -> Result<Shown, Reason> {
        match source.missing_key() {
            Some(key) => Err(Reason::KeyMissing { key: key.clone() }),
            None => self.node.transfers.probe(&self.zone.name, &source.primary, self.lane).await,
        }
    }

    /// If any of them shows the serial that we hold: in how many seconds the copy expires that lives longest, among those
    /// of primaries that have our version and say so; none if any of them does not.
    fn vouching(&self, answered: &[Candidate]) -> Option<Option<u32>> {
        let same = answered.iter().filter(|candidate| Some(candidate.shown.soa.serial) == self.ours());
        let mut left = same.map(|candidate| candidate.shown.expires_in_secs);
        let first = left.next()?;
        Some(left.fold(first, |longest, left| longest.zip(left).map(|(longest, left)| longest.max(left))))
    }
}

/// The newest serial first; equal ones stay in their order. Serials go round in a circle: one may be newer than what is
/// news here, and older than ours. So what is newer than ours comes first, then ours, then the others. Serials far apart
/// are not ordered (RFC 1982 §3.2), so this is no sort: each is the newest of those that are left, as far as they can be
/// compared.
fn newest_first(mut answered: Vec<Candidate>, ours: Option<Serial>) -> Vec<Candidate> {
    let rank = |serial: Serial| match ours {
        Some(ours) if serial.is_newer_than(ours) => 2,
        Some(ours) if serial == ours => 1,
        _ => 0,
    };
    let is_better = |one: Serial, other: Serial| match rank(one).cmp(&rank(other)) {
        Ordering::Equal => one.is_newer_than(other),
        order => order.is_gt(),
    };
    let mut ordered = Vec::with_capacity(answered.len());
    while !answered.is_empty() {
        let newest = (1..answered.len()).fold(0, |best, next| {
            if is_better(answered[next].shown.soa.serial, answered[best].shown.soa.serial) { next } else { best }
        });
        ordered.push(answered.remove(newest));
    }
    ordered
}
