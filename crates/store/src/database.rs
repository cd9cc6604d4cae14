//! The redb database: its tables, how it is made and opened, and how it comes back after an error.
//!
//! redb refuses everything after one failed read or write, until it is opened again. [`Database`] does that by
//! itself, so that a disk with room again is a disk that works again. A transaction is durable in the journal if it is small
//! ([`crate::journal`]), and otherwise by itself, in two phases, with what redb needs to open at once after a crash ("quick
//! repair"): see [`Database::write`] for what that costs.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::{Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::StoreError;
use crate::aside;
use crate::disk::{DATABASE, DATABASE_BEING_MADE, DatabaseFile, Disk, JOURNAL};
use crate::images;
use crate::journal::{self, Journal, Lacking};
use crate::transaction::Tables;

/// [`crate::rows::ZoneRow`] by zone.
pub(crate) const ZONES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("zones");
/// Images of at most [`crate::prepared::INLINE_OCTETS_MAX`] by zone.
pub(crate) const IMAGES_INLINE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("images");
/// [`crate::rows::VersionRow`] by zone and generation.
pub(crate) const VERSIONS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("versions");
/// The sealed diff that leads to a generation, by zone and generation.
pub(crate) const DIFFS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("diffs");
/// The sealed note about a zone, by zone: what must outlive a restart and is neither contents nor clock. A database of an
/// earlier version lacks the table until the first write.
pub(crate) const NOTES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("notes");
/// Facts about the store itself.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// In [`META`]: the form of all tables.
const FORMAT: &str = "format";
/// In [`META`]: the newest time that was written, in Unix milliseconds.
pub(crate) const NEWEST_TIME_MS: &str = "newest_time_ms";
/// In [`META`]: the number that the records of its journal have, drawn by lot.
const JOURNAL_NUMBER: &str = "journal";
/// In [`META`]: the last record of the journal that the tables have.
pub(crate) const SEQUENCE: &str = "sequence";
/// In [`META`]: 1 where the journal's file was marked for this database, so that one without the mark is not that file.
const JOURNAL_MARKED: &str = "journal_marked";

/// The form of the tables that this program writes, and the newest that it reads.
const FORMAT_KNOWN: u64 = 2;
/// The form of those that have no journal, and get one with the first transaction.
const FORMAT_WITHOUT_JOURNAL: u64 = 1;
/// redb's own cache. Images are read once, at start, so it only has to hold what commits touch.
const CACHE_OCTETS: usize = 16 << 20;

/// The open database, or why it is not open.
#[derive(Debug)]
pub(crate) struct Database {
    disk: Arc<dyn Disk>,
    state: RwLock<Result<Open, StoreError>>,
}

/// The database and what it has not got by itself.
#[derive(Debug)]
struct Open {
    tables: redb::Database,
    journal: Mutex<Journal>,
    lost: Lost,
}

/// What an open found to be lost of what was committed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lost {
    /// Changes that the journal had, as far as that can be seen.
    pub(crate) changes: u64,
    /// The journal's file is gone, or it is not the one that was there, or not all of it.
    pub(crate) journal: bool,
}

impl Database {
    /// Opens the database that is there; makes an empty one only where nothing shows that there was one.
    pub(crate) fn open(disk: Arc<dyn Disk>, files: &[String]) -> Result<Self, StoreError> {
        let database = if files.iter().any(|name| name == DATABASE) {
            open(&*disk)?
        } else if let Some(left) = left_behind(files) {
            let what = format!(
                "{DATABASE} is missing although {left} is there: put it back, or move images/ and {JOURNAL} away to have all \
                 zones copied again"
            );
            return Err(StoreError::Damaged { what });
        } else {
            make(&*disk)?
        };
        Ok(Self { disk, state: RwLock::new(Ok(database)) })
    }

    /// What was found to be lost when it was opened.
    pub(crate) fn lost(&self) -> Lost {
        self.state().as_ref().map_or(Lost::default(), |open| open.lost)
    }

