//! The owner index: names to owners by a keyed hash.
//!
//! Labels are hashed from the right, so that one pass over a name gives the hash of each of its suffixes.

use std::hash::Hasher;

use dns::NameRef;
use dns::name::{LABELS_MAX, hash_folded};
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

/// The way to an owner in steps, each of which waits for one place in memory. It gives nothing: whoever has gone it for
/// many names at once finds them sooner.
#[derive(Clone, Copy, Default)]
pub struct Approach {
    hash: u64,
    unit: u32,
}

impl Approach {
    #[inline]
    pub(super) fn to(image: &Image, name: NameRef<'_>) -> Self {
        Self { hash: hash(&image.apex_hasher, image.apex_octets, name), unit: 0 }
    }

    /// The first step: to the slot, and to where it is said where the apex is.
    #[inline]
    pub fn touch_slot(&self, image: &Image) -> u32 {
        let octets = image.as_bytes();
        u32_at(octets, slot_at(image, self.hash as usize & image.slot_mask)) ^ u32_at(octets, image.order_at)
    }

    /// The second step: to where the slot leads.
    #[inline]
    pub fn go_to_slot(&mut self, image: &Image) {
        self.unit = Slots::of(image, self.hash).next(image.as_bytes()).unwrap_or_default();
    }

    /// The third step: to the owner and its first records, and to the apex and its SOA.
    #[inline]
    pub fn touch_owner(&self, image: &Image) -> u8 {
        let octets = image.as_bytes();
        let units = [self.unit, u32_at(octets, image.order_at)].map(|unit| unit as usize * UNIT);
        let places =
            units.into_iter().flat_map(|start| (0..OWNER_LINES).map(move |line| start + line * CACHE_LINE_OCTETS));
        places.fold(0, |all, at| all ^ octets.get(at).copied().unwrap_or_default())
    }
}

/// What processors fetch at once.
const CACHE_LINE_OCTETS: usize = 64;
/// Cache lines of an owner that are fetched: most have no more, and the apex of a small zone has as many.
const OWNER_LINES: usize = 4;

/// Slots for so many owners: a power of two, at most two thirds of it taken.
pub(super) fn slot_count(owners: usize) -> usize {
    (owners + owners / 2 + 1).next_power_of_two()
}

/// The state of the hash behind the labels of the apex, with which every name of the zone ends.
pub(super) fn apex_hasher(seed: &Seed, apex: NameRef<'_>) -> SipHasher13 {
    let mut hasher = SipHasher13::new_with_key(seed);
    write_all(&mut hasher, apex.as_wire(), 1);
    hasher
}

/// The hash of a name in the zone.
pub(super) fn hash(apex_hasher: &SipHasher13, apex_octets: usize, name: NameRef<'_>) -> u64 {
    let mut hasher = *apex_hasher;
    write_all(&mut hasher, name.as_wire(), apex_octets);
    hasher.finish()
}

/// Has the first slot for a hash fetched.
#[inline]
pub(super) fn touch(slots: &[u8], hash: u64) -> u8 {
    slots[(hash as usize & (slots.len() / SLOT_OCTETS - 1)) * SLOT_OCTETS]
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

#[inline]
fn look_up<'a>(image: &'a Image, hash: u64, name: NameRef<'_>) -> Option<Owner<'a>> {
    if let Some(overlay) = &image.overlay
        && let Some(change) = overlay.change(image, hash, name)
    {
        return change.owner(image);
    }
    find_below(image, hash, name)
}

pub(super) fn deepest<'a>(image: &'a Image, name: NameRef<'_>) -> Deepest<'a> {
    let wire = name.as_wire();
    // Most names have one label below the apex.
    if has_one_label(wire, image.apex_octets) {
        let mut hasher = image.apex_hasher;
        write(&mut hasher, wire, 0);
        return match look_up(image, hasher.finish(), name) {
            Some(owner) => Deepest::Exact(owner),
            None => Deepest::Encloser(image.apex_owner()),
        };
    }
    // Memory for the longest name takes longer to clear than most names take to be found.
    match Labels::<SHORT>::of(name.as_wire(), image.apex_octets) {
        Some(labels) => deepest_of(image, name, &labels),
        None => deepest_of_many(image, name),
    }
}

/// Labels below the apex that most names have at the most.
const SHORT: usize = 8;

#[inline(never)]
fn deepest_of_many<'a>(image: &'a Image, name: NameRef<'_>) -> Deepest<'a> {
    deepest_of(image, name, &Labels::of_any(name.as_wire(), image.apex_octets))
}

#[inline]
fn deepest_of<'a, const MOST: usize>(image: &'a Image, name: NameRef<'_>, labels: &Labels<MOST>) -> Deepest<'a> {
    let wire = name.as_wire();
    let mut hashes = [0_u64; MOST];
    let mut hasher = image.apex_hasher;
    for (hash, start) in hashes.iter_mut().zip(&labels.starts).take(labels.count).rev() {
        write(&mut hasher, wire, usize::from(*start));
        *hash = hasher.finish();
    }
    for (index, (hash, start)) in hashes.iter().zip(&labels.starts).take(labels.count).enumerate() {
        let suffix = NameRef::from_checked(&wire[usize::from(*start)..]);
        if let Some(owner) = look_up(image, *hash, suffix) {
            return if index == 0 { Deepest::Exact(owner) } else { Deepest::Encloser(owner) };
        }
    }
    let apex = image.apex_owner();
    if labels.count == 0 { Deepest::Exact(apex) } else { Deepest::Encloser(apex) }
}

/// The owner in the image's octets.
#[inline]
pub(super) fn find_below<'a>(image: &'a Image, hash: u64, name: NameRef<'_>) -> Option<Owner<'a>> {
    let octets = image.as_bytes();
    let mut slots = Slots::of(image, hash);
    while let Some(unit) = slots.next(octets) {
        let owner = Owner::at(image, unit);
        if owner.name() == name {
            return Some(owner);
        }
    }
    None
}

/// The slots where the owners can be whose names have one hash.
struct Slots<'a> {
    image: &'a Image,
    tag: u32,
    slot: usize,
}

