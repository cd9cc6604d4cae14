//! Putting attempts on record: one task, in batches.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};
use zone::ZoneId;

use super::{ATTEMPTS_MAX, Attempt, KEPT_MS, Outcome};
use crate::database::{Transaction, begin, to_i64};
use crate::error::InventoryError;

/// The most attempts that wait; some 6 MB, and several seconds of writing.
const QUEUE_MAX: usize = 16_384;
/// The most attempts in one transaction, so that it holds the writer for some tens of milliseconds at most.
const BATCH_MAX: usize = 512;

/// Where attempts are put on record: cheap to clone, never waits.
#[derive(Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Entry>,
    dropped: Arc<AtomicU64>,
}

enum Entry {
    Attempt(ZoneId, Attempt),
    /// Answered when everything queued before it has been written or dropped.
    Flush(oneshot::Sender<()>),
}

impl Ledger {
    pub(crate) fn start(writer: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_batches(writer, waiting, Arc::clone(&dropped)));
        Self { queue, dropped }
    }

    /// Queues an attempt of the zone, or drops it and counts that when the queue is full.
    pub fn record(&self, zone: ZoneId, attempt: Attempt) {
        if self.queue.try_send(Entry::Attempt(zone, attempt)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many attempts were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
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

/// Ends when the last [`Ledger`] is dropped.
async fn write_batches(writer: SqlitePool, mut waiting: mpsc::Receiver<Entry>, dropped: Arc<AtomicU64>) {
    let mut entries = Vec::with_capacity(BATCH_MAX);
    let mut failing = false;
    while waiting.recv_many(&mut entries, BATCH_MAX).await > 0 {
        let mut batch = Vec::with_capacity(entries.len());
        let mut flushed = Vec::new();
        for entry in entries.drain(..) {
            match entry {
                Entry::Attempt(zone, attempt) => batch.push((zone, attempt)),
                Entry::Flush(done) => flushed.push(done),
            }
        }
        match write(&writer, &batch).await {
            Ok(()) => failing = false,
            Err(error) => {
                dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
                // Once, not for every batch: the counter tells how many.
                if !failing {
                    tracing::warn!("attempts are not put on record: {error}");
                }
                failing = true;
            }
        }
        for done in flushed {
            // Nobody may wait for it any more.
            let _ = done.send(());
        }
    }
}

async fn write(writer: &SqlitePool, batch: &[(ZoneId, Attempt)]) -> Result<(), InventoryError> {
    let Some(newest_ms) = batch.iter().map(|(_, attempt)| attempt.at.0).max() else {
        return Ok(());
    };
    let mut transaction = begin(writer).await?;
    let mut grown = HashSet::new();
    for (zone, attempt) in batch {
        if !fold(&mut transaction, *zone, attempt).await? {
            insert(&mut transaction, *zone, attempt).await?;
            grown.insert(*zone);
        }
    }
    for zone in grown {
        trim(&mut transaction, zone, newest_ms).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Counts the attempt in the zone's newest row if both are the same check without news, and says whether it did.
async fn fold(transaction: &mut Transaction, zone: ZoneId, attempt: &Attempt) -> Result<bool, sqlx::Error> {
    if attempt.outcome != Outcome::Unchanged {
        return Ok(false);
    }
    let folded = sqlx::query(
        "UPDATE attempts SET tries = tries + 1, last_ms = $2, millis = $3, octets = octets + $4, \
         records = records + $5 \
         WHERE id = (SELECT MAX(id) FROM attempts WHERE zone_id = $1) AND outcome = 'unchanged' AND kind = $6 \
         AND triggered_by = $7 AND primary_address IS NOT DISTINCT FROM $8 AND from_serial IS NOT DISTINCT FROM $9 \
         AND to_serial IS NOT DISTINCT FROM $10",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(attempt.at.0))
    .bind(to_i64(attempt.millis))
    .bind(to_i64(attempt.octets))
    .bind(to_i64(attempt.records))
    .bind(attempt.kind.as_str())
    .bind(attempt.trigger.as_str())
    .bind(attempt.primary.map(|primary| primary.to_string()))
    .bind(attempt.from_serial.map(|serial| i64::from(serial.0)))
    .bind(attempt.to_serial.map(|serial| i64::from(serial.0)))
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    Ok(folded > 0)
}

async fn insert(transaction: &mut Transaction, zone: ZoneId, attempt: &Attempt) -> Result<(), sqlx::Error> {
    let (outcome, reason) = match &attempt.outcome {
        Outcome::Unchanged => ("unchanged", None),
        Outcome::Updated => ("updated", None),
        Outcome::Held(reason) => ("held", Some(reason)),
        Outcome::Failed(reason) => ("failed", Some(reason)),
    };
    // The zone may have been removed meanwhile: then there is nothing to insert.
    sqlx::query(
        "INSERT INTO attempts (zone_id, at_ms, last_ms, tries, primary_address, triggered_by, kind, from_serial, \
         to_serial, octets, records, millis, outcome, reason_code, reason_fault, reason_message, reason_advice) \
         SELECT id, $2, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM zones WHERE id = $1",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(attempt.at.0))
    .bind(attempt.primary.map(|primary| primary.to_string()))
    .bind(attempt.trigger.as_str())
    .bind(attempt.kind.as_str())
    .bind(attempt.from_serial.map(|serial| i64::from(serial.0)))
    .bind(attempt.to_serial.map(|serial| i64::from(serial.0)))
    .bind(to_i64(attempt.octets))
    .bind(to_i64(attempt.records))
    .bind(to_i64(attempt.millis))
    .bind(outcome)
    .bind(reason.map(|reason| reason.code.as_str()))
    .bind(reason.map(|reason| reason.fault.as_str()))
    .bind(reason.map(|reason| reason.message.as_str()))
    .bind(reason.map(|reason| reason.advice.as_str()))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Deletes what is too old or too much. The newest attempt is the clock.
async fn trim(transaction: &mut Transaction, zone: ZoneId, now_ms: u64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM attempts WHERE zone_id = $1 AND (last_ms < $2 OR id <= \
         (SELECT id FROM attempts WHERE zone_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $3))",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(now_ms.saturating_sub(KEPT_MS)))
    .bind(i64::from(ATTEMPTS_MAX))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
