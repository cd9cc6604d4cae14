//! Writing an image front to back: owners in canonical order, then the tables over them.
//!
//! One look at an owner's key and the one before it shows what stands between them: empty non-terminals, cuts, and what
//! they occlude.

use dns::{NameRef, RecordRef, Serial, Type};

use super::build::{Draft, Notes, TooLarge};
use super::excess::{EMPTY_NAMES_FREE, Excess};
use super::index::{self, Table};
use super::owner::{Rrset, Rrsets, blob, rrsets_of};
use super::ring::Entries;
use super::sort_key::label_ends;
use super::writing::{self, Head, own_flags};
use super::{FORMAT, MAGIC, Seed, UNIT, field};
use crate::limits::Limits;
use crate::nsec3::{self, Parameters};

/// Rings of NSEC3 records that one is chosen from: the one in use, and one that comes or goes.
const RINGS_MAX: usize = 4;

/// Owners that are put into the index together: each lies somewhere else in it, and so the processor waits for all of these
/// places at once.
const LISTED_TOGETHER: usize = 64;

/// An owner that what comes next may lie below.
struct Ancestor {
    key_octets: usize,
    depth: usize,
    at: usize,
    /// A cut, a DNAME, or itself below one.
    occludes: bool,
}

/// What an owner has.
enum Contents<'a> {
    /// Sorted by [`writing::sort`].
    Records(&'a [RecordRef<'a>]),
    Written(Rrsets<'a>),
}

/// Writes owners in canonical order.
pub(super) struct ImageWriter {
    limits: Limits,
    octets: Vec<u8>,
    apex_octets: usize,
    apex_labels: usize,
    /// Owners that have been written.
    owners: u32,
    /// One for each NSEC3PARAM record.
    rings: Vec<Entries>,
    records: u64,
    names: u64,
    empty_names: u64,
    excess: Excess,
    last_key: Vec<u8>,
    ancestors: Vec<Ancestor>,
    /// Where the labels of the last key end, from the apex on.
    ends: Vec<usize>,
}

