//! How many zones are in which condition.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Counts the organisation's zones by their condition.
#[utoipa::path(
    get, path = "/zones/counts", tag = "zones",
    responses((status = 200, body = json::ZoneCounts), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn counts(
    Reads(caller): Reads,
    State(served): State<Served>,
) -> Result<axum::Json<json::ZoneCounts>, Problem> {
    served.doors.status.counts(&caller).await.map(axum::Json)
}
