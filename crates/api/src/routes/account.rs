//! Who a token stands for.

use axum::extract::State;

use crate::access::Anybody;
use crate::doors::Actor;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows whose token it is that asks, and what it may do. Any token may ask that.
#[utoipa::path(
    get, path = "/account", tag = "account",
    responses((status = 200, body = json::Account), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn account(
    Anybody(caller): Anybody,
    State(served): State<Served>,
) -> Result<axum::Json<json::Account>, Problem> {
    let organisation = served.doors.organisations.organisation(caller.tenant).await?;
    let token = match caller.actor {
        Actor::Token(name) => Some(name),
        Actor::User { .. } | Actor::Machine => None,
    };
    Ok(axum::Json(json::Account { organisation, token, scopes: caller.scopes }))
}
