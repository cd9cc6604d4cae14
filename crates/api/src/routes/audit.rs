//! What was changed, by whom.

use axum::extract::State;

use super::{Before, page_limit};
use crate::access::SeesPeople;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows what was changed, newest first: in the organisation, and for operators also in the whole service.
#[utoipa::path(
    get, path = "/audit", tag = "audit", params(Before),
    responses((status = 200, body = json::Audit), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn audit(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Parameters(part): Parameters<Before>,
) -> Result<axum::Json<json::Audit>, Problem> {
    served.doors.accounts.audit(&caller, part.before, page_limit(part.limit)?).await.map(axum::Json)
}
