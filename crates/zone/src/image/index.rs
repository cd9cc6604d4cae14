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

pub(super) fn hash(seed: &Seed, name: NameRef<'_>) -> u64 {
    let mut last = SipHasher13::new_with_key(seed).finish();
    SuffixHashes::of(seed, name, |hash, _| last = hash);
    last
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
    look_up(image, hash(&image.seed, name), name)
}

pub(super) fn deepest<'a>(image: &'a Image, name: NameRef<'_>) -> Deepest<'a> {
    let mut suffixes = [(0_u64, 0_u8); LABELS_MAX + 1];
    let mut count = 0;
    SuffixHashes::of(&image.seed, name, |hash, start| {
        suffixes[count] = (hash, start);
        count += 1;
    });
    let wire = name.as_wire();
    for (back, (hash, start)) in suffixes[..count].iter().rev().enumerate() {
        let suffix = NameRef::from_checked(&wire[usize::from(*start)..]);
        if suffix.octets() <= image.apex_octets {
            break;
        }
        if let Some(owner) = look_up(image, *hash, suffix) {
            return if back == 0 { Deepest::Exact(owner) } else { Deepest::Encloser(owner) };
        }
    }
    let apex = image.apex_owner();
    if apex.name() == name { Deepest::Exact(apex) } else { Deepest::Encloser(apex) }
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

struct SuffixHashes;

impl SuffixHashes {
    /// Calls `each` with the hash and the start of every suffix of `name`, from the shortest (one label) on.
    fn of(seed: &Seed, name: NameRef<'_>, mut each: impl FnMut(u64, u8)) {
        let wire = name.as_wire();
        let mut starts = [0_u8; LABELS_MAX + 1];
        let mut count = 0;
        let mut at = 0;
        while wire[at] != 0 && count < LABELS_MAX {
            starts[count] = at as u8;
            count += 1;
            at += 1 + usize::from(wire[at]);
        }
        let mut hasher = SipHasher13::new_with_key(seed);
        for start in starts[..count].iter().rev() {
            let from = usize::from(*start);
            let length = 1 + usize::from(wire[from]);
            let mut folded = [0_u8; 64];
            for (to, octet) in folded.iter_mut().zip(&wire[from..from + length]) {
                *to = octet.to_ascii_lowercase();
            }
            hasher.write(&folded[..length]);
            each(hasher.finish(), *start);
        }
    }
}

const _: () = assert!(UNIT == 4, "offset 0 names the header, so that 0 can mean a free slot");
