//! A claim that goes on in the row of another zone: of one that was removed and comes back, or that begins anew.

use sqlx::FromRow;
use zone::ZoneId;

use crate::database::{Transaction, to_i64};
use crate::error::InventoryError;

/// The columns of a [`Carried`].
pub(super) const COLUMNS: &str = "created_at_ms, proof, proven_at_ms, lapsed_at_ms, seen_elsewhere_at_ms, looked_at_ms, challenge, \
                                  handed, taken_at_ms, disproven_at_ms";

/// What a zone is as a claim, for one that takes its place.
#[derive(FromRow)]
pub(crate) struct Carried {
    pub(super) created_at_ms: i64,
    pub(super) proof: Option<String>,
    pub(super) proven_at_ms: Option<i64>,
    pub(super) lapsed_at_ms: Option<i64>,
    pub(super) seen_elsewhere_at_ms: Option<i64>,
    pub(super) looked_at_ms: Option<i64>,
    pub(super) challenge: Option<String>,
    pub(super) handed: Option<String>,
    pub(super) taken_at_ms: Option<i64>,
    pub(super) disproven_at_ms: Option<i64>,
}

impl Carried {
    pub(crate) async fn of_zone(transaction: &mut Transaction, zone: ZoneId) -> Result<Option<Self>, InventoryError> {
        Self::read(transaction, "zones WHERE id", zone).await
    }

    pub(crate) async fn of_kept(transaction: &mut Transaction, zone: ZoneId) -> Result<Option<Self>, InventoryError> {
        Self::read(transaction, "removed_zones WHERE created_at_ms IS NOT NULL AND zone_id", zone).await
    }

    async fn read(transaction: &mut Transaction, place: &str, zone: ZoneId) -> Result<Option<Self>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM {place} = $1");
        let row = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(zone.0));
        Ok(row.fetch_optional(&mut **transaction).await?)
    }

    /// Makes the zone this claim; one without a proof where somebody else has the name by now.
    pub(crate) async fn give(&self, transaction: &mut Transaction, zone: ZoneId) -> Result<(), InventoryError> {
        sqlx::query(
            "UPDATE zones SET created_at_ms = $2, seen_elsewhere_at_ms = $3, looked_at_ms = $4, challenge = $5, \
             taken_at_ms = $6, disproven_at_ms = $7 WHERE id = $1",
        )
        .bind(to_i64(zone.0))
        .bind(self.created_at_ms)
        .bind(self.seen_elsewhere_at_ms)
        .bind(self.looked_at_ms)
        .bind(&self.challenge)
        .bind(self.taken_at_ms)
        .bind(self.disproven_at_ms)
        .execute(&mut **transaction)
        .await?;
        let Some(proof) = &self.proof else { return Ok(()) };
        sqlx::query(
            "UPDATE zones SET proof = $2, proven_at_ms = $3, lapsed_at_ms = $4, handed = $5 WHERE id = $1 AND NOT EXISTS \
             (SELECT 1 FROM zones other WHERE other.name = zones.name AND other.proof IS NOT NULL)",
        )
        .bind(to_i64(zone.0))
        .bind(proof)
        .bind(self.proven_at_ms.unwrap_or(self.created_at_ms))
        .bind(self.lapsed_at_ms)
        .bind(&self.handed)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}