impl<'a> Slots<'a> {
    #[inline]
    fn of(image: &'a Image, hash: u64) -> Self {
        Self { image, tag: (hash >> 32) as u32, slot: hash as usize & image.slot_mask }
    }

    /// Where the next such owner is; `octets` are the image's.
    #[inline]
    fn next(&mut self, octets: &[u8]) -> Option<u32> {
        // At least a third of the slots is free: this ends.
        loop {
            let at = slot_at(self.image, self.slot);
            let (tag, unit) = (u32_at(octets, at), u32_at(octets, at + 4));
            if unit == 0 {
                return None;
            }
            self.slot = (self.slot + 1) & self.image.slot_mask;
            if tag == self.tag {
                return Some(unit);
            }
        }
    }
}

#[inline]
fn slot_at(image: &Image, slot: usize) -> usize {
    image.slots_at + slot * SLOT_OCTETS
}

/// Where the labels of a name start that are before its last octets, from the left.
struct Labels<const MOST: usize> {
    starts: [u8; MOST],
    count: usize,
}

impl<const MOST: usize> Labels<MOST> {
    /// The labels before the last `suffix_octets` of a name in wire form; none if there are too many.
    #[inline]
    fn of(wire: &[u8], suffix_octets: usize) -> Option<Self> {
        let mut labels = Self { starts: [0; MOST], count: 0 };
        let mut at = 0;
        while at + suffix_octets < wire.len() {
            *labels.starts.get_mut(labels.count)? = at as u8;
            labels.count += 1;
            at += 1 + usize::from(wire[at]);
        }
        Some(labels)
    }
}

impl Labels<LABELS_MAX> {
    fn of_any(wire: &[u8], suffix_octets: usize) -> Self {
        Self::of(wire, suffix_octets).unwrap_or(Self { starts: [0; LABELS_MAX], count: 0 })
    }
}

/// Adds all labels before the last `suffix_octets` to a hash, from the right.
fn write_all(hasher: &mut SipHasher13, wire: &[u8], suffix_octets: usize) {
    if has_one_label(wire, suffix_octets) {
        return write(hasher, wire, 0);
    }
    let labels = Labels::of_any(wire, suffix_octets);
    for start in labels.starts[..labels.count].iter().rev() {
        write(hasher, wire, usize::from(*start));
    }
}

/// Whether there is one label before the last `suffix_octets`.
#[inline]
fn has_one_label(wire: &[u8], suffix_octets: usize) -> bool {
    wire.first().is_some_and(|octets| wire.len() == 1 + usize::from(*octets) + suffix_octets)
}

/// Adds the label that starts there, and its length, to a hash, letters folded.
#[inline]
fn write(hasher: &mut SipHasher13, wire: &[u8], start: usize) {
    hash_folded(&wire[start..=start + usize::from(wire[start])], hasher);
}

const _: () = assert!(UNIT == 4, "offset 0 names the header, so that 0 can mean a free slot");

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use dns::Name;
    use dns::text::zone_from_text;

    use super::super::Owner;
    use super::super::owner::blob;
    use crate::{Change, Limits, advance};

    #[test]
    fn the_way_in_steps_leads_to_the_owner_that_a_look_up_finds() {
        let mut text = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n".to_owned();
        for number in 0..300 {
            writeln!(text, "N{number}{} 60 TXT x", ".b".repeat(number % 12)).unwrap();
        }
        let records = zone_from_text("example.", &text).unwrap();
        let apex: Name = "example.".parse().unwrap();
        let image = advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image;
        let mut seen = 0;
        for owner in image.owners() {
            let asked: Name = owner.name().to_string().to_uppercase().parse().unwrap();
            let mut approach = image.approach(asked.borrow());
            approach.touch_slot(&image);
            approach.go_to_slot(&image);
            assert_eq!(Owner::at(&image, approach.unit).number(), owner.number(), "{asked}");
            let near = |owner: Owner<'_>| {
                let at = owner.name().as_wire().as_ptr().addr() - image.as_bytes().as_ptr().addr() - blob::NAME;
                let octet_at = |at: usize| image.as_bytes().get(at).copied().unwrap_or(0);
                [0, 64, 128, 192].into_iter().fold(0, |all, beyond| all ^ octet_at(at + beyond))
            };
            assert_eq!(approach.touch_owner(&image), near(owner) ^ near(image.apex_owner()));
            seen += 1;
        }
        assert!(seen > 300);
        let mut nowhere = image.approach("nothing.example.".parse::<Name>().unwrap().borrow());
        nowhere.go_to_slot(&image);
        assert_eq!(nowhere.unit, 0);
    }
}
