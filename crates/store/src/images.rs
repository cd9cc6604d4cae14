//! Images too large for the database: one file each, `images/ZONE-GENERATION`.
//!
//! A file is written beside its place, synced, renamed, and its directory synced; only then a row may name it. It is
//! never written again. A file that no row names is left over from a crash and swept when the store is opened.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zone::image::ImageBytes;
use zone::{Generation, ZoneId};

use crate::disk::{Disk, IMAGES};
use crate::rows::ImageRow;

/// What the name of a file ends with as long as it is being written.
const BEING_WRITTEN: &str = ".new";
/// What follows [`IMAGES`] in the name of a file that was put aside.
const DAMAGED: &str = "damaged-";

/// Why an image is not there.
#[derive(Debug)]
pub(crate) enum Unloadable {
    /// Its octets are others than those that were written.
    Damaged(String),
    /// They could not be read, for want of memory or of file descriptors, say: the next start may find them whole.
    Unread(String),
}

/// The files of all large images.
#[derive(Debug)]
pub(crate) struct ImageFiles {
    disk: Arc<dyn Disk>,
    /// Claimed, and not yet either named by a row or removed.
    unnamed: Mutex<HashSet<String>>,
}

impl ImageFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, unnamed: Mutex::default() }
    }

    pub(crate) fn name(zone: ZoneId, generation: Generation) -> String {
        format!("{IMAGES}{zone}-{generation}")
    }

    /// Takes a name for a new file; no when such a file waits to be named by a row. What follows at last is
    /// [`ImageFiles::settle`] or [`ImageFiles::discard`].
    pub(crate) fn claim(&self, name: &str) -> bool {
        self.unnamed().insert(name.into())
    }

    /// Makes a file durable, under a name that was claimed.
    pub(crate) fn write(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        let beside = format!("{name}{BEING_WRITTEN}");
        let written = (|| {
            let file = self.disk.create(&beside)?;
            // Claims the room first: a full disk shows before the first octet is written.
            file.set_len(octets.len() as u64)?;
            file.write(0, octets)?;
            file.sync_data()?;
            self.disk.rename(&beside, name)?;
            self.disk.sync_directory_of(name)
        })();
        written.inspect_err(|_| {
            // Whichever of the two it got to; a full disk needs the room at once.
            let _ = self.disk.remove(&beside);
            self.discard(name);
        })
    }

    /// A row names the file now, or nothing was written.
    pub(crate) fn settle(&self, name: &str) {
        self.unnamed().remove(name);
    }

    /// No row names the file, or none does any more. What cannot be removed now is swept at the next start.
    pub(crate) fn discard(&self, name: &str) {
        let _ = self.disk.remove(name);
        self.unnamed().remove(name);
    }

    /// The octets of a file, if they are those that the row was written for.
    pub(crate) fn load(&self, name: &str, row: ImageRow) -> Result<ImageBytes, Unloadable> {
        let octets = self
            .disk
            .map(name)
            .map_err(|error| Unloadable::Unread(format!("its image {name} cannot be read: {error}")))?;
        check(&octets, row).map_err(|what| Unloadable::Damaged(format!("its image {name} {what}")))?;
        Ok(octets)
    }

    /// Keeps a damaged file for whoever wants to know how that happened; its new name.
    pub(crate) fn put_aside(&self, name: &str) -> io::Result<String> {
        let kept = format!("{IMAGES}{DAMAGED}{}", name.trim_start_matches(IMAGES));
        self.disk.rename(name, &kept)?;
        self.disk.sync_directory_of(name)?;
        Ok(kept)
    }

    /// Removes from `files` what no row names: what a crash left between writing a file and its row, or between the
    /// next row and removing the file. Files of `unreadable` zones stay: their rows may have named them.
    pub(crate) fn sweep(&self, files: &[String], named: &HashSet<String>, unreadable: &HashSet<ZoneId>) {
        for name in files {
            let Some(file) = name.strip_prefix(IMAGES) else { continue };
            let Some(zone) = zone_of(file) else { continue };
            if named.contains(name) || unreadable.contains(&zone) {
                continue;
            }
            match self.disk.remove(name) {
                Ok(()) => tracing::debug!(file = name, "removed an image that a crash left over"),
                Err(error) => tracing::warn!(file = name, %error, "cannot remove an image that a crash left over"),
            }
        }
    }

    fn unnamed(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an image's octets are those that the row was written for.
pub(crate) fn check(octets: &[u8], row: ImageRow) -> Result<(), String> {
    if octets.len() as u64 != row.octets {
        return Err(format!("has {} octets instead of {}", octets.len(), row.octets));
    }
    if crc32c::crc32c(octets) != row.checksum {
        return Err("has a wrong checksum".into());
    }
    Ok(())
}

/// Whether a name, as the disk has it, is that of a file that a row named, or was to name.
pub(crate) fn is_ours(name: &str) -> bool {
    name.strip_prefix(IMAGES).is_some_and(|file| zone_of(file).is_some())
}

/// The zone of a file that this store wrote, `ZONE-GENERATION` or `ZONE-GENERATION.new`.
fn zone_of(file: &str) -> Option<ZoneId> {
    let (zone, generation) = file.strip_suffix(BEING_WRITTEN).unwrap_or(file).split_once('-')?;
    generation.parse::<u64>().ok()?;
    zone.parse().ok().map(ZoneId)
}

#[cfg(test)]
mod tests {
    use super::zone_of;
    use zone::ZoneId;

    #[test]
    fn only_names_that_the_store_gives_are_swept() {
        assert_eq!(zone_of("7-3"), Some(ZoneId(7)));
        assert_eq!(zone_of("7-3.new"), Some(ZoneId(7)));
        for name in ["damaged-7-3", "7", "7-", "-3", "7-3.old", "notes.txt", "7-3-1"] {
            assert_eq!(zone_of(name), None, "{name}");
        }
    }
}
