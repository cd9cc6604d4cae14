//! Trying out whether alerts come.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::path::IdInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Sends a test to where the rule leads, once, and answers with what came of it.
#[utoipa::path(
    post, path = "/alerts/{id}/test", tag = "alerts", params(("id" = u64, Path)),
    responses((status = 200, body = json::AlertDelivery), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn test(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    IdInPath(id): IdInPath,
) -> Result<axum::Json<json::AlertDelivery>, Problem> {
    served.doors.alerts.test_alert_rule(&caller, id).await.map(axum::Json)
}
