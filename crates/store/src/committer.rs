//! The one that writes the database, on a thread of its own.
//!
//! ```text
//! Store ──small commit, confirmations──────────────────────────────► committer ──► zones.redb
//!   └────large commit, removal, flush──► image writer (files) ──────────▲
//! ```
//!
//! All that waits when a transaction begins goes into it, up to a bound, and shares its wait for the disk. Order: what
//! is handed in after something was answered is written after it; a removal also comes after every commit that was
//! handed in before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};
use zone::ZoneId;

use crate::StoreError;
use crate::database::Database;
use crate::images::ImageFiles;
use crate::prepared::{Prepared, Rebase};
use crate::stored::ClockFacts;
use crate::transaction::{FileChange, Tables};

/// The most requests in one transaction, so that the first one's wait stays short.
const BATCH_MAX: usize = 1_024;
/// The most confirmations in one transaction: commits must not wait behind those of a hundred thousand zones.
const CONFIRMATIONS_MAX: usize = 8_192;
/// How soon a disk that failed to take confirmations is asked again, at the earliest.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// Something for the committer to do.
pub(crate) enum Work {
    Commit(Box<Prepared>, Waiter),
    Rebase(Box<Rebase>, Waiter),
    Remove(ZoneId, Waiter),
    Note(ZoneId, Vec<u8>, Waiter),
    /// Write all confirmations that wait.
    Flush(Waiter),
    /// The first confirmation began to wait.
    ConfirmationsWait,
}

/// Someone who waits for an answer, and the place in the queue that is free again once it is given.
pub(crate) struct Waiter {
    pub(crate) answer: oneshot::Sender<Result<(), StoreError>>,
    pub(crate) _place: OwnedSemaphorePermit,
}

impl Waiter {
    pub(crate) fn tell(self, result: Result<(), StoreError>) {
        // Who no longer listens has dropped the future: nothing to do.
        let _ = self.answer.send(result);
    }
}

/// The newest clock facts that are not on disk, by zone: in the order in which their rows lie.
#[derive(Debug, Default)]
pub(crate) struct Confirmations(Mutex<BTreeMap<ZoneId, ClockFacts>>);

impl Confirmations {
    /// Notes facts; whether these are the first ones to wait.
    pub(crate) fn note(&self, zone: ZoneId, clock: ClockFacts) -> bool {
        let mut waiting = self.waiting();
        let first = waiting.is_empty();
        let noted = waiting.entry(zone).or_insert(clock);
        if !noted.is_newer_than(clock) {
            *noted = clock;
        }
        first
    }

    fn of(&self, zone: ZoneId) -> Option<ClockFacts> {
        self.waiting().get(&zone).copied()
    }

    fn some(&self, most: usize) -> Vec<(ZoneId, ClockFacts)> {
        self.waiting().iter().take(most).map(|(zone, clock)| (*zone, *clock)).collect()
    }

