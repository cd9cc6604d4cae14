//! To whom a zone is delegated.

use axum::extract::State;

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
