//! The owner index: names to owners by a keyed hash.
//!
//! Labels are hashed from the right, so that one pass over a name gives the hash of each of its suffixes.

use std::hash::Hasher;

use dns::NameRef;
use dns::name::LABELS_MAX;
use siphasher::sip::SipHasher13;

use super::{Image, Owner, Seed, UNIT, u32_at};

/// Octets of a slot: the hash's upper half, and the owner's offset in units (0: free).
pub(super) const SLOT_OCTETS: usize = 8;

/// The longest suffix of a name that a zone has.
#[derive(Clone, Copy)]
pub enum Deepest<'a> {
    /// The name itself.
    Exact(Owner<'a>),
    /// Its closest encloser: the name does not exist.
    Encloser(Owner<'a>),
}

/// Slots for so many owners: a power of two, at most two thirds of it taken.
pub(super) fn slot_count(owners: usize) -> usize {
    (owners + owners / 2 + 1).next_power_of_two()
}

/// The state of the hash behind the labels of the apex, with which every name of the zone ends.
pub(super) fn apex_hasher(seed: &Seed, apex: NameRef<'_>) -> SipHasher13 {
    let mut hasher = SipHasher13::new_with_key(seed);
    Labels::of(apex.as_wire(), 1).each(apex.as_wire(), |label| write(&mut hasher, label));
    hasher
}

/// The hash of a name in the zone.
pub(super) fn hash(apex_hasher: &SipHasher13, apex_octets: usize, name: NameRef<'_>) -> u64 {
    let mut hasher = *apex_hasher;
    Labels::of(name.as_wire(), apex_octets).each(name.as_wire(), |label| write(&mut hasher, label));
    hasher.finish()
}

/// Writes an owner into the first free slot for its hash.
pub(super) fn insert(slots: &mut [u8], hash: u64, unit: u32) {
    let mask = slots.len() / SLOT_OCTETS - 1;
    let mut slot = hash as usize & mask;
    while u32_at(slots, slot * SLOT_OCTETS + 4) != 0 {
        slot = (slot + 1) & mask;
    }
    let at = slot * SLOT_OCTETS;
    slots[at..at + 4].copy_from_slice(&((hash >> 32) as u32).to_le_bytes());
    slots[at + 4..at + 8].copy_from_slice(&unit.to_le_bytes());
}

pub(super) fn find<'a>(image: &'a Image, name: NameRef<'_>) -> Option<Owner<'a>> {
    look_up(image, hash(&image.apex_hasher, image.apex_octets, name), name)
}

pub(super) fn deepest<'a>(image: &'a Image, name: NameRef<'_>) -> Deepest<'a> {
    let labels = Labels::of(name.as_wire(), image.apex_octets);
    // Memory for the longest name takes longer to clear than most names take to be found.
    if labels.count <= SHORT {
        deepest_of::<SHORT>(image, name, &labels)
    } else {
        deepest_of_many(image, name, &labels)
    }
}

/// Labels below the apex that most names have at the most.
const SHORT: usize = 8;

#[inline(never)]
fn deepest_of_many<'a>(image: &'a Image, name: NameRef<'_>, labels: &Labels) -> Deepest<'a> {
    deepest_of::<LABELS_MAX>(image, name, labels)
}

fn deepest_of<'a, const MOST: usize>(image: &'a Image, name: NameRef<'_>, labels: &Labels) -> Deepest<'a> {
    let wire = name.as_wire();
    let mut hashes = [0_u64; MOST];
    let mut hasher = image.apex_hasher;
    let mut index = labels.count;
    labels.each(wire, |label| {
        write(&mut hasher, label);
        index -= 1;
        hashes[index] = hasher.finish();
    });
    for (index, hash) in hashes[..labels.count].iter().enumerate() {
        let suffix = NameRef::from_checked(&wire[usize::from(labels.starts[index])..]);
        if let Some(owner) = look_up(image, *hash, suffix) {
            return if index == 0 { Deepest::Exact(owner) } else { Deepest::Encloser(owner) };
        }
    }
    let apex = image.apex_owner();
    if labels.count == 0 { Deepest::Exact(apex) } else { Deepest::Encloser(apex) }
}

fn look_up<'a>(image: &'a Image, hash: u64, name: NameRef<'_>) -> Option<Owner<'a>> {
    let octets = image.as_bytes();
    let mut slot = hash as usize & image.slot_mask;
    // At least a third of the slots is free: this ends.
    loop {
        let at = image.slots_at + slot * SLOT_OCTETS;
        let unit = u32_at(octets, at + 4);
        if unit == 0 {
            return None;
        }
        if u32_at(octets, at) == (hash >> 32) as u32 {
            let owner = Owner::at(image, unit);
            if owner.name() == name {
                return Some(owner);
            }
        }
        slot = (slot + 1) & image.slot_mask;
    }
}

/// Where the labels of a name start that are before its last octets, from the left.
struct Labels {
    starts: [u8; LABELS_MAX + 1],
    count: usize,
}

impl Labels {
    /// The labels before the last `suffix_octets` of a name in wire form.
    fn of(wire: &[u8], suffix_octets: usize) -> Self {
        let mut labels = Self { starts: [0; LABELS_MAX + 1], count: 0 };
        let mut at = 0;
        while at + suffix_octets < wire.len() && labels.count < LABELS_MAX {
            labels.starts[labels.count] = at as u8;
            labels.count += 1;
            at += 1 + usize::from(wire[at]);
        }
        labels
    }

    /// Calls `each` with every label and its length, from the right.
    fn each(&self, wire: &[u8], mut each: impl FnMut(&[u8])) {
        for start in self.starts[..self.count].iter().rev() {
            let from = usize::from(*start);
            each(&wire[from..=from + usize::from(wire[from])]);
        }
    }
}

/// Adds a label and its length to a hash, letters folded.
fn write(hasher: &mut SipHasher13, label: &[u8]) {
    let mut folded = [0_u8; 64];
    for (to, octet) in folded.iter_mut().zip(label) {
        *to = octet.to_ascii_lowercase();
    }
    hasher.write(&folded[..label.len()]);
}

const _: () = assert!(UNIT == 4, "offset 0 names the header, so that 0 can mean a free slot");
