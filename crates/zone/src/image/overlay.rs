//! The overlay: owners that are otherwise than in the image below it.
//!
//! ```text
//!   changes, by sort key     a ─> blob      c ─> gone      d ─> blob
//!   image below              a       b      c        e        f
//!   what is read             a'      b               d   e    f
//! ```
//!
//! A change of a large zone writes the owners that it touches anew, and all others stay where they are: it costs what the
//! change is. Versions share what they have in common.
//!
//! Invariants: whoever reads a snapshot with an overlay finds what an image built from its records would say, flags
//! included; the apex is always among the changes, because its SOA changes with every version; the image below never
//! changes, so that a change may say where it lies among that image's owners.

use std::ops::Bound;
use std::sync::Arc;

use dns::{NameRef, Serial};
use rpds::RedBlackTreeMapSync;

use super::owner::Owner;
use super::sort_key::SortKey;
use super::{Image, index};
use crate::digest::Digest;
use crate::nsec3::Hash;

/// An owner as [`super::writing::write`] writes it; its parent is found by name.
pub(super) type Blob = Arc<[u8]>;

/// See the module.
#[derive(Clone)]
pub(super) struct Overlay {
    pub(super) serial: Serial,
    pub(super) digest: Digest,
    pub(super) records: u64,
    /// With those of the image below.
    pub(super) owners: usize,
    /// The SOA's.
    pub(super) minimum_secs: u32,
    pub(super) apex: Blob,
    pub(super) changes: RedBlackTreeMapSync<Box<[u8]>, Change>,
    pub(super) filter: Filter,
    /// Hashes that have come into the ring of NSEC3 records, or gone from it.
    pub(super) ring: RedBlackTreeMapSync<Hash, Standing>,
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
    /// How many owners of the image below sort before it.
    pub(super) at: usize,
    /// Whether the image below has an owner of this name.
    pub(super) replaces: bool,
    /// None: it is gone.
    pub(super) blob: Option<Blob>,
    hash: u64,
}

/// Whether a hash is in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    In,
    Out,
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
            minimum_secs: image.minimum_secs(),
            apex: apex.to_blob().into(),
            changes: RedBlackTreeMapSync::default(),
            filter: Filter::for_names(0),
            ring: RedBlackTreeMapSync::default(),
            ring_count: image.ring.as_ref().map_or(0, |ring| ring.count()),
            next_number: image.owner_count() as u32,
            steps: 0,
            octets: 0,
        }
    }

    /// What has become of a name with this hash, if anything has.
    #[inline]
    pub(super) fn change(&self, image: &Image, hash: u64, name: NameRef<'_>) -> Option<&Change> {
        // A name from outside of the zone may have the key of one that is in it.
        if !self.filter.may_hold(hash) || !name.is_at_or_below(image.apex()) {
            return None;
        }
        self.changes.get(&*SortKey::of(name, image.apex_octets))
    }

    /// The last change before a key, or at it, that left an owner.
    pub(super) fn last(&self, up_to: Bound<&[u8]>) -> Option<&Change> {
        let changes = self.changes.range::<[u8], _>((Bound::Unbounded, up_to));
        changes.rev().map(|(_, change)| change).find(|change| change.blob.is_some())
    }

    /// The changes from a key on.
    pub(super) fn from(&self, key: &[u8]) -> Changes<'_> {
        let changes = self.changes.range::<Box<[u8]>, _>((Bound::Included(Box::from(key)), Bound::Unbounded));
        Box::new(changes.map(|(_, change)| change))
    }

    /// Notes what has become of a name.
    pub(super) fn put(&mut self, key: &[u8], hash: u64, at: usize, replaces: bool, blob: Option<Blob>) {
        self.octets -= self.changes.get(key).map_or(0, Change::octets);
        if blob.is_none() && !replaces {
            self.changes.remove_mut(key);
            return;
        }
        let change = Change { at, replaces, blob, hash };
        self.octets += change.octets();
        self.changes.insert_mut(key.into(), change);
        if self.filter.is_full(self.changes.size()) {
            self.filter = Filter::for_names(2 * self.changes.size());
            self.changes.values().for_each(|change| self.filter.note(change.hash));
        }
        self.filter.note(hash);
    }
}

/// Changes in canonical order.
pub(super) type Changes<'a> = Box<dyn Iterator<Item = &'a Change> + Send + 'a>;

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
        // Neither the bits that slots are found by, nor those that tell owners in them apart.
        let bit = (hash.rotate_left(20) as usize) & (self.words.len() * 64 - 1);
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
    /// With its place in the tree and its key.
    fn octets(&self) -> usize {
        const PLACE_OCTETS: usize = 160;
        PLACE_OCTETS + self.blob.as_ref().map_or(0, |blob| blob.len())
    }

    pub(super) fn owner<'a>(&'a self, image: &'a Image) -> Option<Owner<'a>> {
        self.blob.as_ref().map(|blob| Owner::of(image, blob))
    }
}

/// All owners from one on, in canonical order.
pub(super) struct Owners<'a> {
    image: &'a Image,
    /// Of the image below.
    rank: usize,
    changes: Option<std::iter::Peekable<Changes<'a>>>,
}

impl<'a> Owners<'a> {
    /// From `name` on, before which the image below has `rank` owners.
    pub(super) fn from(image: &'a Image, name: NameRef<'_>, rank: usize) -> Self {
        let from = |overlay: &'a Arc<Overlay>| overlay.from(&SortKey::of(name, image.apex_octets)).peekable();
        Self { image, rank, changes: image.overlay.as_ref().map(from) }
    }
}

impl<'a> Iterator for Owners<'a> {
    type Item = Owner<'a>;

    #[inline]
    fn next(&mut self) -> Option<Owner<'a>> {
        if let Some(changes) = &mut self.changes {
            while let Some(change) = changes.next_if(|change| change.at <= self.rank) {
                if change.replaces {
                    self.rank = change.at + 1;
                }
                if let Some(owner) = change.owner(self.image) {
                    return Some(owner);
                }
            }
        }
        let rank = self.rank;
        self.rank += 1;
        (rank < self.image.owner_count_below).then(|| self.image.ranked(rank))
    }
}

impl Image {
    /// What has become of an owner of the image below.
    pub(super) fn change_of(&self, owner: Owner<'_>) -> Option<&Change> {
        let overlay = self.overlay.as_ref()?;
        let hash = index::hash(&self.apex_hasher, self.apex_octets, owner.name());
        overlay.change(self, hash, owner.name())
    }

    /// The last owner among those of the overlay up to a key, and those of the image below before a rank.
    pub(super) fn last_owner(&self, up_to: Bound<&[u8]>, mut rank: usize) -> Option<Owner<'_>> {
        let change = self.overlay.as_ref().and_then(|overlay| overlay.last(up_to));
        while rank > change.map_or(0, |change| change.at) {
            rank -= 1;
            let below = self.ranked(rank);
            if self.change_of(below).is_none() {
                return Some(below);
            }
        }
        change.and_then(|change| change.owner(self))
    }
}
