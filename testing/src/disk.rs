//! A disk in memory whose power can be cut after any operation.
//!
//! It notes every operation in order. [`SimulatedDisk::cut`] gives what a power cut after the first `n` of them may
//! leave: what was synced is there; of the rest, each sector (512 octets) of a write, each new length and each change
//! of a name is there or not, as [`Survival`] says. So one run of a test can be cut everywhere without running it again.
//! A disk [without a past](SimulatedDisk::without_past) can be cut as it is now, and serves for years.
//!
//! It is kinder than a real disk in one way: an operation that failed has done nothing.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;
use store::Disk;
use zone::image::ImageBytes;

/// What a disk writes in one piece or not at all.
const SECTOR_OCTETS: usize = 512;

/// What becomes of operations that were not synced when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    Nothing,
    Everything,
    /// Each piece or not, by these dice.
    Some(u64),
}

/// How true the disk is to what it says about syncs. The false ones show that a test would see a missing sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncs {
    Kept,
    /// Files whose name begins so, when they were made or opened, are not synced.
    ForgottenForFiles(&'static str),
    /// This directory is not synced; the upper one is "".
    ForgottenForDirectory(&'static str),
}

/// A disk in memory; a clone is the same disk.
#[derive(Clone, Debug)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How it was before the first operation.
    before: Contents,
    now: Contents,
    operations: Vec<Operation>,
    past: Past,
    /// Operations that are no longer noted, because they were synced.
    forgotten: usize,
    files_made: usize,
    /// Room for all files together, in octets.
    room: Option<usize>,
    /// The operation that fails, by its index, once.
    failing: Option<usize>,
    /// The operation before which the power goes, by its index.
    power_until: Option<usize>,
    /// The file that cannot be mapped.
    unmappable: Option<String>,
}

/// Whether synced operations stay noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Past {
    #[default]
    Kept,
    Forgotten,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    names: BTreeMap<String, FileId>,
    files: HashMap<FileId, Vec<u8>>,
}

type FileId = usize;

#[derive(Clone, Debug)]
enum Operation {
    Create { name: String, file: FileId },
    Write { file: FileId, offset: usize, octets: Arc<[u8]> },
    SetLength { file: FileId, octets: usize },
    Sync { file: FileId, name: String },
    Rename { from: String, to: String },
    Remove { name: String },
    SyncDirectory { directory: String },
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// An empty disk that does not note what was synced: it takes no more memory than its files do, and can only be
    /// cut as it is now.
    pub fn without_past() -> Self {
        let disk = Self::new();
        disk.state().past = Past::Forgotten;
        disk
    }

    /// How many operations that change something were done, or tried and failed.
    pub fn operations(&self) -> usize {
        self.state().performed()
    }

    /// How many of them were syncs of files, as far as they are noted.
    pub fn syncs(&self) -> usize {
        self.state().operations.iter().filter(|operation| matches!(operation, Operation::Sync { .. })).count()
    }

    /// Gives all files together this much room, or as much as they like.
    pub fn set_room(&self, octets: Option<usize>) {
        self.state().room = octets;
    }

    /// What all files take now, in octets.
    pub fn used(&self) -> usize {
        self.state().now.used()
    }

    /// Lets the operation with this index fail once, doing nothing.
    pub fn fail_at(&self, operation: usize) {
        self.state().failing = Some(operation);
    }

    /// Whether the operation that is to fail has not come yet.
    pub fn is_to_fail(&self) -> bool {
        self.state().failing.is_some()
    }

    /// Lets the power go when `operations` were done: every later one fails, and does nothing.
    pub fn lose_power_at(&self, operations: usize) {
        self.state().power_until = Some(operations);
    }

    /// Whether the power is to go, or has gone.
    pub fn is_to_lose_power(&self) -> bool {
        self.state().power_until.is_some()
    }

    /// Whether the power has gone and something was tried afterwards.
    pub fn has_lost_power(&self) -> bool {
        let state = self.state();
        state.power_until.is_some_and(|until| state.performed() > until)
    }

