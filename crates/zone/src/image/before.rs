//! Images of formats before today's, which are read to be built anew.
//!
//! ```text
//! header │ apex │ owners … │ what is found by other ways
//!               │ number:4 parent:4 rrsets:2 flags:1 name_octets:1 name, then its RRsets, to a multiple of 4
//!               │   type:2 records:2 signatures:2 spelled:2 ttl:4 signature_ttl:4 octets:4, names, records, RRSIGs
//! ```
//!
//! Formats 1 and 2 differ in what is behind the owners alone, which nobody asks for here, and in flags of owners, which are found
//! out anew.

use std::ops::{Range, RangeInclusive};

use dns::{NameRef, RecordRef, Serial, Type};

use super::{Seed, UNIT, array_at, u16_at, u32_at};
use crate::digest::Digest;

pub(super) const FORMATS: RangeInclusive<u32> = 1..=2;

/// Where each field of the header is.
mod field {
    pub(super) const SERIAL: usize = 12;
    pub(super) const OCTETS: usize = 16;
    pub(super) const OWNER_COUNT: usize = 60;
    pub(super) const APEX_OCTETS: usize = 68;
    pub(super) const SEED: usize = 72;
    pub(super) const DIGEST: usize = 88;
    pub(super) const END: usize = 120;
}

const OWNER_OCTETS: usize = 12;
const RRSET_OCTETS: usize = 20;
/// Flags of names that are spelled otherwise than the owner's, and follow.
const RECORDS_SPELLED: u16 = 1;
const SIGNATURES_SPELLED: u16 = 2;

/// How many octets there should be, if there are as many as a header has.
pub(super) fn octets(octets: &[u8]) -> Option<u64> {
    (octets.len() >= field::END).then(|| u64::from_le_bytes(array_at(octets, field::OCTETS)))
}

/// An image of such a format whose checksum fits.
pub(super) struct Before<'a> {
    octets: &'a [u8],
}

impl<'a> Before<'a> {
    pub(super) fn of(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    pub(super) fn apex(&self) -> NameRef<'a> {
        NameRef::from_checked(&self.octets[field::END..self.apex_end()])
    }

    pub(super) fn serial(&self) -> Serial {
        Serial(u32_at(self.octets, field::SERIAL))
    }

    pub(super) fn seed(&self) -> Seed {
        array_at(self.octets, field::SEED)
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::from_bytes(array_at(self.octets, field::DIGEST))
    }

    /// All records: owners in canonical order, RRsets by type, each followed by its RRSIGs.
    pub(super) fn records(&self) -> impl Iterator<Item = RecordRef<'a>> + use<'a> {
        let mut rest = Rest { octets: self.octets, at: self.apex_end() };
        (0..u32_at(self.octets, field::OWNER_COUNT)).flat_map(move |_| rest.owner())
    }

    fn apex_end(&self) -> usize {
        field::END + usize::from(self.octets[field::APEX_OCTETS])
    }
}

/// What has not been read yet.
struct Rest<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn owner(&mut self) -> Vec<RecordRef<'a>> {
        self.at = self.at.next_multiple_of(UNIT);
        let head = self.take(OWNER_OCTETS);
        let name = self.name(usize::from(head[11]));
        let mut records = Vec::new();
        for _ in 0..u16_at(head, 8) {
            self.rrset(name, &mut records);
        }
        records
    }

    fn rrset(&mut self, owner: NameRef<'a>, records: &mut Vec<RecordRef<'a>>) {
        let head = self.take(RRSET_OCTETS);
        let spelled = u16_at(head, 6);
        let parts = [
            (RECORDS_SPELLED, Type(u16_at(head, 0)), u32_at(head, 8), u16_at(head, 2)),
            (SIGNATURES_SPELLED, Type::RRSIG, u32_at(head, 12), u16_at(head, 4)),
        ];
        let owners = parts.map(|(flag, ..)| if spelled & flag == 0 { owner } else { self.name(owner.octets()) });
        for ((_, rtype, ttl, count), owner) in parts.into_iter().zip(owners) {
            for _ in 0..count {
                let octets = usize::from(u16_at(self.take(2), 0));
                records.push(RecordRef { owner, rtype, ttl, rdata: self.take(octets) });
            }
        }
    }

    fn name(&mut self, octets: usize) -> NameRef<'a> {
        NameRef::from_checked(self.take(octets))
    }

    fn take(&mut self, octets: usize) -> &'a [u8] {
        let taken: Range<usize> = self.at..self.at + octets;
        self.at = taken.end;
        &self.octets[taken]
    }
}
