//! What was asked of a zone that was removed, kept as long as it can be had back: it goes and comes with it.

use sqlx::AssertSqlSafe;
use zone::ZoneId;

use super::counts::columns;
use crate::database::{Transaction, to_i64};
use crate::error::InventoryError;

/// Keeps what is on record of a zone that stands among the removed ones and is about to lose its row.
pub(crate) async fn keep_statistics(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    copy(transaction, id, |table| (table.to_owned(), format!("removed_{table}"))).await
}

/// Gives a zone that has its row again what was kept; it goes from where it was with the zone's row among the removed ones.
pub(crate) async fn give_statistics_back(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    copy(transaction, id, |table| (format!("removed_{table}"), table.to_owned())).await
}

async fn copy(
    transaction: &mut Transaction,
    id: ZoneId,
    from_and_to: impl Fn(&str) -> (String, String),
) -> Result<(), InventoryError> {
    let counts = columns();
    for (table, columns) in [
        ("query_hours", format!("zone_id, hour, {counts}")),
        ("query_days", format!("zone_id, day, {counts}")),
        ("query_names", "zone_id, day, name, queries".to_owned()),
    ] {
        let (from, to) = from_and_to(table);
        let statement = format!("INSERT INTO {to} ({columns}) SELECT {columns} FROM {from} WHERE zone_id = $1");
        sqlx::query(AssertSqlSafe(statement)).bind(to_i64(id.0)).execute(&mut **transaction).await?;
    }
    Ok(())
}
