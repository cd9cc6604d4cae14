//! Forgetting rows that are too old, of zones too to which nothing happens any more.
//!
//! Rows lie in the order in which they began, so that the old ones are at the front: once a day the ledger is gone
//! through from there, a few rows after each batch, up to the first that began late enough. There is no clock here: the
//! newest thing on record is the time.

use super::KEPT_MS;
use crate::database::{Transaction, to_i64};

const EVERY_MS: u64 = 24 * 60 * 60 * 1_000;
/// So many rows are looked at in one go: some milliseconds.
const ROWS_AT_ONCE: i64 = 1_000;

/// The tables, each with how to look at its next rows and how to delete the old ones among them.
const TABLES: [(&str, &str); 2] = [
    (
        "SELECT MAX(id), MAX(at_ms) FROM (SELECT id, at_ms FROM attempts WHERE id > $1 ORDER BY id LIMIT $2) AS next_rows",
        "DELETE FROM attempts WHERE id > $1 AND id <= $2 AND last_ms < $3",
    ),
    (
        "SELECT MAX(id), MAX(at_ms) FROM (SELECT id, at_ms FROM notifies WHERE id > $1 ORDER BY id LIMIT $2) AS next_rows",
        "DELETE FROM notifies WHERE id > $1 AND id <= $2 AND last_ms < $3",
    ),
];

/// How far it has come.
#[derive(Default)]
pub(super) struct Sweep {
    due_ms: u64,
    /// The table, and the last row that was looked at.
    under_way: Option<(usize, i64)>,
}

impl Sweep {
    /// The next step, if there is one to be made.
    pub(super) async fn step(&mut self, transaction: &mut Transaction, now_ms: u64) -> Result<(), sqlx::Error> {
        if self.under_way.is_none() && now_ms < self.due_ms {
            return Ok(());
        }
        let (table, seen) = self.under_way.unwrap_or_default();
        let (look, delete) = TABLES[table];
        let oldest_ms = to_i64(now_ms.saturating_sub(KEPT_MS));
        let (last, newest_ms): (Option<i64>, Option<i64>) =
            sqlx::query_as(look).bind(seen).bind(ROWS_AT_ONCE).fetch_one(&mut **transaction).await?;
        if let Some(last) = last {
            sqlx::query(delete).bind(seen).bind(last).bind(oldest_ms).execute(&mut **transaction).await?;
        }
        self.under_way = match (last, newest_ms) {
            (Some(last), Some(newest_ms)) if newest_ms < oldest_ms => Some((table, last)),
            _ => Some((table + 1, 0)).filter(|(table, _)| *table < TABLES.len()),
        };
        if self.under_way.is_none() {
            self.due_ms = now_ms.saturating_add(EVERY_MS);
        }
        Ok(())
    }
}
