//! Removing a catalog.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::ChangesZones;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes a catalog and its zone. Its members stay, as zones of their own.
#[utoipa::path(
    delete, path = "/catalogs/{name}", tag = "catalogs", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<StatusCode, Problem> {
    served.doors.intent.remove_catalog(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
