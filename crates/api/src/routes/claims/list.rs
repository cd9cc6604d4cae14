//! Claims that wait for a proof.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Operates;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::page_limit;

/// Which of the claims.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Only claims after this one: `next` of the page before.
    #[serde(default)]
    after: u64,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Lists the claims on names that are not proven, of all organisations.
#[utoipa::path(
    get, path = "/claims", tag = "claims", params(Part),
    responses((status = 200, body = json::Claims), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Operates(caller): Operates,
    State(served): State<Served>,
    Parameters(part): Parameters<Part>,
) -> Result<axum::Json<json::Claims>, Problem> {
    served.doors.ownership.claims(&caller, part.after, page_limit(part.limit)?).await.map(axum::Json)
}
