//! How far the names of a zone can go beyond the limit of names without records, at the most.
//!
//! While an image is written, names without records are counted in canonical order, beside those with records
//! ([`Limits::empty_names_per_name`]). What a step does to that count hangs on all names of the zone. But a name brings no more
//! of them than it has labels between it and the apex: only what is deeper than the limit can lead beyond it. The sum of what
//! such names have too much is no less than what all of them together are beyond the limit, up to any name; and each name adds
//! to it by itself. Nearly all zones have none.

use crate::limits::Limits;

/// The sum; this many or more are [`Excess::MANY`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Excess(u16);

/// Names without records that every zone may have.
pub(super) const EMPTY_NAMES_FREE: u64 = 1 << 16;

impl Excess {
    const MANY: u16 = u16::MAX;

    /// As it is in an image.
    pub(super) fn from_octets(octets: [u8; 2]) -> Self {
        Self(u16::from_le_bytes(octets))
    }

    pub(super) fn to_octets(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    /// With another name that has records, so many labels below the apex.
    pub(super) fn with(self, depth: usize) -> Self {
        Self(self.0.saturating_add(excess(depth)))
    }

    /// Without one of the names that it is the sum of.
    pub(super) fn without(self, depth: usize) -> Self {
        if self.0 == Self::MANY { self } else { Self(self.0 - excess(depth)) }
    }

    /// Whether the zone is within this limit for sure; where it is not, the names have to be counted.
    pub(super) fn is_within(self, limits: &Limits) -> bool {
        match limits.empty_names_per_name {
            u16::MAX => true,
            Limits::EMPTY_NAMES_PER_NAME.. => self.0 < Self::MANY,
            _ => false,
        }
    }
}

fn excess(depth: usize) -> u16 {
    let empty = depth.saturating_sub(1);
    empty.saturating_sub(usize::from(Limits::EMPTY_NAMES_PER_NAME)) as u16
}

const _: () = assert!(Excess::MANY as u64 <= EMPTY_NAMES_FREE, "less than that is within the limit");
