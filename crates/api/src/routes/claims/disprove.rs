//! Taking a name from a zone, by the word of whoever runs the service.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::path::IdInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Takes the name from this zone, which is a claim like others from then on: it is copied, and not answered.
#[utoipa::path(
    post, path = "/claims/{id}/disprove", tag = "claims", params(("id" = u64, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn disprove(
    Operates(caller): Operates,
    State(served): State<Served>,
    IdInPath(zone): IdInPath,
) -> Result<StatusCode, Problem> {
    served.doors.ownership.disprove(&caller, zone).await?;
    Ok(StatusCode::NO_CONTENT)
}
