//! Snapshots and diffs on disk.
//!
//! # Layout of the data directory
//!
//! ```text
//! lock                     held (flock) as long as a process works here
//! zones.redb               zones     zone → name, head, clock facts, where the image is, of which version, its checksum
//!                          images    zone → image of at most 256 KiB
//!                          versions  (zone, generation) → serial, time, where it came from
//!                          diffs     (zone, generation) → the diff that led there
//!                          notes     zone → what must outlive a restart and is neither contents nor clock
//!                          meta      format, newest time, which journal, and the last of it that is here
//! zones.journal            the newest small changes of all tables, which the database has in memory
//! images/ZONE-GENERATION   a larger image, mapped read-only
//! images/…​.new             one that is being written
//! images/damaged-…         one that failed its checksum, for whoever wants to look
//! zones.*.damaged-TIME     a database that was put aside with its journal, since when in Unix seconds
//! ```
//!
//! Files of others in the data directory (inventory, token) are not touched; nothing is ever deleted but image files
//! that no row names.
//!
//! # Order of an update
//!
//! 1. A large image is written to `images/ZONE-GENERATION.new`, synced, renamed, and its directory synced.
//! 2. One transaction writes all rows of the version, and those of all other zones that wait; then `zones.redb` is
//!    synced, or, where these rows are few and small, `zones.journal` has them in one record and is synced. This is the one
//!    commit point: before it the old version is committed, after it the new one.
//! 3. [`Store::commit`] returns; the version may be shown.
//! 4. The file of the version before is removed. Who has it mapped keeps it.
//!
//! A change of a large zone ([`zone::Image::is_merged`]) writes its diffs and no image: the stored image, and the diffs from
//! its version to the head, are the zone. [`Store::rebase`] brings an image of a later version, in the same order of steps.
//!
//! # After a crash
//!
//! What only the journal has is done again in the database. Every zone is at a committed generation, whole, at least as
//! new as the last one for which [`Store::commit`] returned; a zone for which [`Store::remove`] returned is gone. A crash
//! after 1 or before 4 leaves a file that no row names: [`Store::open`] sweeps it. A zone whose octets are not those that were committed is reported as
//! [`StoredContents::Unusable`] and harms no other zone. A database that cannot be opened is an error and is never
//! replaced; an empty one is made only where neither database nor images nor journal are, and, if the caller wants that
//! ([`DamagedDatabase`]), where the database is damaged as a whole, which is then put aside.
//!
//! A record of the journal that has rotted is lost with all behind it, and so are all records of a journal that is gone or cut
//! off: that is no crash's doing, and is said ([`Opened::changes_lost`], [`Opened::journal_lost`]).
//!
//! Clock facts may be up to a minute old: a lost confirmation makes a zone expire earlier, never later.
//!
//! # Not supported
//!
//! Other processes that write in the data directory; a disk that says "synced" and is not, or that loses a write
//! after saying that a sync failed; reading from a mapped file that the disk cannot deliver any more (the kernel kills
//! the process); bits that change in redb's own pages (rows and images have checksums of ours; a page that redb cannot
//! make sense of is [`StoreError::Damaged`] where redb says so or panics, but it may also abort); giving room in `zones.redb` back before the next clean stop; backups.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use zone::{Diff, Generation, Image, ZoneId};

mod aside;
mod changes;
mod committer;
mod data_directory;
mod database;
mod disk;
mod error;
mod history;
mod image_writer;
mod images;
mod journal;
mod mapping;
mod opening;
mod prepared;
mod rows;
mod stored;
mod transaction;
mod workers;

use committer::{Committer, Confirmations, Waiter, Work};
use database::Database;
use disk::DATABASE;
use image_writer::{ImageWriter, LargeWork};
use images::ImageFiles;
use opening::Found;
use workers::Workers;

pub use data_directory::is_in_use;
pub use disk::Disk;
pub use error::StoreError;
pub use stored::{ClockFacts, Commit, Head, HistoryKept, Origin, Step, StoredContents, StoredZone, Version};

/// The most requests that wait in the queue; more wait outside of it. A commit that waits holds its image in memory.
const QUEUE_MAX: usize = 4_096;

/// How the store behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest that a confirmation waits in memory. Losing it makes expiry earlier, never later.
    pub confirmations_late_max: Duration,
    pub damaged: DamagedDatabase,
}

/// What becomes of a database that is there and damaged so that it cannot be opened, or not every zone in it be found. One that
/// cannot be read or written now is not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedDatabase {
    /// It stays, and opening is an error.
    Stays,
    /// It gets a name of this time, in Unix seconds, and an empty one takes its place.
    IsPutAside { unix_secs: u64 },
}

impl Default for Options {
    fn default() -> Self {
        Self { confirmations_late_max: Duration::from_secs(60), damaged: DamagedDatabase::Stays }
    }
}

