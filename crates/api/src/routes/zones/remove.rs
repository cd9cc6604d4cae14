//! Removing a zone.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::ChangesZones;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes a zone with its contents and its history.
#[utoipa::path(
    delete, path = "/zones/{name}", tag = "zones", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<StatusCode, Problem> {
    served.doors.intent.remove_zone(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
