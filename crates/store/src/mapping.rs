//! Files mapped into memory, read-only: the only unsafe code of this crate.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// The octets of a file, without a copy.
#[expect(unsafe_code, reason = "a mapping is only as constant as its file, which no compiler can see")]
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: nobody writes to a mapped file or cuts it short. Only this process works in the data directory (it holds
    // the lock, and the directory is open to its user alone), and it only maps images, which get their name after
    // their last write and are never written again; removing the name leaves the mapping as it is.
    unsafe { Mmap::map(file) }
}
