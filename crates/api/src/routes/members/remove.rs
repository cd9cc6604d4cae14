//! Removing a member.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Has somebody belong to the caller's organisation no more; not its last owner.
#[utoipa::path(
    delete, path = "/members/{email}", tag = "members", params(("email" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<StatusCode, Problem> {
    served.doors.organisations.remove_member(&caller, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
