//! One plan.

use axum::extract::State;

use crate::access::Operates;
use crate::json;
use crate::path::IdInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// Shows a plan.
#[utoipa::path(
    get, path = "/plans/{id}", tag = "plans", params(("id" = u64, Path)),
    responses((status = 200, body = json::Plan), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    _: Operates,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<axum::Json<json::Plan>, Problem> {
    let plans = served.doors.plans.plans().await?;
    let unknown = || Problem::new(Code::PlanUnknown, format!("there is no plan {id}: see GET /api/v1/plans"));
    plans.into_iter().find(|plan| plan.id == id).map(axum::Json).ok_or_else(unknown)
}
