//! Long work that clients do not wait for, and what came of it.
//!
//! Invariants: a job that was begun is there until its time is over, also when the program ended before it did; of each tenant
//! so many are kept that have ended, and those that go first are the oldest. Whether one is still carried out is not known here.

use sqlx::FromRow;
use xfr::Moment;

use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

/// How long what came of a job can be seen.
pub const JOBS_KEPT_MS: u64 = 7 * 24 * 3600 * 1000;
/// Jobs kept of a tenant that have ended; what has not stays.
pub const JOBS_MAX: u32 = 200;

/// Something that is carried out, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    /// What was asked for, as method and path.
    pub operation: String,
    pub created_at: Moment,
    /// None as long as nobody has said how it ended.
    pub ended: Option<EndedJob>,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedJob {
    pub at: Moment,
    /// As a request's.
    pub status: u16,
    /// As JSON; none when there was nothing to say, or too much.
    pub answer: Option<String>,
}

impl Inventory {
    /// Puts a job on record; its id.
    pub async fn add_job(&self, tenant: TenantId, operation: &str, now: Moment) -> Result<u64, InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM jobs WHERE created_at_ms <= $1")
            .bind(to_i64(now.0.saturating_sub(JOBS_KEPT_MS)))
            .execute(&mut *transaction)
            .await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO jobs (tenant_id, operation, created_at_ms) VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(to_i64(tenant.0))
        .bind(operation)
        .bind(to_i64(now.0))
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM jobs WHERE tenant_id = $1 AND finished_at_ms IS NOT NULL AND id <= \
             (SELECT id FROM jobs WHERE tenant_id = $1 AND finished_at_ms IS NOT NULL \
             ORDER BY id DESC LIMIT 1 OFFSET $2)",
        )
        .bind(to_i64(tenant.0))
        .bind(i64::from(JOBS_MAX))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        to_u64(id)
    }

    /// Says how the job ended.
    pub async fn end_job(&self, tenant: TenantId, id: u64, ended: &EndedJob) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE jobs SET finished_at_ms = $3, status = $4, answer = $5 WHERE tenant_id = $1 AND id = $2")
            .bind(to_i64(tenant.0))
            .bind(to_i64(id))
            .bind(to_i64(ended.at.0))
            .bind(i64::from(ended.status))
            .bind(&ended.answer)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The tenant's job, if it is kept.
    pub async fn job(&self, tenant: TenantId, id: u64) -> Result<Option<Job>, InventoryError> {
        let row: Option<JobRow> = sqlx::query_as(
            "SELECT id, operation, created_at_ms, finished_at_ms, status, answer FROM jobs \
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(id))
        .fetch_optional(self.reader())
        .await?;
        row.map(JobRow::read).transpose()
    }

    /// At most `limit` of the tenant's jobs, newest first, those before the job `before`; without what they were answered.
    pub async fn jobs(&self, tenant: TenantId, before: Option<u64>, limit: u32) -> Result<Vec<Job>, InventoryError> {
        let rows: Vec<JobRow> = sqlx::query_as(
            "SELECT id, operation, created_at_ms, finished_at_ms, status, NULL AS answer FROM jobs \
             WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(before.unwrap_or(u64::MAX)))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(JobRow::read).collect()
    }
}

#[derive(FromRow)]
struct JobRow {
    id: i64,
    operation: String,
    created_at_ms: i64,
    finished_at_ms: Option<i64>,
    status: Option<i64>,
    answer: Option<String>,
}

impl JobRow {
    fn read(self) -> Result<Job, InventoryError> {
        let ended = match (self.finished_at_ms, self.status) {
            (Some(at), Some(status)) => {
                let no_status = |_| InventoryError::Damaged(format!("a job's status is {status}"));
                let status = u16::try_from(status).map_err(no_status)?;
                Some(EndedJob { at: Moment(to_u64(at)?), status, answer: self.answer })
            }
            _ => None,
        };
        Ok(Job {
            id: to_u64(self.id)?,
            operation: self.operation,
            created_at: Moment(to_u64(self.created_at_ms)?),
            ended,
        })
    }
}
