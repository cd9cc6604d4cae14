//! A whole zone on its way in: put together while the rest of it comes.
//!
//! The law: what comes of it is what [`crate::advance`] makes of all its records at once, octet for octet. Where records come
//! in no order, they are collected and built at the end, as there.
//!
//! Most of what it takes is two passes over the records that need not be one after the other: writing owners, which is done
//! here, and hashing records for the digest, which is done beside, on what came ([`crate::Digest::of`]). Where something else
//! is served than came, this corrects the digest.

use dns::{Name, RecordRef, Records, Soa, Type, rdata};

use crate::advance::{Advanced, Rejection, admit_one, replace};
use crate::between::between;
use crate::check::check_apex;
use crate::digest::Digest;
use crate::image::{Fault, Image, Notes, Runs, Seed, Taken, TooLarge};
use crate::limits::Limits;

/// The records of a zone that have come so far.
pub struct Incoming {
    apex: Name,
    limits: Limits,
    notes: Notes,
    /// The data of the first SOA record.
    soa: Option<Vec<u8>>,
    /// Of what came, as far as that has been counted in, and moved by what is served otherwise than it came.
    digest: Digest,
    /// Records of the last owner, of which the next ones may be too.
    open: Records,
    gathered: Gathered,
}

enum Gathered {
    Written(Box<Runs>),
    /// In no order, or with more names that only stand above others than a zone in order may have.
    Collected(Records),
    Failed(Rejection),
}

impl Incoming {
    pub fn new(apex: Name, limits: Limits) -> Self {
        Self {
            gathered: Gathered::Written(Box::new(Runs::new(apex.clone(), limits))),
            apex,
            limits,
            notes: Notes::default(),
            soa: None,
            digest: Digest::default(),
            open: Records::new(),
        }
    }

    /// Takes the next records. What is wrong with them is said at the end. Their digest is to be counted in besides, before
    /// the end.
    pub fn take(&mut self, records: &Records) {
        if matches!(self.gathered, Gathered::Failed(_)) {
            return;
        }
        if let Err(rejection) = self.take_all(records) {
            self.gathered = Gathered::Failed(rejection);
            self.open = Records::new();
        }
    }

    /// Counts in the digest of records that were taken, or are being taken.
    pub fn count_in(&mut self, received: Digest) {
        self.digest.add_sum(received);
    }

    /// The contents, when all records have been taken and counted in; `seed` keys the owner index.
    pub fn finish(mut self, old: Option<&Image>, seed: Seed) -> Result<Advanced, Rejection> {
        if !matches!(self.gathered, Gathered::Failed(_)) {
            self.close()?;
        }
        let runs = match self.gathered {
            Gathered::Failed(rejection) => return Err(rejection),
            Gathered::Collected(records) => {
                let mut advanced = replace(self.apex.borrow(), old, &records, seed, self.limits)?;
                advanced.notes.add(self.notes);
                return Ok(advanced);
            }
            Gathered::Written(runs) => runs,
        };
        let no_soa = || Rejection::NoSoa { apex: self.apex.clone() };
        let soa = self.soa.as_deref().and_then(Soa::parse).ok_or_else(no_soa)?;
        let (draft, correction) = runs.finish(soa.serial, seed, &mut self.notes)?;
        check_apex(&draft.peek())?;
        self.digest.add_sum(correction);
        let image = draft.seal(self.digest);
        let diffs = old.map(|old| between(old, &image)).into_iter().collect();
        Ok(Advanced { image, diffs, notes: self.notes })
    }

    fn take_all(&mut self, records: &Records) -> Result<(), Rejection> {
        let mut group: Vec<RecordRef<'_>> = Vec::new();
        for received in records {
            let Some(record) = self.admit(received)? else { continue };
            if group.first().is_some_and(|first| first.owner != record.owner) {
                self.owner(&mut group)?;
                group.clear();
            }
            if group.is_empty() && !self.open.is_empty() {
                if self.open.at(0).owner == record.owner {
                    self.open.push(record);
                    continue;
                }
                self.close()?;
            }
            group.push(record);
        }
        group.iter().for_each(|record| self.open.push(*record));
        Ok(())
    }

    /// The record as it may be served, if it may be.
    fn admit<'a>(&mut self, received: RecordRef<'a>) -> Result<Option<RecordRef<'a>>, Rejection> {
        let admitted = admit_one(self.apex.borrow(), received, &mut self.notes)?;
        if admitted.is_none_or(|record| record.ttl != received.ttl) {
            self.digest.subtract(received);
            admitted.into_iter().for_each(|record| self.digest.add(record));
        }
        if received.rtype == Type::SOA && admitted.is_some() {
            let first = self.soa.get_or_insert_with(|| received.rdata.to_vec());
            if !rdata::same(Type::SOA, first, received.rdata) {
                return Err(Rejection::SeveralSoas { apex: self.apex.clone() });
            }
        }
        Ok(admitted)
    }

    /// Ends the owner of which there could have been more.
    fn close(&mut self) -> Result<(), Rejection> {
        let open = std::mem::take(&mut self.open);
        let mut records: Vec<_> = open.iter().collect();
        if records.is_empty() { Ok(()) } else { self.owner(&mut records) }
    }

    /// Takes an owner with all records of it that came one after the other.
    fn owner(&mut self, records: &mut [RecordRef<'_>]) -> Result<(), Rejection> {
        let runs = match &mut self.gathered {
            Gathered::Written(runs) => runs,
            Gathered::Collected(all) => {
                records.iter().for_each(|record| all.push(*record));
                return Ok(());
            }
            Gathered::Failed(rejection) => return Err(rejection.clone()),
        };
        match runs.add(records, &mut self.notes) {
            Ok(Taken::Yes) => return Ok(()),
            // With the names that are still to come there may be enough of them.
            Ok(Taken::No) | Err(Fault::TooLarge(TooLarge::EmptyNames { .. })) => {}
            Err(fault) => return Err(fault.into()),
        }
        let gathered = std::mem::replace(&mut self.gathered, Gathered::Collected(Records::new()));
        if let Gathered::Written(runs) = gathered {
            let mut all = runs.into_records();
            records.iter().for_each(|record| all.push(*record));
            self.gathered = Gathered::Collected(all);
        }
        Ok(())
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge(error) => error.into(),
            Fault::Insane(error) => error.into(),
        }
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "what has come of {}", self.apex)
    }
}
