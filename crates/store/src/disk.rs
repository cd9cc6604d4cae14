//! What the store asks of a disk.
//!
//! A seam, because what a power cut leaves behind can only be tested on a disk that forgets: the store has the data
//! directory ([`crate::data_directory`]), tests have `testing::disk`.

use std::fmt::Debug;
use std::io;

use redb::StorageBackend;
use zone::image::ImageBytes;

/// The database, in the data directory.
pub(crate) const DATABASE: &str = "zones.redb";
/// The journal of small changes, beside it.
pub(crate) const JOURNAL: &str = "zones.journal";
/// Where a new database is made before it gets its name.
pub(crate) const DATABASE_BEING_MADE: &str = "zones.redb.new";
/// What the names of all files in the directory of images begin with.
pub(crate) const IMAGES: &str = "images/";

/// A directory with files in it, and one below it for images. Names are relative: `zones.redb`, `images/7-3`.
pub trait Disk: Debug + Send + Sync + 'static {
    /// A new, empty file; one of that name is emptied.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageBackend>>;
    /// A file that is there, to read and write.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageBackend>>;
    /// A file's octets, which stay as they are as long as they are held, even when the file is removed.
    fn map(&self, name: &str) -> io::Result<ImageBytes>;
    /// Gives a file another name, replacing the file that had it; durable once the directory is synced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; durable once the directory is synced.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes durable which names there are in the directory that `name` is in.
    fn sync_directory_of(&self, name: &str) -> io::Result<()>;
}

/// A file of a [`Disk`] in the shape that redb wants. Locks stay unsupported: the data directory has one lock for all.
#[derive(Debug)]
pub(crate) struct DatabaseFile(pub(crate) Box<dyn StorageBackend>);

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, octets: u64) -> io::Result<()> {
        self.0.set_len(octets)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.0.write(offset, octets)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
