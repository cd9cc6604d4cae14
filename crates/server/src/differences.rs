//! The door to whoever keeps what led from one version of a zone to the next.

use std::sync::Arc;

use dns::Serial;
use zone::{Diff, Generation, Snapshot, ZoneId};

/// Differences of versions that are on disk. Each step leads to a strictly newer serial (RFC 1982), and what any of this
/// gives ends exactly at the version that is asked for, whatever is published meanwhile.
pub trait Differences: Send + Sync {
    /// The steps from the version of this serial to `to`, if they are all kept. May wait for the disk.
    fn way(&self, zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Way>;

    /// The step that led to a generation, if it is kept. May wait for the disk.
    fn step(&self, zone: ZoneId, to: Generation) -> Option<Diff>;

    /// The same steps as [`Differences::way`] gives, where they are few, small and at hand. Waits for nothing.
    fn at_hand(&self, zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Arc<[Diff]>>;
}

/// How differences lead from one version to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Where each step leads to, in their order.
    pub steps: Vec<Generation>,
    /// Records that go or come in all steps together, their SOAs among them.
    pub records: u64,
}

/// Where nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct NothingKept;

impl Differences for NothingKept {
    fn way(&self, _zone: ZoneId, _from: Serial, _to: &Snapshot) -> Option<Way> {
        None
    }

    fn step(&self, _zone: ZoneId, _to: Generation) -> Option<Diff> {
        None
    }

    fn at_hand(&self, _zone: ZoneId, _from: Serial, _to: &Snapshot) -> Option<Arc<[Diff]>> {
        None
    }
}
