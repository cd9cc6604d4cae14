//! Listing zones, page by page.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::{Direction, ZoneList};
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
    /// Only zones behind this place: `next` of the page before, which in the order of names is a name.
    after: Option<String>,
    /// Only zones with this in their names.
    find: Option<String>,
    /// Only zones in this state.
    state: Option<json::State>,
    /// Only zones whose last attempt ended so: `failed` for those that fail, whatever their state.
    last_attempt: Option<json::AttemptOutcome>,
    /// Only zones that have this tag.
    tag: Option<String>,
    /// What the list goes by: `name` unless said otherwise.
    sort: Option<json::ZoneOrder>,
    /// The other way round.
    reversed: Option<bool>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

impl Wanted {
    fn read(&self) -> Result<ZoneList, Problem> {
        let order = self.sort.unwrap_or_default();
        Ok(ZoneList {
            after: self.after.as_deref().map(|after| text::place(after, order)).transpose()?,
            limit: page_limit(self.limit)?,
            find: find_text(self.find.as_deref())?,
            state: self.state,
            last_attempt: self.last_attempt,
            tag: self.tag.as_deref().map(text::tag).transpose()?,
            order,
            direction: if self.reversed == Some(true) { Direction::Reversed } else { Direction::Usual },
        })
    }
}

/// Lists zones, in the order of their names or in another one.
#[utoipa::path(
    get, path = "/zones", tag = "zones", params(Wanted),
    responses((status = 200, body = json::Zones), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<axum::Json<json::Zones>, Problem> {
    let list = wanted.read()?;
    let order = list.order;
    let listed = served.doors.status.zones(&caller, list).await?;
    let next = listed.next.map(|place| text::place_text(&place, order));
    Ok(axum::Json(json::Zones { zones: listed.zones, next }))
}
