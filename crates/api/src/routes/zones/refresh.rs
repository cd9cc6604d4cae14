//! Refreshing a zone now, and waiting for what comes of it.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::MaybeJson;
use crate::deadline::REFRESH_WAIT_MAX;
use crate::jobs::{ForJob, JOB_MAX};
use crate::json::{self, Ending};
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Brings a zone up to its primaries now and answers when that has ended, however it has; a transfer that takes
/// longer than two minutes goes on without the client; as a job it is waited for.
#[utoipa::path(
    post, path = "/zones/{name}/refresh", tag = "zones", params(("name" = String, Path)),
    request_body = Option<json::Refresh>,
    responses((status = 200, body = json::Refreshed), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn refresh(
    ChangesZones(caller): ChangesZones,
    ForJob(job): ForJob,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    MaybeJson(refresh): MaybeJson<json::Refresh>,
) -> Result<axum::Json<json::Refreshed>, Problem> {
    let wait = if job.is_some() { JOB_MAX } else { REFRESH_WAIT_MAX };
    let attempt = served.doors.requests.refresh(&caller, &name, refresh.transfer);
    let Ok(attempt) = tokio::time::timeout(wait, attempt).await else {
        return Ok(axum::Json(json::Refreshed { ending: Ending::Running, attempt: None, zone: None }));
    };
    let attempt = attempt?;
    let zone = served.doors.status.zone(&caller, &name).await?;
    Ok(axum::Json(json::Refreshed { ending: Ending::Done, attempt: Some(attempt), zone: Some(zone) }))
}
