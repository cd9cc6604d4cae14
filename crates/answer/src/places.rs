//! Owners that an answer has dealt with, so that nothing is in it twice.

use zone::image::Owner;

/// Up to `MOST` owners; what is inserted beyond is not remembered. Each is known by where its name is in memory: no two
/// that an answer speaks of are in one place, of whatever zones they are.
#[derive(Clone, Copy)]
pub(crate) struct Places<const MOST: usize> {
    places: [usize; MOST],
    count: usize,
}

impl<const MOST: usize> Default for Places<MOST> {
    fn default() -> Self {
        Self { places: [0; MOST], count: 0 }
    }
}

impl<const MOST: usize> Places<MOST> {
    /// Whether the owner was not here before.
    pub(crate) fn insert(&mut self, owner: Owner<'_>) -> bool {
        if self.contains(owner) {
            return false;
        }
        if let Some(free) = self.places.get_mut(self.count) {
            *free = place_of(owner);
            self.count += 1;
        }
        true
    }

    pub(crate) fn contains(&self, owner: Owner<'_>) -> bool {
        self.places[..self.count].contains(&place_of(owner))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count == MOST
    }
}

fn place_of(owner: Owner<'_>) -> usize {
    owner.name().as_wire().as_ptr().addr()
}
