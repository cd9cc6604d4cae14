//! Owners as they come in, written at once where an image will have them.
//!
//! Primaries send a zone in canonical order, as most do, or as a few runs that are each in that order: the NSEC3 records
//! behind all others, for one. The first run is written as the image itself, so that nothing is left to do for a zone that
//! has no other; owners that do not fit behind it go into further runs, and all are merged at the end. What comes in no order
//! at all is for others.
//!
//! Invariant: what comes of it is what [`super::build`] makes of the same records, octet for octet.

use dns::{Name, RecordRef, Records, Serial};

use super::build::{Draft, Notes, TooLarge};
use super::owner::{Rrsets, rrsets_of};
use super::sort_key::push_key;
use super::writer::{ImageWriter, behind};
use super::writing::{self, Head};
use super::{Seed, UNIT};
use crate::limits::Limits;

/// Runs beside the first; of more, finding the next owner would cost more than sorting all of them.
const OTHERS_MAX: usize = 8;
/// A run's octets are given back when half of them have been read; fewer than this are not worth it.
const GIVEN_BACK_MIN: usize = 4 << 20;

/// The owners of a zone that is coming in.
pub(crate) struct Runs {
    apex: Name,
    limits: Limits,
    first: ImageWriter,
    others: Vec<Run>,
    key: Vec<u8>,
}

impl Runs {
    pub(crate) fn new(apex: Name, limits: Limits) -> Self {
        let first = ImageWriter::new(apex.borrow(), limits);
        Self { apex, limits, first, others: Vec::new(), key: Vec::new() }
    }

    /// Writes an owner with records of it, of which there is at least one; what was written. None, and nothing was, where
    /// there would be too many runs.
    pub(crate) fn add(
        &mut self,
        records: &mut [RecordRef<'_>],
        notes: &mut Notes,
    ) -> Result<Option<Rrsets<'_>>, TooLarge> {
        self.key.clear();
        push_key(records[0].owner, self.apex.borrow().octets(), &mut self.key);
        if self.first.is_next(&self.key) {
            return self.first.owner(&self.key, records, notes).map(Some);
        }
        let fits = self.others.iter().position(|run| run.last_key < self.key);
        let index = fits.unwrap_or(self.others.len());
        if index == OTHERS_MAX {
            return Ok(None);
        }
        if index == self.others.len() {
            self.others.push(Run::default());
        }
        self.others[index].write(&self.key, records, &self.limits, notes).map(Some)
    }

    /// All records that have been written, run by run.
    pub(crate) fn into_records(self) -> Records {
        let mut all = Records::new();
        for mut run in self.into_runs() {
            while let Some(rrsets) = run.next() {
                rrsets.records().for_each(|record| all.push(record));
            }
        }
        all
    }

    /// The image, an apex with an SOA being among the owners. `joined` is told of each owner that came in several parts: the
    /// records of all parts as they were written, and what has become of them.
    pub(crate) fn finish<E: From<TooLarge>>(
        self,
        serial: Serial,
        seed: Seed,
        notes: &mut Notes,
        joined: impl FnMut(&[RecordRef<'_>], Rrsets<'_>) -> Result<(), E>,
    ) -> Result<Draft, E> {
        if self.others.is_empty() {
            return Ok(self.first.finish(serial, seed)?);
        }
        let whole = ImageWriter::new(self.apex.borrow(), self.limits);
        let apex_octets = self.apex.borrow().octets();
        // What the runs hold is let go of before the tables are made.
        Ok(merge(self.into_runs(), apex_octets, whole, notes, joined)?.finish(serial, seed)?)
    }

    fn into_runs(self) -> Vec<Run> {
        let (octets, at) = self.first.into_owners();
        let first = Run { octets, at, ..Run::default() };
        std::iter::once(first).chain(self.others).collect()
    }
}

fn merge<E: From<TooLarge>>(
    mut runs: Vec<Run>,
    apex_octets: usize,
    mut whole: ImageWriter,
    notes: &mut Notes,
    mut joined: impl FnMut(&[RecordRef<'_>], Rrsets<'_>) -> Result<(), E>,
) -> Result<ImageWriter, E> {
    runs.iter_mut().for_each(|run| run.go_to_next(apex_octets));
    loop {
        runs.retain(|run| !run.is_over());
        let Some(least) = least(&runs) else { return Ok(whole) };
        let key = std::mem::take(&mut runs[least].last_key);
        let is_part = |(index, run): &(usize, &Run)| *index == least || run.last_key == key;
        if runs.iter().enumerate().filter(is_part).nth(1).is_none() {
            let rrsets = runs[least].here();
            whole.copy(&key, rrsets.owner(), &rrsets)?;
        } else {
            let parts = runs.iter().enumerate().filter(is_part);
            let mut records: Vec<_> = parts.flat_map(|(_, run)| run.here().records()).collect();
            let written = whole.owner(&key, &mut records, notes)?;
            joined(&records, written)?;
        }
        for (index, run) in runs.iter_mut().enumerate() {
            if index == least || run.last_key == key {
                run.go_on();
                run.go_to_next(apex_octets);
                run.give_back();
            }
        }
    }
}

/// The run whose next owner is the first of all.
fn least(runs: &[Run]) -> Option<usize> {
    (0..runs.len()).min_by(|a, b| runs[*a].last_key.cmp(&runs[*b].last_key))
}

/// Owners in canonical order, one behind the other; while it is read, from `at` on.
#[derive(Default)]
struct Run {
    octets: Vec<u8>,
    at: usize,
    /// Of the owner that was written last; while it is read, of the next one.
    last_key: Vec<u8>,
}

impl Run {
    fn write(
        &mut self,
        key: &[u8],
        records: &mut [RecordRef<'_>],
        limits: &Limits,
        notes: &mut Notes,
    ) -> Result<Rrsets<'_>, TooLarge> {
        let name = writing::spelling(records).expect("an owner has at least one record");
        writing::sort(records);
        self.octets.resize(self.octets.len().next_multiple_of(UNIT), 0);
        let at = self.octets.len();
        let head = Head { number: 0, parent: 0, flags: 0, name };
        writing::write(&mut self.octets, &head, records, limits, notes)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        Ok(rrsets_of(&self.octets[at..]))
    }

    fn is_over(&self) -> bool {
        self.at >= self.octets.len()
    }

    fn here(&self) -> Rrsets<'_> {
        rrsets_of(&self.octets[self.at..])
    }

    /// Passes over the owner that stands here.
    fn go_on(&mut self) {
        self.at = behind(self.at, &self.here());
    }

    /// Goes to the next owner that has records, from here on.
    fn go_to_next(&mut self, apex_octets: usize) {
        while !self.is_over() && self.here().is_empty() {
            self.go_on();
        }
        if !self.is_over() {
            let mut key = std::mem::take(&mut self.last_key);
            key.clear();
            push_key(self.here().owner(), apex_octets, &mut key);
            self.last_key = key;
        }
    }

    /// The next owner with its records.
    fn next(&mut self) -> Option<Rrsets<'_>> {
        let at = self.at;
        if self.is_over() {
            return None;
        }
        self.go_on();
        Some(rrsets_of(&self.octets[at..]))
    }

    /// Lets go of what has been read: otherwise all owners would be in memory twice when the last one is.
    fn give_back(&mut self) {
        if self.at > self.octets.len() / 2 && self.octets.len() > GIVEN_BACK_MIN {
            self.octets.drain(..self.at);
            self.octets.shrink_to_fit();
            self.at = 0;
        }
    }
}
