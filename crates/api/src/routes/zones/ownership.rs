//! Whose a zone's name is.

use axum::extract::State;

use crate::access::{ChangesZones, Reads};
use crate::body::Json;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows whether the name is proven, and what would prove it.
#[utoipa::path(
    get, path = "/zones/{name}/ownership", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::Ownership), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn ownership(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Ownership>, Problem> {
    served.doors.ownership.ownership(&caller, &name).await.map(axum::Json)
}

/// Looks for a proof now: at the name's parent, and at the servers that it delegates the name to.
#[utoipa::path(
    post, path = "/zones/{name}/ownership/look", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::Ownership), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn look(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Ownership>, Problem> {
    served.doors.ownership.look_for_proof(&caller, &name).await.map(axum::Json)
}

/// Hands a proven name over to another organisation's claim on it. The zone stays here as a claim, and is not answered any
/// more.
#[utoipa::path(
    post, path = "/zones/{name}/ownership/hand-over", tag = "zones", params(("name" = String, Path)),
    request_body = json::HandOver,
    responses((status = 200, body = json::Ownership), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn hand_over(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(order): Json<json::HandOver>,
) -> Result<axum::Json<json::Ownership>, Problem> {
    served.doors.ownership.hand_over(&caller, &name, order.to.trim()).await.map(axum::Json)
}
