//! Listing zones, page by page.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::Page;

/// Lists zones in the order of their names.
#[utoipa::path(
    get, path = "/zones", tag = "zones", params(Page),
    responses((status = 200, body = json::Zones), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<json::Zones>, Problem> {
    let page = page.read()?;
    let limit = page.limit;
    let zones = served.doors.status.zones(&caller, page).await?;
    let next = if zones.len() < limit as usize { None } else { zones.last().map(|zone| zone.name.clone()) };
    Ok(axum::Json(json::Zones { zones, next }))
}
