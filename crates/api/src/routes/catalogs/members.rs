//! What a catalog lists, and what became of it, page by page.

use axum::extract::State;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::Page;

/// Lists a catalog's members, those that wait to go, and what it lists in vain, in the order of their names.
#[utoipa::path(
    get, path = "/catalogs/{name}/members", tag = "catalogs", params(("name" = String, Path), Page),
    responses((status = 200, body = json::CatalogMembers), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn members(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<json::CatalogMembers>, Problem> {
    let page = page.read()?;
    let limit = page.limit;
    let members = served.doors.status.catalog_members(&caller, &name, page).await?;
    let is_last = members.len() < limit as usize;
    let next = members.last().filter(|_| !is_last).map(|member| member.name.clone());
    Ok(axum::Json(json::CatalogMembers { members, next }))
}
