//! Building an image from records in any order.
//!
//! Records are sorted by a key that makes canonical order an order of octets, and in which an ancestor's key is a
//! prefix of its descendants' keys: one pass then finds empty non-terminals, cuts, and what they occlude.

use std::ops::Range;
use std::sync::Arc;

use dns::{Name, NameRef, RecordRef, Serial, Type};

use super::owner::blob;
use super::ring::Entries;
use super::sort_key::{label_ends, push_key};
use super::writing::{self, Head, own_flags, rrset_key};
use super::{FORMAT, Image, MAGIC, Seed, UNIT, field, index};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::nsec3::{self, Parameters};

/// What was changed on the way from the primary's records to what is served (each is logged).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Records outside of the zone, dropped.
    pub out_of_zone: u64,
    /// Records that were there before, dropped (RFC 2181 §5).
    pub duplicates: u64,
    /// TTLs of 2³¹ and more, taken as 0 (RFC 2181 §8).
    pub ttls_too_large: u64,
    /// RRsets whose records had different TTLs and got the lowest (RFC 2181 §5.2).
    pub ttls_mixed: u64,
}

/// The zone does not fit into an image, or into the limits given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// More records of one owner and type than the limit.
    Rrset { owner: Name, rtype: Type, limit: u16 },
    /// More types of one owner than the limit.
    Types { owner: Name, limit: u16 },
    /// More names without records than the limit allows beside those with records.
    EmptyNames { owner: Name },
    /// More than 16 GiB.
    Zone,
}

/// Rings of NSEC3 records that one is chosen from: the one in use, and one that comes or goes.
const RINGS_MAX: usize = 4;
/// Names without records that every zone may have.
const EMPTY_NAMES_FREE: u64 = 1 << 16;

/// An image whose digest is not known yet.
pub(crate) struct Draft {
    octets: Arc<Vec<u8>>,
}

impl Draft {
    /// Reads what was built; the digest in it means nothing yet.
    pub(crate) fn peek(&self) -> Image {
        Image::trusted(self.octets.clone())
    }

    pub(crate) fn seal(self, digest: Digest) -> Image {
        let mut octets = Arc::unwrap_or_clone(self.octets);
        octets[field::DIGEST].copy_from_slice(&digest.to_bytes());
        let checksum = crc32c::crc32c(&octets[field::CHECKED_FROM..]);
        octets[field::CHECKSUM..field::CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
        Image::trusted(Arc::new(octets))
    }
}

/// Builds the image of a zone from its records, which are all at or below `apex`.
///
/// # Panics
/// If there is no record at the apex: the caller has seen an SOA there.
pub(crate) fn build(
    apex: NameRef<'_>,
    serial: Serial,
    records: &[RecordRef<'_>],
    seed: Seed,
    limits: Limits,
    notes: &mut Notes,
) -> Result<Draft, TooLarge> {
    let mut keys = SortKeys::of(apex, records);
    keys.sort();
    let mut writer = ImageWriter::new(apex, limits);
    let mut owner_records = Vec::new();
    let mut runs = keys.runs.as_slice();
    while let Some(first) = runs.first() {
        let key = keys.key(first);
        let same = runs.iter().take_while(|run| keys.key(run) == key).count();
        owner_records.clear();
        for run in &runs[..same] {
            owner_records.extend_from_slice(&records[run.records.clone()]);
        }
        writer.owner(key, &mut owner_records, notes)?;
        runs = &runs[same..];
    }
    writer.finish(serial, seed)
}

/// Records that follow each other under one spelling of one name.
struct Run {
    key: Range<usize>,
    records: Range<usize>,
}

struct SortKeys {
    octets: Vec<u8>,
    runs: Vec<Run>,
}

impl SortKeys {
    fn of(apex: NameRef<'_>, records: &[RecordRef<'_>]) -> Self {
        let mut all = Self { octets: Vec::new(), runs: Vec::new() };
        let mut start = 0;
        for run in records.chunk_by(|a, b| a.owner.same_spelling(b.owner)) {
            let key_start = all.octets.len();
            push_key(run[0].owner, apex.octets(), &mut all.octets);
            all.runs.push(Run { key: key_start..all.octets.len(), records: start..start + run.len() });
            start += run.len();
        }
        all
    }

    fn key(&self, run: &Run) -> &[u8] {
        &self.octets[run.key.clone()]
    }

    /// Stable, and linear when the primary sends in canonical order, as most do.
    fn sort(&mut self) {
        let octets = &self.octets;
        self.runs.sort_by(|a, b| octets[a.key.clone()].cmp(&octets[b.key.clone()]));
    }
}

/// An owner that what comes next may lie below.
struct Ancestor {
    key_octets: usize,
    depth: usize,
    at: usize,
    /// A cut, a DNAME, or itself below one.
    occludes: bool,
}

/// Writes owners in canonical order.
struct ImageWriter {
    limits: Limits,
    octets: Vec<u8>,
    apex_octets: usize,
    apex_labels: usize,
    /// Offsets of owners in units.
    order: Vec<u32>,
    /// One for each NSEC3PARAM record.
    rings: Vec<Entries>,
    records: u64,
    names: u64,
    empty_names: u64,
    last_key: Vec<u8>,
    ancestors: Vec<Ancestor>,
}

impl ImageWriter {
    fn new(apex: NameRef<'_>, limits: Limits) -> Self {
        let mut octets = vec![0; field::END];
        octets.extend(apex.as_wire());
        Self {
            limits,
            octets,
            apex_octets: apex.octets(),
            apex_labels: apex.label_count(),
            order: Vec::new(),
            rings: Vec::new(),
            records: 0,
            names: 0,
            empty_names: 0,
            last_key: Vec::new(),
            ancestors: Vec::new(),
        }
    }

