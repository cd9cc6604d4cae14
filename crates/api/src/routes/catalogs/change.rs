//! Changing what a catalog may do, and what its members are made of.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::Json;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Changes what a catalog may do, wholly or not at all; what is left out stays. Its members follow.
#[utoipa::path(
    patch, path = "/catalogs/{name}", tag = "catalogs", params(("name" = String, Path)),
    request_body = json::ChangeCatalog,
    responses((status = 200, body = json::Catalog), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(change): Json<json::ChangeCatalog>,
) -> Result<axum::Json<json::Catalog>, Problem> {
    let change = text::catalog_change(&name, &change)?;
    served.doors.intent.change_catalog(&caller, &name, change).await.map(axum::Json)
}
