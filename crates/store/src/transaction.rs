//! What commits, confirmations and removals do to the tables, inside of one transaction.

use std::ops::RangeInclusive;

use redb::{ReadableTable, Table, WriteTransaction};
use zone::{Generation, ZoneId};

use crate::StoreError;
use crate::changes::{Written, damaged};
use crate::database::{DIFFS, IMAGES_INLINE, META, NEWEST_TIME_MS, NOTES, SEQUENCE, VERSIONS, ZONES};
use crate::images::ImageFiles;
use crate::journal::Room;
use crate::prepared::{Prepared, Rebase, WholeImage};
use crate::rows::{Base, Fields, HistoryTotals, ImageRow, Place, VersionRow, ZoneRow, seal};
use crate::stored::ClockFacts;

/// All tables, open for writing.
pub(crate) struct Tables<'t> {
    zones: Written<'t, u64>,
    images: Written<'t, u64>,
    versions: Written<'t, (u64, u64)>,
    diffs: Written<'t, (u64, u64)>,
    notes: Written<'t, u64>,
    meta: Table<'t, &'static str, u64>,
    newest_time_ms: u64,
    /// In the journal.
    room: Option<Room>,
}

/// What is to happen to files once the transaction is durable.
#[derive(Debug, Default)]
pub(crate) struct FileChange {
    /// The file that no row names any more.
    pub(crate) unnamed: Option<String>,
}

impl<'t> Tables<'t> {
    /// Opens all tables. What is done to them is taken down as long as the journal has room for it.
    pub(crate) fn open(transaction: &'t WriteTransaction, room: Option<Room>) -> Result<Self, redb::Error> {
        let octets_max = room.map(|room| room.octets_max);
        let meta = transaction.open_table(META)?;
        let newest_time_ms = meta.get(NEWEST_TIME_MS)?.map_or(0, |time| time.value());
        Ok(Self {
            zones: Written::new(transaction.open_table(ZONES)?, octets_max),
            images: Written::new(transaction.open_table(IMAGES_INLINE)?, octets_max),
            versions: Written::new(transaction.open_table(VERSIONS)?, octets_max),
            diffs: Written::new(transaction.open_table(DIFFS)?, octets_max),
            notes: Written::new(transaction.open_table(NOTES)?, octets_max),
            meta,
            newest_time_ms,
            room,
        })
    }

    /// Puts a version in its zone's place. The inner error is about this zone alone.
    ///
    /// A version that is committed already (its writer was told of an error that came too late) is written once.
    pub(crate) fn commit(
        &mut self,
        prepared: &Prepared,
        waiting: Option<ClockFacts>,
    ) -> Result<Result<FileChange, StoreError>, redb::Error> {
        let (zone, head) = (prepared.zone(), prepared.commit.head);
        let old = self.row(zone)?;
        if let Some(old) = &old
            && old.head.generation >= head.generation
        {
            if old.head == head {
                self.confirm(zone, prepared.commit.clock)?;
                return Ok(Ok(FileChange::default()));
            }
            let (committed, offered) = (old.head.generation, head.generation);
            return Ok(Err(StoreError::NotNewer { zone, committed, offered }));
        }
        if old.is_none() {
            // A row that cannot be read says nothing about its history: that begins anew.
            self.versions.remove_in(all_of(zone))?;
            self.diffs.remove_in(all_of(zone))?;
        }
        let stored = match &prepared.image {
            Some(whole) => {
                self.image(zone, whole)?;
                Some((whole.row, Base::of(head.generation)))
            }
            None => old.as_ref().and_then(|old| lain_over(old, prepared)),
        };
        let Some((image, base)) = stored else { return Ok(Err(StoreError::NothingToLieOver { zone })) };
        let clock = [waiting, old.as_ref().map(|row| row.clock)]
            .into_iter()
            .flatten()
            .fold(prepared.commit.clock, |clock, other| if other.is_newer_than(clock) { other } else { clock });
        let totals = old.as_ref().map_or_else(HistoryTotals::default, |row| row.history);
        let row = ZoneRow {
            name: prepared.commit.name.clone(),
            head,
            clock,
            image,
            base,
            history: self.extend_history(prepared, totals, base)?,
        };
        self.zones.insert(zone.0, &row.to_bytes(zone))?;
        self.know_time(prepared.commit.at_ms.max(clock.last_confirmed_ms));
        let unnamed = old.and_then(|row| row.file(zone)).filter(|_| prepared.image.is_some());
        Ok(Ok(FileChange { unnamed }))
    }