/// A store that was opened, and what was found in it.
pub struct Opened {
    pub store: Store,
    /// All zones, by their id.
    pub zones: Vec<StoredZone>,
    /// Zones of which not even the name can be read, and why. Their next commit makes them whole.
    pub unreadable: Vec<(ZoneId, String)>,
    /// The newest time on disk, in Unix milliseconds: the node's clock starts no earlier.
    pub newest_time_ms: u64,
    /// Of a database that was damaged; then nothing is stored.
    pub put_aside: Option<PutAside>,
    /// How many small transactions that were committed are lost, because the journal that had them is damaged; the log
    /// says so. What was stored before them is there.
    pub changes_lost: u64,
    /// Whether the journal is gone, or not the file that was there, or not all of it, so that nobody knows what it had.
    pub journal_lost: bool,
}

/// A damaged database that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutAside {
    /// Its file's name now, in the data directory.
    pub name: String,
    /// What was wrong with it.
    pub what: String,
}

/// The door to the disk; a clone is another handle to the same store.
///
/// When the last handle goes, what waits is written and the data directory's lock is given back; that blocks.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    database: Arc<Database>,
    confirmations: Arc<Confirmations>,
    places: Arc<Semaphore>,
    /// None only while the store closes.
    queues: Option<Queues>,
    workers: Workers,
}

struct Queues {
    small: mpsc::UnboundedSender<Work>,
    large: mpsc::UnboundedSender<LargeWork>,
}

impl Store {
    /// Opens the data directory, creates it (mode 0700) where there is none, and keeps a lock on it as long as a
    /// handle lives. Reads all zones: call it before the runtime starts, or from a thread that may wait.
    pub fn open(directory: &Path, options: Options) -> Result<Opened, StoreError> {
        let disk = data_directory::DataDirectory::open(directory)?;
        Self::open_on(Arc::new(disk), options)
    }

    /// The same on a disk of the caller's: tests cut its power.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Opened, StoreError> {
        Self::open_with(disk, options, Workers::on_threads())
    }

    /// The same with all work done on the runtime that this is called on, by its time, and without threads: for
    /// simulations, whose disk makes nobody wait. What waits when the last handle goes is written when the runtime
    /// goes on.
    pub fn open_in_simulation(disk: Arc<dyn Disk>, options: Options) -> Result<Opened, StoreError> {
        Self::open_with(disk, options, Workers::on_this_runtime())
    }

    fn open_with(disk: Arc<dyn Disk>, options: Options, workers: Workers) -> Result<Opened, StoreError> {
        let images = Arc::new(ImageFiles::new(disk.clone()));
        let (database, found, put_aside) = match (Self::read(&disk, &images), options.damaged) {
            (Err(StoreError::Damaged { what }), DamagedDatabase::IsPutAside { unix_secs }) => {
                let files = list(&*disk)?;
                // One that is missing may be somewhere else, and was not damaged.
                if !files.iter().any(|name| name == DATABASE) {
                    return Err(StoreError::Damaged { what });
                }
                let name = aside::put_aside(&*disk, &images, &files, unix_secs)?;
                let (database, found) = Self::read(&disk, &images)?;
                (database, found, Some(PutAside { name, what }))
            }
            (read, _) => read.map(|(database, found)| (database, found, None))?,
        };
        let lost = database.lost();
        let store = Self { shared: Arc::new(Shared::start(database, images, &options, workers)?) };
        let Found { zones, unreadable, newest_time_ms } = found;
        let (changes_lost, journal_lost) = (lost.changes, lost.journal);
        Ok(Opened { store, zones, unreadable, newest_time_ms, put_aside, changes_lost, journal_lost })
    }

    fn read(disk: &Arc<dyn Disk>, images: &ImageFiles) -> Result<(Arc<Database>, Found), StoreError> {
        let files = list(&**disk)?;
        let database = Arc::new(Database::open(disk.clone(), &files)?);
        let found = opening::load(&database, images, &files)?;
        Ok((database, found))
    }

    /// Has the disk know that it was this time, in Unix milliseconds, so that whoever opens the store next does not take an
    /// earlier one for the present. Waits for the disk: call it from a thread that may wait.
    ///
    /// # Errors
    /// When that cannot be written, on a full disk for one.
    pub fn know_time(&self, now_ms: u64) -> Result<(), StoreError> {
        self.shared.database.write(|tables| {
            tables.know_time(now_ms);
            Ok(())
        })
    }

    /// Makes a version durable: after this returned, a crash recovers it or a later one. Shares the wait for the disk
    /// with all that commit at the same time. Dropping the future does not take the commit back.
    ///
    /// For one zone, one commit at a time. One that failed may be tried again, with the same generation too.
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let shared = &self.shared;
        if prepared::is_patch(&commit) {
            let prepared = prepared::prepare_patch(commit.clone())?;
            match shared.now(|waiter| Work::Commit(Box::new(prepared), waiter)).await {
                Err(StoreError::NothingToLieOver { .. }) => {}
                committed => return committed,
            }
        }
        if prepared::is_large(&commit) {
            return shared.in_turn(|waiter| LargeWork::Commit(Box::new(commit), waiter)).await;
        }
        let prepared = Box::new(prepared::prepare(commit)?);
        shared.now(|waiter| Work::Commit(prepared, waiter)).await
    }

    /// Has the image of a version between the stored image and the head take that one's place, so that a start has fewer
    /// diffs to apply. The committed version stays what it is.
    ///
    /// # Errors
    /// [`StoreError::NothingToLieOver`] when there is no such version any more: another commit has written an image.
    pub async fn rebase(&self, zone: ZoneId, generation: Generation, image: Image) -> Result<(), StoreError> {
        self.shared.in_turn(|waiter| LargeWork::Rebase(zone, generation, image, waiter)).await
    }

    /// Notes newer clock facts of a stored zone; they reach the disk within [`Options::confirmations_late_max`]. Facts
    /// with an older confirmation than those that are known, and those of a zone that is not stored, are ignored.
    pub fn confirm(&self, zone: ZoneId, clock: ClockFacts) {
        let first = self.shared.confirmations.note(zone, clock);
        if first && let Some(queues) = &self.shared.queues {
            // A committer that is gone has been seen by who commits.
            let _ = queues.small.send(Work::ConfirmationsWait);
        }
    }

    /// Writes all that was handed in before, confirmations included: call it last before the end.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.shared.in_turn(|waiter| LargeWork::InTurn(Work::Flush(waiter))).await
    }

    /// Removes a zone with its history; after this returned, a crash does not bring it back. A zone that is not there
    /// is removed already.
    pub async fn remove(&self, zone: ZoneId) -> Result<(), StoreError> {
        self.shared.in_turn(|waiter| LargeWork::InTurn(Work::Remove(zone, waiter))).await
    }

    /// Replaces the note about a zone, which is the caller's own, small, and comes back with the zone at the next start;
    /// an empty one is none. Durable when this returns.
    pub async fn note(&self, zone: ZoneId, note: Vec<u8>) -> Result<(), StoreError> {
        self.shared.in_turn(|waiter| LargeWork::InTurn(Work::Note(zone, note, waiter))).await
    }

    /// The kept versions of a zone, oldest first. Reads the disk: call it from a thread that may wait.
    pub fn history(&self, zone: ZoneId) -> Result<Vec<Version>, StoreError> {
        self.shared.database.history(zone)
    }

    /// The diff that led to a generation, if it is kept. Reads the disk: call it from a thread that may wait.
    pub fn diff(&self, zone: ZoneId, to: Generation) -> Result<Option<Diff>, StoreError> {
        self.shared.database.diff(zone, to)
    }
}