    fn owner(&mut self, key: &[u8], records: &mut [RecordRef<'_>], notes: &mut Notes) -> Result<(), TooLarge> {
        // Of several spellings the lowest, so that it does not depend on the order of arrival.
        let name = records.iter().map(|record| record.owner).min_by_key(|name| name.as_wire());
        let name = name.expect("a run holds at least one record");
        self.ancestors.retain(|above| key.starts_with(&self.last_key[..above.key_octets]));
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        let existing = self.ancestors.last().map_or(0, |above| above.depth + 1);
        let ends: Vec<usize> = std::iter::once(0).chain(label_ends(key)).collect();
        self.names += 1;
        self.empty_names += (ends.len() - 1).saturating_sub(existing) as u64;
        if self.empty_names > EMPTY_NAMES_FREE + self.names * u64::from(self.limits.empty_names_per_name) {
            return Err(TooLarge::EmptyNames { owner: name.to_name() });
        }
        for (depth, key_octets) in ends.iter().enumerate().take(ends.len() - 1).skip(existing) {
            let empty = name.suffix(self.apex_labels + depth);
            self.blob(empty, *key_octets, depth, &[], notes)?;
        }
        writing::sort(records);
        self.blob(name, key.len(), ends.len() - 1, records, notes)
    }

    fn blob(
        &mut self,
        name: NameRef<'_>,
        key_octets: usize,
        depth: usize,
        records: &[RecordRef<'_>],
        notes: &mut Notes,
    ) -> Result<(), TooLarge> {
        self.octets.resize(self.octets.len().next_multiple_of(UNIT), 0);
        let at = self.octets.len();
        let unit = u32::try_from(at / UNIT).map_err(|_| TooLarge::Zone)?;
        let number = u32::try_from(self.order.len()).map_err(|_| TooLarge::Zone)?;
        let parent = self.ancestors.last().map_or(at, |above| above.at);
        if depth > 0 {
            let wildcard = if name.is_wildcard() { blob::WILDCARD_BELOW } else { 0 };
            let flags = &mut self.octets[parent + blob::FLAGS];
            *flags = *flags & !blob::HASH | wildcard;
        }
        let is_occluded = self.ancestors.last().is_some_and(|above| above.occludes);
        let flags =
            own_flags(depth == 0, records.iter().map(rrset_key)) | if is_occluded { blob::OCCLUDED } else { 0 };
        let head = Head { number, parent: (parent / UNIT) as u32, flags, name };
        self.records += writing::write(&mut self.octets, &head, records, &self.limits, notes)?;
        self.order.push(unit);
        match depth {
            0 => {
                let parameters = records.iter().filter(|record| record.rtype == Type::NSEC3PARAM);
                self.rings.extend(parameters.filter_map(ring).take(RINGS_MAX));
            }
            1 => self.nsec3(name, records, unit),
            _ => {}
        }
        let occludes = flags & blob::OCCLUDES != 0;
        self.ancestors.push(Ancestor { key_octets, depth, at, occludes });
        Ok(())
    }

    /// Puts the owner of an NSEC3 record into the ring that it belongs to. One that is no hash belongs to none: it would
    /// stand between hashes and seem to cover what the ones beside it cover.
    fn nsec3(&mut self, name: NameRef<'_>, records: &[RecordRef<'_>], unit: u32) {
        let Some(hash) = name.labels().next().and_then(nsec3::from_label) else { return };
        for ring in &mut self.rings {
            let belongs = |record: &RecordRef<'_>| {
                let parameters = Parameters::parse(record.rdata).map(|(parameters, ..)| parameters);
                record.rtype == Type::NSEC3 && parameters == Some(ring.parameters())
            };
            if records.iter().any(belongs) {
                ring.owners.push((hash, unit));
            }
        }
    }

