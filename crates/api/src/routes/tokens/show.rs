//! One API token.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::path::TextInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// Shows an API token, without what opens the API.
#[utoipa::path(
    get, path = "/tokens/{name}", tag = "tokens", params(("name" = String, Path)),
    responses((status = 200, body = json::Token), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(name): TextInPath,
) -> Result<axum::Json<json::Token>, Problem> {
    let tokens = served.doors.accounts.tokens(&caller).await?;
    let unknown = || Problem::new(Code::TokenUnknown, format!("there is no token {name:?}: see secondo token list"));
    tokens.into_iter().find(|token| token.name == name).map(axum::Json).ok_or_else(unknown)
}
