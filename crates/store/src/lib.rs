//! Snapshots and diffs on disk.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zone::{Diff, Generation, ZoneId};

mod disk;
mod error;
mod zone_row;

pub use disk::Disk;
pub use error::StoreError;
pub use zone_row::{ClockFacts, Commit, Head, Origin, Step, StoredContents, StoredZone, Version};

/// How the store behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest that a confirmation waits in memory. Losing it makes expiry earlier, never later.
    pub confirmations_late_max: Duration,
    /// The most versions kept as a zone's history.
    pub history_versions_max: u64,
    /// The greatest age of a version kept as history.
    pub history_age_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            confirmations_late_max: Duration::from_secs(60),
            history_versions_max: 1_000,
            history_age_max: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}

/// A store that was opened, and what was found in it.
pub struct Opened {
    pub store: Store,
    /// All zones, by their id.
    pub zones: Vec<StoredZone>,
    /// Zones of which not even the name can be read, and why. Their next commit makes them whole.
    pub unreadable: Vec<(ZoneId, String)>,
    /// The newest time on disk, in Unix milliseconds: the node's clock starts no earlier.
    pub newest_time_ms: u64,
}

/// The door to the disk; a clone is another handle to the same store.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the data directory, creates it (mode 0700) where there is none, and keeps a lock on it as long as a
    /// handle lives. Blocks: call it before the runtime starts, or from a thread that may wait.
    pub fn open(directory: &Path, options: Options) -> Result<Opened, StoreError> {
        let _ = (directory, options);
        unimplemented!()
    }

    /// The same on a disk of the caller's: tests play power cuts with it.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Opened, StoreError> {
        let _ = (disk, options);
        unimplemented!()
    }

    /// Makes a version durable: after this returned, a crash recovers it or a later one. Shares the wait for the disk with
    /// all that commit at the same time. Dropping the future does not take the commit back.
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let _ = commit;
        unimplemented!()
    }

    /// Notes newer clock facts of a stored zone; they reach the disk within [`Options::confirmations_late_max`].
    pub fn confirm(&self, zone: ZoneId, clock: ClockFacts) {
        let _ = (zone, clock);
        unimplemented!()
    }

    /// Writes all that waits, confirmations included: call it last before the end.
    pub async fn flush(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Removes a zone with its history; after this returned, a crash does not bring it back. A zone that is not there
    /// is removed already.
    pub async fn remove(&self, zone: ZoneId) -> Result<(), StoreError> {
        let _ = zone;
        unimplemented!()
    }

    /// The kept versions of a zone, oldest first. Reads the disk: call it from a thread that may wait.
    pub fn history(&self, zone: ZoneId) -> Result<Vec<Version>, StoreError> {
        let _ = zone;
        unimplemented!()
    }

    /// The diff that led to a generation, if it is kept. Reads the disk: call it from a thread that may wait.
    pub fn diff(&self, zone: ZoneId, to: Generation) -> Result<Option<Diff>, StoreError> {
        let _ = (zone, to);
        unimplemented!()
    }
}
