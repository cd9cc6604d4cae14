//! Putting attempts and NOTIFYs on record: one task, in batches, a few transactions a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, timeout_at};
use zone::ZoneId;

use super::age::Sweep;
use super::{Attempt, Notify, StrangerNotify, attempt_rows, notify_rows};
use crate::database::Connections;
use crate::error::InventoryError;

/// The most entries that wait; some 6 MB, and several seconds of writing.
const QUEUE_MAX: usize = 16_384;
/// NOTIFYs leave this much of the queue to attempts: anybody can send them.
const LEFT_TO_ATTEMPTS: usize = QUEUE_MAX / 2;
/// The most entries in one transaction, so that it holds the writer for some tens of milliseconds at most.
const BATCH_MAX: usize = 512;
/// How long after a transaction entries wait for others, unless somebody waits for them: a transaction of one entry costs as
/// much as the rest of a small change.
const PAUSE: Duration = Duration::from_millis(250);

/// Where attempts and NOTIFYs are put on record: cheap to clone, never waits.
#[derive(Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Entry>,
    dropped: Arc<Dropped>,
}

/// What is not on record.
#[derive(Default)]
struct Dropped {
    attempts: AtomicU64,
    notifies: AtomicU64,
}

enum Entry {
    Attempt(ZoneId, Attempt),
    Notify(ZoneId, Notify),
    Stranger(StrangerNotify),
    /// Answered when everything queued before it has been written or dropped.
    Flush(oneshot::Sender<()>),
}

impl Ledger {
    pub(crate) fn start(writer: Connections) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let dropped = Arc::new(Dropped::default());
        tokio::spawn(write_batches(writer, waiting, Arc::clone(&dropped)));
        Self { queue, dropped }
    }

    /// Queues an attempt of the zone, or drops it and counts that when the queue is full.
    pub fn record(&self, zone: ZoneId, attempt: Attempt) {
        if self.queue.try_send(Entry::Attempt(zone, attempt)).is_err() {
            self.dropped.attempts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Queues NOTIFYs for the zone, or drops them and counts that when much else waits.
    pub fn record_notify(&self, zone: ZoneId, notify: Notify) {
        let count = notify.span.count;
        self.queue_notifies(count, Entry::Notify(zone, notify));
    }

    /// The same for NOTIFYs for zones that are not here.
    pub fn record_stranger(&self, stranger: StrangerNotify) {
        let count = stranger.span.count;
        self.queue_notifies(count, Entry::Stranger(stranger));
    }

    fn queue_notifies(&self, count: u64, entry: Entry) {
        if self.queue.capacity() <= LEFT_TO_ATTEMPTS || self.queue.try_send(entry).is_err() {
            self.dropped.notifies.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// How many attempts were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.attempts.load(Ordering::Relaxed)
    }

    /// How many NOTIFYs were dropped since the start.
    pub fn notifies_dropped(&self) -> u64 {
        self.dropped.notifies.load(Ordering::Relaxed)
    }

    /// Waits until everything recorded before is written or dropped.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Entry::Flush(done)).await.is_ok() {
            // An error means that the writer has ended: then nothing more will be written.
            let _ = wait.await;
        }
    }
}

/// What is written in one transaction.
#[derive(Default)]
struct Batch {
    attempts: Vec<(ZoneId, Attempt)>,
    notifies: Vec<(ZoneId, Notify)>,
    strangers: Vec<StrangerNotify>,
    /// Who waits for its end.
    flushed: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn of(entries: &mut Vec<Entry>) -> Self {
        let mut batch = Self::default();
        for entry in entries.drain(..) {
            match entry {
                Entry::Attempt(zone, attempt) => batch.attempts.push((zone, attempt)),
                Entry::Notify(zone, notify) => batch.notifies.push((zone, notify)),
                Entry::Stranger(stranger) => batch.strangers.push(stranger),
                Entry::Flush(done) => batch.flushed.push(done),
            }
        }
        batch
    }

    /// The time of the newest thing in it; none when there is nothing to write.
    fn newest_ms(&self) -> Option<u64> {
        let attempts = self.attempts.iter().map(|(_, attempt)| attempt.at.0);
        let notifies = self.notifies.iter().map(|(_, notify)| notify.span.last.0);
        attempts.chain(notifies).chain(self.strangers.iter().map(|stranger| stranger.span.last.0)).max()
    }

    async fn write(&self, writer: &Connections, sweep: &mut Sweep) -> Result<(), InventoryError> {
        let Some(now_ms) = self.newest_ms() else { return Ok(()) };
        let mut transaction = writer.begin().await?;
        attempt_rows::write(&mut transaction, &self.attempts, now_ms).await?;
        notify_rows::write(&mut transaction, &self.notifies, &self.strangers, now_ms).await?;
        sweep.step(&mut transaction, now_ms).await?;
        transaction.commit().await?;
        Ok(())
    }

    fn count_as_dropped(&self, dropped: &Dropped) {
        let notifies: u64 = self.notifies.iter().map(|(_, notify)| notify.span.count).sum();
        let strangers: u64 = self.strangers.iter().map(|stranger| stranger.span.count).sum();
        dropped.attempts.fetch_add(self.attempts.len() as u64, Ordering::Relaxed);
        dropped.notifies.fetch_add(notifies + strangers, Ordering::Relaxed);
    }
}

/// Ends when the last [`Ledger`] is dropped.
async fn write_batches(writer: Connections, mut waiting: mpsc::Receiver<Entry>, dropped: Arc<Dropped>) {
    let mut sweep = Sweep::default();
    let mut failing = false;
    let mut pause_ends = Instant::now();
    while let Some(mut entries) = next_batch(&mut waiting, pause_ends).await {
        let batch = Batch::of(&mut entries);
        match batch.write(&writer, &mut sweep).await {
            Ok(()) => failing = false,
            Err(error) => {
                batch.count_as_dropped(&dropped);
                // Once, not for every batch: the counter tells how many.
                if !failing {
                    tracing::warn!("attempts and NOTIFYs are not put on record: {error}");
                }
                failing = true;
            }
        }
        pause_ends = Instant::now() + PAUSE;
        for done in batch.flushed {
            // Nobody may wait for it any more.
            let _ = done.send(());
        }
    }
}

/// What is to be written next, once the pause is over, a batch is full, or somebody waits for it; none at the end.
async fn next_batch(waiting: &mut mpsc::Receiver<Entry>, pause_ends: Instant) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut is_open = waiting.recv_many(&mut entries, BATCH_MAX).await > 0;
    let mut looked_through = 0;
    while is_open && entries.len() < BATCH_MAX {
        let somebody_waits = entries[looked_through..].iter().any(|entry| matches!(entry, Entry::Flush(_)));
        looked_through = entries.len();
        if somebody_waits {
            break;
        }
        let room = BATCH_MAX - entries.len();
        match timeout_at(pause_ends, waiting.recv_many(&mut entries, room)).await {
            Ok(come) => is_open = come > 0,
            Err(_) => break,
        }
    }
    (!entries.is_empty()).then_some(entries)
}
