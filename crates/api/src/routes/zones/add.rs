//! Adding a zone.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};

use crate::access::ChangesZones;
use crate::body::Json;
use crate::doors::NewZone;
use crate::json;
use crate::path::segment_of;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds a zone, which is then transferred as soon as a primary gives it.
#[utoipa::path(
    post, path = "/zones", tag = "zones",
    request_body = json::AddZone,
    responses((status = 201, body = json::Zone), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    Json(zone): Json<json::AddZone>,
) -> Result<(StatusCode, [(HeaderName, String); 1], axum::Json<json::Zone>), Problem> {
    let zone = parsed(&zone)?;
    let location = format!("/api/v1/zones/{}", segment_of(zone.name()));
    let zone = served.doors.intent.add_zone(&caller, zone).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(zone)))
}

/// The zone as it is to be added.
pub(crate) fn parsed(zone: &json::AddZone) -> Result<NewZone, Problem> {
    let primaries = zone.primaries.iter().map(text::primary_of).collect::<Result<_, _>>()?;
    let mut parsed = NewZone::new(text::zone_name(&zone.name)?, primaries)?;
    parsed.tags = text::tags(&zone.tags)?;
    for (name, value) in &zone.settings {
        let (setting, value) = text::setting_of(name, Some(value))?;
        let set = parsed.settings.set(setting, value.as_deref());
        set.map_err(|error| Problem::new(Code::SettingInvalid, error.to_string()))?;
    }
    Ok(parsed)
}
