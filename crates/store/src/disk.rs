//! What the store asks of a disk.

use std::fmt::Debug;
use std::io;

use redb::StorageBackend;
use zone::image::ImageBytes;

/// A directory with files in it. Names are relative: `zones.redb`, `images/7-3`.
///
/// The store has two of them: the data directory, and one that tests cut the power of (`testing::disk`).
pub trait Disk: Debug + Send + Sync + 'static {
    /// A new, empty file; one of that name is replaced.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageBackend>>;
    /// A file that is there, to read and write.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageBackend>>;
    /// A file's octets, which nobody changes as long as they are held, even when the file is removed.
    fn map(&self, name: &str) -> io::Result<ImageBytes>;
    /// Gives a file another name, replacing the file that had it; durable once [`Disk::sync_directories`] returned.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; durable once [`Disk::sync_directories`] returned.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes durable which names there are.
    fn sync_directories(&self) -> io::Result<()>;
}
