//! Browsers that somebody has signed in with before. What they keep opens nothing: it only says that whoever tries is not one
//! of those who try everywhere.

use xfr::Moment;

use super::Hashed;
use super::users::UserId;
use crate::database::{Inventory, to_i64};
use crate::error::InventoryError;

/// 180 days without use.
const KEPT_MS: u64 = 180 * 24 * 3600 * 1000;
/// Of one user; those that were not used for longest go.
const DEVICES_MAX: i64 = 20;

impl Inventory {
    /// Remembers that the user has signed in with the browser that keeps this secret.
    pub async fn remember_device(&self, user: UserId, secret: &Hashed, now: Moment) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM devices WHERE used_at_ms <= $1 OR hash = $2")
            .bind(to_i64(now.0.saturating_sub(KEPT_MS)))
            .bind(secret.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO devices (hash, user_id, used_at_ms) SELECT $1, id, $3 FROM users WHERE id = $2")
            .bind(secret.as_str())
            .bind(to_i64(user.0))
            .bind(to_i64(now.0))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM devices WHERE user_id = $1 AND hash NOT IN \
             (SELECT hash FROM devices WHERE user_id = $1 ORDER BY used_at_ms DESC, hash LIMIT $2)",
        )
        .bind(to_i64(user.0))
        .bind(DEVICES_MAX)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether whoever has this address has signed in with the browser that keeps this secret.
    pub async fn is_known_device(&self, email: &str, secret: &Hashed, now: Moment) -> Result<bool, InventoryError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT d.user_id FROM devices d JOIN users u ON u.id = d.user_id \
             WHERE d.hash = $1 AND u.email_lower = $2 AND d.used_at_ms > $3",
        )
        .bind(secret.as_str())
        .bind(email.to_lowercase())
        .bind(to_i64(now.0.saturating_sub(KEPT_MS)))
        .fetch_optional(self.reader())
        .await?;
        Ok(found.is_some())
    }
}
