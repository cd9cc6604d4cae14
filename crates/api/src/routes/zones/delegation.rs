//! To whom a zone is delegated.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Reads;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Asks the servers of the zone's parent to whom it is delegated, and the servers that they name whether they answer for it.
/// What was found within the last minute is not asked again; that it cannot be found out is no error.
#[utoipa::path(
    get, path = "/zones/{name}/delegation", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::Delegation), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn delegation(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Delegation>, Problem> {
    served.doors.requests.delegation(&caller, &name).await.map(axum::Json)
}

/// Shows to whom the zone is delegated as far as that is known. Nobody is asked for it.
#[utoipa::path(
    get, path = "/zones/{name}/delegation/known", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::KnownDelegation), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn known(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::KnownDelegation>, Problem> {
    let delegation = served.doors.status.known_delegation(&caller, &name).await?;
    Ok(axum::Json(json::KnownDelegation { delegation }))
}

/// Has it found out to whom the zone is delegated, without waiting for it: whoever listens to the zone's news hears of it.
#[utoipa::path(
    post, path = "/zones/{name}/delegation/begin", tag = "zones", params(("name" = String, Path)),
    responses((status = 202, body = json::DelegationBegun), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn begin(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<(StatusCode, axum::Json<json::DelegationBegun>), Problem> {
    let begun = served.doors.requests.begin_delegation(&caller, &name).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(json::DelegationBegun { begun })))
}
