//! Who sends NOTIFYs for zones that are not here.

use axum::extract::State;

use crate::access::Operates;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{Newest, page_limit};

/// Shows from where NOTIFYs came for zones that are not here, a row for each block of addresses; the last to come first.
#[utoipa::path(
    get, path = "/notifies", tag = "status", params(Newest),
    responses((status = 200, body = json::StrangerNotifies), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn notifies(
    _: Operates,
    State(served): State<Served>,
    Parameters(newest): Parameters<Newest>,
) -> Result<axum::Json<json::StrangerNotifies>, Problem> {
    let strangers = served.doors.status.stranger_notifies(page_limit(newest.limit)?).await?;
    Ok(axum::Json(json::StrangerNotifies { strangers }))
}
