//! Examining a zone at its primaries, and waiting for what is found.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::Json;
use crate::doors::NewZone;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Asks the primaries everything that can be asked and answers with what was found, within two minutes. The zone need
/// not be here, and nothing of it is kept; a failed step is no error.
#[utoipa::path(
    post, path = "/doctor", tag = "doctor",
    request_body = json::Examine,
    responses((status = 200, body = json::Examination), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn examine(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    Json(examine): Json<json::Examine>,
) -> Result<axum::Json<json::Examination>, Problem> {
    let primaries = examine.primaries.iter().map(text::primary_of).collect::<Result<_, _>>()?;
    let zone = NewZone::new(text::zone_name(&examine.name)?, primaries)?;
    let own_addresses =
        examine.own_addresses.iter().map(|text| text::own_address(text)).collect::<Result<Vec<_>, _>>()?;
    served.doors.requests.examine(&caller, &zone, own_addresses).await.map(axum::Json)
}
