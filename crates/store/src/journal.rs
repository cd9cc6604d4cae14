//! The journal: small transactions, in the order in which they were committed, each with one write and one sync.
//!
//! A transaction of the database that is to outlive a power cut writes a dozen pages here and there and waits for the disk twice.
//! A small one is written to the journal instead, as what it does to the tables ([`crate::changes`]), and the database has it
//! in memory. The next large transaction, and the one that finds the journal full, is durable in the database itself, with
//! all that came before it; then the journal begins anew at the file's beginning.
//!
//! ```text
//! file      JOURNAL_OCTETS for records, and the mark; written once when it is made, so that no later write changes anything
//!           but octets
//! mark      database u64, CRC-32C over it u32: written before the database counts on a journal that is marked
//! record    length u32, database u64, sequence u64, changes, CRC-32C over all of it u32; numbers are big-endian
//! ```
//!
//! Sequences grow by one with each record, and with each time that it begins anew, for the life of the database, which knows
//! the last one that it has. So records that the database has already, and older ones behind the end, are told apart from
//! those that a crash left to it; and a copy of the database from before a large transaction from the database that has it.
//! What was written for another database has another number.
//!
//! What is read when it is opened is synced before: the process that wrote it may have been killed before it was, and what is
//! done for a record, such as sweeping images, must not outlive it.
//!
//! The last record may be half written when the power goes; nobody was told then that it is there, and nothing is said. One
//! is written when the one before it is on the disk, so that one behind it shows that it was whole: then the disk has lost
//! something, which is counted and said. A last record that the disk has lost cannot be told from a half written one. That the
//! whole file is another one, or was cut off, shows by its mark, and is said too.
//!
//! Where a journal was read, no record is added before it begins anew: after a sync that failed nobody can say what is on the
//! disk. It begins with sequences that no record in it can have, not even behind one that is damaged.

use std::io;

use redb::StorageBackend;

use crate::StoreError;
use crate::disk::{DATABASE, Disk, JOURNAL};
use crate::rows::{seal, unseal};

/// How much the journal holds: some hundreds of small changes. All of it is applied at a start, in some milliseconds.
pub(crate) const JOURNAL_OCTETS: u64 = 1 << 20;
/// No journal has more records.
const RECORDS_MAX: u64 = JOURNAL_OCTETS / RECORD_OCTETS;
/// What has more is written where it belongs at once: then the pages are most of the work, and the journal would be another copy.
const CHANGES_OCTETS_MAX: u64 = 64 << 10;
/// Behind the records.
const MARK_OCTETS: u64 = 8 + 4;
const FILE_OCTETS: u64 = JOURNAL_OCTETS + MARK_OCTETS;
/// What a record begins with.
const LENGTH_OCTETS: usize = 4;
/// Before and behind the changes of a record.
const RECORD_OCTETS: u64 = LENGTH_OCTETS as u64 + 8 + 8 + 4;

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    /// None where there was no room for it: then every transaction is durable by itself.
    file: Option<Box<dyn StorageBackend>>,
    /// None where it does not begin before a durable transaction.
    next: Option<Next>,
    has_begun: bool,
    /// The database by whose number it is marked.
    marked: Option<u64>,
}

/// Where the next record goes.
#[derive(Clone, Copy, Debug)]
struct Next {
    database: u64,
    sequence: u64,
    offset: u64,
}

/// What the next record may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) sequence: u64,
    /// Of its changes.
    pub(crate) octets_max: usize,
}

/// The changes of one transaction that a crash kept from the database.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) changes: Vec<u8>,
}

impl Journal {
    /// Opens the journal that is there, or makes one; and what is in it, behind the records also.
    ///
    /// # Errors
    /// When what is there cannot be synced or read.
    pub(crate) fn open(disk: &dyn Disk) -> io::Result<(Self, Vec<u8>)> {
        let found = match disk.open(JOURNAL) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut octets = Vec::new();
        if let Some(file) = &found {
            file.sync_data()?;
            octets.resize(file.len()?.min(FILE_OCTETS) as usize, 0);
            file.read(0, &mut octets)?;
        }
        let marked = marked(&octets);
        let file = whole(disk, found, octets.len() as u64)
            .inspect_err(|error| tracing::warn!(%error, "there is no room for {JOURNAL}: changes take longer"));
        Ok((Self { file: file.ok(), next: None, has_begun: false, marked }, octets))
    }

    /// What the next record may be; none where a durable transaction has to come first.
    pub(crate) fn room(&self) -> Option<Room> {
        let next = self.next?;
        let octets = JOURNAL_OCTETS.checked_sub(next.offset + RECORD_OCTETS)?;
        Some(Room { sequence: next.sequence, octets_max: usize::try_from(octets.min(CHANGES_OCTETS_MAX)).ok()? })
    }

