//! Growing old: hours become days, and days and names end.
//!
//! All zones are gone through in the order of their ids, a few in each transaction. Only whole days are folded, so that a day
//! is never in both tables for good; were it (a clock that went back), the two would be added up.

use sqlx::AssertSqlSafe;
use xfr::Moment;
use zone::ZoneId;

use super::counts::{additions, columns, sums};
use super::{DAYS_KEPT, HOURS_KEPT, HOURS_OF_DAY, Hour};
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

/// Zones of one step: with all their hours some ten milliseconds.
const ZONES_AT_ONCE: i64 = 64;
/// Names are kept for as many days as hours are.
const NAMES_KEPT_DAYS: u64 = HOURS_KEPT / HOURS_OF_DAY;

impl Inventory {
    /// Folds and ends what is old of the next zones after this one (the first ones after none), and gives the last of them;
    /// none when there are no more.
    pub async fn fold_queries(&self, after: Option<ZoneId>, now: Moment) -> Result<Option<ZoneId>, InventoryError> {
        let today = Hour::of(now).day().0;
        let first_hour = to_i64(today.saturating_sub(HOURS_KEPT / HOURS_OF_DAY) * HOURS_OF_DAY);
        let first_day = to_i64(today.saturating_sub(DAYS_KEPT));
        let first_day_of_names = to_i64(today.saturating_sub(NAMES_KEPT_DAYS));
        let after = after.map_or(0, |zone| to_i64(zone.0));
        let mut transaction = self.begin().await?;
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(id) FROM (SELECT id FROM zones WHERE id > $1 ORDER BY id LIMIT $2) AS next_zones",
        )
        .bind(after)
        .bind(ZONES_AT_ONCE)
        .fetch_one(&mut *transaction)
        .await?;
        let Some(last) = last else { return Ok(None) };
        let (columns, sums, additions) = (columns(), sums(), additions("query_days"));
        let fold = format!(
            "INSERT INTO query_days (zone_id, day, {columns}) SELECT zone_id, hour / {HOURS_OF_DAY} AS day, {sums} \
             FROM query_hours WHERE zone_id > $1 AND zone_id <= $2 AND hour < $3 GROUP BY zone_id, hour / {HOURS_OF_DAY} \
             ON CONFLICT (zone_id, day) DO UPDATE SET {additions}"
        );
        for (statement, first) in [
            (fold.as_str(), first_hour),
            ("DELETE FROM query_hours WHERE zone_id > $1 AND zone_id <= $2 AND hour < $3", first_hour),
            ("DELETE FROM query_days WHERE zone_id > $1 AND zone_id <= $2 AND day < $3", first_day),
            ("DELETE FROM query_names WHERE zone_id > $1 AND zone_id <= $2 AND day < $3", first_day_of_names),
        ] {
            // Made of our own words alone.
            let query = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(after).bind(last).bind(first);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Some(ZoneId(to_u64(last)?)))
    }
}
