//! The attempts of a zone that was removed, kept as long as it can be had back: they go and come with it. There
//! are at most [`ATTEMPTS_MAX`](super::ATTEMPTS_MAX).

use zone::ZoneId;

use crate::database::{Transaction, to_i64};
use crate::error::InventoryError;

/// The columns of both tables, in one order for reading and writing.
macro_rules! columns {
    () => {
        "id, zone_id, at_ms, last_ms, tries, primary_address, triggered_by, kind, from_serial, to_serial, octets, records, \
         millis, outcome, reason_code, reason_fault, reason_message, reason_advice"
    };
}

/// Keeps what is on record of a zone that stands among the removed ones and is about to lose its row.
pub(crate) async fn keep_attempts(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    sqlx::query(concat!(
        "INSERT INTO removed_attempts (",
        columns!(),
        ") SELECT ",
        columns!(),
        " FROM attempts WHERE zone_id = $1"
    ))
    .bind(to_i64(id.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Gives a zone that has its row again what was kept; it goes from where it was with the zone's row among the removed ones.
pub(crate) async fn give_attempts_back(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    sqlx::query(concat!(
        "INSERT INTO attempts (",
        columns!(),
        ") SELECT ",
        columns!(),
        " FROM removed_attempts WHERE zone_id = $1 ORDER BY id"
    ))
    .bind(to_i64(id.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
