//! A tenant's zones one page after the other, for whoever takes all their data away.

use zone::ZoneId;

use crate::TenantId;
use crate::database::{Inventory, to_i64};
use crate::error::InventoryError;
use crate::zones::{Zone, ZoneRow, primaries_of};

impl Inventory {
    /// At most `limit` of the tenant's zones with their primaries, in the order of their ids, those after `after`.
    pub async fn zones_of_tenant(
        &self,
        tenant: TenantId,
        after: Option<ZoneId>,
        limit: u32,
    ) -> Result<Vec<Zone>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let rows: Vec<ZoneRow> = sqlx::query_as(
            "SELECT id, tenant_id, spelling, service, proof, settings, tags, created_at_ms FROM zones \
             WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(to_i64(tenant.0))
        .bind(after.map_or(-1, |after| to_i64(after.0)))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        let mut zones = Vec::with_capacity(rows.len());
        for row in rows {
            let mut zone = row.read()?;
            zone.primaries = primaries_of(&mut transaction, zone.id).await?;
            zones.push(zone);
        }
        Ok(zones)
    }
}
