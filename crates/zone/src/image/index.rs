//! The owner index: names to owners by a keyed hash.
//!
//! The labels that a name has below the apex are hashed, from the right, so that one pass over a name gives the hash of each of
//! its suffixes. Those of the apex, which all names of a zone share, are not.

use std::hash::Hasher;

use dns::NameRef;
use dns::name::{LABELS_MAX, hash_folded};
use siphasher::sip::SipHasher13;

use super::{APEX_UNIT, Image, Owner, Seed, UNIT, array_at, u16_at, u32_at};

/// Where slots and order are in an image, and how wide their entries.
///
/// A slot is a number of 32 bits: the owner's offset in units, in as many low bits as the offsets of an image's owners need, and
/// above it a *tag*, the upper bits of the upper half of the hash; 0 is free. From 256 MiB of owners on tags would be so short that
/// other owners are often taken for the one that is looked for: a slot is two such numbers then, that half of the hash and the
/// offset. The order is a list of offsets, of 16 bits each where these are enough.
#[derive(Clone, Copy)]
pub(super) struct Table {
    /// In units.
    slots_at: u32,
    slot_mask: u32,
    /// Bits that offsets of owners need.
    unit_bits: u8,
}

/// With at least six bits for a tag, one in 64 slots of others looks like the right one.
const PACKED_BITS_MAX: u8 = 26;
/// Bits of an entry of a short order.
const SHORT_BITS: u8 = 16;

impl Table {
    /// The table of so many owners that take so many octets with the header; none beyond 16 GiB.
    pub(super) fn behind(octets: usize, owners: u32) -> Option<Self> {
        let slots_at = u32::try_from(octets.div_ceil(UNIT)).ok()?;
        let table = Self::at(slots_at, owners);
        // Slots of two numbers begin at multiples of their size, so that none lies on two cache lines.
        if table.is_packed() { Some(table) } else { Some(Self::at(slots_at.checked_next_multiple_of(2)?, owners)) }
    }

    pub(super) fn at(slots_at: u32, owners: u32) -> Self {
        let unit_bits = (u32::BITS - slots_at.leading_zeros()) as u8;
        Self { slots_at, slot_mask: slot_mask(owners), unit_bits }
    }

    pub(super) fn slots_at(&self) -> usize {
        self.slots_at as usize * UNIT
    }

    /// In units.
    pub(super) fn slots_at_unit(&self) -> u32 {
        self.slots_at
    }

    pub(super) fn order_at(&self) -> usize {
        self.slots_at() + (self.slot_mask as usize + 1) * self.slot_octets()
    }

    pub(super) fn ring_at(&self, owners: u32) -> usize {
        (self.order_at() + owners as usize * self.entry_octets()).next_multiple_of(UNIT)
    }

    /// Octets of an entry of the order.
    pub(super) fn entry_octets(&self) -> usize {
        if self.is_short() { 2 } else { 4 }
    }

