//! Adding an API token.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::body::Json;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds an API token, with no scope that the caller has not. What opens the API is said in this answer and never again.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens",
    request_body = json::AddToken,
    responses((status = 201, body = json::AddedToken), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Json(token): Json<json::AddToken>,
) -> Result<(StatusCode, axum::Json<json::AddedToken>), Problem> {
    let added = served.doors.accounts.add_token(&caller, text::new_token(&token)?).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}
