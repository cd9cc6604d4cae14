//! The door to what is on record of jobs.

use async_trait::async_trait;

use super::Caller;
use crate::json::Time;
use crate::problem::Problem;

/// A job as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptJob {
    pub id: u64,
    /// What was asked for, as method and path.
    pub operation: String,
    pub created_at: Time,
    /// None as long as nobody has said how it ended.
    pub ended: Option<JobEnd>,
}

/// How a job has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    pub at: Time,
    /// As a request's.
    pub status: u16,
    /// As JSON; none when there was nothing to say, or too much, and in lists.
    pub answer: Option<String>,
}

/// Jobs on record, each its tenant's alone; for a week, and so many of a tenant.
#[async_trait]
pub trait Jobs: Send + Sync {
    async fn begin_job(&self, caller: &Caller, operation: &str) -> Result<KeptJob, Problem>;

    async fn end_job(&self, caller: &Caller, id: u64, status: u16, answer: Option<&str>) -> Result<(), Problem>;

    /// # Errors
    /// [`Code::JobUnknown`](crate::Code::JobUnknown).
    async fn job(&self, caller: &Caller, id: u64) -> Result<KeptJob, Problem>;

    /// At most `limit`, newest first, those before the job `before`.
    async fn jobs(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<Vec<KeptJob>, Problem>;
}
