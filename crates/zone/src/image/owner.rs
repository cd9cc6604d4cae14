//! Owners and RRsets as they are in an image: what is written where, and reading it.

use dns::{NameRef, RecordRef, Type};

use super::{Image, UNIT, u16_at, u32_at};

/// An owner's blob: `number:4 parent:4 rrsets:2 flags:1 name_octets:1 name`, then its RRsets.
pub(super) mod blob {
    /// In an image, the place in canonical order from 0.
    pub(in super::super) const NUMBER: usize = 0;
    /// The parent's offset in units; the apex's own for the apex.
    pub(in super::super) const PARENT: usize = 4;
    pub(in super::super) const RRSETS: usize = 8;
    pub(in super::super) const FLAGS: usize = 10;
    pub(in super::super) const NAME_OCTETS: usize = 11;
    pub(in super::super) const NAME: usize = 12;

    /// Has NS records and is not the apex: a zone cut.
    pub(in super::super) const CUT: u8 = 1;
    /// Lies below a cut or a DNAME: glue, or data that is never answered (RFC 6672 §2.4).
    pub(in super::super) const OCCLUDED: u8 = 2;
    pub(in super::super) const DNAME: u8 = 4;
    /// Has a wildcard directly below it.
    pub(in super::super) const WILDCARD_BELOW: u8 = 8;
    /// Has nothing but NSEC3 records, and no name below it.
    pub(in super::super) const HASH: u8 = 16;
    /// Hides what is below it.
    pub(in super::super) const OCCLUDES: u8 = CUT | OCCLUDED | DNAME;
}

/// An RRset: `type:2 flags:1 records:1 ttl:4 octets:2`, then for each flag, in their order, what it says that follows, then
/// records and signatures, each `octets:2 rdata`.
pub(super) mod rrset {
    pub(in super::super) const TYPE: usize = 0;
    pub(in super::super) const FLAGS: usize = 2;
    pub(in super::super) const RECORDS: usize = 3;
    pub(in super::super) const TTL: usize = 4;
    /// Octets behind this header.
    pub(in super::super) const OCTETS: usize = 8;
    pub(in super::super) const END: usize = 10;

    /// `records:2 octets:4`: these numbers do not fit into the header, which has as much of them as fits.
    pub(in super::super) const LARGE: u8 = 1;
    /// `signatures:2`: there are some.
    pub(in super::super) const SIGNED: u8 = 2;
    /// `ttl:4`: the signatures' is not that of the records.
    pub(in super::super) const SIGNATURE_TTL: u8 = 4;
    /// The records' owner, which is spelled otherwise.
    pub(in super::super) const RECORDS_SPELLED: u8 = 8;
    /// The signatures' owner, which is spelled otherwise.
    pub(in super::super) const SIGNATURES_SPELLED: u8 = 16;

    pub(in super::super) const LARGE_OCTETS: usize = 6;
    pub(in super::super) const SIGNED_OCTETS: usize = 2;
    pub(in super::super) const SIGNATURE_TTL_OCTETS: usize = 4;
}

/// A name of the zone and what it has.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    image: &'a Image,
    head: &'a [u8; blob::NAME],
    name: NameRef<'a>,
    rrsets: &'a [u8],
}

impl<'a> Owner<'a> {
    #[inline]
    pub(super) fn at(image: &'a Image, unit: u32) -> Self {
        Self::of(image, &image.as_bytes()[unit as usize * UNIT..])
    }

    /// Reads a blob; what follows behind it does not matter.
    #[inline]
    pub(super) fn of(image: &'a Image, octets: &'a [u8]) -> Self {
        let (head, rest) = split(octets);
        let (name, rrsets) = rest.split_at(usize::from(head[blob::NAME_OCTETS]));
        Self { image, head, name: NameRef::from_checked(name), rrsets }
    }

