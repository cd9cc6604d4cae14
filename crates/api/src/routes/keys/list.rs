//! Listing TSIG keys.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the TSIG keys, without their secrets.
#[utoipa::path(
    get, path = "/keys", tag = "keys",
    responses((status = 200, body = json::Keys), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
) -> Result<axum::Json<json::Keys>, Problem> {
    let keys = served.doors.intent.keys(&caller).await?;
    Ok(axum::Json(json::Keys { keys }))
}
