//! Removing an API token.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes an API token: from then on it opens nothing.
#[utoipa::path(
    delete, path = "/tokens/{name}", tag = "tokens", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(name): TextInPath,
) -> Result<StatusCode, Problem> {
    served.doors.accounts.remove_token(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
