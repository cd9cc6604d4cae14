//! Showing a job.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::path::IdInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows how far a job is, and what came of it when it has ended. It is kept for a week.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = json::Job), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    Reads(caller): Reads,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<axum::Json<json::Job>, Problem> {
    served.jobs.job(&*served.doors.jobs, &caller, id).await.map(axum::Json)
}
