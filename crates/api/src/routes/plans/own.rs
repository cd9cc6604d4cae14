//! The plan that an organisation has, and what it was told.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Before, page_limit};

/// Shows the organisation's plan, and what it has of what that allows.
#[utoipa::path(
    get, path = "/plan", tag = "plans",
    responses((status = 200, body = json::OwnPlan), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn own(
    Reads(caller): Reads,
    State(served): State<Served>,
) -> Result<axum::Json<json::OwnPlan>, Problem> {
    served.doors.plans.own_plan(&caller).await.map(axum::Json)
}

/// Shows what the organisation was told: limits that are near, names that are lost, and the like; newest first.
#[utoipa::path(
    get, path = "/events", tag = "events", params(Before),
    responses((status = 200, body = json::Events), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn events(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(part): Parameters<Before>,
) -> Result<axum::Json<json::Events>, Problem> {
    served.doors.plans.events(&caller, part.before, page_limit(part.limit)?).await.map(axum::Json)
}
