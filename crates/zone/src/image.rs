//! The image: one snapshot of a zone in one flat, position-independent buffer.
//!
//! ```text
//! header │ owners, the apex first …    │ slots        │ order          │ ring
//!        │ number parent flags name    │ tag, offset  │ offset, offset │ of NSEC3 records
//!        │   RRset RRset RRset …       │ by hash      │ canonical      │ hash order
//!        │     records, then RRSIGs    │              │                │
//! ```
//!
//! - An *owner* is one contiguous blob: a name and all its RRsets, each RRSIG beside what it covers. Empty
//!   non-terminals are owners without RRsets. Blobs start at multiples of four octets and are named by that multiple,
//!   so that 32 bits reach 16 GiB.
//! - *slots* is an open-addressed hash table over the owners, keyed by a secret in the header: nobody can choose names
//!   that collide. *order* lists the owners canonically (RFC 4034 §6.1), *ring* the owners of the NSEC3 records that
//!   are in use, by their hashes. How wide the entries of slots and order are follows from where the owners end
//!   ([`index::Table`]), and the ring is there if anything is behind the order.
//! - All numbers are little-endian. The octets on disk are the octets in memory: starting means mapping. Images of
//!   formats before are built anew when they are read ([`before`]).
//!
//! Invariants: never changes after it is built; has exactly one SOA, at the apex; every owner is in the zone; for one
//! set of records and one seed the octets are always the same, however the zone came to be.
//!
//! The rest of the program sees three primitives: [`Image::owner`], [`Image::predecessor`], [`Ring::of`].

mod before;
mod build;
mod changes;
mod excess;
mod index;
mod octets;
mod overlay;
mod owner;
mod revise;
mod ring;
mod runs;
mod sort_key;
mod writer;
mod writing;

use std::ops::Bound;
use std::sync::Arc;

use dns::{NameBuf, NameRef, RecordRef, Serial, Soa, Type};

use crate::digest::Digest;
use crate::limits::Limits;
use before::Before;
use excess::Excess;
use index::{Order, Table};
use overlay::{Overlay, Owners};
use sort_key::SortKey;

pub(crate) use build::build;
pub use build::{Notes, TooLarge};
pub use index::{Approach, Deepest};
pub use octets::ImageBytes;
pub use owner::{Owner, Rrset, RrsetRecords, Rrsets};
pub(crate) use revise::{Touched, revise};
pub use ring::Ring;
pub(crate) use runs::{Fault, Runs, Taken};

/// What the owner index is keyed with: 16 random octets, secret.
pub type Seed = [u8; 16];

/// The octets are not an image that this program wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    #[error("the image ends too early")]
    Truncated,
    #[error("the image does not start as images do")]
    NotAnImage,
    #[error("the image has format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    #[error("the image's checksum does not fit its octets")]
    Checksum,
    #[error("the image of format {0} cannot be built anew")]
    Unbuildable(u32),
}

const MAGIC: [u8; 4] = *b"2ndZ";
/// The format's number; a change of the layout takes the next one.
const FORMAT: u32 = 3;
/// What offsets count in, and the length of an image.
const UNIT: usize = 4;

/// Where each field of the header is.
mod field {
    use std::ops::Range;

    pub(super) const MAGIC: Range<usize> = 0..4;
    pub(super) const FORMAT: usize = 4;
    /// CRC-32C of everything behind it.
    pub(super) const CHECKSUM: usize = 8;
    pub(super) const CHECKED_FROM: usize = 12;
    pub(super) const SERIAL: usize = 12;
    /// Of the whole image, in units.
    pub(super) const UNITS: usize = 16;
    pub(super) const RECORDS: usize = 20;
    /// Where the slots are, in units: behind the owners.
    pub(super) const SLOTS_AT: usize = 24;
    pub(super) const OWNER_COUNT: usize = 28;
    /// What [`super::excess`] tells of; two octets of zero follow.
    pub(super) const EXCESS: Range<usize> = 32..34;
    pub(super) const SEED: Range<usize> = 36..52;
    pub(super) const DIGEST: Range<usize> = 52..84;
    pub(super) const END: usize = 84;
}

