//! Listing invitations.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists who was asked to belong to the caller's organisation, and has not answered.
#[utoipa::path(
    get, path = "/invitations", tag = "members",
    responses((status = 200, body = json::Invitations), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
) -> Result<axum::Json<json::Invitations>, Problem> {
    let invitations = served.doors.organisations.invitations(&caller).await?;
    Ok(axum::Json(json::Invitations { invitations }))
}
