//! One zone's contents: how they are held, compared and moved forward.
//!
//! Pure: no clock, socket, disk or log. The randomness for the owner index comes in as an argument.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advance;
mod between;
pub mod catalog;
mod check;
mod diff;
mod digest;
pub mod image;
mod incoming;
pub mod inspect;
mod limits;
pub mod nsec3;
mod seen;
pub mod tags;
pub mod zonemd;

pub use advance::{Advanced, Rejection, advance, advance_at_once};
pub use between::between;
pub use check::Insane;
pub use diff::{Change, Diff, DiffError};
pub use digest::Digest;
pub use image::{Image, Notes};
pub use incoming::Incoming;
pub use inspect::{Inspection, inspect};
pub use limits::Limits;
pub use seen::is_unseen;
pub use tags::Tags;

/// A zone, by the number that the inventory gave it: the name alone is not a zone, because several tenants may claim it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u64);

impl std::fmt::Display for ZoneId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A tenant, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub u64);

impl TenantId {
    /// The tenant of single mode, which owns everything.
    pub const DEFAULT: Self = Self(1);
}

/// Ours, one for each snapshot published; it only grows, whatever the primary does to its serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub u64);

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The immutable contents of a zone at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub generation: Generation,
    pub image: Image,
}
