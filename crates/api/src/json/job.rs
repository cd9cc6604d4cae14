//! Long work that nobody waits for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;
use crate::problem::ProblemDetails;

words! {
    /// How far a job is.
    JobState {
        /// Others of the organisation's are carried out first.
        Queued = "queued",
        Running = "running",
        Done = "done",
        Failed = "failed",
    }
}

/// How much of a job is done, where that can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    pub done: u64,
    pub total: u64,
}

/// What was asked for with `Prefer: respond-async`, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    pub id: u64,
    /// What was asked for, as method and path below `/api/v1`.
    #[schema(example = "POST /zones/example.org/refresh")]
    pub operation: String,
    pub state: JobState,
    /// While it runs, where it can be counted.
    pub progress: Option<JobProgress>,
    pub created_at: Time,
    pub finished_at: Option<Time>,
    /// What the request would have been answered, when the job is done. None if there was nothing to say or too much to be kept;
    /// not in lists.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Why it has failed. In lists only that of a job that was cut off (`job_cut_off`).
    pub problem: Option<ProblemDetails>,
}

/// The organisation's jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Jobs {
    pub jobs: Vec<Job>,
    /// What to ask for `before` to get the next page; none at the end.
    pub next: Option<u64>,
}
