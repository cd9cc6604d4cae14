//! What is to be pasted into the configuration of a zone's primaries.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows the lines that have the zone's primaries give it to us and tell us of its changes. Nobody is asked for them.
#[utoipa::path(
    get, path = "/zones/{name}/lines", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::ZoneLines), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn lines(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::ZoneLines>, Problem> {
    let primaries = served.doors.status.lines(&caller, &name).await?;
    Ok(axum::Json(json::ZoneLines { primaries }))
}
