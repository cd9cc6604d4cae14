//! Claims that wait for a proof, as whoever runs the service sees them: all of a page in one question.

use dns::Name;
use sqlx::FromRow;
use xfr::Moment;
use zone::ZoneId;

use crate::TenantId;
use crate::accounts::TENANT_NAME;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::read_name;

/// A claim that is not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingClaim {
    pub zone: ZoneId,
    pub tenant: TenantId,
    /// What the tenant is called.
    pub organisation: String,
    /// With its letters as typed.
    pub name: Name,
    pub claimed_at: Moment,
    pub looked_at: Option<Moment>,
    /// Whether another claim on the name is proven.
    pub is_held: bool,
}

impl Inventory {
    /// Claims that are not proven, of all tenants, in the order of their ids: at most `limit` after this one.
    pub async fn waiting_claims(&self, after: ZoneId, limit: u32) -> Result<Vec<WaitingClaim>, InventoryError> {
        // Of each name one claim at the most is proven.
        let statement = format!(
            "SELECT z.id, z.tenant_id, {TENANT_NAME} AS organisation, z.spelling, z.created_at_ms, z.looked_at_ms, \
             h.id AS holder_id FROM zones z JOIN tenants t ON t.id = z.tenant_id \
             LEFT JOIN zones h ON h.name = z.name AND h.proof IS NOT NULL \
             WHERE z.proof IS NULL AND z.id > $1 ORDER BY z.id LIMIT $2"
        );
        let rows: Vec<WaitingRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(after.0))
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(WaitingRow::read).collect()
    }
}

#[derive(FromRow)]
struct WaitingRow {
    id: i64,
    tenant_id: i64,
    organisation: String,
    spelling: String,
    created_at_ms: i64,
    looked_at_ms: Option<i64>,
    holder_id: Option<i64>,
}

impl WaitingRow {
    fn read(self) -> Result<WaitingClaim, InventoryError> {
        Ok(WaitingClaim {
            zone: ZoneId(to_u64(self.id)?),
            tenant: TenantId(to_u64(self.tenant_id)?),
            organisation: self.organisation,
            name: read_name(&self.spelling)?,
            claimed_at: Moment(to_u64(self.created_at_ms)?),
            looked_at: self.looked_at_ms.map(to_u64).transpose()?.map(Moment),
            is_held: self.holder_id.is_some(),
        })
    }
}
