//! Owners as they come in, written at once where an image will have them.
//!
//! Primaries send a zone in canonical order, as most do, or as a few runs that are each in that order: the NSEC3 records
//! behind all others, for one. The first run is written as the image itself, so that nothing is left to do for a zone that
//! has no other. When an owner comes that does not fit behind it, what has been written is laid aside, and is written again
//! between the owners of the next run while these come. What comes in no order at all is for others.
//!
//! Invariant: what comes of it is what [`super::build`] makes of the same records, octet for octet.

use dns::{Name, RecordRef, Records, Serial};

use super::Seed;
use super::build::{Draft, Notes, TooLarge};
use super::owner::{Rrsets, rrsets_of};
use super::sort_key::push_key;
use super::writer::{ImageWriter, behind};
use crate::check::{Insane, check_owner};
use crate::digest::Digest;
use crate::limits::Limits;

/// How often what has been written is laid aside: each owner may be written so often, and is looked for in so many runs.
const ASIDE_MAX: usize = 8;
/// A run's octets are given back when half of them have been read; fewer than this are not worth it.
const GIVEN_BACK_MIN: usize = 4 << 20;

/// The owners of a zone that is coming in.
pub(crate) struct Runs {
    apex: Name,
    limits: Limits,
    /// The owners of the last run, and all others that are before the last of them.
    writer: ImageWriter,
    /// The others, from where they have been read to.
    aside: Vec<Run>,
    /// How often that has been done; runs that have been read are not there any more.
    laid_aside: usize,
    key: Vec<u8>,
    /// What the digest of what came has to be moved by to be that of what is written.
    correction: Digest,
}

/// Why owners cannot be those of a zone.
pub(crate) enum Fault {
    TooLarge(TooLarge),
    Insane(Insane),
}

/// Whether an owner has been taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// There would be too many runs.
    No,
}

impl Runs {
    pub(crate) fn new(apex: Name, limits: Limits) -> Self {
        let writer = ImageWriter::new(apex.borrow(), limits);
        Self {
            apex,
            limits,
            writer,
            aside: Vec::new(),
            laid_aside: 0,
            key: Vec::new(),
            correction: Digest::default(),
        }
    }