fn list(disk: &dyn Disk) -> Result<Vec<String>, StoreError> {
    disk.list().map_err(|error| StoreError::from_io("listing the data directory", &error))
}

impl Shared {
    fn start(
        database: Arc<Database>,
        images: Arc<ImageFiles>,
        options: &Options,
        mut workers: Workers,
    ) -> Result<Self, StoreError> {
        let confirmations = Arc::new(Confirmations::default());
        // What waits is bounded by the places.
        let (small, small_work) = mpsc::unbounded_channel();
        let (large, large_work) = mpsc::unbounded_channel();
        let committer = Committer {
            database: database.clone(),
            images: images.clone(),
            confirmations: confirmations.clone(),
            confirmations_late_max: options.confirmations_late_max,
            work: small_work,
        };
        let image_writer =
            ImageWriter { database: database.clone(), images, work: large_work, committer: small.clone() };
        workers.start("store-images", image_writer.run())?;
        workers.start("store-commit", committer.run())?;
        let (places, queues) = (Arc::new(Semaphore::new(QUEUE_MAX)), Some(Queues { small, large }));
        Ok(Self { database, confirmations, places, queues, workers })
    }

    /// Hands work to the committer and waits for its outcome.
    async fn now(&self, work: impl FnOnce(Waiter) -> Work) -> Result<(), StoreError> {
        let (waiter, answer) = self.waiter().await?;
        self.queues()?.small.send(work(waiter)).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Hands work to the image writer and waits for its outcome.
    async fn in_turn(&self, work: impl FnOnce(Waiter) -> LargeWork) -> Result<(), StoreError> {
        let (waiter, answer) = self.waiter().await?;
        self.queues()?.large.send(work(waiter)).map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Waits for a place in the queue.
    async fn waiter(&self) -> Result<(Waiter, oneshot::Receiver<Result<(), StoreError>>), StoreError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, receiver) = oneshot::channel();
        Ok((Waiter { answer, _place: place }, receiver))
    }

    fn queues(&self) -> Result<&Queues, StoreError> {
        self.queues.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without queues the workers finish what waits and end.
        self.queues = None;
        self.workers.join();
    }
}