    fn finish(mut self, serial: Serial, seed: Seed) -> Result<Draft, TooLarge> {
        assert!(!self.order.is_empty(), "a zone has at least its apex");
        let slot_count = index::slot_count(self.order.len());
        self.octets.resize(self.octets.len().next_multiple_of(8), 0);
        let slots_at = self.octets.len();
        let mut slots = vec![0; slot_count * index::SLOT_OCTETS];
        let apex_octets = self.apex_octets;
        let apex = NameRef::from_checked(&self.octets[field::END..field::END + apex_octets]);
        let hasher = index::apex_hasher(&seed, apex);
        for unit in &self.order {
            let at = *unit as usize * UNIT;
            let name = &self.octets[at + blob::NAME..][..usize::from(self.octets[at + blob::NAME_OCTETS])];
            let hash = index::hash(&hasher, apex_octets, NameRef::from_checked(name));
            index::insert(&mut slots, hash, *unit);
        }
        self.octets.extend(slots);
        let order_at = self.octets.len();
        self.octets.extend(self.order.iter().flat_map(|unit| unit.to_le_bytes()));
        let ring_at = self.octets.len();
        let ring = self.rings.iter().find(|ring| !ring.owners.is_empty());
        self.octets.extend(ring.map(Entries::to_octets).unwrap_or_default());
        u32::try_from(self.octets.len() / UNIT).map_err(|_| TooLarge::Zone)?;

        let octets = self.octets.len() as u64;
        let header = &mut self.octets[..field::END];
        header[field::MAGIC].copy_from_slice(&MAGIC);
        header[field::SEED].copy_from_slice(&seed);
        for (at, value) in [
            (field::OCTETS, octets),
            (field::RECORDS, self.records),
            (field::SLOTS_AT, slots_at as u64),
            (field::ORDER_AT, order_at as u64),
            (field::RING_AT, ring_at as u64),
        ] {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [
            (field::FORMAT, FORMAT),
            (field::SERIAL, serial.0),
            (field::SLOT_COUNT, u32::try_from(slot_count).map_err(|_| TooLarge::Zone)?),
            (field::OWNER_COUNT, self.order.len() as u32),
            (field::RING_COUNT, ring.map_or(0, |ring| ring.owners.len()) as u32),
            (field::APEX_OCTETS, self.apex_octets as u32),
        ] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        self.octets.shrink_to_fit();
        Ok(Draft { octets: Arc::new(self.octets) })
    }
}

/// The ring that an NSEC3PARAM record names, without its records.
fn ring(record: &RecordRef<'_>) -> Option<Entries> {
    let Parameters { iterations, salt, .. } = Parameters::in_use(record.rdata)?;
    Some(Entries { iterations, salt: salt.to_vec(), owners: Vec::new() })
}
