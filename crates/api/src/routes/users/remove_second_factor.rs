//! Taking the second factor off somebody who has lost theirs.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Takes the second factor off somebody who has lost theirs, and tells them by mail. See first who it is that asks.
#[utoipa::path(
    delete, path = "/users/{email}/second-factor", tag = "users", params(("email" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove_second_factor(
    Operates(caller): Operates,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<StatusCode, Problem> {
    served.doors.accounts.remove_second_factor_of(&caller, &email).await?;
    Ok(StatusCode::NO_CONTENT)
}
