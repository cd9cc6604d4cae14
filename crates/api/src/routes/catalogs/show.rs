//! One catalog.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows a catalog: its zone, what it may do, what it was last seen to say, how many members it has.
#[utoipa::path(
    get, path = "/catalogs/{name}", tag = "catalogs", params(("name" = String, Path)),
    responses((status = 200, body = json::Catalog), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Catalog>, Problem> {
    served.doors.status.catalog(&caller, &name).await.map(axum::Json)
}
