//! The ring of NSEC3 records that proves what a zone does not hold (RFC 5155 §7).
//!
//! ```text
//! count:4 iterations:2 salt_octets:1 bits:1 salt, padded │ starts: 2^bits + 1 numbers │ hash's first 4 octets, owner's offset …
//! ```
//!
//! Hashes are spread evenly, so that their first bits say near which entry one lies: *starts* has the first entry for each
//! value of these bits. Entries are in the order of the hashes, which is the ring's.
//!
//! Which record proves what about a name of the zone is remembered when it has been found once: proofs that the closest
//! encloser is there, and that no wildcard is below it, then need no hash.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dns::{NameBuf, NameRef};

use super::changes::{Changes, Found as Last};
use super::overlay::HashChange;
use super::{Image, Owner, u16_at, u32_at};
use crate::nsec3::{Hash, ITERATIONS_MAX, LABEL_OCTETS, Parameters, SHA_1, digits, from_label};

/// Entries for one value of the first bits, about.
const ENTRIES_PER_START: usize = 4;
const BITS_MAX: u32 = 24;
/// Where each part of the beginning is.
const ITERATIONS_AT: usize = 4;
const SALT_OCTETS_AT: usize = 6;
const BITS_AT: usize = 7;
const SALT_AT: usize = 8;
const ENTRY_OCTETS: usize = 8;

/// Parameters, and the owners of NSEC3 records that have them, in the order of their hashes.
pub(super) struct Entries {
    pub(super) iterations: u16,
    pub(super) salt: Vec<u8>,
    pub(super) owners: Vec<(Hash, u32)>,
}

impl Entries {
    pub(super) fn parameters(&self) -> Parameters<'_> {
        Parameters { algorithm: SHA_1, iterations: self.iterations, salt: &self.salt }
    }

    /// What the image holds of it.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        let bits = (self.owners.len() / ENTRIES_PER_START).max(1).ilog2().min(BITS_MAX);
        let mut octets = Vec::with_capacity(self.owners.len() * (ENTRY_OCTETS + 2));
        octets.extend((self.owners.len() as u32).to_le_bytes());
        octets.extend(self.iterations.to_le_bytes());
        octets.extend([self.salt.len() as u8, bits as u8]);
        octets.extend(&self.salt);
        octets.resize(octets.len().next_multiple_of(4), 0);
        for start in 0..=1_usize << bits {
            let first = self.owners.partition_point(|(hash, _)| start_of(first_octets(hash), bits) < start);
            octets.extend((first as u32).to_le_bytes());
        }
        for (hash, unit) in &self.owners {
            octets.extend(first_octets(hash).to_le_bytes());
            octets.extend(unit.to_le_bytes());
        }
        octets
    }
}

