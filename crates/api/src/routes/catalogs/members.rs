//! What a catalog lists, and what became of it, page by page.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Admin;
use crate::body::Parameters;
use crate::doors::ZonePage;
use crate::json;
use crate::path::ZoneInPath;
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

/// Lists a catalog's members, those that wait to go, and what it lists in vain, in the order of their names.
#[utoipa::path(
    get, path = "/catalogs/{name}/members", tag = "catalogs", params(("name" = String, Path), Page),
    responses((status = 200, body = json::CatalogMembers), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn members(
    _: Admin,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<json::CatalogMembers>, Problem> {
    let limit = page_limit(page.limit)?;
    let after = page.after.as_deref().map(text::known_zone_name).transpose()?;
    let members = served.doors.status.catalog_members(&name, ZonePage { after, limit }).await?;
    let is_last = members.len() < limit as usize;
    let next = members.last().filter(|_| !is_last).map(|member| member.name.clone());
    Ok(axum::Json(json::CatalogMembers { members, next }))
}
