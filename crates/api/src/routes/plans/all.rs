//! Plans: listed, added, changed and removed by operators.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::body::Json;
use crate::json;
use crate::path::IdInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the plans, the oldest first, which is that of organisations that were given none.
#[utoipa::path(
    get, path = "/plans", tag = "plans",
    responses((status = 200, body = json::Plans), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(_: Operates, State(served): State<Served>) -> Result<axum::Json<json::Plans>, Problem> {
    let plans = served.doors.plans.plans().await?;
    Ok(axum::Json(json::Plans { plans }))
}

/// Adds a plan.
#[utoipa::path(
    post, path = "/plans", tag = "plans", request_body = json::PutPlan,
    responses((status = 201, body = json::Plan), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    Operates(caller): Operates,
    State(served): State<Served>,
    Json(plan): Json<json::PutPlan>,
) -> Result<(StatusCode, axum::Json<json::Plan>), Problem> {
    let added = served.doors.plans.add_plan(&caller, plan).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}

/// Has a plan be so, for all who have it.
#[utoipa::path(
    put, path = "/plans/{id}", tag = "plans", params(("id" = u64, Path)), request_body = json::PutPlan,
    responses((status = 200, body = json::Plan), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    Operates(caller): Operates,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
    Json(plan): Json<json::PutPlan>,
) -> Result<axum::Json<json::Plan>, Problem> {
    served.doors.plans.change_plan(&caller, id, plan).await.map(axum::Json)
}

/// Removes a plan that no organisation was given.
#[utoipa::path(
    delete, path = "/plans/{id}", tag = "plans", params(("id" = u64, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    Operates(caller): Operates,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<StatusCode, Problem> {
    served.doors.plans.remove_plan(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
