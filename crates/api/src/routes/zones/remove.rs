//! Removing a zone.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::ChangesZones;
use crate::body::Parameters;
use crate::doors::Removal;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Whether what it holds is deleted at once, also of a zone that was removed before; kept for 7 days unless said otherwise.
    #[serde(default)]
    now: bool,
}

/// Removes a zone. It can be had back for 7 days.
#[utoipa::path(
    delete, path = "/zones/{name}", tag = "zones", params(("name" = String, Path), How),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(how): Parameters<How>,
) -> Result<StatusCode, Problem> {
    let removal = if how.now { Removal::AtOnce } else { Removal::Kept };
    served.doors.removals.remove(&caller, &name, removal).await?;
    Ok(StatusCode::NO_CONTENT)
}
