//! The records of one sheet: a table by zone, in whose place a larger one is put when it is full, and an empty one when it is
//! taken.
//!
//! ```text
//! sheet ──▶ table: · · ■ · · ■ · · …  ──older──▶ ■ · ■ ■ ■ ■ ■ ■ (full; nobody looks there before it is taken)
//! ```
//!
//! Whoever counts borrows the table for as long as one batch takes. [`Sheet::take_into`] puts an empty one in its place and
//! keeps the old one until nobody has it: then its numbers are final.

use std::collections::HashMap;
use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use zone::ZoneId;

use super::samples::{Sample, Samples};
use super::{AskedFor, CameOf, QueryCounts, TakenQueries};

/// Records of the first table: 64 KiB.
const RECORDS_MIN: usize = 1 << 10;
/// Of the last and largest one, for more than a million zones: 128 MiB.
const RECORDS_MAX: usize = 1 << 21;
/// By how much a table is larger than the one that it takes over from.
const GROWTH: usize = 4;
/// Samples that one sheet keeps between takings: a megabyte, and all that come of 4 million queries.
pub(super) const SAMPLES_MAX: usize = 4_096;
/// Queries between two takings of which each has its name kept: a server that is asked for less knows all names.
pub(super) const FIRST_MAX: usize = 512;

/// Who counts on a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writers {
    /// One thread, and no other as long as the sheet is there: it need not keep others from its records, which would have it
    /// wait for the memory of each one before it goes on to the next.
    One,
    Many,
}

/// What one thread counts, or all connections together.
pub(crate) struct Sheet {
    writers: Writers,
    table: ArcSwap<Table>,
    samples: Mutex<Samples>,
    /// Whether there is room for more of the first names.
    wants_each: AtomicBool,
    unplaced: AtomicU64,
    /// Tables that somebody may still be writing to.
    retired: Mutex<Vec<Arc<Table>>>,
}

impl Sheet {
    pub(crate) fn of(writers: Writers) -> Self {
        Self {
            writers,
            table: ArcSwap::from_pointee(Table::with(RECORDS_MIN, None)),
            samples: Mutex::new(Samples::with_room_for(SAMPLES_MAX)),
            wants_each: AtomicBool::new(true),
            unplaced: AtomicU64::new(0),
            retired: Mutex::default(),
        }
    }

