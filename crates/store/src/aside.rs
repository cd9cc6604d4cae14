//! Putting a damaged database aside, so that the program can start and have its zones copied again.
//!
//! Nothing is deleted: the database becomes `zones.redb.damaged-TIME`, its journal `zones.journal.damaged-TIME`, and the images,
//! which are known by its rows alone, become `images/damaged-…`, which no start sweeps. Images are not taken over: they say neither whether they are the
//! octets that were written nor when the zone expires, and a start must revive nothing.
//!
//! The order lets a crash, and a full disk, happen anywhere: the empty database is there before the damaged one goes, and
//! while the damaged one is there, the next start does the same again. The journal goes last, because it may be all that
//! shows the damage: a database that is older than it looks whole without it. A crash right before that leaves it to the empty
//! database, which has another number, takes nothing from it, and writes over it.

use std::io;

use crate::StoreError;
use crate::database;
use crate::disk::{DATABASE, DATABASE_BEING_MADE, Disk, JOURNAL};
use crate::images::{self, ImageFiles};

/// What follows the name of a database that was put aside, before the time.
const DAMAGED: &str = ".damaged-";

/// Whether a file is a database that was put aside.
pub(crate) fn is_database_put_aside(name: &str) -> bool {
    name.strip_prefix(DATABASE).is_some_and(|rest| rest.starts_with(DAMAGED))
}

/// Puts the database and all images aside and an empty database in their place; the name that the damaged one has now.
pub(crate) fn put_aside(
    disk: &dyn Disk,
    images: &ImageFiles,
    files: &[String],
    unix_secs: u64,
) -> Result<String, StoreError> {
    database::make_beside(disk)?;
    let failed = |error: io::Error| StoreError::from_io("putting the damaged zones.redb aside", &error);
    for image in files.iter().filter(|name| images::is_ours(name)) {
        images.put_aside(image).map_err(failed)?;
    }
    // A name that is taken is that of an earlier one, which is kept too.
    let aside = |name: &str| {
        (unix_secs..)
            .map(|secs| format!("{name}{DAMAGED}{secs}"))
            .find(|name| disk.open(name).is_err())
            .expect("there are more names than files")
    };
    let name = aside(DATABASE);
    disk.rename(DATABASE, &name).map_err(failed)?;
    disk.rename(DATABASE_BEING_MADE, DATABASE).map_err(failed)?;
    disk.sync_directory_of(DATABASE).map_err(failed)?;
    if files.iter().any(|name| name == JOURNAL) {
        let put_aside = disk.rename(JOURNAL, &aside(JOURNAL)).and_then(|()| disk.sync_directory_of(JOURNAL));
        // What is left in its place is of another database than the one that is there now.
        let _ = put_aside.inspect_err(|error| tracing::warn!(%error, "{JOURNAL} could not be put aside"));
    }
    Ok(name)
}
