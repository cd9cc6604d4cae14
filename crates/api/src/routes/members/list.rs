//! Listing members.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the members of the caller's organisation.
#[utoipa::path(
    get, path = "/members", tag = "members",
    responses((status = 200, body = json::Members), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
) -> Result<axum::Json<json::Members>, Problem> {
    let members = served.doors.organisations.members(&caller).await?;
    Ok(axum::Json(json::Members { members }))
}