fn first_octets(hash: &Hash) -> u32 {
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

fn start_of(first_octets: u32, bits: u32) -> usize {
    (u64::from(first_octets) >> (32 - bits)) as usize
}

/// Where the parts of the ring are in an image, and what has been found in it.
#[derive(Clone)]
pub(super) struct Layout {
    iterations: u16,
    salt_at: usize,
    salt_octets: usize,
    bits: u32,
    starts_at: usize,
    entries_at: usize,
    count: usize,
    found: Arc<Found>,
}

/// For each owner of the zone by number, which entry: 0 as long as it is not known, else its index and [`KNOWN`].
struct Found {
    matching: Vec<AtomicU32>,
    below: Vec<AtomicU32>,
}

/// No record.
const NONE: u32 = 1;
const KNOWN: u32 = 2;

impl Layout {
    pub(super) fn at(octets: &[u8], at: usize, owner_count: usize) -> Self {
        let salt_octets = usize::from(octets[at + SALT_OCTETS_AT]);
        let bits = u32::from(octets[at + BITS_AT]);
        let starts_at = (at + SALT_AT + salt_octets).next_multiple_of(4);
        let unknown = || std::iter::repeat_with(AtomicU32::default).take(owner_count).collect();
        Self {
            iterations: u16_at(octets, at + ITERATIONS_AT),
            salt_at: at + SALT_AT,
            salt_octets,
            bits,
            starts_at,
            entries_at: starts_at + 4 * ((1 << bits) + 1),
            count: u32_at(octets, at) as usize,
            found: Arc::new(Found { matching: unknown(), below: unknown() }),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// The ring of a zone: at least one NSEC3 record.
#[derive(Clone, Copy)]
pub struct Ring<'a> {
    pub(super) image: &'a Image,
    pub(super) layout: &'a Layout,
}

impl<'a> Ring<'a> {
    pub fn parameters(self) -> Parameters<'a> {
        let Layout { iterations, salt_at, salt_octets, .. } = *self.layout;
        let salt = &self.image.as_bytes()[salt_at..salt_at + salt_octets];
        Parameters { algorithm: SHA_1, iterations, salt }
    }

    /// Whether hashing would cost more than a zone may want; nothing else may be asked then.
    pub fn is_too_dear(self) -> bool {
        self.layout.iterations > ITERATIONS_MAX
    }

    /// The record that matches the name of an owner of this zone, if there is one.
    pub fn matching(self, owner: Owner<'_>) -> Option<Owner<'a>> {
        if !self.remembers(owner) {
            let (record, is_match) = self.found(&self.parameters().hash(owner.name()));
            return is_match.then_some(record);
        }
        let found = recalled(&self.layout.found.matching[owner.number() as usize], || {
            let (at, is_match) = self.at_or_before(&self.parameters().hash(owner.name()));
            if is_match { KNOWN + at as u32 } else { NONE }
        });
        found.checked_sub(KNOWN).map(|at| self.entry(at as usize))
    }

    /// The record that matches or covers the wildcard directly below an owner of this zone.
    pub fn of_wildcard_below(self, encloser: Owner<'_>) -> Owner<'a> {
        let hash = || {
            let wildcard = super::wildcard_below(encloser.name());
            let name = wildcard.as_ref().map_or(encloser.name(), |wildcard| wildcard.borrow());
            self.parameters().hash(name)
        };
        if !self.remembers(encloser) {
            return self.found(&hash()).0;
        }
        let found = recalled(&self.layout.found.below[encloser.number() as usize], || {
            KNOWN + self.at_or_before(&hash()).0 as u32
        });
        self.entry(found.saturating_sub(KNOWN) as usize)
    }

    /// The record that matches or covers any name.
    pub fn of(self, name: NameRef<'_>) -> Owner<'a> {
        self.found(&self.parameters().hash(name)).0
    }

    /// Whether what has been found about an owner is kept: where the ring is that of the image below.
    fn remembers(self, owner: Owner<'_>) -> bool {
        let known = self.layout.found.matching.len();
        self.changes().is_none() && (owner.number() as usize) < known
    }

    /// Hashes that have come and gone since the image below was built.
    fn changes(self) -> Option<&'a Changes<HashChange>> {
        self.image.overlay.as_ref().map(|overlay| &overlay.ring).filter(|changes| !changes.is_empty())
    }

    /// The record that matches or covers `hash`, and whether it matches.
    fn found(self, hash: &Hash) -> (Owner<'a>, bool) {
        let Some(changes) = self.changes() else {
            let (at, is_match) = self.at_or_before(hash);
            return (self.entry(at), is_match);
        };
        let last = changes.last(Bound::Included(hash), self.count_up_to(hash));
        let last = last.or_else(|| changes.last(Bound::Unbounded, self.layout.count));
        match last.expect("a ring has at least one record") {
            Last::Below(index) => (self.entry(index), self.hash_at(index).is_some_and(|found| found == *hash)),
            Last::Changed(change) => {
                let mut label = [LABEL_OCTETS as u8; 1 + LABEL_OCTETS];
                label[1..].copy_from_slice(&digits(&change.hash));
                let name = NameBuf::concatenate(&label, self.image.apex()).ok();
                let owner = name.and_then(|name| self.image.owner(name.borrow()));
                (owner.expect("what is in the ring is in the zone"), change.hash == *hash)
            }
        }
    }

    /// How many hashes of the image below are before this one, and whether it has this one.
    pub(super) fn place_below(self, hash: &Hash) -> (usize, bool) {
        let count = self.count_up_to(hash);
        let is_there = count.checked_sub(1).and_then(|last| self.hash_at(last)).is_some_and(|last| last == *hash);
        (count - usize::from(is_there), is_there)
    }

    /// The last entry that is not behind `hash`, around the end of the circle, and whether it is the one of this hash.
    fn at_or_before(self, hash: &Hash) -> (usize, bool) {
        let Some(before) = self.count_up_to(hash).checked_sub(1) else { return (self.layout.count - 1, false) };
        let is_near = self.first_octets_at(before) == first_octets(hash);
        (before, is_near && self.hash_at(before).is_some_and(|found| found == *hash))
    }

    /// How many entries are not behind `hash`.
    fn count_up_to(self, hash: &Hash) -> usize {
        let wanted = first_octets(hash);
        let start = start_of(wanted, self.layout.bits);
        let octets = self.image.as_bytes();
        let start_at = |start: usize| u32_at(octets, self.layout.starts_at + 4 * start) as usize;
        let (mut low, mut high) = (start_at(start), start_at(start + 1));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_not_behind(middle, wanted, hash) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn is_not_behind(self, index: usize, wanted: u32, hash: &Hash) -> bool {
        match self.first_octets_at(index).cmp(&wanted) {
            std::cmp::Ordering::Equal => self.hash_at(index).is_some_and(|found| found <= *hash),
            order => order.is_lt(),
        }
    }

    fn first_octets_at(self, index: usize) -> u32 {
        u32_at(self.image.as_bytes(), self.layout.entries_at + ENTRY_OCTETS * index)
    }

    fn hash_at(self, index: usize) -> Option<Hash> {
        from_label(self.entry_below(index).name().labels().next()?)
    }

    fn entry(self, index: usize) -> Owner<'a> {
        let below = self.entry_below(index);
        self.image.change_of(below).and_then(|change| change.owner(self.image)).unwrap_or(below)
    }

    fn entry_below(self, index: usize) -> Owner<'a> {
        let unit = u32_at(self.image.as_bytes(), self.layout.entries_at + ENTRY_OCTETS * index + 4);
        Owner::at(self.image, unit)
    }
}

/// What is in `place`, or what `find` gives, which is then there: whoever finds it finds the same.
fn recalled(place: &AtomicU32, find: impl FnOnce() -> u32) -> u32 {
    match place.load(Ordering::Relaxed) {
        0 => {
            let found = find();
            place.store(found, Ordering::Relaxed);
            found
        }
        found => found,
    }
}
