//! To whom zones were last seen to be delegated.

use xfr::Moment;
use zone::ZoneId;

use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

impl Inventory {
    /// At most `limit` of the zones that are answered and that nobody has looked at since then, those first that wait longest. A
    /// new zone waits from when it was added.
    pub async fn delegations_due(
        &self,
        since: Moment,
        limit: u32,
    ) -> Result<Vec<(TenantId, ZoneId)>, InventoryError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT zones.tenant_id, zones.id FROM zones LEFT JOIN zone_delegations ON zone_id = zones.id \
             WHERE service = 'answering' AND proof IS NOT NULL AND \
             COALESCE(zone_delegations.looked_at_ms, zones.created_at_ms) <= $1 \
             ORDER BY COALESCE(zone_delegations.looked_at_ms, zones.created_at_ms) LIMIT $2",
        )
        .bind(to_i64(since.0))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(|(tenant, zone)| Ok((TenantId(to_u64(tenant)?), ZoneId(to_u64(zone)?)))).collect()
    }

    /// To whom the zone was last seen to be delegated, in lower case and in order; empty for nobody, none where that is not known.
    pub async fn last_delegation(&self, zone: ZoneId) -> Result<Option<Vec<String>>, InventoryError> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("SELECT delegated_to FROM zone_delegations WHERE zone_id = $1")
                .bind(to_i64(zone.0))
                .fetch_optional(self.reader())
                .await?;
        Ok(found.flatten().map(|names| names.split_whitespace().map(str::to_owned).collect()))
    }

    /// Puts on record to whom the zone is delegated, as [`Inventory::last_delegation`] has it; where that could not be seen, only
    /// that it was looked.
    pub async fn delegation_seen(
        &self,
        zone: ZoneId,
        delegated_to: Option<&[String]>,
        now: Moment,
    ) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        // One that has been removed meanwhile is not there to be seen.
        sqlx::query(
            "INSERT INTO zone_delegations (zone_id, delegated_to, looked_at_ms) \
             SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM zones WHERE id = $1) \
             ON CONFLICT (zone_id) DO UPDATE SET looked_at_ms = excluded.looked_at_ms, \
             delegated_to = COALESCE(excluded.delegated_to, zone_delegations.delegated_to)",
        )
        .bind(to_i64(zone.0))
        .bind(delegated_to.map(|names| names.join(" ")))
        .bind(to_i64(now.0))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
