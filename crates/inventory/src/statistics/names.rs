//! The names that were asked for most, by zone and day.

use std::collections::HashSet;

use dns::Name;
use zone::ZoneId;

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
        let mut transaction = self.begin().await?;
        let mut grown = HashSet::new();
        for name in asked {
            add(&mut transaction, name).await?;
            grown.insert((name.zone, name.day));
        }
        for (zone, day) in grown {
            trim(&mut transaction, zone, day).await?;
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

async fn add(transaction: &mut Transaction, asked: &AskedName) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO query_names (zone_id, day, name, queries) SELECT id, $2, $3, $4 FROM zones WHERE id = $1 \
         ON CONFLICT (zone_id, day, name) DO UPDATE SET queries = query_names.queries + excluded.queries",
    )
    .bind(to_i64(asked.zone.0))
    .bind(to_i64(asked.day.0))
    .bind(asked.name.to_string())
    .bind(to_i64(asked.queries))
    .execute(&mut **transaction)
    .await?;
    Ok(())
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
