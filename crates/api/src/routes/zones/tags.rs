//! The tags that an organisation's zones have.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the tags of the organisation's zones, each with how many zones have it; the 1,000 that most have, by name.
#[utoipa::path(
    get, path = "/zones/tags", tag = "zones",
    responses((status = 200, body = json::TagCounts), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn tags(
    Reads(caller): Reads,
    State(served): State<Served>,
) -> Result<axum::Json<json::TagCounts>, Problem> {
    served.doors.status.tags(&caller).await.map(|tags| axum::Json(json::TagCounts { tags }))
}
