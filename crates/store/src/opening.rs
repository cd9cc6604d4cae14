//! Opening the store: every zone is read, checked and mapped in one pass, and what a crash left over is swept.

use std::collections::{HashMap, HashSet};

use redb::{AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};
use zone::image::ImageBytes;
use zone::{Change, Diff, Generation, Image, Limits, ZoneId};

use crate::StoreError;
use crate::database::{DIFFS, Database, IMAGES_INLINE, META, NEWEST_TIME_MS, NOTES, VERSIONS, ZONES};
use crate::images::{self, ImageFiles, Unloadable};
use crate::rows::{Place, VersionRow, ZoneRow, unseal};
use crate::stored::{StoredContents, StoredZone};

/// What was found on disk.
pub(crate) struct Found {
    /// By zone.
    pub(crate) zones: Vec<StoredZone>,
    /// Zones whose row cannot be read, and why.
    pub(crate) unreadable: Vec<(ZoneId, String)>,
    pub(crate) newest_time_ms: u64,
}

/// Reads all zones; `files` are the disk's.
pub(crate) fn load(database: &Database, images: &ImageFiles, files: &[String]) -> Result<Found, StoreError> {
    let (found, named) = database.read(|transaction| load_all(transaction, images))?;
    let unreadable = found.unreadable.iter().map(|(zone, _)| *zone).collect();
    images.sweep(files, &named, &unreadable);
    Ok(found)
}

fn load_all(transaction: &ReadTransaction, images: &ImageFiles) -> Result<(Found, HashSet<String>), redb::Error> {
    let newest_time_ms = transaction.open_table(META)?.get(NEWEST_TIME_MS)?.map_or(0, |time| time.value());
    let mut found = Found { zones: Vec::new(), unreadable: Vec::new(), newest_time_ms };
    let mut named = HashSet::new();
    let mut notes = notes(transaction)?;
    let inline_images = transaction.open_table(IMAGES_INLINE)?;
    // Both tables are in the order of zones: one pass over each.
    let mut inline_images = inline_images.iter()?.peekable();
    let history = History { versions: transaction.open_table(VERSIONS)?, diffs: transaction.open_table(DIFFS)? };
    let zones = transaction.open_table(ZONES)?;
    for entry in zones.iter()? {
        let (zone, row) = entry?;
        let zone = ZoneId(zone.value());
        let mut inline = None;
        while let Some(entry) =
            inline_images.next_if(|entry| entry.as_ref().is_ok_and(|(key, _)| key.value() <= zone.0))
        {
            let (key, octets) = entry?;
            inline = (key.value() == zone.0).then_some(octets);
        }
        match ZoneRow::from_bytes(zone, row.value()) {
            Ok(row) => {
                named.extend(row.file(zone));
                found.newest_time_ms = found.newest_time_ms.max(row.clock.last_confirmed_ms);
                let note = notes.remove(&zone).unwrap_or_default();
                found.zones.push(stored_zone(zone, row, note, inline, &history, images));
            }
            Err(what) => found.unreadable.push((zone, format!("zone {zone}: {what}"))),
        }
    }
    // A table that lost some of its pages may look like a smaller one, and a zone must not vanish in silence.
    let (rows, expected) = (found.zones.len() + found.unreadable.len(), zones.len()?);
    if rows as u64 != expected {
        return Err(redb::Error::Corrupted(format!("{rows} zones are there instead of {expected}")));
    }
    Ok((found, named))
}

/// The notes that can be read.
fn notes(transaction: &ReadTransaction) -> Result<HashMap<ZoneId, Vec<u8>>, redb::Error> {
    let table = match transaction.open_table(NOTES) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(HashMap::new()),
        table => table?,
    };
    let mut notes = HashMap::new();
    for entry in table.iter()? {
        let (zone, sealed) = entry?;
        let zone = ZoneId(zone.value());
        match unseal(sealed.value()) {
            Some(note) => _ = notes.insert(zone, note.to_vec()),
            None => {
                tracing::error!(%zone, "the note about a stored zone is lost: its octets are not those that were written");
            }
        }
    }
    Ok(notes)
}

