//! What zones were copied from before they were pointed at other primaries.

use xfr::Primary;
use zone::ZoneId;

use crate::database::{Inventory, Transaction, to_i64};
use crate::error::InventoryError;
use crate::primaries::{primaries_text, read_primaries};

/// What becomes of the primaries that a change replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Former {
    #[default]
    Forgotten,
    /// They are remembered, in the place of those before them.
    Remembered,
}

impl Inventory {
    /// What the zone was copied from before [`Former::Remembered`]; none where that never happened. Their keys may be gone.
    pub async fn former_primaries(&self, zone: ZoneId) -> Result<Vec<Primary>, InventoryError> {
        let text: Option<String> = sqlx::query_scalar("SELECT primaries FROM former_primaries WHERE zone_id = $1")
            .bind(to_i64(zone.0))
            .fetch_optional(self.reader())
            .await?;
        text.map_or(Ok(Vec::new()), |text| read_primaries(&text))
    }
}

pub(crate) async fn remember(
    transaction: &mut Transaction,
    zone: ZoneId,
    primaries: &[Primary],
) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO former_primaries (zone_id, primaries) VALUES ($1, $2) \
         ON CONFLICT (zone_id) DO UPDATE SET primaries = excluded.primaries",
    )
    .bind(to_i64(zone.0))
    .bind(primaries_text(primaries))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
