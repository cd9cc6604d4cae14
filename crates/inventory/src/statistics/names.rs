//! The names that were asked for most, by zone and day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use dns::Name;
use sqlx::AssertSqlSafe;
use zone::ZoneId;

use super::rows::ROWS;
use super::{Day, STATISTICS_AT_ONCE_MAX};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;

/// Names that are kept of one zone and day: twice as many as are shown, so that one that rises is not thrown out each time.
pub const NAMES_KEPT: u32 = 100;

/// About how often a name was asked for on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedName {
    pub zone: ZoneId,
    pub day: Day,
    /// In lower case.
    pub name: Name,
    pub queries: u64,
}

impl Inventory {
    /// Adds them to their days, of which those names stay that were asked for most.
    ///
    /// # Panics
    /// With more than [`STATISTICS_AT_ONCE_MAX`] of them.
    pub async fn add_names(&self, asked: &[AskedName]) -> Result<(), InventoryError> {
        assert!(asked.len() <= STATISTICS_AT_ONCE_MAX, "{} at once", asked.len());
        // PostgreSQL takes no row twice in one statement.
        let mut sums: BTreeMap<(ZoneId, Day, String), u64> = BTreeMap::new();
        for AskedName { zone, day, name, queries } in asked {
            let sum = sums.entry((*zone, *day, name.to_string())).or_default();
            *sum = sum.saturating_add(*queries);
        }
        let mut transaction = self.begin().await?;
        let grown: BTreeSet<(ZoneId, Day)> = sums.keys().map(|(zone, day, _)| (*zone, *day)).collect();
        for names in Vec::from_iter(sums).chunks(ROWS) {
            add(&mut transaction, names).await?;
        }
        for grown in Vec::from_iter(grown).chunks(ROWS) {
            for (zone, day) in outgrown(&mut transaction, grown).await? {
                trim(&mut transaction, zone, day).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// At most `limit` of the names that were asked for most in the tenant's zone from this day on, the most asked for first.
    pub async fn top_names(
        &self,
        tenant: TenantId,
        zone: ZoneId,
        since: Day,
        limit: u32,
    ) -> Result<Vec<(Name, u64)>, InventoryError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT query_names.name, CAST(SUM(query_names.queries) AS BIGINT) AS asked FROM query_names \
             JOIN zones ON zones.id = query_names.zone_id \
             WHERE zones.tenant_id = $1 AND query_names.zone_id = $2 AND query_names.day >= $3 \
             GROUP BY query_names.name ORDER BY asked DESC, query_names.name LIMIT $4",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(zone.0))
        .bind(to_i64(since.0))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(read).collect()
    }
}

async fn add(transaction: &mut Transaction, asked: &[((ZoneId, Day, String), u64)]) -> Result<(), sqlx::Error> {
    static WHOLE: LazyLock<String> = LazyLock::new(|| insert(ROWS));
    let statement = if asked.len() == ROWS { WHOLE.clone() } else { insert(asked.len()) };
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for ((zone, day, name), queries) in asked {
        query = query.bind(to_i64(zone.0)).bind(to_i64(day.0)).bind(name.clone()).bind(to_i64(*queries));
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// The statement for so many names. The zone of one may have been removed meanwhile: then there is nothing to insert.
fn insert(names: usize) -> String {
    format!(
        "WITH asked (zone, day, name, queries) AS (VALUES {}) INSERT INTO query_names (zone_id, day, name, queries) \
         SELECT asked.zone, asked.day, asked.name, asked.queries FROM asked JOIN zones ON zones.id = asked.zone WHERE zones.id > 0 \
         ON CONFLICT (zone_id, day, name) DO UPDATE SET queries = query_names.queries + excluded.queries",
        values(names, 4)
    )
}

/// Which of these zones' days have more names than are kept.
async fn outgrown(
    transaction: &mut Transaction,
    grown: &[(ZoneId, Day)],
) -> Result<Vec<(ZoneId, Day)>, InventoryError> {
    static WHOLE: LazyLock<String> = LazyLock::new(|| count(ROWS));
    let statement = if grown.len() == ROWS { WHOLE.clone() } else { count(grown.len()) };
    let mut query = sqlx::query_as(AssertSqlSafe(statement));
    for (zone, day) in grown {
        query = query.bind(to_i64(zone.0)).bind(to_i64(day.0));
    }
    let rows: Vec<(i64, i64)> = query.fetch_all(&mut **transaction).await?;
    rows.into_iter().map(|(zone, day)| Ok((ZoneId(to_u64(zone)?), Day(to_u64(day)?)))).collect()
}

/// The statement for so many zones' days.
fn count(days: usize) -> String {
    format!(
        "WITH grown (zone, day) AS (VALUES {}) SELECT query_names.zone_id, query_names.day FROM grown \
         JOIN query_names ON query_names.zone_id = grown.zone AND query_names.day = grown.day \
         GROUP BY query_names.zone_id, query_names.day HAVING COUNT(*) > {NAMES_KEPT}",
        values(days, 2)
    )
}

/// Places for so many rows of so many values: `($1, $2), ($3, $4), …`
fn values(rows: usize, of: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (1..=of).map(|value| format!("${}", row * of + value)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

async fn trim(transaction: &mut Transaction, zone: ZoneId, day: Day) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM query_names WHERE zone_id = $1 AND day = $2 AND name NOT IN \
         (SELECT name FROM query_names WHERE zone_id = $1 AND day = $2 ORDER BY queries DESC, name LIMIT $3)",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(day.0))
    .bind(i64::from(NAMES_KEPT))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn read((name, queries): (String, i64)) -> Result<(Name, u64), InventoryError> {
    let damaged = |_| InventoryError::Damaged(format!("a name that was asked for is {name:?}"));
    Ok((name.parse().map_err(damaged)?, to_u64(queries)?))
}
