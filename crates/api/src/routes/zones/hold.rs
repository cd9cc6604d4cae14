//! The owner's word about a zone's versions: publish, keep, freeze, thaw.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::Json;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Has a version that is held back published or kept away, or the zone frozen or thawed.
#[utoipa::path(
    post, path = "/zones/{name}/hold", tag = "zones", params(("name" = String, Path)),
    request_body = json::OrderHold,
    responses((status = 200, body = json::Zone), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn hold(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(order): Json<json::OrderHold>,
) -> Result<axum::Json<json::Zone>, Problem> {
    served.doors.requests.order_hold(&caller, &name, order).await.map(axum::Json)
}
