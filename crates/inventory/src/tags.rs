//! The tags of a zone, as its row has them: with a space between each two, in order.

use zone::{Tags, ZoneId};

use crate::database::{Transaction, to_i64};
use crate::error::InventoryError;

/// Gives the zone these and no others.
pub(crate) async fn update_tags(
    transaction: &mut Transaction,
    id: ZoneId,
    tags: &Tags,
) -> Result<(), InventoryError> {
    sqlx::query("UPDATE zones SET tags = $2 WHERE id = $1")
        .bind(to_i64(id.0))
        .bind(tags.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
