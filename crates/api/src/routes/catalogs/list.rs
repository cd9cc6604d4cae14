//! Listing catalogs.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists all catalogs: they are few, however many zones they list.
#[utoipa::path(
    get, path = "/catalogs", tag = "catalogs",
    responses((status = 200, body = json::Catalogs), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
) -> Result<axum::Json<json::Catalogs>, Problem> {
    let catalogs = served.doors.status.catalogs(&caller).await?;
    Ok(axum::Json(json::Catalogs { catalogs }))
}
