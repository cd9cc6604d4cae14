//! What was changed, by whom.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::page_limit;
use crate::access::SeesPeople;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Which entries of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Entries {
    /// Only entries before this one: `next` of the page before.
    before: Option<u64>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Shows what was changed, newest first: in the organisation, and for operators also in the whole service.
#[utoipa::path(
    get, path = "/audit", tag = "audit", params(Entries),
    responses((status = 200, body = json::Audit), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn audit(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Parameters(part): Parameters<Entries>,
) -> Result<axum::Json<json::Audit>, Problem> {
    served.doors.accounts.audit(&caller, part.before, page_limit(part.limit)?).await.map(axum::Json)
}
