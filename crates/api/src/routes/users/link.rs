//! A link by which somebody sets another password.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::json;
use crate::path::TextInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Makes a link by which the user sets another password, once. Links made before do nothing any more.
#[utoipa::path(
    post, path = "/users/{email}/link", tag = "users", params(("email" = String, Path)),
    responses((status = 201, body = json::PasswordLink), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn link(
    Operates(caller): Operates,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<(StatusCode, axum::Json<json::PasswordLink>), Problem> {
    let link = served.doors.accounts.link_for_password(&caller, &email).await?;
    Ok((StatusCode::CREATED, axum::Json(link)))
}