fn stored_zone(
    zone: ZoneId,
    row: ZoneRow,
    note: Vec<u8>,
    inline: Option<AccessGuard<'_, &'static [u8]>>,
    history: &History,
    images: &ImageFiles,
) -> StoredZone {
    let octets: Result<ImageBytes, Unloadable> = match row.image.place {
        Place::File => images.load(&ImageFiles::name(zone, row.base.generation), row.image),
        Place::Inline => match inline {
            Some(octets) => images::check(octets.value(), row.image)
                .map(|()| ImageBytes::from(octets.value()))
                .map_err(|what| Unloadable::Damaged(format!("its image {what}"))),
            None => Err(Unloadable::Damaged("its image is missing".into())),
        },
    };
    let image =
        octets.and_then(|octets| Image::from_bytes(octets).map_err(|error| Unloadable::Damaged(error.to_string())));
    let image = image.and_then(|image| brought_up(zone, image, &row, history));
    let contents = match image {
        Ok(image) => StoredContents::Whole(image),
        Err(Unloadable::Damaged(what)) => {
            StoredContents::Unusable(format!("zone {zone}: {what}{}", put_aside(zone, &row, images)))
        }
        Err(Unloadable::Unread(what)) => StoredContents::Unusable(format!("zone {zone}: {what}")),
    };
    StoredZone { zone, name: row.name, head: row.head, clock: row.clock, note, contents }
}

/// What leads from images to heads.
struct History {
    versions: ReadOnlyTable<(u64, u64), &'static [u8]>,
    diffs: ReadOnlyTable<(u64, u64), &'static [u8]>,
}

impl History {
    /// The diffs from a version to another, one after the other.
    fn between(&self, zone: ZoneId, from: Generation, to: Generation) -> Result<Vec<Diff>, String> {
        let unread = |error: redb::StorageError| format!("its diffs cannot be read: {error}");
        let missing =
            |generation: Generation| format!("the diff to its generation {generation} is missing or damaged");
        let (mut diffs, mut last) = (Vec::new(), from);
        for version in self.versions.range((zone.0, from.0 + 1)..=(zone.0, to.0)).map_err(unread)? {
            let (key, row) = version.map_err(unread)?;
            let generation = Generation(key.value().1);
            let follows = VersionRow::from_bytes(row.value()).is_ok_and(|row| row.leads_on_from(last));
            let sealed = self.diffs.get(key.value()).map_err(unread)?;
            let octets = sealed.as_ref().and_then(|sealed| unseal(sealed.value()));
            let diff = octets.and_then(|octets| Diff::from_bytes(octets).ok());
            diffs.push(diff.filter(|_| follows).ok_or_else(|| missing(generation))?);
            last = generation;
        }
        if last == to { Ok(diffs) } else { Err(missing(to)) }
    }
}

/// The version of the head, from the image and what leads there from it.
fn brought_up(zone: ZoneId, image: Image, row: &ZoneRow, history: &History) -> Result<Image, Unloadable> {
    if row.base.generation == row.head.generation {
        return Ok(image);
    }
    let steps = history.between(zone, row.base.generation, row.head.generation).map_err(Unloadable::Damaged)?;
    let (apex, seed) = (image.apex().to_name(), image.seed());
    let advanced = zone::advance(apex.borrow(), Some(&image), &Change::Steps(steps), seed, Limits::NONE);
    let image = advanced.map_err(|error| Unloadable::Damaged(format!("its diffs do not fit: {error}")))?.image;
    if (image.serial(), image.digest()) != (row.head.serial, row.head.digest) {
        return Err(Unloadable::Damaged("its diffs lead to another version".into()));
    }
    Ok(image)
}

/// Puts a damaged image's file aside; what to add to the sentence about it.
fn put_aside(zone: ZoneId, row: &ZoneRow, images: &ImageFiles) -> String {
    let Some(file) = row.file(zone) else { return String::new() };
    match images.put_aside(&file) {
        Ok(kept) => format!("; it is kept as {kept}"),
        Err(_) => String::new(),
    }
}
