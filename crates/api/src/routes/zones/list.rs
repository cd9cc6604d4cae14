//! Listing zones, page by page.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::ZonePage;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{find_text, page_limit};
use crate::text;

/// Which zones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only zones after this name: `next` of the page before.
    after: Option<String>,
    /// Only zones with this in their names.
    find: Option<String>,
    /// Only zones in this state.
    state: Option<json::State>,
    /// Only zones whose last attempt ended so: `failed` for those that fail, whatever their state.
    last_attempt: Option<json::AttemptOutcome>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

impl Wanted {
    fn read(&self) -> Result<ZonePage, Problem> {
        Ok(ZonePage {
            after: self.after.as_deref().map(text::known_zone_name).transpose()?,
            limit: page_limit(self.limit)?,
            find: find_text(self.find.as_deref())?,
            state: self.state,
            last_attempt: self.last_attempt,
        })
    }
}

/// Lists zones in the order of their names.
#[utoipa::path(
    get, path = "/zones", tag = "zones", params(Wanted),
    responses((status = 200, body = json::Zones), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<axum::Json<json::Zones>, Problem> {
    let page = wanted.read()?;
    let limit = page.limit;
    let zones = served.doors.status.zones(&caller, page).await?;
    let next = if zones.len() < limit as usize { None } else { zones.last().map(|zone| zone.name.clone()) };
    Ok(axum::Json(json::Zones { zones, next }))
}
