//! What happened to a zone.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::AttemptPage;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Before, page_limit};

/// Shows the versions that are kept and the attempts on record, newest first.
#[utoipa::path(
    get, path = "/zones/{name}/history", tag = "zones", params(("name" = String, Path), Before),
    responses((status = 200, body = json::History), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn history(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(page): Parameters<Before>,
) -> Result<axum::Json<json::History>, Problem> {
    let page = AttemptPage { before: page.before, limit: page_limit(page.limit)? };
    served.doors.status.history(&caller, &name, page).await.map(axum::Json)
}