    /// Reads one state of all tables.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.run("reading zones.redb", |open| work(&open.tables.begin_read()?))
    }

    /// Writes everything that `work` does, or nothing of it; when this returns well, it is durable.
    ///
    /// After an error that came while committing, the transaction may be there all the same.
    ///
    /// Quick repair, measured on a shared virtual machine with ext4 (`cargo run --release -p store --example measure`;
    /// 100,000 tiny zones, `zones.redb` of 135 MB): a lone commit took 0.5–0.7 ms without and 0.7 ms with it, a start
    /// after a crash 0.41–0.48 s without and 0.26–0.30 s with it. Without it the start also reads all kept diffs, which
    /// may be a hundred times that. Its second phase also keeps a zone's owner from choosing octets that make half a
    /// transaction look whole.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.run("writing zones.redb", |open| {
            let mut transaction = open.tables.begin_write()?;
            // Whoever panicked with it has closed the database, and another journal was opened.
            let mut journal = open.journal.lock().unwrap_or_else(PoisonError::into_inner);
            let mut tables = Tables::open(&transaction, journal.room())?;
            let result = work(&mut tables)?;
            match tables.finish()? {
                Some(changes) => {
                    transaction.set_durability(Durability::None)?;
                    journal.append(&changes)?;
                    transaction.commit()?;
                }
                None => {
                    let (number, sequence) = journal_of(&transaction, journal.left_out())?;
                    let is_marked = journal.mark(number)?;
                    transaction.open_table(META)?.insert(JOURNAL_MARKED, u64::from(is_marked))?;
                    transaction.set_quick_repair(true);
                    transaction.commit()?;
                    journal.begin_anew(number, sequence);
                }
            }
            Ok(result)
        })
    }

    fn run<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Open) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if self.state().is_err() {
            self.reopen();
        }
        let result = match &*self.state() {
            Ok(open) => guarded(what, || work(open)),
            Err(error) => return Err(error.clone()),
        };
        result.inspect_err(|error| match error {
            StoreError::Damaged { .. } => self.abandon(error),
            _ => self.reopen(),
        })
    }

    /// Closes the database as it is and opens it again; if that fails, the next use tries again.
    fn reopen(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // The old one is closed before the new one reads the file.
        *state = Err(StoreError::Closed);
        *state = open(&*self.disk);
    }

    /// Leaves a damaged database as it is until the next use opens it again. It is not closed: closing writes, and in
    /// a damaged file that may go wrong in a way that ends the process.
    fn abandon(&self, error: &StoreError) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::forget(std::mem::replace(&mut *state, Err(error.clone())));
    }

    fn state(&self) -> RwLockReadGuard<'_, Result<Open, StoreError>> {
        // Whoever panicked with the lock held left one of the two states, whole.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work`; redb panics on some files that something else than redb has changed, and one damaged file must not
/// take the answers down.
fn guarded<T>(what: &'static str, work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| StoreError::from_redb(what, error)),
        Err(_) => Err(StoreError::Damaged { what: format!("{what}: redb panicked") }),
    }
}

fn open(disk: &dyn Disk) -> Result<Open, StoreError> {
    let failed = |error| StoreError::from_io("opening zones.redb", &error);
    let file = disk.open(DATABASE).map_err(failed)?;
    // redb would make a new database in an empty file. Ours gets its name when it is whole, so this one lost its octets.
    if file.len().map_err(failed)? == 0 {
        return Err(StoreError::Damaged { what: format!("{DATABASE} is empty") });
    }
    let (tables, format) = guarded("opening zones.redb", || {
        // What turns out to be damaged is left as it is: see [`Database::abandon`].
        let tables = ManuallyDrop::new(builder().create_with_backend(DatabaseFile(file))?);
        let format = tables.begin_read()?.open_table(META)?.get(FORMAT)?.map(|format| format.value());
        Ok((tables, format))
    })?;
    match format {
        Some(FORMAT_KNOWN | FORMAT_WITHOUT_JOURNAL) => with_journal(ManuallyDrop::into_inner(tables), disk),
        Some(found) => Err(StoreError::NewerFormat { found, known: FORMAT_KNOWN }),
        None => Err(StoreError::Damaged { what: format!("{DATABASE} does not say its format") }),
    }
}

/// What shows that there was a database. The journal alone does not where one was put aside: the power may have gone before the
/// new one had its name.
fn left_behind(files: &[String]) -> Option<&String> {
    let was_put_aside = files.iter().any(|name| aside::is_database_put_aside(name));
    let image = files.iter().find(|name| images::is_ours(name));
    image.or_else(|| files.iter().find(|name| *name == JOURNAL && !was_put_aside))
}

