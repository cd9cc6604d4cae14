//! The octets that an image lives in, wherever these are.
//!
//! Those of a small image lie right behind the count of who has it: there may be a million of these, and whoever looks
//! something up goes to one place less. A large one stays in the buffer that it was written into, or in its file.

use std::ops::Deref;
use std::sync::Arc;

/// Longer ones are not copied. Few images are, and what a copy saves matters only where there are many.
const COPIED_OCTETS_MAX: usize = 1 << 16;

/// Octets of an image. Clones share them.
#[derive(Clone)]
pub struct ImageBytes(Place);

#[derive(Clone)]
enum Place {
    Here(Arc<[u8]>),
    /// A buffer, or a file mapped read-only.
    Elsewhere(Arc<dyn AsRef<[u8]> + Send + Sync>),
}

impl ImageBytes {
    /// Octets that stay where they are: `owner` gives the same ones each time.
    pub fn of(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Place::Elsewhere(Arc::new(owner)))
    }

    /// Whether both are the same piece of memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq::<[u8]>(&**self, &**other)
    }
}

impl From<Vec<u8>> for ImageBytes {
    fn from(octets: Vec<u8>) -> Self {
        if octets.len() <= COPIED_OCTETS_MAX { Self::from(&*octets) } else { Self::of(octets) }
    }
}

impl From<Arc<Vec<u8>>> for ImageBytes {
    fn from(octets: Arc<Vec<u8>>) -> Self {
        Self(Place::Elsewhere(octets))
    }
}

impl From<&[u8]> for ImageBytes {
    fn from(octets: &[u8]) -> Self {
        Self(Place::Here(octets.into()))
    }
}

impl Deref for ImageBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Here(octets) => octets,
            Place::Elsewhere(owner) => (**owner).as_ref(),
        }
    }
}
