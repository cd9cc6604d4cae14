//! Listing jobs.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Before, page_limit};

/// Lists the organisation's jobs of the last week, newest first: what was asked for with `Prefer: respond-async`.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(Before),
    responses((status = 200, body = json::Jobs), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(part): Parameters<Before>,
) -> Result<axum::Json<json::Jobs>, Problem> {
    let limit = page_limit(part.limit)?;
    let jobs = served.jobs.jobs(&*served.doors.jobs, &caller, part.before, limit).await?;
    let next = jobs.last().filter(|_| jobs.len() == limit as usize).map(|last| last.id);
    Ok(axum::Json(json::Jobs { jobs, next }))
}
