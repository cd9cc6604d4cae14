//! Having a removed zone back.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Has the zone of this name back that was removed last: with its settings, primaries and contents. It is proven as it was,
/// unless somebody else has proven the name meanwhile.
#[utoipa::path(
    post, path = "/removed-zones/{name}/restore", tag = "zones", params(("name" = String, Path)),
    responses((status = 200, body = json::Zone), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn restore(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<axum::Json<json::Zone>, Problem> {
    served.doors.removals.restore(&caller, &name).await.map(axum::Json)
}
