//! What can go wrong with the disk: what happened, whose fault it is and what to do.

use std::io::{self, ErrorKind::InvalidData, ErrorKind::UnexpectedEof};
use std::path::PathBuf;

use zone::{Generation, ZoneId};

/// Why the store could not do what it was asked.
///
/// After every error the last committed versions are still there, and the store opens its database again by itself:
/// a later call may succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "{what}: the disk is full, or what we may take of it: make room; until then new versions are only in memory and lost at a crash"
    )]
    DiskFull { what: String },
    #[error("{} is used by another secondo: stop that one first, or give this one a data directory of its own", .directory.display())]
    Locked { directory: PathBuf },
    /// The operating system refused.
    #[error(
        "{what}: {error}: our disk fails or does not let us: check the data directory's permissions and the system's log"
    )]
    Io { what: String, error: String },
    #[error(
        "{what}: our stored zones are damaged: restore the data directory from a backup, or move zones.redb and images away and all zones are transferred again"
    )]
    Damaged { what: String },
    #[error(
        "the store has format {found}, and this secondo knows none above {known}: run the newer secondo that wrote it"
    )]
    NewerFormat { found: u64, known: u64 },
    /// A bug of the caller: generations only grow.
    #[error("zone {zone}: generation {offered} cannot follow generation {committed}, which is committed")]
    NotNewer { zone: ZoneId, committed: Generation, offered: Generation },
    /// A bug of the caller: the steps do not lead to the head.
    #[error("zone {zone}: its steps do not lead one after the other to generation {head}")]
    BrokenSteps { zone: ZoneId, head: Generation },
    /// The caller's steps do not begin where the stored ones end, or these have become too many: the image is wanted.
    #[error("zone {zone}: what is stored does not lead to the version before this one")]
    NothingToLieOver { zone: ZoneId },
    #[error("the store is closed: secondo is stopping, or a bug ended its writer; restart it")]
    Closed,
}

impl StoreError {
    /// What went wrong when the operating system said `error`.
    pub(crate) fn from_io(what: impl Into<String>, error: &io::Error) -> Self {
        let what = what.into();
        match error.kind() {
            // To a quota, and to a limit of file sizes (`ulimit -f`), the same holds as to the end of the disk.
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { what }
            }
            _ => Self::Io { what, error: error.to_string() },
        }
    }

    /// What went wrong when redb said `error`.
    pub(crate) fn from_redb(what: impl Into<String>, error: impl Into<redb::Error>) -> Self {
        let what = what.into();
        match error.into() {
            // redb's way to say that the file is not, or no longer, what it wrote.
            redb::Error::Io(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => {
                Self::Damaged { what: format!("{what}: {error}") }
            }
            redb::Error::Io(error) => Self::from_io(what, &error),
            error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::ValueTooLarge(_)) => {
                Self::Io { what, error: error.to_string() }
            }
            error => Self::Damaged { what: format!("{what}: {error}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::StoreError;

    /// No space left (ENOSPC), over quota (EDQUOT), file too large (EFBIG); of Linux.
    #[test]
    fn whatever_keeps_files_from_growing_is_a_full_disk() {
        for code in [28, 122, 27] {
            let error = || io::Error::from_raw_os_error(code);
            let ours = [StoreError::from_io("writing", &error()), StoreError::from_redb("writing", error())];
            assert!(ours.iter().all(|error| matches!(error, StoreError::DiskFull { .. })), "{ours:?}");
        }
        let failing = StoreError::from_io("writing", &io::Error::from_raw_os_error(5));
        assert!(matches!(failing, StoreError::Io { .. }));
    }
}
