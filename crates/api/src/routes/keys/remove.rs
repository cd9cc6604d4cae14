//! Removing a TSIG key.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::ChangesKeys;
use crate::path::KeyInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Removes a TSIG key that no primary is asked with.
#[utoipa::path(
    delete, path = "/keys/{name}", tag = "keys", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    ChangesKeys(caller): ChangesKeys,
    State(served): State<Served>,
    KeyInPath(name): KeyInPath,
) -> Result<StatusCode, Problem> {
    served.doors.intent.remove_key(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
