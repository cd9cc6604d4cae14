//! What was sent by alert rules.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Before, page_limit};

/// Lists what was sent by alert rules, and what came of it, newest first.
#[utoipa::path(
    get, path = "/alert-deliveries", tag = "alerts", params(Before),
    responses((status = 200, body = json::AlertDeliveries), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn deliveries(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Parameters(part): Parameters<Before>,
) -> Result<axum::Json<json::AlertDeliveries>, Problem> {
    served.doors.alerts.alert_deliveries(&caller, part.before, page_limit(part.limit)?).await.map(axum::Json)
}