    /// Keeps this file from being mapped, as a system does that has no memory or file descriptor left; none lets all be.
    pub fn refuse_to_map(&self, name: Option<&str>) {
        self.state().unmappable = name.map(str::to_owned);
    }

    /// Flips one bit in a file, as a bad disk does.
    pub fn damage(&self, name: &str, offset: usize) {
        let mut state = self.state();
        let file = state.now.names[name];
        state.now.files.get_mut(&file).expect("every name has a file")[offset] ^= 1;
    }

    /// Does to a file's octets what no program did, as a file system does that mixes up its blocks. A later cut shows it
    /// too if the disk is new: one that a cut gave.
    pub fn spoil(&self, name: &str, spoil: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state();
        let file = state.now.names[name];
        let State { before, now, .. } = &mut *state;
        [before, now].into_iter().filter_map(|contents| contents.files.get_mut(&file)).for_each(spoil);
    }

    /// A file's octets.
    pub fn octets(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.now.names.get(name).map(|file| state.now.files[file].clone())
    }

    /// The disk after a power cut that came when `operations` were done.
    ///
    /// # Panics
    /// When that is not now, and the disk has no past.
    pub fn cut(&self, operations: usize, survival: Survival, syncs: Syncs) -> Self {
        let state = self.state();
        assert!(
            state.past == Past::Kept || operations == state.performed(),
            "this disk can only be cut as it is now"
        );
        let operations = operations - state.forgotten;
        let mut dice = Dice(match survival {
            Survival::Some(seed) => seed,
            Survival::Nothing | Survival::Everything => 0,
        });
        let mut durable = state.before.clone();
        let mut unsynced: Vec<&Operation> = Vec::new();
        for operation in &state.operations[..operations] {
            if !operation.is_sync() {
                unsynced.push(operation);
            } else if !syncs.forgets(operation) {
                unsynced.retain(|earlier| {
                    let synced = operation.syncs(earlier);
                    if synced {
                        durable.apply(earlier, &mut |_| true);
                    }
                    !synced
                });
            }
        }
        for operation in unsynced {
            durable.apply(operation, &mut |_| match survival {
                Survival::Nothing => false,
                Survival::Everything => true,
                Survival::Some(_) => dice.roll(),
            });
        }
        durable.files.retain(|file, _| durable.names.values().any(|named| named == file));
        let (past, files_made) = (state.past, state.files_made);
        let after = State { now: durable.clone(), before: durable, past, files_made, ..State::default() };
        Self(Arc::new(Mutex::new(after)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an operation and does it.
    fn perform(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        let index = state.performed();
        let has_power = state.power_until.is_none_or(|until| index < until);
        if !has_power || state.failing == Some(index) {
            state.failing = None;
            // It counts, but does nothing: a sync of a file that there is not.
            state.operations.push(Operation::Sync { file: FileId::MAX, name: String::new() });
            return Err(io::Error::other("the disk failed, as the test asked it to"));
        }
        if let Some(room) = state.room
            && state.now.used() + state.now.growth(&operation) > room
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.now.apply(&operation, &mut |_| true);
        state.operations.push(operation);
        if state.past == Past::Forgotten {
            state.forget();
        }
        Ok(())
    }

    fn file(&self, name: &str) -> io::Result<FileId> {
        self.state().now.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl State {
    fn performed(&self) -> usize {
        self.forgotten + self.operations.len()
    }

    /// Does for good what the last operation syncs, and notes it no longer.
    fn forget(&mut self) {
        let Some(sync) = self.operations.pop_if(|last| last.is_sync()) else { return };
        let noted = self.operations.len();
        let before = &mut self.before;
        self.operations.retain(|earlier| {
            let synced = sync.syncs(earlier);
            if synced {
                before.apply(earlier, &mut |_| true);
            }
            !synced
        });
        self.forgotten += noted - self.operations.len() + 1;
    }
}

impl Syncs {
    fn forgets(self, sync: &Operation) -> bool {
        match (self, sync) {
            (Self::ForgottenForFiles(beginning), Operation::Sync { name, .. }) => name.starts_with(beginning),
            (Self::ForgottenForDirectory(forgotten), Operation::SyncDirectory { directory }) => {
                directory == forgotten
            }
            _ => false,
        }
    }
}

impl Operation {
    fn is_sync(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::SyncDirectory { .. })
    }

    /// Whether this sync makes an earlier operation durable.
    fn syncs(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Sync { file: synced, .. }, Self::Write { file, .. } | Self::SetLength { file, .. }) => {
                synced == file
            }
            (
                Self::SyncDirectory { directory },
                Self::Create { name, .. } | Self::Remove { name } | Self::Rename { to: name, .. },
            ) => directory == directory_of(name),
            _ => false,
        }
    }
}

impl Contents {
    /// Does an operation, or those pieces of it that `survives` says.
    fn apply(&mut self, operation: &Operation, survives: &mut dyn FnMut(usize) -> bool) {
        match operation {
            Operation::Write { file, offset, octets } => {
                let contents = self.files.entry(*file).or_default();
                let mut from = 0;
                while from < octets.len() {
                    let sector_end = (offset + from) / SECTOR_OCTETS * SECTOR_OCTETS + SECTOR_OCTETS - offset;
                    let to = sector_end.min(octets.len());
                    if survives(from) {
                        if contents.len() < offset + to {
                            contents.resize(offset + to, 0);
                        }
                        contents[offset + from..offset + to].copy_from_slice(&octets[from..to]);
                    }
                    from = to;
                }
            }
            _ if !survives(0) => {}
            Operation::SetLength { file, octets } => self.files.entry(*file).or_default().resize(*octets, 0),
            Operation::Create { name, file } => {
                self.files.entry(*file).or_default();
                self.names.insert(name.clone(), *file);
            }
            Operation::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Operation::Remove { name } => {
                self.names.remove(name);
            }
            Operation::Sync { .. } | Operation::SyncDirectory { .. } => {}
        }
    }

    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[file].len()).sum()
    }