/// Where the first owner is, the apex, in units.
const APEX_UNIT: u32 = (field::END / UNIT) as u32;
const _: () = assert!(field::END.is_multiple_of(UNIT));

/// One snapshot's contents. Cloning shares the octets.
#[derive(Clone)]
pub struct Image {
    bytes: ImageBytes,
    /// As in the header, from which a look-up would have to fetch it.
    seed: Seed,
    /// Few zones have one.
    ring: Option<Arc<ring::Layout>>,
    /// Owners that are otherwise than the octets say.
    overlay: Option<Arc<Overlay>>,
    table: Table,
    /// Owners of the octets.
    owners_below: u32,
    /// The SOA's.
    minimum_secs: u32,
    apex_octets: u8,
}

// There may be a million, each beside its generation and what counts its owners.
const _: () = assert!(size_of::<Image>() <= 80);

/// How a zone proves what it does not hold.
#[derive(Clone, Copy)]
pub enum Denial<'a> {
    /// Not at all: it is not signed.
    Unsigned,
    /// By NSEC records (RFC 4034 §4).
    Nsec,
    /// By NSEC3 records (RFC 5155).
    Nsec3(Ring<'a>),
}

impl Image {
    /// Takes octets that [`Image::as_bytes`] gave, from disk or memory, and checks them against their checksum.
    pub fn from_bytes(bytes: ImageBytes) -> Result<Self, Damaged> {
        let octets = &*bytes;
        if octets.len() < field::END {
            return Err(Damaged::Truncated);
        }
        if octets[field::MAGIC] != MAGIC {
            return Err(Damaged::NotAnImage);
        }
        let format = u32_at(octets, field::FORMAT);
        let stated = match format {
            FORMAT => u64::from(u32_at(octets, field::UNITS)) * UNIT as u64,
            _ if before::FORMATS.contains(&format) => before::octets(octets).ok_or(Damaged::Truncated)?,
            _ => return Err(Damaged::Format(format)),
        };
        if stated != octets.len() as u64 {
            return Err(Damaged::Truncated);
        }
        if crc32c::crc32c(&octets[field::CHECKED_FROM..]) != u32_at(octets, field::CHECKSUM) {
            return Err(Damaged::Checksum);
        }
        if format == FORMAT { Ok(Self::trusted(bytes)) } else { Self::upgraded(&Before::of(octets), format) }
    }

    /// The same contents in today's format.
    fn upgraded(before: &Before<'_>, format: u32) -> Result<Self, Damaged> {
        let records: Vec<_> = before.records().collect();
        let notes = &mut Notes::default();
        let draft = build(before.apex(), before.serial(), &records, before.seed(), Limits::NONE, notes);
        Ok(draft.map_err(|_| Damaged::Unbuildable(format))?.seal(before.digest()))
    }

    /// An image whose octets this program has just written or checked.
    fn trusted(bytes: ImageBytes) -> Self {
        let octets = &*bytes;
        let owners = u32_at(octets, field::OWNER_COUNT);
        let table = Table::at(u32_at(octets, field::SLOTS_AT), owners);
        let ring_at = table.ring_at(owners);
        let ring = (ring_at < octets.len()).then(|| Arc::new(ring::Layout::at(octets, ring_at, owners as usize)));
        let mut image = Self {
            seed: array_at(octets, field::SEED.start),
            ring,
            overlay: None,
            table,
            owners_below: owners,
            minimum_secs: 0,
            apex_octets: octets[field::END + owner::blob::NAME_OCTETS],
            bytes,
        };
        image.minimum_secs = image.soa().minimum;
        image
    }

    /// The same contents in one flat buffer, built anew if there are owners that lie elsewhere.
    pub fn merged(&self) -> Self {
        if self.overlay.is_none() {
            return self.clone();
        }
        let records: Vec<_> = self.records().collect();
        let notes = &mut Notes::default();
        let draft = build(self.apex(), self.serial(), &records, self.seed(), Limits::NONE, notes);
        draft.expect("what fits into an image and a few owners fits into an image").seal(self.digest())
    }

