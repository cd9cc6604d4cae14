//! What the store says about one zone.

use std::time::Duration;

use dns::{Name, Serial};
use zone::{Diff, Digest, Generation, Image, ZoneId};

/// Which version of a zone is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub generation: Generation,
    pub serial: Serial,
    pub digest: Digest,
}

/// The times that must outlive a restart, in Unix milliseconds by the node's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClockFacts {
    /// When a primary last confirmed the zone; 0 means never. It decides which of two facts are newer.
    pub last_confirmed_ms: u64,
    /// When the zone stops being answered.
    pub expires_at_ms: u64,
    /// When the zone's primary is due to be asked again.
    pub next_check_ms: u64,
}

impl ClockFacts {
    /// Whether these facts tell of a later confirmation. The node's clock never goes back, so later is larger.
    pub(crate) fn is_newer_than(self, other: Self) -> bool {
        self.last_confirmed_ms > other.last_confirmed_ms
    }
}

/// A zone as it was found when the store was opened.
#[derive(Clone)]
pub struct StoredZone {
    pub zone: ZoneId,
    pub name: Name,
    /// Also that of a damaged zone: generations must go on growing from there.
    pub head: Head,
    pub clock: ClockFacts,
    /// What [`crate::Store::note`] was given last; empty if nothing was, or if it was lost.
    pub note: Vec<u8>,
    pub contents: StoredContents,
}

/// A zone's contents as they were found on disk.
#[derive(Clone)]
pub enum StoredContents {
    Whole(Image),
    /// The octets are not those that were committed, and were put aside; or they could not be read now, and are left
    /// where they are. The sentence says which. The next commit of the zone makes it whole.
    Unusable(String),
}

/// One step of a zone from a generation to the next, with its diff.
#[derive(Clone, Debug)]
pub struct Step {
    pub from: Generation,
    pub to: Generation,
    pub diff: Diff,
}

/// A version of a zone to be made durable.
#[derive(Clone)]
pub struct Commit {
    pub zone: ZoneId,
    /// As the zone is configured, with its letters' case.
    pub name: Name,
    pub head: Head,
    pub clock: ClockFacts,
    /// When the version was made, in Unix milliseconds: what history shows and what its age is counted from.
    pub at_ms: u64,
    pub image: Image,
    /// How much history the zone keeps from now on.
    pub history: HistoryKept,
    /// The steps that lead here from the committed generation, the last one to `head.generation`; empty for a version
    /// that came whole: the first one, or one that nothing leads to.
    pub steps: Vec<Step>,
}

/// How much history a zone keeps. Its octets are bounded too: by those of the zone, or 1 MiB if that is more.
///
/// Whatever these say, the steps of the newest commit are kept, and the version that they lead from: that is the way back
/// from a version that replaces everything, as after a break-in or when all is signed anew, which takes about as many
/// octets as both versions. They count as soon as there is a newer commit; the oldest go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryKept {
    pub versions_max: u64,
    /// The greatest age of a version, counted from when another took its place.
    pub age_max: Duration,
}

impl Default for HistoryKept {
    fn default() -> Self {
        Self { versions_max: 1000, age_max: Duration::from_secs(30 * 24 * 3600) }
    }
}

/// One version in a zone's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub generation: Generation,
    pub serial: Serial,
    /// When it was made, in Unix milliseconds.
    pub at_ms: u64,
    pub origin: Origin,
}

/// Where a version came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It came whole: nothing before it leads here.
    Whole,
    /// By a diff, which [`crate::Store::diff`] gives as long as it is kept.
    Step {
        from: Generation,
        from_serial: Serial,
        /// Records that went, the old SOA among them.
        removed: u64,
        /// Records that came, the new SOA among them.
        added: u64,
    },
}