    #[inline]
    pub(super) fn order<'a>(&self, octets: &'a [u8]) -> Order<'a> {
        Order { octets: &octets[self.order_at()..], is_short: self.is_short() }
    }

    #[inline]
    pub(super) fn touch(&self) -> usize {
        self.slot_mask as usize
    }

    #[inline]
    fn is_packed(&self) -> bool {
        self.unit_bits <= PACKED_BITS_MAX
    }

    #[inline]
    fn is_short(&self) -> bool {
        self.unit_bits <= SHORT_BITS
    }

    #[inline]
    fn slot_octets(&self) -> usize {
        if self.is_packed() { 4 } else { 8 }
    }

    #[inline]
    fn first_slot(&self, hash: u64) -> usize {
        (hash as u32 & self.slot_mask) as usize
    }

    #[inline]
    fn next_slot(&self, slot: usize) -> usize {
        (slot + 1) & self.slot_mask as usize
    }

    /// What `take` takes, given the offsets of owners whose names may have this hash, one after the other.
    #[inline]
    fn find<T>(&self, slots: &[u8], hash: u64, mut take: impl FnMut(u32) -> Option<T>) -> Option<T> {
        if !self.is_packed() {
            return self.find_in_pairs(slots, hash, take);
        }
        let (slots, tag) = (slots.as_chunks().0, tag(hash));
        let mut slot = self.first_slot(hash);
        // At least a quarter of the slots is free: this ends.
        loop {
            let found = u32::from_le_bytes(slots[slot]);
            if found == 0 {
                return None;
            }
            if (found ^ tag) >> self.unit_bits == 0
                && let Some(taken) = take(found & ((1 << self.unit_bits) - 1))
            {
                return Some(taken);
            }
            slot = self.next_slot(slot);
        }
    }

    /// The same where slots are pairs of numbers.
    #[inline(never)]
    fn find_in_pairs<T>(&self, slots: &[u8], hash: u64, mut take: impl FnMut(u32) -> Option<T>) -> Option<T> {
        let mut slot = self.first_slot(hash);
        loop {
            let (found, unit) = (u32_at(slots, slot * 8), u32_at(slots, slot * 8 + 4));
            if unit == 0 {
                return None;
            }
            if found == tag(hash)
                && let Some(taken) = take(unit)
            {
                return Some(taken);
            }
            slot = self.next_slot(slot);
        }
    }

    /// Writes an owner into the first free slot for its hash.
    pub(super) fn insert(&self, slots: &mut [u8], hash: u64, unit: u32) {
        let octets = self.slot_octets();
        let mut slot = self.first_slot(hash);
        // A pair that is taken has an offset in its second number.
        while u32_at(slots, (slot + 1) * octets - 4) != 0 {
            slot = self.next_slot(slot);
        }
        let slot = &mut slots[slot * octets..][..octets];
        if self.is_packed() {
            let packed = tag(hash) >> self.unit_bits << self.unit_bits | unit;
            slot.copy_from_slice(&packed.to_le_bytes());
        } else {
            slot.copy_from_slice(&[tag(hash).to_le_bytes(), unit.to_le_bytes()].concat());
        }
    }

    /// Has the first slot for a hash fetched.
    #[inline]
    pub(super) fn touch_slot(&self, slots: &[u8], hash: u64) -> u8 {
        slots[self.first_slot(hash) * self.slot_octets()]
    }
}

/// The order, and what is behind it.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    octets: &'a [u8],
    is_short: bool,
}

impl Order<'_> {
    /// The offset of the owner at this place, in units.
    #[inline]
    pub(super) fn unit(&self, rank: usize) -> u32 {
        if self.is_short { u16_at(self.octets, 2 * rank).into() } else { u32_at(self.octets, 4 * rank) }
    }
}

/// What tells names apart that have the same slot.
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Slots for so many owners are a power of two, of which at most three quarters are taken; this is the largest one's number.
fn slot_mask(owners: u32) -> u32 {
    let owners = u64::from(owners);
    let count = (owners + owners / 3).max(owners + 1).next_power_of_two();
    u32::try_from(count - 1).unwrap_or(u32::MAX)
}

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
        Self { hash: image.hash(name), unit: 0 }
    }

    /// The first step: to the slot.
    #[inline]
    pub fn touch_slot(&self, image: &Image) -> u8 {
        image.table.touch_slot(slots(image), self.hash)
    }

    /// The second step: to where the slot leads.
    #[inline]
    pub fn go_to_slot(&mut self, image: &Image) {
        self.unit = image.table.find(slots(image), self.hash, Some).unwrap_or_default();
    }

    /// The third step: to the owner and its first records, and to the apex and its SOA.
    #[inline]
    pub fn touch_owner(&self, image: &Image) -> u8 {
        let octets = image.as_bytes();
        let units = [self.unit, APEX_UNIT].map(|unit| unit as usize * UNIT);
        let places =
            units.into_iter().flat_map(|start| (0..OWNER_LINES).map(move |line| start + line * CACHE_LINE_OCTETS));
        places.fold(0, |all, at| all ^ octets.get(at).copied().unwrap_or_default())
    }
}

/// What processors fetch at once.
const CACHE_LINE_OCTETS: usize = 64;
/// Cache lines of an owner that are fetched: most have no more, and the apex of a small zone has as many.
const OWNER_LINES: usize = 4;

