//! The data directory: the real disk.
//!
//! Room is claimed when a file grows (`fallocate`), so that a full disk shows before anything is written instead of
//! in the middle of a commit, and what is inside of a file can be rewritten on a full disk. Files that are not the
//! store's own are never listed, so never swept.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redb::StorageBackend;
use rustix::fs::FallocateFlags;
use zone::image::ImageBytes;

use crate::aside::is_database_put_aside;
use crate::disk::{DATABASE, DATABASE_BEING_MADE, Disk, IMAGES, JOURNAL};
use crate::{StoreError, mapping};

/// Its lock keeps a second process out; the file itself stays when the process ends.
const LOCK: &str = "lock";
/// How often the lock is tried, and how long after one another.
const LOCK_TRIES: u32 = 10;
const LOCK_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Zones are their owner's business.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if there is none, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::from_io(format!("opening the data directory {}", path.display()), &error);
        let images = path.join(IMAGES);
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&images).map_err(failed)?;
        let lock = open_options().create(true).truncate(false).open(path.join(LOCK)).map_err(failed)?;
        take(&lock, path, failed)?;
        close_to_others(path);
        // The directories may be new, and their own names must outlive a power cut too.
        let parent = path.canonicalize().map_err(failed)?.parent().map(Path::to_path_buf);
        for directory in parent.as_deref().into_iter().chain([path]) {
            sync_directory(directory).map_err(failed)?;
        }
        Ok(Self { path: path.into(), _lock: lock })
    }
}

/// A copy that came back from a backup may be open to all; where this may not be changed it is said.
fn close_to_others(path: &Path) {
    let is_open = |metadata: fs::Metadata| metadata.permissions().mode() & 0o077 != 0;
    if !fs::metadata(path).is_ok_and(is_open) {
        return;
    }
    let directory = path.display();
    match fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE)) {
        Ok(()) => tracing::warn!(%directory, "others could read the data directory: it is closed to them now"),
        Err(error) => tracing::warn!(%directory, "others can read the data directory, which holds secrets: {error}"),
    }
}

/// Takes the lock. A client that looks whether it is taken has it for a moment, and a server that was killed until the
/// system has cleaned up after it: a few tries later both are over.
#[expect(clippy::disallowed_methods, reason = "no event tells that a lock is free; half a second is the deadline")]
fn take(lock: &File, path: &Path, failed: impl Fn(io::Error) -> StoreError) -> Result<(), StoreError> {
    for last in (0..LOCK_TRIES).rev() {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if last > 0 => std::thread::sleep(LOCK_AGAIN_AFTER),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(StoreError::Locked { directory: path.into() })
}

/// Whether a server runs with this data directory; it must be one that the caller may read.
pub fn is_in_use(directory: &Path) -> io::Result<bool> {
    let lock = match File::open(directory.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Disk for DataDirectory {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let file = open_options().create(true).truncate(true).open(self.path.join(name))?;
        Ok(Box::new(OpenFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(OpenFile(open_options().open(self.path.join(name))?)))
    }

    fn map(&self, name: &str) -> io::Result<ImageBytes> {
        let file = File::open(self.path.join(name))?;
        match mapping::map(&file) {
            Ok(mapped) => Ok(ImageBytes::of(mapped)),
            // There may be as many mappings as the system allows a process; memory serves as well.
            Err(_) => {
                let mut octets = Vec::new();
                (&file).read_to_end(&mut octets)?;
                Ok(octets.into())
            }
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        // Others keep files here too.
        for entry in fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string()
                && ([DATABASE, DATABASE_BEING_MADE, JOURNAL].contains(&&*name) || is_database_put_aside(&name))
            {
                names.push(name);
            }
        }
        for entry in fs::read_dir(self.path.join(IMAGES))? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(format!("{IMAGES}{name}"));
            }
        }
        Ok(names)
    }

    fn sync_directory_of(&self, name: &str) -> io::Result<()> {
        sync_directory(self.path.join(name).parent().unwrap_or(&self.path))
    }
}

fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE);
    options
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[derive(Debug)]
struct OpenFile(File);

impl StorageBackend for OpenFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, octets: u64) -> io::Result<()> {
        let before = self.len()?;
        if octets <= before {
            return self.0.set_len(octets);
        }
        match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), before, octets - before) {
            Ok(()) => Ok(()),
            // Some network file systems cannot: there, a full disk shows when it is written to.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.0.set_len(octets),
            Err(error) => {
                // What was claimed before the disk was full is given back.
                self.0.set_len(before)?;
                Err(error.into())
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.0.write_all_at(octets, offset)
    }
}