    /// Forgets facts that are on disk, unless newer ones have come.
    fn written(&self, zone: ZoneId, clock: ClockFacts) {
        let mut waiting = self.waiting();
        if waiting.get(&zone) == Some(&clock) {
            waiting.remove(&zone);
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<ZoneId, ClockFacts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The committer's own.
pub(crate) struct Committer {
    pub(crate) database: Arc<Database>,
    pub(crate) images: Arc<ImageFiles>,
    pub(crate) confirmations: Arc<Confirmations>,
    pub(crate) confirmations_late_max: Duration,
    pub(crate) work: UnboundedReceiver<Work>,
}

impl Committer {
    /// Works until nobody can hand in work any more, then writes what waits.
    pub(crate) async fn run(mut self) {
        let mut due: Option<Instant> = None;
        loop {
            let first = match due {
                None => Ok(self.work.recv().await),
                Some(due) => timeout_at(due, self.work.recv()).await,
            };
            if matches!(first, Ok(None)) {
                let _ = self.write(Vec::new(), usize::MAX);
                return;
            }
            let mut batch: Vec<Work> = first.ok().flatten().into_iter().collect();
            while batch.len() < BATCH_MAX
                && let Ok(work) = self.work.try_recv()
            {
                batch.push(work);
            }
            let confirmations = match due {
                _ if batch.iter().any(|work| matches!(work, Work::Flush(_))) => usize::MAX,
                Some(due) if due <= Instant::now() => CONFIRMATIONS_MAX,
                _ => 0,
            };
            let written = self.write(batch, confirmations);
            due = match written {
                _ if self.confirmations.is_empty() => None,
                // More wait than fit into one transaction.
                Ok(()) if confirmations > 0 => Some(Instant::now()),
                // When the disk fails, it is asked again after a while.
                Err(_) if confirmations > 0 => Some(Instant::now() + self.confirmations_late_max.max(RETRY_MIN)),
                _ => due.or_else(|| Some(Instant::now() + self.confirmations_late_max)),
            };
        }
    }

    /// Writes a batch and at most `confirmations` confirmations in one transaction, and answers all that wait.
    fn write(&self, batch: Vec<Work>, confirmations: usize) -> Result<(), StoreError> {
        let confirmations = self.confirmations.some(confirmations);
        let idle = batch.iter().all(|work| matches!(work, Work::Flush(_) | Work::ConfirmationsWait));
        let outcomes = if idle && confirmations.is_empty() {
            Ok(batch.iter().map(|_| Ok(Written::default())).collect())
        } else {
            self.database.write(|tables| {
                let outcomes = batch.iter().map(|work| self.apply(tables, work)).collect::<Result<Vec<_>, _>>()?;
                for (zone, clock) in &confirmations {
                    tables.confirm(*zone, *clock)?;
                }
                Ok(outcomes)
            })
        };
        match outcomes {
            Ok(outcomes) => {
                for (zone, clock) in confirmations {
                    self.confirmations.written(zone, clock);
                }
                batch.into_iter().zip(outcomes).for_each(|(work, outcome)| self.answer(work, outcome));
                Ok(())
            }
            Err(error) => {
                if !confirmations.is_empty() {
                    tracing::warn!(zones = confirmations.len(), %error, "confirmations are not on disk yet");
                }
                batch.into_iter().for_each(|work| self.answer_failure(work, &error));
                Err(error)
            }
        }
    }

    fn apply(&self, tables: &mut Tables<'_>, work: &Work) -> Result<Result<Written, StoreError>, redb::Error> {
        match work {
            Work::Commit(prepared, _) => {
                let clock = self.confirmations.of(prepared.zone());
                let files = tables.commit(prepared, clock)?;
                Ok(files.map(|files| Written { files, clock: clock.map(|clock| (prepared.zone(), clock)) }))
            }
            Work::Rebase(rebase, _) => {
                let files = tables.rebase(rebase)?;
                Ok(files.map(|files| Written { files, clock: None }))
            }
            Work::Remove(zone, _) => {
                let clock = self.confirmations.of(*zone).map(|clock| (*zone, clock));
                Ok(Ok(Written { files: tables.remove(*zone)?, clock }))
            }
            Work::Note(zone, note, _) => {
                tables.note(*zone, note)?;
                Ok(Ok(Written::default()))
            }
            Work::Flush(_) | Work::ConfirmationsWait => Ok(Ok(Written::default())),
        }
    }

    /// Tells what became of work whose transaction is durable, and brings the files in line with it.
    fn answer(&self, work: Work, outcome: Result<Written, StoreError>) {
        let (waiter, file) = match work {
            Work::Commit(prepared, waiter) => (waiter, prepared.file),
            Work::Rebase(rebase, waiter) => (waiter, rebase.file),
            Work::Remove(_, waiter) | Work::Note(.., waiter) | Work::Flush(waiter) => (waiter, None),
            Work::ConfirmationsWait => return,
        };
        match outcome {
            Ok(Written { files, clock }) => {
                if let Some((zone, clock)) = clock {
                    self.confirmations.written(zone, clock);
                }
                file.iter().for_each(|file| self.images.settle(file));
                waiter.tell(Ok(()));
                files.unnamed.iter().for_each(|file| self.images.discard(file));
            }
            Err(error) => {
                file.iter().for_each(|file| self.images.discard(file));
                waiter.tell(Err(error));
            }
        }
    }

    /// Tells that a transaction failed. It may be durable all the same, so a file goes only when its row is seen not
    /// to name it; if not even that can be seen, the file stays until the next start.
    fn answer_failure(&self, work: Work, error: &StoreError) {
        let (zone, file, waiter) = match work {
            Work::Commit(prepared, waiter) => (prepared.zone(), prepared.file, waiter),
            Work::Rebase(rebase, waiter) => (rebase.zone, rebase.file, waiter),
            Work::Remove(zone, waiter) | Work::Note(zone, _, waiter) => (zone, None, waiter),
            Work::Flush(waiter) => return waiter.tell(Err(error.clone())),
            Work::ConfirmationsWait => return,
        };
        if let Some(file) = &file {
            match self.database.row(zone).map(|row| row.and_then(|row| row.file(zone))) {
                Ok(named) if named.as_ref() != Some(file) => self.images.discard(file),
                Ok(_) | Err(_) => self.images.settle(file),
            }
        }
        waiter.tell(Err(error.clone()));
    }
}

/// What one piece of work did.
#[derive(Debug, Default)]
struct Written {
    files: FileChange,
    /// The confirmation that went with it.
    clock: Option<(ZoneId, ClockFacts)>,
}
