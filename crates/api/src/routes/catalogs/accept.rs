//! Having those members go that a catalog does not list any more.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::Json;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes, without their having to wait, all members that this version of the catalog does not list.
#[utoipa::path(
    post, path = "/catalogs/{name}/accept", tag = "catalogs", params(("name" = String, Path)),
    request_body = json::AcceptCatalog,
    responses((status = 200, body = json::Catalog), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn accept(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(accept): Json<json::AcceptCatalog>,
) -> Result<axum::Json<json::Catalog>, Problem> {
    served.doors.requests.accept_catalog(&caller, &name, accept.serial).await.map(axum::Json)
}