    /// Has the image of a version on the way to the head take the place of the one before, with fewer diffs behind it. The
    /// inner error is about this zone alone.
    pub(crate) fn rebase(&mut self, rebase: &Rebase) -> Result<Result<FileChange, StoreError>, redb::Error> {
        let Rebase { zone, generation, ref whole, .. } = *rebase;
        let old = self.row(zone)?;
        let is_on_the_way = |row: &ZoneRow| row.base.generation < generation && generation <= row.head.generation;
        let Some(mut row) = old.filter(is_on_the_way) else {
            return Ok(Err(StoreError::NothingToLieOver { zone }));
        };
        let unnamed = row.file(zone);
        row.base = Base::of(generation);
        let mut last = generation;
        for version in self.versions.range((zone.0, generation.0 + 1)..=(zone.0, row.head.generation.0))? {
            let version = VersionRow::from_bytes(version?.1.value()).ok();
            let Some(version) = version.filter(|version| version.leads_on_from(last)) else {
                return Ok(Err(StoreError::NothingToLieOver { zone }));
            };
            last = version.version.generation;
            row.base.steps += 1;
            row.base.octets += version.diff_octets;
        }
        if last != row.head.generation {
            return Ok(Err(StoreError::NothingToLieOver { zone }));
        }
        row.image = whole.row;
        self.image(zone, whole)?;
        self.zones.insert(zone.0, &row.to_bytes(zone))?;
        Ok(Ok(FileChange { unnamed }))
    }

    fn image(&mut self, zone: ZoneId, whole: &WholeImage) -> Result<(), redb::Error> {
        match whole.row.place {
            Place::Inline => self.images.insert(zone.0, whole.image.as_bytes()),
            Place::File => self.images.remove(zone.0),
        }
    }

    /// Writes newer clock facts; those of a zone that is not stored, and older ones, are nothing.
    pub(crate) fn confirm(&mut self, zone: ZoneId, clock: ClockFacts) -> Result<(), redb::Error> {
        let Some(mut row) = self.row(zone)? else { return Ok(()) };
        if row.clock.is_newer_than(clock) || row.clock == clock {
            return Ok(());
        }
        row.clock = clock;
        self.know_time(clock.last_confirmed_ms);
        self.zones.insert(zone.0, &row.to_bytes(zone))?;
        Ok(())
    }

    /// Removes a zone and all of its history.
    pub(crate) fn remove(&mut self, zone: ZoneId) -> Result<FileChange, redb::Error> {
        let file = self.row(zone)?.and_then(|row| row.file(zone));
        self.zones.remove(zone.0)?;
        self.images.remove(zone.0)?;
        self.versions.remove_in(all_of(zone))?;
        self.diffs.remove_in(all_of(zone))?;
        self.notes.remove(zone.0)?;
        Ok(FileChange { unnamed: file })
    }

    /// Replaces the note about a zone; an empty one is none.
    pub(crate) fn note(&mut self, zone: ZoneId, note: &[u8]) -> Result<(), redb::Error> {
        if note.is_empty() {
            self.notes.remove(zone.0)?;
        } else {
            self.notes.insert(zone.0, &seal(note.to_vec()))?;
        }
        Ok(())
    }

    /// Knows that it was this time, in Unix milliseconds.
    pub(crate) fn know_time(&mut self, now_ms: u64) {
        self.newest_time_ms = self.newest_time_ms.max(now_ms);
    }

    /// Does again what a record of the journal says, which is the one of this sequence.
    pub(crate) fn repeat(&mut self, sequence: u64, changes: &[u8]) -> Result<(), redb::Error> {
        let mut fields = Fields(changes);
        self.know_time(fields.u64().map_err(damaged)?);
        let mut table = || {
            let octets = fields.u32().map_err(damaged)? as usize;
            fields.octets(octets).map_err(damaged)
        };
        self.zones.repeat(table()?)?;
        self.images.repeat(table()?)?;
        self.versions.repeat(table()?)?;
        self.diffs.repeat(table()?)?;
        self.notes.repeat(table()?)?;
        self.meta.insert(SEQUENCE, sequence)?;
        Ok(())
    }

