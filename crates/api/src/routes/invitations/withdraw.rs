//! Withdrawing an invitation.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Withdraws an invitation, whose link does nothing any more.
#[utoipa::path(
    delete, path = "/invitations/{email}", tag = "members", params(("email" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn withdraw(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<StatusCode, Problem> {
    served.doors.organisations.withdraw(&caller, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
