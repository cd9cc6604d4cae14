//! What one thread has answered and not yet put on its sheet.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use answer::Outcome;
use dns::NameRef;
use dns::message::HEADER_OCTETS;
use zone::ZoneId;

use super::samples::Sample;
use super::{AskedFor, CameOf, Sheet};

/// One query in so many has its name looked at, once a sheet has had its first ones.
pub(crate) const SAMPLED_EVERY: u64 = 1_024;

pub(crate) struct Notes {
    /// A batch at the most.
    asked: Vec<(ZoneId, AskedFor, CameOf)>,
    /// Hardly ever one, but for the first queries.
    samples: Vec<Sample>,
    /// Whether each query is a sample: they are among the first that the sheet gets.
    has_each: bool,
    /// Queries until the next sample.
    until_sample: u64,
    /// Of xorshift: which queries are samples is not for strangers to know, nor to follow the rhythm of batches.
    random: u64,
}

impl Default for Notes {
    fn default() -> Self {
        let random = RandomState::new().hash_one(0) | 1;
        Self { asked: Vec::new(), samples: Vec::new(), has_each: true, until_sample: 1, random }
    }
}

impl Notes {
    /// Notes a query of some zone, as it was before anything was held back of its answer.
    #[inline]
    pub(crate) fn note(&mut self, outcome: &Outcome, query: &[u8]) {
        let Some(zone) = outcome.zone else { return };
        self.asked.push((zone, AskedFor::of(outcome.qtype), CameOf::of(outcome.kind)));
        self.until_sample -= 1;
        if self.until_sample == 0 {
            self.sample(zone, query);
        }
    }

    /// Puts all of it on the sheet.
    pub(crate) fn pour(&mut self, sheet: &Sheet) {
        if self.asked.is_empty() {
            return;
        }
        sheet.count(&self.asked);
        self.asked.clear();
        for sample in self.samples.drain(..) {
            match self.has_each {
                true => sheet.keep_first(sample),
                false => sheet.sample(sample, next(&mut self.random)),
            }
        }
        if self.has_each != sheet.wants_each() {
            self.has_each = !self.has_each;
            self.until_sample = if self.has_each { 1 } else { 1 + next(&mut self.random) % SAMPLED_EVERY };
        }
    }

    #[cold]
    fn sample(&mut self, zone: ZoneId, query: &[u8]) {
        self.until_sample = if self.has_each { 1 } else { 1 + next(&mut self.random) % (2 * SAMPLED_EVERY - 1) };
        let name = query.get(HEADER_OCTETS..).and_then(|octets| NameRef::prefix_of(octets).ok());
        self.samples.extend(name.map(|name| Sample::new(zone, name)));
    }
}

pub(super) fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Notes, SAMPLED_EVERY, next};
    use crate::queries::{Queries, Sheet, Writers};

    #[test]
    fn about_one_query_in_1024_is_a_sample_and_none_can_tell_which() {
        let (mut random, mut queries, mut samples) = (4711, 0, 0_u64);
        while queries < 10_000_000 {
            queries += 1 + next(&mut random) % (2 * SAMPLED_EVERY - 1);
            samples += 1;
        }
        let expected = queries / SAMPLED_EVERY;
        assert!(samples.abs_diff(expected) < expected / 20, "{samples} of {queries}");
    }

    #[test]
    fn nothing_is_asked_of_no_zone() {
        let (mut notes, sheet) = (Notes::default(), Arc::new(Sheet::of(Writers::One)));
        let mut out = [0; 512];
        let query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x01x\0\0\x01\0\x01";
        let asker = answer::Asker::plain(answer::Transport::Udp, [127, 0, 0, 1].into());
        let (zones, persona) = (answer::ZoneTable::default(), answer::Persona::default());
        let outcome = answer::answer(query, &zones, &asker, &persona, || 0, &mut answer::Scratch::new(), &mut out);
        notes.note(&outcome, query);
        notes.pour(&sheet);
        assert!(Queries::new(&[sheet]).take().zones.is_empty());
    }
}
