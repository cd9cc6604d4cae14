//! Alert rules: listed, and added.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::body::Json;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Lists the organisation's alert rules: to whom which events are sent.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts",
    responses((status = 200, body = json::AlertRules), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
) -> Result<axum::Json<json::AlertRules>, Problem> {
    let rules = served.doors.alerts.alert_rules(&caller).await?;
    Ok(axum::Json(json::AlertRules { rules }))
}

/// Adds an alert rule. What a webhook's messages are signed with is said in this answer and never again; an address that is no
/// member's gets nothing before whoever reads it has confirmed it.
#[utoipa::path(
    post, path = "/alerts", tag = "alerts", request_body = json::AddAlertRule,
    responses((status = 201, body = json::AddedAlertRule), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Json(rule): Json<json::AddAlertRule>,
) -> Result<(StatusCode, axum::Json<json::AddedAlertRule>), Problem> {
    let added = served.doors.alerts.add_alert_rule(&caller, rule).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}
