//! One zone.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows a zone with its condition and its last attempt. In paths, the root zone is `@`.
#[utoipa::path(
    get, path = "/zones/{name}", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::Zone), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Zone>, Problem> {
    served.doors.status.zone(&caller, &name).await.map(axum::Json)
}
