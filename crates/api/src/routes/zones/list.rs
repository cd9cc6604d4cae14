//! Listing zones, page by page.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Admin;
use crate::body::Parameters;
use crate::doors::ZonePage;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::page_limit;
use crate::text;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Only zones after this name.
    after: Option<String>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Lists zones in the order of their names.
#[utoipa::path(
    get, path = "/zones", tag = "zones", params(Page),
    responses((status = 200, body = json::Zones), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    _: Admin,
    State(served): State<Served>,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<json::Zones>, Problem> {
    let limit = page_limit(page.limit)?;
    let after = page.after.as_deref().map(text::known_zone_name).transpose()?;
    let zones = served.doors.status.zones(ZonePage { after, limit }).await?;
    let next = if zones.len() < limit as usize { None } else { zones.last().map(|zone| zone.name.clone()) };
    Ok(axum::Json(json::Zones { zones, next }))
}
