//! Adding a catalog.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};

use crate::access::ChangesZones;
use crate::body::Json;
use crate::doors::{NewCatalog, NewZone};
use crate::json;
use crate::path::segment_of;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds a catalog: a zone whose members come and go as it lists them. It is followed as any zone, and not answered.
#[utoipa::path(
    post, path = "/catalogs", tag = "catalogs",
    request_body = json::AddCatalog,
    responses((status = 201, body = json::Catalog), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    Json(catalog): Json<json::AddCatalog>,
) -> Result<(StatusCode, [(HeaderName, String); 1], axum::Json<json::Catalog>), Problem> {
    let primaries = catalog.primaries.iter().map(text::primary_of).collect::<Result<_, _>>()?;
    let zone = NewZone::new(text::zone_name(&catalog.name)?, primaries)?;
    let rules = text::catalog_change(zone.name(), &catalog.rules)?;
    let location = format!("/api/v1/catalogs/{}", segment_of(zone.name()));
    let catalog = served.doors.intent.add_catalog(&caller, NewCatalog { zone, rules }).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(catalog)))
}
