//! The ring of NSEC3 records that proves what a zone does not hold (RFC 5155 §7).
//!
//! ```text
//! iterations:2 salt_octets:1 bits:1 salt, padded │ starts: 2^bits + 1 numbers │ hash's first 4 octets, owner's offset …
//! ```
//!
//! Hashes are spread evenly, so that their first bits say near which entry one lies: *starts* has the first entry for each
//! value of these bits. Entries are in the order of the hashes, which is the ring's.
//!
//! Which record proves what about a name of the zone is remembered when it has been found once: proofs that the closest
//! encloser is there, and that no wildcard is below it, then need no hash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dns::NameRef;

use super::{Image, Owner, u16_at, u32_at};
use crate::nsec3::{Hash, ITERATIONS_MAX, Parameters, SHA_1, from_label};

/// Entries for one value of the first bits, about.
const ENTRIES_PER_START: usize = 4;
const BITS_MAX: u32 = 24;
/// Where the salt is, behind the numbers.
const SALT_AT: usize = 4;
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
    pub(super) fn at(octets: &[u8], at: usize, count: usize, owner_count: usize) -> Self {
        let salt_octets = usize::from(octets[at + 2]);
        let bits = u32::from(octets[at + 3]);
        let starts_at = (at + SALT_AT + salt_octets).next_multiple_of(4);
        let unknown = || std::iter::repeat_with(AtomicU32::default).take(owner_count).collect();
        Self {
            iterations: u16_at(octets, at),
            salt_at: at + SALT_AT,
            salt_octets,
            bits,
            starts_at,
            entries_at: starts_at + 4 * ((1 << bits) + 1),
            count,
            found: Arc::new(Found { matching: unknown(), below: unknown() }),
        }
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
        let found = recalled(&self.layout.found.matching[owner.number() as usize], || {
            let (at, is_match) = self.at_or_before(&self.parameters().hash(owner.name()));
            if is_match { KNOWN + at as u32 } else { NONE }
        });
        found.checked_sub(KNOWN).map(|at| self.entry(at as usize))
    }

    /// The record that matches or covers the wildcard directly below an owner of this zone.
    pub fn of_wildcard_below(self, encloser: Owner<'_>) -> Owner<'a> {
        let found = recalled(&self.layout.found.below[encloser.number() as usize], || {
            let wildcard = super::wildcard_below(encloser.name());
            let name = wildcard.as_ref().map_or(encloser.name(), |wildcard| wildcard.borrow());
            KNOWN + self.at_or_before(&self.parameters().hash(name)).0 as u32
        });
        self.entry(found.saturating_sub(KNOWN) as usize)
    }

    /// The record that matches or covers any name.
    pub fn of(self, name: NameRef<'_>) -> Owner<'a> {
        self.entry(self.at_or_before(&self.parameters().hash(name)).0)
    }

    /// The last entry that is not behind `hash`, around the end of the circle, and whether it is the one of this hash.
    fn at_or_before(self, hash: &Hash) -> (usize, bool) {
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
        let Some(before) = low.checked_sub(1) else { return (self.layout.count - 1, false) };
        (before, self.first_octets_at(before) == wanted && self.hash_at(before).is_some_and(|found| found == *hash))
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
        from_label(self.entry(index).name().labels().next()?)
    }

    fn entry(self, index: usize) -> Owner<'a> {
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
