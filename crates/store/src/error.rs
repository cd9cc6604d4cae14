//! What can go wrong with the disk: what happened, whose fault it is and what to do.

use std::path::PathBuf;

use zone::{Generation, ZoneId};

/// Why the store could not do what it was asked; all but the last four are about the whole store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written; what was committed before is still there, and the same call works once there is room.
    #[error("the disk is full ({what}): make room; until then zones are served from memory and lost at a crash")]
    DiskFull { what: String },
    #[error("{} is used by another secondo: stop that one first, or give this one a data directory of its own", .directory.display())]
    Locked { directory: PathBuf },
    /// The disk or its permissions: the operating system refused.
    #[error(
        "{what}: {error}: our disk failed or its permissions are wrong; see the system's log, and check that the data directory can be written"
    )]
    Io { what: String, error: String },
    #[error(
        "the store is damaged ({what}): restore the data directory from a backup, or move it away so that all zones are transferred again"
    )]
    Damaged { what: String },
    #[error(
        "the store has format {found} and this secondo knows formats up to {known}: run the newer secondo that wrote it"
    )]
    NewerFormat { found: u32, known: u32 },
    /// A bug of the caller: generations only grow.
    #[error("zone {zone}: generation {offered} cannot follow the committed generation {committed}")]
    NotNewer { zone: ZoneId, committed: Generation, offered: Generation },
    /// A bug of the caller: the steps do not lead to the head.
    #[error("zone {zone}: its steps do not lead one after the other to generation {head}")]
    BrokenSteps { zone: ZoneId, head: Generation },
    /// The zone was removed while its version waited to be written.
    #[error("zone {zone} was removed before this version was written")]
    Removed { zone: ZoneId },
    #[error("the store is closed")]
    Closed,
}