impl ImageWriter {
    pub(super) fn new(apex: NameRef<'_>, limits: Limits) -> Self {
        Self {
            limits,
            octets: vec![0; field::END],
            apex_octets: apex.octets(),
            apex_labels: apex.label_count(),
            owners: 0,
            rings: Vec::new(),
            records: 0,
            names: 0,
            empty_names: 0,
            excess: Excess::default(),
            last_key: Vec::new(),
            ancestors: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether an owner may be written now whose key this is: the apex first.
    pub(super) fn is_next(&self, key: &[u8]) -> bool {
        match self.owners {
            0 => key.is_empty(),
            _ => self.last_key.as_slice() < key,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owners == 0
    }

    /// Writes an owner with its records, in any order; what was written.
    pub(super) fn owner(
        &mut self,
        key: &[u8],
        records: &mut [RecordRef<'_>],
        notes: &mut Notes,
    ) -> Result<Rrsets<'_>, TooLarge> {
        let name = writing::spelling(records).expect("an owner has at least one record");
        writing::sort(records);
        let at = self.next(key, name, &Contents::Records(records), notes)?;
        Ok(rrsets_of(&self.octets[at..]))
    }

    /// Writes an owner whose RRsets have been written before.
    pub(super) fn copy(&mut self, key: &[u8], name: NameRef<'_>, rrsets: &Rrsets<'_>) -> Result<(), TooLarge> {
        let contents = Contents::Written(rrsets.clone());
        self.next(key, name, &contents, &mut Notes::default()).map(drop)
    }

    /// All owners that were written, one behind the other, and where the first one is.
    pub(super) fn into_owners(self) -> (Vec<u8>, usize) {
        (self.octets, field::END)
    }

    /// Writes an owner, and those above it that are there for its sake; where it begins.
    fn next(
        &mut self,
        key: &[u8],
        name: NameRef<'_>,
        contents: &Contents<'_>,
        notes: &mut Notes,
    ) -> Result<usize, TooLarge> {
        self.ancestors.retain(|above| key.starts_with(&self.last_key[..above.key_octets]));
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        let existing = self.ancestors.last().map_or(0, |above| above.depth + 1);
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        ends.push(0);
        ends.extend(label_ends(key));
        let depth = ends.len() - 1;
        self.names += 1;
        self.empty_names += depth.saturating_sub(existing) as u64;
        if self.empty_names > EMPTY_NAMES_FREE + self.names * u64::from(self.limits.empty_names_per_name) {
            return Err(TooLarge::EmptyNames { owner: name.to_name() });
        }
        self.excess = self.excess.with(depth);
        for (depth, key_octets) in ends.iter().enumerate().take(depth).skip(existing) {
            let empty = name.suffix(self.apex_labels + depth);
            self.blob(empty, *key_octets, depth, &Contents::Records(&[]), notes)?;
        }
        self.ends = ends;
        self.blob(name, key.len(), depth, contents, notes)
    }

    fn blob(
        &mut self,
        name: NameRef<'_>,
        key_octets: usize,
        depth: usize,
        contents: &Contents<'_>,
        notes: &mut Notes,
    ) -> Result<usize, TooLarge> {
        self.octets.resize(self.octets.len().next_multiple_of(UNIT), 0);
        let at = self.octets.len();
        let unit = u32::try_from(at / UNIT).map_err(|_| TooLarge::Zone)?;
        let number = self.owners;
        let parent = self.ancestors.last().map_or(at, |above| above.at);
        if depth > 0 {
            let wildcard = if name.is_wildcard() { blob::WILDCARD_BELOW } else { 0 };
            let flags = &mut self.octets[parent + blob::FLAGS];
            *flags = *flags & !blob::HASH | wildcard;
        }
        let head = Head { number, parent: (parent / UNIT) as u32, flags: 0, name };
        self.records += match contents {
            Contents::Records(records) => writing::write(&mut self.octets, &head, records, &self.limits, notes)?,
            Contents::Written(rrsets) => writing::copy(&mut self.octets, &head, rrsets),
        };
        self.owners = number.checked_add(1).ok_or(TooLarge::Zone)?;
        let rrsets = rrsets_of(&self.octets[at..]);
        let mut flags = own_flags(depth == 0, &rrsets);
        if self.ancestors.last().is_some_and(|above| above.occludes) {
            flags |= blob::OCCLUDED;
        }
        match depth {
            0 => self.rings = rings(&rrsets),
            1 => nsec3(&mut self.rings, name, &rrsets, unit),
            _ => {}
        }
        self.octets[at + blob::FLAGS] = flags;
        let occludes = flags & blob::OCCLUDES != 0;
        self.ancestors.push(Ancestor { key_octets, depth, at, occludes });
        Ok(at)
    }

    pub(super) fn finish(mut self, serial: Serial, seed: Seed) -> Result<Draft, TooLarge> {
        assert!(self.owners > 0, "a zone has at least its apex");
        let table = Table::behind(self.octets.len(), self.owners).ok_or(TooLarge::Zone)?;
        let ring_at = table.ring_at(self.owners);
        self.octets.reserve_exact(ring_at - self.octets.len());
        self.octets.resize(ring_at, 0);
        self.list(&seed, &table);
        let ring = self.rings.iter().find(|ring| !ring.owners.is_empty());
        self.octets.extend(ring.map(Entries::to_octets).unwrap_or_default());
        assert!(self.octets.len().is_multiple_of(UNIT), "its length is said in units");
        let units = u32::try_from(self.octets.len() / UNIT).map_err(|_| TooLarge::Zone)?;
        let records = u32::try_from(self.records).map_err(|_| TooLarge::Zone)?;

        let header = &mut self.octets[..field::END];
        header[field::MAGIC].copy_from_slice(&MAGIC);
        header[field::SEED].copy_from_slice(&seed);
        header[field::EXCESS].copy_from_slice(&self.excess.to_octets());
        for (at, value) in [
            (field::FORMAT, FORMAT),
            (field::SERIAL, serial.0),
            (field::UNITS, units),
            (field::RECORDS, records),
            (field::SLOTS_AT, table.slots_at_unit()),
            (field::OWNER_COUNT, self.owners),
        ] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        self.octets.shrink_to_fit();
        Ok(Draft::of(self.octets))
    }

    /// Puts all owners into the slots, and into the list that is behind them.
    fn list(&mut self, seed: &Seed, table: &Table) {
        let (blobs, tables) = self.octets.split_at_mut(table.slots_at());
        let (slots, order) = tables.split_at_mut(table.order_at() - table.slots_at());
        let entry_octets = table.entry_octets();
        // Behind the last entry there may be padding.
        let order = &mut order[..entry_octets * self.owners as usize];
        let mut at = field::END;
        let mut found = [(0, 0); LISTED_TOGETHER];
        for order in order.chunks_mut(entry_octets * LISTED_TOGETHER) {
            let found = &mut found[..order.len() / entry_octets];
            for (listed, (hash, unit)) in order.chunks_exact_mut(entry_octets).zip(&mut *found) {
                let rrsets = rrsets_of(&blobs[at..]);
                *hash = index::hash(seed, self.apex_octets, rrsets.owner());
                *unit = (at / UNIT) as u32;
                listed.copy_from_slice(&unit.to_le_bytes()[..entry_octets]);
                at = behind(at, &rrsets);
            }
            std::hint::black_box(found.iter().fold(0, |all, (hash, _)| all ^ table.touch_slot(slots, *hash)));
            found.iter().for_each(|(hash, unit)| table.insert(slots, *hash, *unit));
        }
    }
}

/// Where the owner is that follows the one at `at`, which has these RRsets.
pub(super) fn behind(at: usize, rrsets: &Rrsets<'_>) -> usize {
    (at + blob::NAME + rrsets.owner().octets() + rrsets.as_written().len()).next_multiple_of(UNIT)
}

/// The rings that the apex's NSEC3PARAM records name, without their records.
fn rings(apex: &Rrsets<'_>) -> Vec<Entries> {
    let parameters = apex.clone().filter(|rrset| rrset.rtype() == Type::NSEC3PARAM);
    let rings = parameters.flat_map(Rrset::records).filter_map(|record| {
        let Parameters { iterations, salt, .. } = Parameters::in_use(record.rdata)?;
        Some(Entries { iterations, salt: salt.to_vec(), owners: Vec::new() })
    });
    rings.take(RINGS_MAX).collect()
}

/// Puts the owner of an NSEC3 record into the ring that it belongs to. One that is no hash belongs to none: it would
/// stand between hashes and seem to cover what the ones beside it cover.
fn nsec3(rings: &mut [Entries], name: NameRef<'_>, rrsets: &Rrsets<'_>, unit: u32) {
    if rings.is_empty() {
        return;
    }
    let Some(rrset) = rrsets.clone().find(|rrset| rrset.rtype() == Type::NSEC3) else { return };
    let Some(hash) = name.labels().next().and_then(nsec3::from_label) else { return };
    for ring in rings {
        let belongs = |record: RecordRef<'_>| {
            let parameters = Parameters::parse(record.rdata).map(|(parameters, ..)| parameters);
            parameters == Some(ring.parameters())
        };
        if rrset.records().any(belongs) {
            ring.owners.push((hash, unit));
        }
    }
}
