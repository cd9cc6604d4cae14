//! The rows of hours and days.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use zone::ZoneId;

use super::counts::{CountsRow, additions, columns, sums};
use super::{Day, HOURS_OF_DAY, Hour, Month, QueryCounts, STATISTICS_AT_ONCE_MAX, usage};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64};
use crate::error::InventoryError;

/// Rows of one statement: each that is run costs more than a row.
pub(super) const ROWS: usize = 64;

/// What was asked of a zone in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedZone {
    pub zone: ZoneId,
    /// Whose it is: who is billed for it.
    pub tenant: TenantId,
    pub hour: Hour,
    pub counts: QueryCounts,
}

impl Inventory {
    /// Adds what was asked to the zones' hours and the tenants' months: all of it or nothing. A zone that has been removed has
    /// no rows; its tenant has used it all the same. Each zone's hour is there once.
    ///
    /// # Panics
    /// With more than [`STATISTICS_AT_ONCE_MAX`] of them.
    pub async fn add_queries(&self, asked: &[AskedZone]) -> Result<(), InventoryError> {
        assert!(asked.len() <= STATISTICS_AT_ONCE_MAX, "{} at once", asked.len());
        let mut used: BTreeMap<(TenantId, Month), u64> = BTreeMap::new();
        for asked in asked {
            *used.entry((asked.tenant, Month::of(asked.hour))).or_default() += asked.counts.total();
        }
        let mut transaction = self.begin().await?;
        for rows in asked.chunks(ROWS) {
            add_rows(&mut transaction, rows).await?;
        }
        for ((tenant, month), queries) in used {
            usage::add_queries(&mut transaction, tenant, month, queries).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What was asked of the tenant's zone from this hour on, by hours in their order; not of those that are days by now.
    pub async fn queries_by_hour(
        &self,
        tenant: TenantId,
        zone: ZoneId,
        since: Hour,
    ) -> Result<Vec<(Hour, QueryCounts)>, InventoryError> {
        let statement = format!(
            "SELECT hour AS at, {} FROM query_hours JOIN zones ON zones.id = query_hours.zone_id \
             WHERE zones.tenant_id = $1 AND zone_id = $2 AND hour >= $3 ORDER BY hour",
            columns()
        );
        let rows = self.counts(statement, tenant, zone, since.0).await?;
        Ok(rows.into_iter().map(|(hour, counts)| (Hour(hour), counts)).collect())
    }

    /// The same by days.
    pub async fn queries_by_day(
        &self,
        tenant: TenantId,
        zone: ZoneId,
        since: Day,
    ) -> Result<Vec<(Day, QueryCounts)>, InventoryError> {
        let (columns, sums) = (columns(), sums());
        let statement = format!(
            "SELECT at, {sums} FROM (SELECT zone_id, day AS at, {columns} FROM query_days WHERE zone_id = $2 \
             UNION ALL SELECT zone_id, hour / {HOURS_OF_DAY} AS at, {columns} FROM query_hours WHERE zone_id = $2) AS parts \
             JOIN zones ON zones.id = parts.zone_id WHERE zones.tenant_id = $1 AND at >= $3 GROUP BY at ORDER BY at",
        );
        let rows = self.counts(statement, tenant, zone, since.0).await?;
        Ok(rows.into_iter().map(|(day, counts)| (Day(day), counts)).collect())
    }

    async fn counts(
        &self,
        statement: String,
        tenant: TenantId,
        zone: ZoneId,
        since: u64,
    ) -> Result<Vec<(u64, QueryCounts)>, InventoryError> {
        // Made of our own words alone.
        let rows: Vec<CountsRow> = sqlx::query_as(AssertSqlSafe(statement))
            .bind(to_i64(tenant.0))
            .bind(to_i64(zone.0))
            .bind(to_i64(since))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(CountsRow::read).collect()
    }
}

/// The numbers stand in the statement itself: to hand over that many one by one takes several times as long.
async fn add_rows(transaction: &mut Transaction, asked: &[AskedZone]) -> Result<(), sqlx::Error> {
    let statement = insert(asked);
    sqlx::query(AssertSqlSafe(statement)).persistent(false).execute(&mut **transaction).await?;
    Ok(())
}

fn insert(asked: &[AskedZone]) -> String {
    let row = |AskedZone { zone, hour, counts, .. }: &AskedZone| {
        let numbers = [to_i64(zone.0), to_i64(hour.0)].into_iter().chain(counts.values());
        format!("({})", numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", "))
    };
    let rows = asked.iter().map(row).collect::<Vec<_>>().join(", ");
    let (columns, additions) = (columns(), additions("query_hours"));
    // The zone may have been removed meanwhile: then there is nothing to insert.
    format!(
        "WITH asked (zone, hour, {columns}) AS (VALUES {rows}) INSERT INTO query_hours (zone_id, hour, {columns}) \
         SELECT zone, hour, {columns} FROM asked JOIN zones ON zones.id = asked.zone WHERE zones.id > 0 \
         ON CONFLICT (zone_id, hour) DO UPDATE SET {additions}"
    )
}
