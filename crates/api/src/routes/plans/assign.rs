//! Giving an organisation a plan.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::body::Json;
use crate::json;
use crate::path::OrganisationInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Gives an organisation a plan, with an end or without.
#[utoipa::path(
    put, path = "/organisations/{id}/plan", tag = "plans", params(("id" = u64, Path)), request_body = json::SetPlan,
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn assign(
    Operates(caller): Operates,
    State(served): State<Served>,
    OrganisationInPath(tenant): OrganisationInPath,
    Json(plan): Json<json::SetPlan>,
) -> Result<StatusCode, Problem> {
    served.doors.plans.set_plan(&caller, tenant, plan).await?;
    Ok(StatusCode::NO_CONTENT)
}