    /// Takes an owner with records of it, of which there is at least one.
    pub(crate) fn add(&mut self, records: &mut [RecordRef<'_>], notes: &mut Notes) -> Result<Taken, Fault> {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        push_key(records[0].owner, self.apex.borrow().octets(), &mut key);
        let taken = self.add_at(&key, records, notes);
        self.key = key;
        taken
    }

    fn add_at(&mut self, key: &[u8], records: &mut [RecordRef<'_>], notes: &mut Notes) -> Result<Taken, Fault> {
        if !self.writer.is_next(key) && !self.lay_aside() {
            return Ok(Taken::No);
        }
        self.catch_up(Some(key), notes)?;
        let before = self.of_aside(key);
        if before.is_empty() {
            self.write(key, records, notes)?;
        } else {
            let mut all: Vec<_> = before.iter().chain(records.iter().copied()).collect();
            self.write(key, &mut all, notes)?;
            self.pass(key);
        }
        Ok(Taken::Yes)
    }

    /// All records that have been written, run by run.
    pub(crate) fn into_records(self) -> Records {
        let mut all = Records::new();
        for mut run in self.aside.into_iter().chain([Run::of(self.writer)]) {
            while !run.is_over() {
                run.here().records().for_each(|record| all.push(record));
                run.go_on();
            }
        }
        all
    }

    /// The image, an apex with an SOA being among the owners, and what the digest of what came has to be moved by.
    pub(crate) fn finish(mut self, serial: Serial, seed: Seed, notes: &mut Notes) -> Result<(Draft, Digest), Fault> {
        self.catch_up(None, notes)?;
        // What has been laid aside takes memory that the tables need.
        self.aside = Vec::new();
        Ok((self.writer.finish(serial, seed)?, self.correction))
    }

    /// Begins anew, with what has been written laid aside; not where that would be too much, or the apex has not come.
    fn lay_aside(&mut self) -> bool {
        if self.laid_aside == ASIDE_MAX || self.writer.is_empty() {
            return false;
        }
        let writer = std::mem::replace(&mut self.writer, ImageWriter::new(self.apex.borrow(), self.limits));
        let mut run = Run::of(writer);
        run.go_to_next(self.apex.borrow().octets());
        self.aside.push(run);
        self.laid_aside += 1;
        true
    }

    /// Writes the owners that are laid aside and before `key`, or all.
    fn catch_up(&mut self, key: Option<&[u8]>, notes: &mut Notes) -> Result<(), Fault> {
        while let Some(first) = self.aside.iter().min_by(|a, b| a.key.cmp(&b.key)) {
            if key.is_some_and(|key| first.key.as_slice() >= key) {
                break;
            }
            let next = first.key.clone();
            if self.aside.iter().filter(|run| run.key == next).nth(1).is_none() {
                let rrsets = first.here();
                self.writer.copy(&next, rrsets.owner(), &rrsets)?;
            } else {
                let parts = self.of_aside(&next);
                self.write(&next, &mut parts.iter().collect::<Vec<_>>(), notes)?;
            }
            self.pass(&next);
        }
        Ok(())
    }

    /// The records of an owner that is the next in some of the runs that are laid aside.
    fn of_aside(&self, key: &[u8]) -> Records {
        self.aside.iter().filter(|run| run.key == key).flat_map(|run| run.here().records()).collect()
    }

    /// Goes on behind an owner that is the next in some of the runs that are laid aside.
    fn pass(&mut self, key: &[u8]) {
        let apex_octets = self.apex.borrow().octets();
        for run in self.aside.iter_mut().filter(|run| run.key == key) {
            run.go_on();
            run.go_to_next(apex_octets);
            run.give_back();
        }
        self.aside.retain(|run| !run.is_over());
    }

    fn write(&mut self, key: &[u8], records: &mut [RecordRef<'_>], notes: &mut Notes) -> Result<(), Fault> {
        let before = *notes;
        let written = self.writer.owner(key, records, notes)?;
        check_owner(&written)?;
        let is_spelled_otherwise = |record: &RecordRef<'_>| !record.owner.same_spelling(records[0].owner);
        if *notes != before || records.iter().any(is_spelled_otherwise) {
            records.iter().for_each(|record| self.correction.subtract(*record));
            written.records().for_each(|record| self.correction.add(record));
        }
        Ok(())
    }
}

/// Owners in canonical order, one behind the other, read from `at` on.
struct Run {
    octets: Vec<u8>,
    at: usize,
    /// Of the next one.
    key: Vec<u8>,
}

impl Run {
    fn of(writer: ImageWriter) -> Self {
        let (octets, at) = writer.into_owners();
        Self { octets, at, key: Vec::new() }
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

    /// Goes to the next owner that has records, from here on: the others are there again when those are.
    fn go_to_next(&mut self, apex_octets: usize) {
        while !self.is_over() && self.here().is_empty() {
            self.go_on();
        }
        if !self.is_over() {
            let mut key = std::mem::take(&mut self.key);
            key.clear();
            push_key(self.here().owner(), apex_octets, &mut key);
            self.key = key;
        }
    }

    /// Lets go of what has been read: otherwise all owners would be in memory twice when the last one is.
    fn give_back(&mut self) {
        if self.at > self.octets.len() / 2 && self.octets.len() > GIVEN_BACK_MIN {
            self.octets.drain(..self.at.min(self.octets.len()));
            self.octets.shrink_to_fit();
            self.at = 0;
        }
    }
}

impl From<TooLarge> for Fault {
    fn from(error: TooLarge) -> Self {
        Self::TooLarge(error)
    }
}

impl From<Insane> for Fault {
    fn from(error: Insane) -> Self {
        Self::Insane(error)
    }
}

#[cfg(test)]
mod tests {
    use dns::text::zone_from_text;

    use super::{ASIDE_MAX, Runs, Taken};
    use crate::image::build::Notes;
    use crate::limits::Limits;

    #[test]
    fn an_order_that_breaks_off_and_catches_up_again_and_again_is_given_up() {
        // Every other name is behind all that came before it, so that all of that is written again.
        let names = (0..50).flat_map(|number| [format!("a{number:02}"), format!("z{number:02}")]);
        let text: String = names.map(|name| format!("{name} 60 A 192.0.2.1\n")).collect();
        let records = zone_from_text("example.", &format!("@ 60 NS ns\n{text}")).unwrap();
        let mut runs = Runs::new("example.".parse().unwrap(), Limits::default());
        let (mut notes, mut taken) = (Notes::default(), 0);
        for record in &records {
            match runs.add(&mut [record], &mut notes) {
                Ok(Taken::Yes) => taken += 1,
                Ok(Taken::No) => break,
                Err(_) => panic!("the owner cannot be one of the zone"),
            }
        }
        assert!((1..=2 * ASIDE_MAX + 3).contains(&taken), "{taken} were taken");
        assert_eq!(runs.into_records().len(), taken);
    }
}