    /// Waits for nobody.
    pub(crate) fn count(&self, asked: &[(ZoneId, AskedFor, CameOf)]) {
        let mut table = self.table.load();
        // Without a branch on what is found there, so that the processor waits for all of these places at once.
        black_box(asked.iter().fold(0, |all, (zone, ..)| all ^ table.touch(*zone)));
        for (zone, asked_for, came_of) in asked.iter().copied() {
            if let Some(record) = table.record_of(zone) {
                self.add(record, asked_for, came_of);
                continue;
            }
            self.grow(&table);
            table = self.table.load();
            match table.record_of(zone) {
                Some(record) => self.add(record, asked_for, came_of),
                None => {
                    self.unplaced.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    #[inline]
    fn add(&self, record: &Record, asked_for: AskedFor, came_of: CameOf) {
        self.writers.add_one(&record.by_type[asked_for as usize]);
        self.writers.add_one(&record.by_result[came_of as usize]);
    }

    /// Puts a larger table in the place of one that is full, unless there is another one by now.
    #[cold]
    fn grow(&self, full: &Arc<Table>) {
        let records = full.records.len() * GROWTH;
        if records <= RECORDS_MAX {
            let larger = Arc::new(Table::with(records, Some(full.clone())));
            self.table.compare_and_swap(full, larger);
        }
    }

    /// Keeps the name, unless samples are just being taken away: then this one is not missed.
    pub(super) fn sample(&self, sample: Sample, random: u64) {
        if let Ok(mut samples) = self.samples.try_lock() {
            samples.add(sample, random);
        }
    }

    /// The same of one of the first, each of which is kept.
    pub(super) fn keep_first(&self, sample: Sample) {
        if let Ok(mut samples) = self.samples.try_lock()
            && !samples.add_first(sample, FIRST_MAX)
        {
            self.wants_each.store(false, Ordering::Relaxed);
        }
    }

    pub(super) fn wants_each(&self) -> bool {
        self.wants_each.load(Ordering::Relaxed)
    }

    pub(super) fn take_into(&self, taken: &mut TakenQueries) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let population = self.table.load().population();
        if population > 0 {
            // With room for all of these: 8 MiB for a hundred thousand.
            let records = (population + population / 7 + 1).next_power_of_two();
            let empty = Table::with(records.clamp(RECORDS_MIN, RECORDS_MAX), None);
            retired.push(self.table.swap(Arc::new(empty)));
        }
        // `swap` has turned what is borrowed into counted references: who is alone with a table is the last to have it.
        let mut at_work = Vec::new();
        while let Some(mut table) = retired.pop() {
            match Arc::get_mut(&mut table) {
                None => at_work.push(table),
                Some(table) => {
                    table.sum_into(&mut taken.zones);
                    retired.extend(table.older.take());
                }
            }
        }
        *retired = at_work;
        drop(retired);
        taken.unplaced += self.unplaced.swap(0, Ordering::Relaxed);
        self.take_samples().into_iter().for_each(|samples| samples.sum_into(&mut taken.names));
    }

    fn take_samples(&self) -> Option<Samples> {
        // Made before the lock is held, which is then held for a moment only.
        let empty = Samples::with_room_for(SAMPLES_MAX);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        self.wants_each.store(true, Ordering::Relaxed);
        (!samples.is_empty()).then(|| std::mem::replace(&mut *samples, empty))
    }
}

impl Writers {
    #[inline]
    fn add_one(self, number: &AtomicU32) {
        match self {
            Self::One => number.store(number.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed),
            Self::Many => {
                number.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sheet")
    }
}

/// One zone's numbers, on a cache line of their own.
#[derive(Default)]
#[repr(align(64))]
struct Record {
    /// The zone's id and one; 0 as long as nobody has the record.
    holder: AtomicU64,
    /// Four billion are not asked of one thread between two takings.
    by_type: [AtomicU32; AskedFor::ALL.len()],
    by_result: [AtomicU32; CameOf::ALL.len()],
}

const _: () = assert!(size_of::<Record>() == 64);

impl Record {
    fn sum_into(&mut self, counts: &mut QueryCounts) {
        let by_type = counts.by_type.iter_mut().zip(&mut self.by_type);
        by_type
            .chain(counts.by_result.iter_mut().zip(&mut self.by_result))
            .for_each(|(sum, number)| *sum += u64::from(*number.get_mut()));
    }
}

struct Table {
    /// A power of two.
    records: Box<[Record]>,
    taken: AtomicU32,
    /// The one that was full before it.
    older: Option<Arc<Table>>,
}

impl Table {
    fn with(records: usize, older: Option<Arc<Self>>) -> Self {
        let records = std::iter::repeat_with(Record::default).take(records).collect();
        Self { records, taken: AtomicU32::new(0), older }
    }

    /// The zone's record, from now on if it had none; none when there is no room any more.
    #[inline]
    fn record_of(&self, zone: ZoneId) -> Option<&Record> {
        let (holder, mut at) = place_of(zone);
        let mask = self.records.len() - 1;
        // An eighth is left free, but for what threads take at the same moment: this ends.
        loop {
            let record = &self.records[at & mask];
            match record.holder.load(Ordering::Relaxed) {
                found if found == holder => return Some(record),
                0 if self.is_full() => return None,
                0 => match record.holder.compare_exchange(0, holder, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => {
                        self.taken.fetch_add(1, Ordering::Relaxed);
                        return Some(record);
                    }
                    Err(found) if found == holder => return Some(record),
                    Err(_) => at += 1,
                },
                _ => at += 1,
            }
        }
    }

    /// Has what is at the zone's place fetched.
    #[inline]
    fn touch(&self, zone: ZoneId) -> u64 {
        self.records[place_of(zone).1 & (self.records.len() - 1)].holder.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) as usize >= self.records.len() / 8 * 7
    }

    /// For how many zones there is to be room: for all that were asked for, as far as one table knows.
    fn population(&self) -> usize {
        let before = self.older.as_ref().map_or(0, |older| older.population());
        before.max(self.taken.load(Ordering::Relaxed) as usize)
    }

    fn sum_into(&mut self, zones: &mut HashMap<ZoneId, QueryCounts>) {
        for record in &mut self.records {
            let holder = *record.holder.get_mut();
            if holder != 0 {
                record.sum_into(zones.entry(ZoneId(holder.wrapping_sub(1))).or_default());
            }
        }
    }
}

/// Who has the zone's record, and where it is looked for first, in a table of any length.
#[inline]
fn place_of(zone: ZoneId) -> (u64, usize) {
    let holder = zone.0.wrapping_add(1);
    // Ids are given in a row and by nobody else: what spreads those is enough (Knuth, TAOCP 3, §6.4).
    (holder, (holder.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zone::ZoneId;

    use super::{AskedFor, CameOf, GROWTH, RECORDS_MAX, Sheet, Table, TakenQueries, Writers};

    #[test]
    fn a_table_that_cannot_grow_any_more_counts_what_it_has_a_record_for_and_says_how_much_it_has_not() {
        let sheet = Sheet::of(Writers::One);
        sheet.table.store(Arc::new(Table::with(RECORDS_MAX / GROWTH * 2, None)));
        let table = sheet.table.load_full();
        let room = table.records.len() as u64 / 8 * 7;
        assert!((0..room).all(|id| table.record_of(ZoneId(id)).is_some()));
        sheet.count(&[(ZoneId(room), AskedFor::A, CameOf::Answer), (ZoneId(0), AskedFor::A, CameOf::Answer)]);
        assert!(table.record_of(ZoneId(room)).is_none() && Arc::ptr_eq(&table, &sheet.table.load()));
        drop(table);
        let mut taken = TakenQueries::default();
        sheet.take_into(&mut taken);
        assert_eq!((taken.unplaced, taken.zones[&ZoneId(0)].total()), (1, 1));
    }
}
