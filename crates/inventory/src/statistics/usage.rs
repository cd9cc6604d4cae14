//! What tenants used, month by month: what they are billed for. It outlives the zones, and the tenants.

use sqlx::FromRow;

use super::{Month, STATISTICS_AT_ONCE_MAX};
use crate::TenantId;
use crate::accounts::TENANT_NAME;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;

/// Whose usage is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageOf {
    Tenant(TenantId),
    Everybody,
}

/// What a tenant has at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantSize {
    pub tenant: TenantId,
    pub zones: u64,
    /// Of all its zones.
    pub records: u64,
}

/// What a tenant used in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub tenant: TenantId,
    /// Its name as it was when that was last written.
    pub name: String,
    pub queries: u64,
    /// The most at one time; the most records need not have been there when the most zones were.
    pub zones: u64,
    pub records: u64,
}

impl Inventory {
    /// Notes what tenants have, which counts where it is more than was noted before in the month.
    ///
    /// # Panics
    /// With more than [`STATISTICS_AT_ONCE_MAX`] of them.
    pub async fn note_sizes(&self, sizes: &[TenantSize], month: Month) -> Result<(), InventoryError> {
        assert!(sizes.len() <= STATISTICS_AT_ONCE_MAX, "{} at once", sizes.len());
        let mut transaction = self.begin().await?;
        for size in sizes {
            add(&mut transaction, *size, month, 0).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What was used in the month, in the order of the tenants' names.
    pub async fn usage(&self, of: UsageOf, month: Month) -> Result<Vec<Usage>, InventoryError> {
        let (tenant, everybody) = match of {
            UsageOf::Tenant(tenant) => (to_i64(tenant.0), 0_i64),
            UsageOf::Everybody => (0, 1),
        };
        let rows: Vec<UsageRow> = sqlx::query_as(
            "SELECT tenant_id, tenant, queries, zones, records FROM tenant_usage \
             WHERE month = $1 AND (tenant_id = $2 OR $3 = 1) ORDER BY tenant, tenant_id",
        )
        .bind(month.number())
        .bind(tenant)
        .bind(everybody)
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(UsageRow::read).collect()
    }
}

pub(super) async fn add_queries(
    transaction: &mut Transaction,
    tenant: TenantId,
    month: Month,
    queries: u64,
) -> Result<(), sqlx::Error> {
    add(transaction, TenantSize { tenant, zones: 0, records: 0 }, month, queries).await
}

async fn add(transaction: &mut Transaction, size: TenantSize, month: Month, queries: u64) -> Result<(), sqlx::Error> {
    let statement = format!(
        "INSERT INTO tenant_usage (tenant_id, month, tenant, queries, zones, records) \
         SELECT t.id, $2, {TENANT_NAME}, $3, $4, $5 FROM tenants t WHERE t.id = $1 \
         ON CONFLICT (tenant_id, month) DO UPDATE SET tenant = excluded.tenant, \
         queries = tenant_usage.queries + excluded.queries, \
         zones = CASE WHEN excluded.zones > tenant_usage.zones THEN excluded.zones ELSE tenant_usage.zones END, \
         records = CASE WHEN excluded.records > tenant_usage.records THEN excluded.records ELSE tenant_usage.records END",
    );
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(to_i64(size.tenant.0))
        .bind(month.number())
        .bind(to_i64(queries))
        .bind(to_i64(size.zones))
        .bind(to_i64(size.records))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct UsageRow {
    tenant_id: i64,
    tenant: String,
    queries: i64,
    zones: i64,
    records: i64,
}

impl UsageRow {
    fn read(self) -> Result<Usage, InventoryError> {
        Ok(Usage {
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: self.tenant,
            queries: to_u64(self.queries)?,
            zones: to_u64(self.zones)?,
            records: to_u64(self.records)?,
        })
    }
}
