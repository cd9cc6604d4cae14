//! The overlay: owners that are otherwise than in the image below it.
//!
//! A change of a large zone writes the owners that it touches anew, and all others stay where they are: it costs what the
//! change is ([`super::changes`] draws it). Versions share what they have in common.
//!
//! Invariants: whoever reads a snapshot with an overlay finds what an image built from its records would say, flags
//! included; the apex is always among the changes, because its SOA changes with every version; the image below never
//! changes, so that a change may say where it lies among that image's owners.

use std::ops::Bound;
use std::sync::Arc;

use dns::{NameRef, Serial};

use super::Image;
use super::changes::{self, Change as _, Changes, Found, Iter};
use super::excess::Excess;
use super::index::Order;
use super::owner::Owner;
use super::sort_key::SortKey;
use crate::digest::Digest;
use crate::nsec3::Hash;

/// See the module.
#[derive(Clone)]
pub(super) struct Overlay {
    pub(super) serial: Serial,
    pub(super) digest: Digest,
    pub(super) records: u64,
    /// With those of the image below.
    pub(super) owners: usize,
    pub(super) excess: Excess,
    /// The SOA's.
    pub(super) minimum_secs: u32,
    /// The apex's blob, whose sort key has no octets.
    pub(super) apex: Arc<[u8]>,
    /// By sort key, over the order of the image below.
    pub(super) changes: Changes<Change>,
    pub(super) filter: Filter,
    /// Hashes that have come into the ring of NSEC3 records, or gone from it.
    pub(super) ring: Changes<HashChange>,
    pub(super) ring_count: usize,
    /// For the next owner that the image below has not.
    pub(super) next_number: u32,
    /// From the image below to here.
    pub(super) steps: usize,
    /// The memory that the changes take, about.
    pub(super) octets: usize,
}

/// What has become of a name.
#[derive(Clone)]
pub(super) struct Change {
    /// The sort key, then the owner as [`super::writing::write`] writes it, if there is one; its parent is found by name.
    octets: Arc<[u8]>,
    hash: u64,
    at: u32,
    key_octets: u16,
    replaces: bool,
    is_there: bool,
}

/// What has become of a hash of the ring.
#[derive(Clone)]
pub(super) struct HashChange {
    pub(super) hash: Hash,
    pub(super) at: u32,
    pub(super) replaces: bool,
    pub(super) is_there: bool,
}

impl Overlay {
    /// Nothing changed yet.
    pub(super) fn over(image: &Image) -> Self {
        let apex = image.apex_owner();
        Self {
            serial: image.serial(),
            digest: image.digest(),
            records: image.record_count(),
            owners: image.owner_count(),
            excess: image.excess(),
            minimum_secs: image.minimum_secs(),
            apex: apex.to_blob().into(),
            changes: Changes::default(),
            filter: Filter::for_names(0),
            ring: Changes::default(),
            ring_count: image.ring.as_ref().map_or(0, |ring| ring.count()),
            next_number: image.owner_count() as u32,
            steps: 0,
            octets: 0,
        }
    }

    /// What has become of a name with this hash, if anything has.
    #[inline]
    pub(super) fn change(&self, image: &Image, hash: u64, name: NameRef<'_>) -> Option<&Change> {
        if self.filter.may_hold(hash) { self.searched(image, name) } else { None }
    }

    #[inline(never)]
    fn searched(&self, image: &Image, name: NameRef<'_>) -> Option<&Change> {
        // A name from outside of the zone may have the key of one that is in it.
        if !name.is_at_or_below(image.apex()) {
            return None;
        }
        self.changes.get(&SortKey::of(name, image.apex_octets()))
    }

    /// Notes what has become of a name, before which the image below has `at` owners and which is one of them if it replaces.
    pub(super) fn put(&mut self, key: &[u8], hash: u64, at: usize, replaces: bool, blob: Option<&[u8]>) {
        self.octets -= self.changes.get(key).map_or(0, Change::octets);
        if blob.is_none() && !replaces {
            self.changes.remove(key);
            return;
        }
        let octets = [key, blob.unwrap_or_default()].concat().into();
        let key_octets = key.len() as u16;
        let change = Change { octets, hash, at: at as u32, key_octets, replaces, is_there: blob.is_some() };
        self.octets += change.octets();
        if key.is_empty() {
            self.apex = change.octets.clone();
        }
        self.changes.put(change);
        if self.filter.is_full(self.changes.count()) {
            self.filter = Filter::for_names(2 * self.changes.count());
            self.changes.iter().for_each(|change| self.filter.note(change.hash));
        }
        self.filter.note(hash);
    }
}

