//! What happened to a zone.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::AttemptPage;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::page_limit;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Only attempts before this one: `next` of the page before.
    before: Option<u64>,
    /// How many attempts at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Shows the versions that are kept and the attempts on record, newest first.
#[utoipa::path(
    get, path = "/zones/{name}/history", tag = "zones", params(("name" = String, Path), Page),
    responses((status = 200, body = json::History), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn history(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<json::History>, Problem> {
    let page = AttemptPage { before: page.before, limit: page_limit(page.limit)? };
    served.doors.status.history(&caller, &name, page).await.map(axum::Json)
}