#[inline]
fn hasher(seed: &Seed) -> SipHasher13 {
    let [first, second] = [0, 8].map(|at| u64::from_le_bytes(array_at(seed, at)));
    SipHasher13::new_with_keys(first, second)
}

/// The hash of a name in the zone.
#[inline]
pub(super) fn hash(seed: &Seed, apex_octets: usize, name: NameRef<'_>) -> u64 {
    let mut hasher = hasher(seed);
    write_all(&mut hasher, name.as_wire(), apex_octets);
    hasher.finish()
}

pub(super) fn find<'a>(image: &'a Image, name: NameRef<'_>) -> Option<Owner<'a>> {
    look_up(image, image.hash(name), name)
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
    if has_one_label(wire, image.apex_octets()) {
        let mut hasher = hasher(&image.seed);
        write(&mut hasher, wire, 0);
        return match look_up(image, hasher.finish(), name) {
            Some(owner) => Deepest::Exact(owner),
            None => Deepest::Encloser(image.apex_owner()),
        };
    }
    // Memory for the longest name takes longer to clear than most names take to be found.
    match Labels::<SHORT>::of(name.as_wire(), image.apex_octets()) {
        Some(labels) => deepest_of(image, name, &labels),
        None => deepest_of_many(image, name),
    }
}

/// Labels below the apex that most names have at the most.
const SHORT: usize = 8;

#[inline(never)]
fn deepest_of_many<'a>(image: &'a Image, name: NameRef<'_>) -> Deepest<'a> {
    deepest_of(image, name, &Labels::of_any(name.as_wire(), image.apex_octets()))
}

#[inline]
fn deepest_of<'a, const MOST: usize>(image: &'a Image, name: NameRef<'_>, labels: &Labels<MOST>) -> Deepest<'a> {
    let wire = name.as_wire();
    let mut hashes = [0_u64; MOST];
    let mut hasher = hasher(&image.seed);
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
    image.table.find(slots(image), hash, |unit| Some(Owner::at(image, unit)).filter(|owner| owner.name() == name))
}

/// The slots, and what is behind them.
#[inline]
fn slots(image: &Image) -> &[u8] {
    &image.as_bytes()[image.table.slots_at()..]
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
    use super::{Table, slot_mask};
    use crate::{Change, Limits, advance};

    #[test]
    fn owners_are_found_in_slots_of_either_width() {
        // Owners end where offsets need so many bits, and more than slots of one number have for them.
        for slots_at in [1 << 7, 1 << 16, (1 << 26) - 1, 1 << 26, u32::MAX] {
            let owners = 100_u32;
            let table = Table::at(slots_at, owners);
            assert_eq!(table.slot_octets(), if slots_at < 1 << 26 { 4 } else { 8 });
            let mut slots = vec![0; table.order_at() - table.slots_at()];
            // All of them want the same three slots, and some have one tag.
            let hashed = |number: u32| (u64::from(number / 2) << 57 | u64::from(number % 3), slots_at - number);
            for (hash, unit) in (1..=owners).map(hashed) {
                table.insert(&mut slots, hash, unit);
            }
            for (hash, unit) in (1..=owners).map(hashed) {
                let found = table.find(&slots, hash, |found| (found == unit).then_some(found));
                assert_eq!(found, Some(unit));
            }
            let mut taken = 0;
            let nowhere = table.find(&slots, 0x7f << 57, |_| -> Option<()> {
                taken += 1;
                None
            });
            assert_eq!((nowhere, taken), (None, 0), "no owner has this tag");
        }
    }

    #[test]
    fn three_quarters_of_the_slots_are_taken_at_the_most() {
        for owners in (1..5_000).chain([u32::MAX / 4 * 3, u32::MAX]) {
            let slots = u64::from(slot_mask(owners)) + 1;
            assert!(slots > u64::from(owners), "{owners}");
            assert!(u64::from(owners) * 4 <= slots * 3 || owners < 3 || owners == u32::MAX, "{owners}");
            assert!(slots.is_power_of_two());
        }
    }

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