    #[inline]
    pub fn name(self) -> NameRef<'a> {
        self.name
    }

    /// A number that no other owner of the snapshot has; 0 is the apex.
    #[inline]
    pub fn number(self) -> u32 {
        u32_at(self.head, blob::NUMBER)
    }

    #[inline]
    pub fn is_apex(self) -> bool {
        self.number() == 0
    }

    /// The owner one label up; none for the apex.
    pub fn parent(self) -> Option<Owner<'a>> {
        if self.is_apex() {
            return None;
        }
        match self.image.is_merged() {
            true => Some(Self::at(self.image, u32_at(self.head, blob::PARENT))),
            false => self.image.owner(self.name.parent()?),
        }
    }

    #[inline]
    pub fn is_cut(self) -> bool {
        self.has_flag(blob::CUT)
    }

    #[inline]
    pub fn has_dname(self) -> bool {
        self.has_flag(blob::DNAME)
    }

    /// Whether it lies below a cut or a DNAME.
    #[inline]
    pub fn is_occluded(self) -> bool {
        self.has_flag(blob::OCCLUDED)
    }

    #[inline]
    pub fn has_wildcard_below(self) -> bool {
        self.has_flag(blob::WILDCARD_BELOW)
    }

    /// Whether it exists only because something below it does (RFC 8020 §2).
    #[inline]
    pub fn is_empty_non_terminal(self) -> bool {
        u16_at(self.head, blob::RRSETS) == 0
    }

    /// Whether it is there for its NSEC3 record alone: whoever asks for such a name is told that it does not exist
    /// (RFC 5155 §7.2.8).
    #[inline]
    pub fn is_hash(self) -> bool {
        self.has_flag(blob::HASH)
    }

    /// The cut or DNAME nearest to the apex among this owner's ancestors, when it is occluded.
    #[inline]
    pub fn occluded_by(self) -> Option<Owner<'a>> {
        if !self.is_occluded() {
            return None;
        }
        let mut above = self;
        while above.is_occluded() {
            above = above.parent()?;
        }
        (above.number() != self.number()).then_some(above)
    }

    /// The RRset of this type. One that has only signatures left counts for nothing here.
    #[inline]
    pub fn rrset(self, rtype: Type) -> Option<Rrset<'a>> {
        self.rrsets().of_type(rtype)
    }

    /// The RRsets in the order of their types.
    #[inline]
    pub fn rrsets(self) -> Rrsets<'a> {
        Rrsets { owner: self.name, octets: self.rrsets, left: u16_at(self.head, blob::RRSETS) }
    }

    /// All records, each RRset followed by its RRSIGs.
    pub fn records(self) -> impl Iterator<Item = RecordRef<'a>> + use<'a> {
        self.rrsets().records()
    }

    #[inline]
    pub(super) fn flags(self) -> u8 {
        self.head[blob::FLAGS]
    }

    /// All of it as it is written.
    pub(super) fn to_blob(self) -> Vec<u8> {
        [self.head, self.name.as_wire(), self.rrsets().as_written()].concat()
    }

    #[inline]
    fn has_flag(self, flag: u8) -> bool {
        self.flags() & flag != 0
    }
}

/// The RRsets of a blob; what follows behind it does not matter.
#[inline]
pub(super) fn rrsets_of(octets: &[u8]) -> Rrsets<'_> {
    let (head, rest) = split::<{ blob::NAME }>(octets);
    let (name, rrsets) = rest.split_at(usize::from(head[blob::NAME_OCTETS]));
    Rrsets { owner: NameRef::from_checked(name), octets: rrsets, left: u16_at(head, blob::RRSETS) }
}

/// So many octets, and those behind them.
#[inline]
fn split<const COUNT: usize>(octets: &[u8]) -> (&[u8; COUNT], &[u8]) {
    octets.split_first_chunk().expect("what an image counts is in it")
}

/// See [`Owner::rrsets`].
#[derive(Clone)]
pub struct Rrsets<'a> {
    owner: NameRef<'a>,
    octets: &'a [u8],
    left: u16,
}

impl<'a> Rrsets<'a> {
    #[inline]
    pub(crate) fn owner(&self) -> NameRef<'a> {
        self.owner
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// How many are left.
    pub(super) fn count(&self) -> u16 {
        self.left
    }

    /// All records, each RRset followed by its RRSIGs.
    pub(crate) fn records(self) -> impl Iterator<Item = RecordRef<'a>> + use<'a> {
        self.flat_map(|rrset| rrset.records().chain(rrset.signatures()))
    }

    /// The RRset of this type. One that has only signatures left counts for nothing here.
    #[inline]
    pub(crate) fn of_type(mut self, rtype: Type) -> Option<Rrset<'a>> {
        self.find(|rrset| rrset.rtype() == rtype && rrset.has_records())
    }

    /// All that are left, as they are written.
    pub(super) fn as_written(&self) -> &'a [u8] {
        let mut rest = self.clone();
        rest.by_ref().for_each(drop);
        &self.octets[..self.octets.len() - rest.octets.len()]
    }
}

impl<'a> Iterator for Rrsets<'a> {
    type Item = Rrset<'a>;

    #[inline]
    fn next(&mut self) -> Option<Rrset<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (head, rest) = split(self.octets);
        let is_large = head[rrset::FLAGS] & rrset::LARGE != 0;
        let count = if is_large { large_octets(rest) } else { u16_at(head, rrset::OCTETS).into() };
        let (octets, rest) = rest.split_at(count);
        self.octets = rest;
        Some(Rrset { owner: self.owner, head, octets })
    }
}

/// The records of one owner and type, and the RRSIGs that cover them.
#[derive(Clone, Copy)]
pub struct Rrset<'a> {
    owner: NameRef<'a>,
    head: &'a [u8; rrset::END],
    octets: &'a [u8],
}

impl<'a> Rrset<'a> {
    #[inline]
    pub fn rtype(self) -> Type {
        Type(u16_at(self.head, rrset::TYPE))
    }