    /// What was done, for [`Self::repeat`], if no table has had too much.
    fn changes(&self) -> Option<Vec<u8>> {
        let mut changes = self.newest_time_ms.to_be_bytes().to_vec();
        let Self { zones, images, versions, diffs, notes, .. } = self;
        for table in [zones.changes(), images.changes(), versions.changes(), diffs.changes(), notes.changes()] {
            let table = table?;
            changes.extend(u32::try_from(table.len()).ok()?.to_be_bytes());
            changes.extend(table);
        }
        Some(changes)
    }

    /// The last thing in a transaction. What was done, if the journal has room for it: then it goes there.
    pub(crate) fn finish(mut self) -> Result<Option<Vec<u8>>, redb::Error> {
        self.meta.insert(NEWEST_TIME_MS, self.newest_time_ms)?;
        let Some(room) = self.room else { return Ok(None) };
        let changes = self.changes().filter(|changes| changes.len() <= room.octets_max);
        if changes.is_some() {
            self.meta.insert(SEQUENCE, room.sequence)?;
        }
        Ok(changes)
    }

    fn row(&self, zone: ZoneId) -> Result<Option<ZoneRow>, redb::Error> {
        let row = self.zones.get(zone.0)?;
        Ok(row.and_then(|row| ZoneRow::from_bytes(zone, row.value()).ok()))
    }

    fn extend_history(
        &mut self,
        prepared: &Prepared,
        mut totals: HistoryTotals,
        base: Base,
    ) -> Result<HistoryTotals, redb::Error> {
        let zone = prepared.zone();
        for (row, diff) in &prepared.versions {
            let key = (zone.0, row.version.generation.0);
            self.versions.insert(key, &row.to_bytes())?;
            if let Some(diff) = diff {
                self.diffs.insert(key, diff)?;
            }
            totals.versions += 1;
            totals.octets += row.diff_octets;
        }
        self.prune(prepared, totals, base.generation.min(prepared.way_back()))
    }

    /// Drops versions from the oldest on until the rest is within limits. What a commit's own steps lead from stays with
    /// them, and they are not counted: the version before can always be served again. What leads from the image to the
    /// head stays too, so that `kept` is the oldest of both.
    fn prune(
        &mut self,
        prepared: &Prepared,
        mut totals: HistoryTotals,
        kept: Generation,
    ) -> Result<HistoryTotals, redb::Error> {
        let (zone, limits, own_octets) = (prepared.zone(), prepared.limits, prepared.diff_octets());
        loop {
            let (key, row, replaced_ms) = {
                let mut versions = self.versions.range(all_of(zone))?;
                // A version that cannot be read has nothing to wait for.
                let read = |row: &[u8]| VersionRow::from_bytes(row).ok();
                let Some(oldest) = versions.next().transpose()? else { return Ok(totals) };
                let Some(next) = versions.next().transpose()? else { return Ok(totals) };
                let replaced_ms = read(next.1.value()).map_or(0, |next| next.version.at_ms);
                (oldest.0.value(), read(oldest.1.value()), replaced_ms)
            };
            if key.1 > kept.0 {
                return Ok(totals);
            }
            // What it came from is not there any more, so that its own diff leads nowhere.
            if let Some(row) = row.filter(|row| row.diff_octets > 0) {
                self.diffs.remove(key)?;
                totals.octets = totals.octets.saturating_sub(row.diff_octets);
                self.versions.insert(key, &VersionRow { diff_octets: 0, ..row }.to_bytes())?;
            }
            let within = totals.versions <= limits.versions_max
                && totals.octets.saturating_sub(own_octets) <= limits.octets_max
                && replaced_ms >= limits.oldest_ms;
            if within || key.1 == kept.0 {
                return Ok(totals);
            }
            self.versions.remove(key)?;
            self.diffs.remove(key)?;
            totals.versions = totals.versions.saturating_sub(1);
        }
    }
}

impl ZoneRow {
    /// The file that the row names, if it names one.
    pub(crate) fn file(&self, zone: ZoneId) -> Option<String> {
        match self.image.place {
            Place::Inline => None,
            Place::File => Some(ImageFiles::name(zone, self.base.generation)),
        }
    }
}

