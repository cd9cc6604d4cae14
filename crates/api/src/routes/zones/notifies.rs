//! Who said that a zone has changed.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Newest, page_limit};

/// Shows the NOTIFYs for a zone, those that were refused too, with why; the last to come first.
#[utoipa::path(
    get, path = "/zones/{name}/notifies", tag = "zones", params(("name" = String, Path), Newest),
    responses((status = 200, body = json::ZoneNotifies), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn notifies(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(newest): Parameters<Newest>,
) -> Result<axum::Json<json::ZoneNotifies>, Problem> {
    let notifies = served.doors.status.notifies(&caller, &name, page_limit(newest.limit)?).await?;
    Ok(axum::Json(json::ZoneNotifies { notifies }))
}
