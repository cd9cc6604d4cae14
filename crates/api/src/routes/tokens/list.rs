//! Listing API tokens.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the organisation's API tokens, without what opens the API.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens",
    responses((status = 200, body = json::Tokens), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
) -> Result<axum::Json<json::Tokens>, Problem> {
    let tokens = served.doors.accounts.tokens(&caller).await?;
    Ok(axum::Json(json::Tokens { tokens }))
}