/// Gives the tables what they lack. That is in memory then, and stays in the journal.
fn with_journal(tables: redb::Database, disk: &dyn Disk) -> Result<Open, StoreError> {
    let (journal, octets) =
        Journal::open(disk).map_err(|error| StoreError::from_io("opening zones.journal", &error))?;
    let (known, was_marked) = guarded("opening zones.redb", || {
        let meta = tables.begin_read()?.open_table(META)?;
        Ok((known_journal(&meta)?, meta.get(JOURNAL_MARKED)?.is_some_and(|marked| marked.value() == 1)))
    })?;
    let lacking = match known {
        Some((number, sequence)) => journal::lacking(&octets, number, sequence)?,
        None => Lacking { records: Vec::new(), lost: 0 },
    };
    let is_journal_lost = was_marked && known.is_some_and(|(number, _)| !journal.is_marked(number));
    let lost = Lost { changes: lacking.lost, journal: is_journal_lost };
    say_what_is_lost(lost);
    if !lacking.records.is_empty() {
        guarded("bringing what the journal has into zones.redb", || {
            let mut transaction = tables.begin_write()?;
            transaction.set_durability(Durability::None)?;
            let mut written = Tables::open(&transaction, None)?;
            for record in &lacking.records {
                written.repeat(record.sequence, &record.changes)?;
            }
            written.finish()?;
            Ok(transaction.commit()?)
        })?;
    }
    Ok(Open { tables, journal: Mutex::new(journal), lost })
}

fn say_what_is_lost(lost: Lost) {
    let what = match lost {
        Lost { journal: true, .. } => {
            "is gone, or is not the file that was there, or not all of it: what it had is lost".to_owned()
        }
        Lost { changes: 0, .. } => return,
        Lost { changes, .. } => {
            format!("is damaged, by the disk or by something else that wrote to it: {changes} changes are lost")
        }
    };
    tracing::error!(
        "{JOURNAL} {what}. It has the small changes that were committed last; the zones that they were about \
         are as they were before, and come again from their primaries; what was ordered by one of them, a freeze or a removal, \
         has to be ordered again: look at `secondo zone list`, and after the disk"
    );
}

/// The number of the journal's records, and the last of them that the tables have with this transaction, by which
/// `left_out` more are passed over. A database of the form before gets both.
fn journal_of(transaction: &WriteTransaction, left_out: u64) -> Result<(u64, u64), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    let (number, sequence) = match known_journal(&meta)? {
        Some(known) => known,
        None => (getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?, 0),
    };
    meta.insert(JOURNAL_NUMBER, number)?;
    meta.insert(SEQUENCE, sequence + left_out)?;
    meta.insert(FORMAT, FORMAT_KNOWN)?;
    Ok((number, sequence + left_out))
}

/// The number of the journal's records, and the last of them that the tables have; none in the form before.
fn known_journal(meta: &impl ReadableTable<&'static str, u64>) -> Result<Option<(u64, u64)>, redb::Error> {
    let fact = |name| Ok::<_, redb::Error>(meta.get(name)?.map(|fact| fact.value()));
    Ok(fact(JOURNAL_NUMBER)?.zip(fact(SEQUENCE)?))
}

/// Makes an empty database beside its place and gives it its name when it is whole, so that a crash never leaves
/// half a database that looks like a damaged one.
fn make(disk: &dyn Disk) -> Result<Open, StoreError> {
    let failed = |error| StoreError::from_io("making zones.redb", &error);
    let database = make_beside(disk)?;
    disk.rename(DATABASE_BEING_MADE, DATABASE).map_err(failed)?;
    disk.sync_directory_of(DATABASE).map_err(failed)?;
    with_journal(database, disk)
}

/// Makes an empty database, whole and synced, beside its place.
pub(crate) fn make_beside(disk: &dyn Disk) -> Result<redb::Database, StoreError> {
    let failed = |error| StoreError::from_io("making zones.redb", &error);
    let file = disk.create(DATABASE_BEING_MADE).map_err(failed)?;
    guarded("making zones.redb", || {
        let database = builder().create_with_backend(DatabaseFile(file))?;
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(true);
        journal_of(&transaction, 0)?;
        transaction.open_table(META)?.insert(NEWEST_TIME_MS, 0)?;
        transaction.open_table(ZONES)?;
        transaction.open_table(IMAGES_INLINE)?;
        transaction.open_table(VERSIONS)?;
        transaction.open_table(DIFFS)?;
        transaction.open_table(NOTES)?;
        transaction.commit()?;
        Ok(database)
    })
}

fn builder() -> redb::Builder {
    let mut builder = redb::Database::builder();
    builder.set_cache_size(CACHE_OCTETS);
    builder
}