    /// Whether all contents are in [`Image::as_bytes`].
    pub fn is_merged(&self) -> bool {
        self.overlay.is_none()
    }

    /// What the owner index is keyed with.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The octets of the flat buffer.
    pub(crate) fn octets_below(&self) -> usize {
        self.as_bytes().len()
    }

    /// The memory that the contents take, in octets.
    pub fn octets(&self) -> usize {
        self.as_bytes().len() + self.overlay.as_ref().map_or(0, |overlay| overlay.octets)
    }

    /// The flat buffer; of an image that is not merged, the one that others of its owners lie over.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The zone's name, as records at the apex spell it.
    #[inline]
    pub fn apex(&self) -> NameRef<'_> {
        NameRef::from_checked(&self.as_bytes()[field::END + owner::blob::NAME..][..self.apex_octets()])
    }

    #[inline]
    pub fn serial(&self) -> Serial {
        match &self.overlay {
            Some(overlay) => overlay.serial,
            None => Serial(u32_at(self.as_bytes(), field::SERIAL)),
        }
    }

    pub fn digest(&self) -> Digest {
        if let Some(overlay) = &self.overlay {
            return overlay.digest;
        }
        Digest::from_bytes(array_at(self.as_bytes(), field::DIGEST.start))
    }

    pub fn record_count(&self) -> u64 {
        match &self.overlay {
            Some(overlay) => overlay.records,
            None => u64::from(u32_at(self.as_bytes(), field::RECORDS)),
        }
    }

    fn excess(&self) -> Excess {
        match &self.overlay {
            Some(overlay) => overlay.excess,
            None => Excess::from_octets(array_at(self.as_bytes(), field::EXCESS.start)),
        }
    }

    /// The number of owners, empty non-terminals included.
    pub fn owner_count(&self) -> usize {
        self.overlay.as_ref().map_or(self.owner_count_below(), |overlay| overlay.owners)
    }

    /// Those of the octets.
    fn owner_count_below(&self) -> usize {
        self.owners_below as usize
    }

    /// Octets of the zone's name, with which all names of the zone end.
    #[inline]
    fn apex_octets(&self) -> usize {
        usize::from(self.apex_octets)
    }

    /// The hash by which a name of the zone is found.
    #[inline]
    fn hash(&self, name: NameRef<'_>) -> u64 {
        index::hash(&self.seed, self.apex_octets(), name)
    }

    /// The apex as an owner: the first in canonical order.
    #[inline]
    pub fn apex_owner(&self) -> Owner<'_> {
        match &self.overlay {
            Some(overlay) => Owner::of(self, &overlay.apex),
            None => Owner::at(self, APEX_UNIT),
        }
    }

    /// The zone's only SOA record.
    #[inline]
    pub fn soa_record(&self) -> RecordRef<'_> {
        let rrset = self.apex_owner().rrset(Type::SOA);
        rrset.and_then(|rrset| rrset.records().next()).expect("an image is not built without an SOA at its apex")
    }

    /// The SOA's numbers.
    pub fn soa(&self) -> Soa {
        Soa::parse(self.soa_record().rdata).expect("an image is not built with an SOA that cannot be read")
    }

    /// For how many seconds a denial may be kept, if the SOA's TTL is no lower (RFC 2308 §4).
    #[inline]
    pub fn minimum_secs(&self) -> u32 {
        self.minimum_secs
    }

    /// All records: owners in canonical order, RRsets by type, each followed by its RRSIGs.
    pub fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        self.owners().flat_map(Owner::records)
    }

    /// All owners in canonical order, empty non-terminals included.
    pub fn owners(&self) -> impl Iterator<Item = Owner<'_>> + Send {
        Owners::from(self, self.apex(), 0)
    }

    /// The owners from `name` on, which need not be there, but is in the zone.
    pub fn owners_from(&self, name: NameRef<'_>) -> impl Iterator<Item = Owner<'_>> + Send {
        Owners::from(self, name, self.count_below_before(name))
    }

    /// The owner of this name, if the zone has it.
    #[inline]
    pub fn owner(&self, name: NameRef<'_>) -> Option<Owner<'_>> {
        index::find(self, name)
    }

    /// The owner of this name in the octets, whatever has become of it.
    fn owner_below(&self, name: NameRef<'_>) -> Option<Owner<'_>> {
        index::find_below(self, self.hash(name), name)
    }

    /// The longest suffix of `name` that the zone has: the name itself, or its closest encloser (RFC 4592 §3.3.1).
    ///
    /// `name` must be in the zone.
    #[inline]
    pub fn deepest(&self, name: NameRef<'_>) -> Deepest<'_> {
        index::deepest(self, name)
    }

    /// Has what a look-up needs fetched of the image itself, which lies on several cache lines, but not of its octets.
    #[inline]
    pub fn touch(&self) -> usize {
        let Self { seed, table, minimum_secs, apex_octets, .. } = self;
        usize::from(seed[0] ^ apex_octets) ^ table.touch() ^ *minimum_secs as usize
    }

    /// The way to the owner of `name`, for those who look for many at once. `name` must be in the zone.
    #[inline]
    pub fn approach(&self, name: NameRef<'_>) -> Approach {
        Approach::to(self, name)
    }

    /// The last owner that is `name` or sorts before it: the one whose NSEC would cover it.
    ///
    /// `name` must be in the zone, so that there always is one.
    pub fn predecessor(&self, name: NameRef<'_>) -> Owner<'_> {
        self.owner(name).or_else(|| self.last_before(name)).expect("the apex is at or before all names of the zone")
    }

    /// The owner that sorts right before one of this zone; none before the apex.
    pub fn before(&self, owner: Owner<'_>) -> Option<Owner<'_>> {
        if self.overlay.is_some() {
            return self.last_before(owner.name());
        }
        (owner.number() as usize).checked_sub(1).map(|rank| self.ranked(rank))
    }

    fn last_before(&self, name: NameRef<'_>) -> Option<Owner<'_>> {
        let key = SortKey::of(name, self.apex_octets());
        self.last_owner(Bound::Excluded(&key), self.count_below_before(name))
    }

    /// How many owners of the octets sort before `name`.
    fn count_below_before(&self, name: NameRef<'_>) -> usize {
        let (mut range, order) = (0..self.owner_count_below(), self.order());
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            if Owner::at(self, order.unit(middle)).name() < name {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        range.start
    }

    /// How this zone proves what it does not hold: by the ring of NSEC3 records that its NSEC3PARAM record names, where there
    /// is one, because a chain of NSEC records beside it may be on its way out (RFC 5155 §10.4).
    #[inline]
    pub fn denial(&self) -> Denial<'_> {
        match &self.ring {
            Some(layout) => Denial::Nsec3(Ring { image: self, layout }),
            None if self.apex_owner().rrset(Type::NSEC).is_some() => Denial::Nsec,
            None => Denial::Unsigned,
        }
    }

    #[inline]
    fn ranked(&self, rank: usize) -> Owner<'_> {
        Owner::at(self, self.order().unit(rank))
    }

    #[inline]
    fn order(&self) -> Order<'_> {
        self.table.order(self.as_bytes())
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} serial {} with {} records", self.apex(), self.serial(), self.record_count())
    }
}

/// The wildcard name directly below `name` (RFC 4592 §2.1.1); none when it would be too long.
pub fn wildcard_below(name: NameRef<'_>) -> Option<NameBuf> {
    NameBuf::concatenate(b"\x01*", name).ok()
}

#[inline]
fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(octets, at))
}

#[inline]
fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(octets, at))
}

#[inline]
fn array_at<const COUNT: usize>(octets: &[u8], at: usize) -> [u8; COUNT] {
    *octets[at..].first_chunk().expect("an image has what its header says")
}

#[cfg(test)]
mod tests;
