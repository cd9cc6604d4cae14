//! Changing a zone: its primaries, its settings, whether it is answered and followed.

use axum::extract::State;
use dns::Name;

use crate::access::ChangesZones;
use crate::body::Json;
use crate::doors::{ZoneChange, check_primaries};
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Changes a zone, wholly or not at all; what is left out stays.
#[utoipa::path(
    patch, path = "/zones/{name}", tag = "zones", params(("name" = String, Path)),
    request_body = json::ChangeZone,
    responses((status = 200, body = json::Zone), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(change): Json<json::ChangeZone>,
) -> Result<axum::Json<json::Zone>, Problem> {
    let change = parsed(&name, &change)?;
    served.doors.intent.change_zone(&caller, &name, change).await.map(axum::Json)
}

fn parsed(name: &Name, change: &json::ChangeZone) -> Result<ZoneChange, Problem> {
    let primaries = match &change.primaries {
        Some(primaries) => {
            let primaries = primaries.iter().map(text::primary_of).collect::<Result<Vec<_>, _>>()?;
            check_primaries(name, &primaries)?;
            Some(primaries)
        }
        None => None,
    };
    let settings = change.settings.iter().map(|(name, value)| text::setting_of(name, value.as_deref()));
    let settings = settings.collect::<Result<_, _>>()?;
    let tags = change.tags.as_ref().map(text::tags).transpose()?;
    Ok(ZoneChange { primaries, service: change.service, settings, tags })
}
