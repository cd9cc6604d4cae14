//! Zones that can be had back.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Newest, page_limit};

/// Lists the zones that were removed and are kept, those removed last first.
#[utoipa::path(
    get, path = "/removed-zones", tag = "zones", params(Newest),
    responses((status = 200, body = json::RemovedZones), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(newest): Parameters<Newest>,
) -> Result<axum::Json<json::RemovedZones>, Problem> {
    let zones = served.doors.removals.removed(&caller, page_limit(newest.limit)?).await?;
    Ok(axum::Json(json::RemovedZones { zones }))
}