    /// Seconds.
    #[inline]
    pub fn ttl(self) -> u32 {
        u32_at(self.head, rrset::TTL)
    }

    #[inline]
    pub fn record_count(self) -> u16 {
        if self.has(rrset::LARGE) { large_records(self.octets) } else { self.head[rrset::RECORDS].into() }
    }

    /// Whether it has more than signatures.
    #[inline]
    pub fn has_records(self) -> bool {
        self.head[rrset::RECORDS] > 0
    }

    /// Whether RRSIGs cover it.
    #[inline]
    pub fn is_signed(self) -> bool {
        self.has(rrset::SIGNED)
    }

    /// The number of RRSIGs that cover it.
    #[inline]
    pub fn signature_count(self) -> u16 {
        self.of_signatures().left
    }

    #[inline]
    pub fn records(self) -> RrsetRecords<'a> {
        let (owner, octets) = match self.head[rrset::FLAGS] {
            0 => (self.owner, self.octets),
            rrset::SIGNED => (self.owner, &self.octets[rrset::SIGNED_OCTETS..]),
            _ => self.parts().records,
        };
        RrsetRecords { owner, rtype: self.rtype(), ttl: self.ttl(), octets, left: self.record_count() }
    }

    /// The RRSIGs that cover it.
    #[inline]
    pub fn signatures(self) -> RrsetRecords<'a> {
        if !self.is_signed() {
            return RrsetRecords { owner: self.owner, rtype: Type::RRSIG, ttl: 0, octets: &[], left: 0 };
        }
        let mut records = self.records();
        records.by_ref().for_each(drop);
        self.signatures_behind(records)
    }

    /// The RRSIGs that cover it, for who has read its records to the end.
    #[inline]
    pub fn signatures_behind(self, records: RrsetRecords<'a>) -> RrsetRecords<'a> {
        let Signatures { owner, ttl, left } = self.of_signatures();
        RrsetRecords { owner, rtype: Type::RRSIG, ttl, octets: records.octets, left }
    }

    #[inline]
    fn of_signatures(self) -> Signatures<'a> {
        match self.head[rrset::FLAGS] {
            0 => Signatures { owner: self.owner, ttl: 0, left: 0 },
            rrset::SIGNED => Signatures { owner: self.owner, ttl: self.ttl(), left: u16_at(self.octets, 0) },
            _ => self.parts().signatures,
        }
    }

    #[inline]
    fn has(self, flag: u8) -> bool {
        self.head[rrset::FLAGS] & flag != 0
    }

    /// What is behind the header of one that is not as most are.
    #[inline(never)]
    fn parts(self) -> Parts<'a> {
        let mut rest = self.octets;
        let mut next_if = |flag: u8, octets: usize| {
            let (next, behind) = rest.split_at(if self.has(flag) { octets } else { 0 });
            rest = behind;
            Some(next).filter(|next| !next.is_empty())
        };
        next_if(rrset::LARGE, rrset::LARGE_OCTETS);
        let left = next_if(rrset::SIGNED, rrset::SIGNED_OCTETS).map_or(0, |octets| u16_at(octets, 0));
        let ttl = next_if(rrset::SIGNATURE_TTL, rrset::SIGNATURE_TTL_OCTETS).map(|octets| u32_at(octets, 0));
        let mut name_if = |flag| next_if(flag, self.owner.octets()).map_or(self.owner, NameRef::from_checked);
        let [records, signatures] = [rrset::RECORDS_SPELLED, rrset::SIGNATURES_SPELLED].map(&mut name_if);
        let signatures = Signatures { owner: signatures, ttl: ttl.unwrap_or(self.ttl()), left };
        Parts { records: (records, rest), signatures }
    }
}

/// What RRSIGs share, and how many they are.
struct Signatures<'a> {
    owner: NameRef<'a>,
    ttl: u32,
    left: u16,
}

/// What is behind the header of an RRset.
struct Parts<'a> {
    /// Their owner, and all that is behind it.
    records: (NameRef<'a>, &'a [u8]),
    signatures: Signatures<'a>,
}

/// Octets behind the header of a large RRset.
#[cold]
fn large_octets(behind: &[u8]) -> usize {
    u32_at(behind, 2) as usize
}

/// Records of a large RRset.
#[cold]
fn large_records(behind: &[u8]) -> u16 {
    u16_at(behind, 0)
}

/// Records that share owner, type and TTL.
#[derive(Clone)]
pub struct RrsetRecords<'a> {
    owner: NameRef<'a>,
    rtype: Type,
    ttl: u32,
    octets: &'a [u8],
    left: u16,
}

impl<'a> Iterator for RrsetRecords<'a> {
    type Item = RecordRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (count, rest) = split::<2>(self.octets);
        let (rdata, rest) = rest.split_at(usize::from(u16::from_le_bytes(*count)));
        self.octets = rest;
        Some(RecordRef { owner: self.owner, rtype: self.rtype, ttl: self.ttl, rdata })
    }
}