/// Says of most names that nothing has become of them, without going to the tree.
#[derive(Clone)]
pub(super) struct Filter {
    /// A power of two of them.
    words: Arc<[u64]>,
}

/// Bits for each name: of the others, one in eight is then looked for in vain.
const BITS_PER_NAME: usize = 8;
/// The smallest filter, in words: 8 KiB.
const WORDS_MIN: usize = 1 << 10;

impl Filter {
    fn for_names(names: usize) -> Self {
        let words = (names * BITS_PER_NAME / 64).next_power_of_two().max(WORDS_MIN);
        Self { words: vec![0; words].into() }
    }

    fn is_full(&self, names: usize) -> bool {
        names * BITS_PER_NAME > self.words.len() * 64
    }

    #[inline]
    fn place(&self, hash: u64) -> (usize, u64) {
        // Neither the bits that slots are found by, which are the lowest, nor those that tell owners in them apart.
        let bit = ((hash >> 24) as usize) & (self.words.len() * 64 - 1);
        (bit / 64, 1 << (bit % 64))
    }

    fn note(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        Arc::make_mut(&mut self.words)[word] |= bit;
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.words[word] & bit != 0
    }
}

impl Change {
    /// With its place in the tree.
    fn octets(&self) -> usize {
        const PLACE_OCTETS: usize = 112;
        PLACE_OCTETS + self.octets.len()
    }

    pub(super) fn owner<'a>(&'a self, image: &'a Image) -> Option<Owner<'a>> {
        self.is_there.then(|| Owner::of(image, &self.octets[usize::from(self.key_octets)..]))
    }
}

impl changes::Change for Change {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.octets[..usize::from(self.key_octets)]
    }

    fn at(&self) -> usize {
        self.at as usize
    }

    fn replaces(&self) -> bool {
        self.replaces
    }

    fn is_there(&self) -> bool {
        self.is_there
    }
}

impl changes::Change for HashChange {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.hash
    }

    fn at(&self) -> usize {
        self.at as usize
    }

    fn replaces(&self) -> bool {
        self.replaces
    }

    fn is_there(&self) -> bool {
        self.is_there
    }
}

/// All owners from one on, in canonical order.
pub(super) struct Owners<'a> {
    image: &'a Image,
    /// Of the image below.
    rank: usize,
    order: Order<'a>,
    changes: Option<std::iter::Peekable<Iter<'a, Change>>>,
}

impl<'a> Owners<'a> {
    /// From `name` on, before which the image below has `rank` owners.
    pub(super) fn from(image: &'a Image, name: NameRef<'_>, rank: usize) -> Self {
        let from =
            |overlay: &'a Arc<Overlay>| overlay.changes.from(&SortKey::of(name, image.apex_octets())).peekable();
        Self { image, rank, order: image.order(), changes: image.overlay.as_ref().map(from) }
    }
}

impl<'a> Iterator for Owners<'a> {
    type Item = Owner<'a>;

    #[inline]
    fn next(&mut self) -> Option<Owner<'a>> {
        if let Some(changes) = &mut self.changes {
            while let Some(change) = changes.next_if(|change| change.at() <= self.rank) {
                if change.replaces {
                    self.rank = change.at() + 1;
                }
                if let Some(owner) = change.owner(self.image) {
                    return Some(owner);
                }
            }
        }
        let rank = self.rank;
        self.rank += 1;
        (rank < self.image.owner_count_below()).then(|| Owner::at(self.image, self.order.unit(rank)))
    }
}

impl Image {
    /// What has become of an owner of the image below.
    pub(super) fn change_of(&self, owner: Owner<'_>) -> Option<&Change> {
        let overlay = self.overlay.as_ref()?;
        overlay.change(self, self.hash(owner.name()), owner.name())
    }

    /// The last owner up to a key, up to which the image below has `rank`.
    pub(super) fn last_owner(&self, up_to: Bound<&[u8]>, rank: usize) -> Option<Owner<'_>> {
        let Some(overlay) = &self.overlay else { return rank.checked_sub(1).map(|last| self.ranked(last)) };
        match overlay.changes.last(up_to, rank)? {
            Found::Changed(change) => change.owner(self),
            Found::Below(rank) => Some(self.ranked(rank)),
        }
    }
}
