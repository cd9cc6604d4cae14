//! One alert rule: shown, changed, removed.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::body::Json;
use crate::json;
use crate::path::IdInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// Shows an alert rule.
#[utoipa::path(
    get, path = "/alerts/{id}", tag = "alerts", params(("id" = u64, Path)),
    responses((status = 200, body = json::AlertRule), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<axum::Json<json::AlertRule>, Problem> {
    let rules = served.doors.alerts.alert_rules(&caller).await?;
    let unknown = || Problem::new(Code::AlertUnknown, format!("there is no alert rule {id}: see secondo alert list"));
    rules.into_iter().find(|rule| rule.id == id).map(axum::Json).ok_or_else(unknown)
}

/// Has an alert rule want these events from now on; what waits by now is sent all the same.
#[utoipa::path(
    put, path = "/alerts/{id}", tag = "alerts", params(("id" = u64, Path)), request_body = json::AlertWanted,
    responses((status = 200, body = json::AlertRule), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
    Json(wanted): Json<json::AlertWanted>,
) -> Result<axum::Json<json::AlertRule>, Problem> {
    served.doors.alerts.change_alert_rule(&caller, id, wanted).await.map(axum::Json)
}

/// Removes an alert rule; what waits to be sent by it is not sent.
#[utoipa::path(
    delete, path = "/alerts/{id}", tag = "alerts", params(("id" = u64, Path)),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<StatusCode, Problem> {
    served.doors.alerts.remove_alert_rule(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
