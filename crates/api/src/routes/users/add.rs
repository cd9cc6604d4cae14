//! Adding a user.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::body::Json;
use crate::doors::NewUser;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds somebody to the caller's organisation, and answers with the link by which they set a password.
#[utoipa::path(
    post, path = "/users", tag = "users",
    request_body = json::AddUser,
    responses((status = 201, body = json::PasswordLink), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    Operates(caller): Operates,
    State(served): State<Served>,
    Json(user): Json<json::AddUser>,
) -> Result<(StatusCode, axum::Json<json::PasswordLink>), Problem> {
    let user = NewUser { email: text::email(&user.email)?, role: user.role, is_operator: user.operator };
    let link = served.doors.accounts.add_user(&caller, user).await?;
    Ok((StatusCode::CREATED, axum::Json(link)))
}
