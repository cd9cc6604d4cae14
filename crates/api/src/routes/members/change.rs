//! Giving a member another role.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::body::Json;
use crate::json;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Gives a member another role; the last owner stays one.
#[utoipa::path(
    patch, path = "/members/{email}", tag = "members", params(("email" = String, Path)),
    request_body = json::ChangeMember,
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
    Json(change): Json<json::ChangeMember>,
) -> Result<StatusCode, Problem> {
    served.doors.organisations.set_role(&caller, &email, change.role).await?;
    Ok(StatusCode::NO_CONTENT)
}
