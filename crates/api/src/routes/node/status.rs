//! How the program is.

use axum::extract::State;

use crate::access::Operates;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows how the program is: addresses, zones by condition, queries, warnings.
#[utoipa::path(
    get, path = "/status", tag = "status",
    responses((status = 200, body = json::NodeStatus), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn status(
    _: Operates,
    State(served): State<Served>,
) -> Result<axum::Json<json::NodeStatus>, Problem> {
    served.doors.status.node().await.map(axum::Json)
}
