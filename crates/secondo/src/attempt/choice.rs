//! Which primaries an attempt may fetch from: all are asked, and the newest serial goes first.

use tokio::task::JoinSet;
use xfr::{Reason, Shown};
use zone::Snapshot;

use super::{Attempt, Kind, UnderWay};
use crate::followed::Source;

/// The primaries to fetch from, best first, and what they are compared with.
pub(super) struct Choice {
    pub(super) best: Candidate,
    pub(super) others: Vec<Candidate>,
    /// How many primaries did not say what they have.
    pub(super) silent: usize,
    pub(super) held: Option<Snapshot>,
}

/// A primary, and what it showed.
pub(super) struct Candidate {
    pub(super) source: Source,
    pub(super) shown: Shown,
}

impl Choice {
    /// Whether any primary showed the serial that we hold.
    pub(super) fn shows_ours(&self) -> bool {
        let ours = self.held.as_ref().map(|held| held.image.serial());
        self.shown().any(|shown| Some(shown.soa.serial) == ours)
    }

    /// In how many seconds the copy expires that lives longest, among those of primaries that have our version and say
    /// so; none if any of them does not.
    pub(super) fn expires_in_secs(&self) -> Option<u32> {
        let ours = self.held.as_ref().map(|held| held.image.serial());
        let mut same = self.shown().filter(|shown| Some(shown.soa.serial) == ours);
        same.try_fold(None, |longest: Option<u32>, shown| Some(longest.max(Some(shown.expires_in_secs?)))).flatten()
    }

    fn shown(&self) -> impl Iterator<Item = Shown> + '_ {
        [&self.best].into_iter().chain(&self.others).map(|candidate| candidate.shown)
    }
}

impl UnderWay<'_> {
    /// Asks all primaries at the same time; the newest serial wins. They are asked also where whatever they have is taken:
    /// how long their own copies live is said in answers to this question (RFC 7314 §4).
    pub(super) async fn choose(&self) -> Result<Choice, Box<Attempt>> {
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
