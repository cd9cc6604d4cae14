//! Listing users.

use axum::extract::State;

use crate::access::Operates;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists everybody who may sign in.
#[utoipa::path(
    get, path = "/users", tag = "users",
    responses((status = 200, body = json::Users), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Operates(caller): Operates,
    State(served): State<Served>,
) -> Result<axum::Json<json::Users>, Problem> {
    let users = served.doors.accounts.users(&caller).await?;
    Ok(axum::Json(json::Users { users }))
}