    /// The octets that an operation needs beyond what is there.
    fn growth(&self, operation: &Operation) -> usize {
        let (file, end) = match operation {
            Operation::Write { file, offset, octets } => (file, offset + octets.len()),
            Operation::SetLength { file, octets } => (file, *octets),
            _ => return 0,
        };
        end.saturating_sub(self.files.get(file).map_or(0, Vec::len))
    }
}

fn directory_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl Disk for SimulatedDisk {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let file = {
            let mut state = self.state();
            state.files_made += 1;
            state.files_made
        };
        self.perform(Operation::Create { name: name.into(), file })?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), file, name: name.into() }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(SimulatedFile { disk: self.clone(), file: self.file(name)?, name: name.into() }))
    }

    fn map(&self, name: &str) -> io::Result<ImageBytes> {
        let file = self.file(name)?;
        let state = self.state();
        if state.unmappable.as_deref() == Some(name) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(state.now.files[&file].clone().into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.file(from)?;
        self.perform(Operation::Rename { from: from.into(), to: to.into() })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.file(name)?;
        self.perform(Operation::Remove { name: name.into() })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().now.names.keys().cloned().collect())
    }

    fn sync_directory_of(&self, name: &str) -> io::Result<()> {
        self.perform(Operation::SyncDirectory { directory: directory_of(name).into() })
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: FileId,
    /// When it was made or opened.
    name: String,
}

impl StorageBackend for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().now.files[&self.file].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let octets = state.now.files[&self.file].get(offset..offset + out.len());
        out.copy_from_slice(octets.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, octets: u64) -> io::Result<()> {
        let octets = usize::try_from(octets).map_err(io::Error::other)?;
        self.disk.perform(Operation::SetLength { file: self.file, octets })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.perform(Operation::Sync { file: self.file, name: self.name.clone() })
    }

    fn write(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.disk.perform(Operation::Write { file: self.file, offset, octets: octets.into() })
    }
}

/// A small generator of chances (SplitMix64): the same seed, the same survivors.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & 1 == 1
    }
}