    /// Adds a record; durable when this returns. `changes` are no more than there is [`Self::room`] for.
    pub(crate) fn append(&mut self, changes: &[u8]) -> io::Result<()> {
        // Taken away until it is known that the record is there: after an error nobody adds another one.
        let (Some(file), Some(next)) = (&self.file, self.next.take()) else {
            return Err(io::Error::other("the journal has not begun"));
        };
        let mut record = Vec::with_capacity(changes.len() + RECORD_OCTETS as usize);
        let octets = u32::try_from(changes.len()).map_err(io::Error::other)?;
        record.extend(octets.to_be_bytes());
        record.extend(next.database.to_be_bytes());
        record.extend(next.sequence.to_be_bytes());
        record.extend(changes);
        let record = seal(record);
        file.write(next.offset, &record)?;
        file.sync_data()?;
        let (sequence, offset) = (next.sequence + 1, next.offset + record.len() as u64);
        self.next = Some(Next { sequence, offset, ..next });
        Ok(())
    }

    /// Whether the file is the one that was marked for this database.
    pub(crate) fn is_marked(&self, database: u64) -> bool {
        self.marked == Some(database)
    }

    /// Marks the file for a database; durable when this returns. False where there is no file.
    pub(crate) fn mark(&mut self, database: u64) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        if !self.is_marked(database) {
            file.write(JOURNAL_OCTETS, &seal(database.to_be_bytes().to_vec()))?;
            file.sync_data()?;
            self.marked = Some(database);
        }
        Ok(true)
    }

    /// The sequences that are left out where it begins anew: one for what a database before that has not got, or as many as
    /// there may be unseen.
    pub(crate) fn left_out(&self) -> u64 {
        if self.has_begun { 1 } else { RECORDS_MAX }
    }

    /// Begins at the file's beginning, once a database durably has everything up to `sequence`.
    pub(crate) fn begin_anew(&mut self, database: u64, sequence: u64) {
        self.has_begun = true;
        self.next = self.file.is_some().then_some(Next { database, sequence: sequence + 1, offset: 0 });
    }
}

/// The file in its full length; it had `octets`.
fn whole(
    disk: &dyn Disk,
    found: Option<Box<dyn StorageBackend>>,
    octets: u64,
) -> io::Result<Box<dyn StorageBackend>> {
    let file = found.map_or_else(|| disk.create(JOURNAL), Ok)?;
    if octets < FILE_OCTETS {
        file.write(octets, &vec![0; (FILE_OCTETS - octets) as usize])?;
        file.sync_data()?;
        disk.sync_directory_of(JOURNAL)?;
    }
    Ok(file)
}

/// The database for which a journal is marked.
fn marked(octets: &[u8]) -> Option<u64> {
    let mark = octets.get(JOURNAL_OCTETS as usize..FILE_OCTETS as usize)?;
    Some(u64::from_be_bytes(*unseal(mark)?.first_chunk()?))
}

/// What a database lacks of what was committed.
#[derive(Debug)]
pub(crate) struct Lacking {
    /// In order.
    pub(crate) records: Vec<Record>,
    /// Records behind these that were whole once and cannot be read any more, with all that came after the first of them.
    pub(crate) lost: u64,
}

/// What a database lacks that has everything up to `sequence`.
///
/// # Errors
/// When the database is older than the journal's beginning.
pub(crate) fn lacking(octets: &[u8], database: u64, sequence: u64) -> Result<Lacking, StoreError> {
    let (mut records, rest) = records(octets, database);
    if records.first().is_some_and(|first| first.sequence > sequence + 1) {
        let what = format!("{JOURNAL} goes on from a later state than that of {DATABASE}: is that an older copy?");
        return Err(StoreError::Damaged { what });
    }
    records.retain(|record| record.sequence > sequence);
    let last = records.last().map_or(sequence, |record| record.sequence);
    let behind = last_anywhere(rest, database).filter(|behind| *behind > last + 1);
    Ok(Lacking { records, lost: behind.map_or(0, |behind| behind - last) })
}

/// The records of a database that follow one another, up to the first that is not whole; and what is there from that one on.
fn records(octets: &[u8], database: u64) -> (Vec<Record>, &[u8]) {
    let mut rest = octets;
    let mut records: Vec<Record> = Vec::new();
    while let Some((record, octets)) = record(rest, database)
        && records.last().is_none_or(|last| record.sequence == last.sequence + 1)
    {
        rest = &rest[octets..];
        records.push(record);
    }
    (records, rest)
}

/// The highest sequence of a record that begins anywhere in these octets.
fn last_anywhere(octets: &[u8], database: u64) -> Option<u64> {
    let number = database.to_be_bytes();
    let places = octets.windows(LENGTH_OCTETS + number.len()).enumerate();
    let places = places.filter(|(_, place)| place[LENGTH_OCTETS..] == number);
    places.filter_map(|(at, _)| record(&octets[at..], database)).map(|(record, _)| record.sequence).max()
}

/// The record at the beginning, and how long it is.
fn record(octets: &[u8], database: u64) -> Option<(Record, usize)> {
    let changes = u32::from_be_bytes(*octets.first_chunk()?) as usize;
    let end = changes.checked_add(RECORD_OCTETS as usize)?;
    let fields = unseal(octets.get(..end)?)?;
    let (whose, fields) = fields[LENGTH_OCTETS..].split_first_chunk()?;
    let (sequence, changes) = fields.split_first_chunk()?;
    let record = Record { sequence: u64::from_be_bytes(*sequence), changes: changes.to_vec() };
    (u64::from_be_bytes(*whose) == database).then_some((record, end))
}