/// The stored image, and the diffs with those of a commit that begins where they end; none where it does not, or where they
/// would take longer to read than another image.
fn lain_over(old: &ZoneRow, prepared: &Prepared) -> Option<(ImageRow, Base)> {
    let is_kept = prepared.versions.iter().all(|(_, diff)| diff.is_some());
    let base = Base {
        generation: old.base.generation,
        steps: old.base.steps + prepared.versions.len() as u64,
        octets: old.base.octets + prepared.diff_octets(),
    };
    let is_short = base.steps <= STEPS_MAX && base.octets <= old.image.octets.max(OCTETS_MIN);
    (is_kept && is_short && prepared.way_back() == old.head.generation).then_some((old.image, base))
}

/// Diffs that may lie over an image, each of which is read and applied at a start.
const STEPS_MAX: u64 = 1 << 16;
/// They may always have so many octets, however small the image is.
const OCTETS_MIN: u64 = 1 << 20;

/// The keys of all versions of a zone.
pub(crate) fn all_of(zone: ZoneId) -> RangeInclusive<(u64, u64)> {
    (zone.0, 0)..=(zone.0, u64::MAX)
}

#[cfg(test)]
mod tests {
    use dns::text::zone_from_text;
    use dns::{Records, Serial};
    use zone::{Change, Diff, Generation, Image, Limits, ZoneId, advance};

    use crate::rows::{ImageRow, Place};
    use crate::{ClockFacts, Commit, Head, HistoryKept, Options, Step, Store, StoredContents};

    /// Written by the program whose images had format 2.
    const IMAGE_BEFORE: &[u8] = include_bytes!("../../zone/src/image/data/format-2.image");
    const ZONE: ZoneId = ZoneId(1);

    fn commit(generation: u64, image: &Image, steps: Vec<Step>) -> Commit {
        let generation = Generation(generation);
        Commit {
            zone: ZONE,
            name: image.apex().to_name(),
            head: Head { generation, serial: image.serial(), digest: image.digest() },
            clock: ClockFacts { last_confirmed_ms: generation.0, expires_at_ms: 1_000_000, next_check_ms: 1_000 },
            at_ms: generation.0,
            image: image.clone(),
            history: HistoryKept::default(),
            steps,
        }
    }

    #[tokio::test]
    async fn changes_that_lie_over_an_image_of_a_format_before_are_there_after_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Options::default()).unwrap().store;
        let first = Image::from_bytes(IMAGE_BEFORE.into()).unwrap();
        store.commit(commit(1, &first, Vec::new())).await.unwrap();
        let mut removed = Records::new();
        removed.push(first.soa_record());
        let added = zone_from_text("Example.", "@ 3600 SOA ns1 host 8 2 3 4 5\npatch 60 TXT \"x\"\n").unwrap();
        let diff = Diff { from: Serial(7), to: Serial(8), removed, added };
        let change = Change::Steps(vec![diff.clone()]);
        let limits = Limits { rebuilt_octets_max: 0, ..Limits::default() };
        let second = advance(first.apex(), Some(&first), &change, first.seed(), limits).unwrap().image;
        assert!(!second.is_merged());
        let step = Step { from: Generation(1), to: Generation(2), diff };
        store.commit(commit(2, &second, vec![step])).await.unwrap();
        let row = ImageRow {
            place: Place::Inline,
            octets: IMAGE_BEFORE.len() as u64,
            checksum: crc32c::crc32c(IMAGE_BEFORE),
        };
        let written = store.shared.database.write(|tables| {
            let mut zone = tables.row(ZONE)?.expect("it was committed");
            assert_eq!((zone.base.generation, zone.head.generation), (Generation(1), Generation(2)));
            assert_eq!(zone.image.octets, first.as_bytes().len() as u64);
            zone.image = row;
            tables.images.insert(ZONE.0, IMAGE_BEFORE)?;
            tables.zones.insert(ZONE.0, &zone.to_bytes(ZONE))
        });
        written.unwrap();
        drop(store);
        let opened = Store::open(directory.path(), Options::default()).unwrap();
        let StoredContents::Whole(image) = &opened.zones[0].contents else { panic!("damaged") };
        assert_eq!((image.serial(), image.digest()), (Serial(8), second.digest()));
        assert!(image.records().eq(second.records()));
        assert!(image.merged().as_bytes() == second.merged().as_bytes());
    }
}
