//! Removing a user.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes somebody, with their sessions; not the last operator, nor the last owner of an organisation.
#[utoipa::path(
    delete, path = "/users/{email}", tag = "users", params(("email" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    Operates(caller): Operates,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<StatusCode, Problem> {
    served.doors.accounts.remove_user(&caller, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
