//! Giving a name to a claim, by the word of whoever runs the service.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::path::IdInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Gives the name to this claim, whoever has it now.
#[utoipa::path(
    post, path = "/claims/{id}/approve", tag = "claims", params(("id" = u64, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn approve(
    Operates(caller): Operates,
    State(served): State<Served>,
    IdInPath(zone): IdInPath,
) -> Result<StatusCode, Problem> {
    served.doors.ownership.approve(&caller, zone).await?;
    Ok(StatusCode::NO_CONTENT)
}
