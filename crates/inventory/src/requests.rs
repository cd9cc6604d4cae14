//! Requests that clients may send again, and what they were answered.
//!
//! Invariants: of a request there are hashes and a sealed answer, and nothing of either in clear; a tenant has so many, and
//! each goes after a day.

use xfr::Moment;

use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

/// How long an answer can be had again.
const KEPT_MS: u64 = 24 * 3600 * 1000;
/// Of one tenant within that time.
pub const REQUESTS_MAX: u64 = 10_000;

/// What is known of a request that was to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BegunRequest {
    /// It is the first of its id, and on record now.
    First,
    /// There was one with this id.
    Before { sent: String, begun_at: Moment, answer: Option<String> },
    /// The tenant has [`REQUESTS_MAX`] of them.
    TooMany,
}

impl Inventory {
    /// Puts the request on record unless there is one with this id.
    pub async fn begin_request(
        &self,
        tenant: TenantId,
        id: &str,
        sent: &str,
        now: Moment,
    ) -> Result<BegunRequest, InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM requests WHERE begun_at_ms <= $1")
            .bind(to_i64(now.0.saturating_sub(KEPT_MS)))
            .execute(&mut *transaction)
            .await?;
        let before: Option<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT sent, begun_at_ms, answer FROM requests WHERE tenant_id = $1 AND id = $2")
                .bind(to_i64(tenant.0))
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
        if let Some((sent, begun_at_ms, answer)) = before {
            return Ok(BegunRequest::Before { sent, begun_at: Moment(to_u64(begun_at_ms)?), answer });
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM requests WHERE tenant_id = $1")
            .bind(to_i64(tenant.0))
            .fetch_one(&mut *transaction)
            .await?;
        if to_u64(count)? >= REQUESTS_MAX {
            return Ok(BegunRequest::TooMany);
        }
        sqlx::query("INSERT INTO requests (tenant_id, id, sent, begun_at_ms) VALUES ($1, $2, $3, $4)")
            .bind(to_i64(tenant.0))
            .bind(id)
            .bind(sent)
            .bind(to_i64(now.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(BegunRequest::First)
    }

    /// Keeps what the request was answered.
    pub async fn answer_request(&self, tenant: TenantId, id: &str, answer: &str) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE requests SET answer = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(to_i64(tenant.0))
            .bind(id)
            .bind(answer)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has the request be one that was never sent: it came to nothing.
    pub async fn forget_request(&self, tenant: TenantId, id: &str) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM requests WHERE tenant_id = $1 AND id = $2")
            .bind(to_i64(tenant.0))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
