//! The list of zones: found by a part of the name or by state, page by page.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::ZonePage;
use crate::json;
use crate::path::{percent_encoded, segment_of};
use crate::router::Served;
use crate::text;

/// Zones on a page.
const LIMIT: u32 = 50;
/// Removed ones on the page.
const REMOVED: u32 = 20;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Only zones after this name.
    #[serde(default)]
    after: String,
    /// A part of the name.
    #[serde(default)]
    find: String,
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "zones.html")]
struct List<'a> {
    frame: Frame,
    zones: Vec<json::Zone>,
    counts: json::ZoneCounts,
    find: &'a str,
    state: Option<json::State>,
    states: &'static [json::State],
    /// The query that leads to the next page; none on the last.
    next: Option<String>,
    is_filtered: bool,
    is_first_page: bool,
    /// What can be had back; only on the first page.
    removed: Vec<json::RemovedZone>,
}

pub(crate) async fn list(member: Member, State(served): State<Served>, Query(asked): Query<Asked>) -> Response {
    let state = asked.state.parse::<json::State>().ok();
    let after = if asked.after.is_empty() { None } else { text::known_zone_name(&asked.after).ok() };
    let is_first_page = after.is_none();
    let wanted = ZonePage { after, limit: LIMIT, find: asked.find.trim().to_lowercase(), state, last_attempt: None };
    let status = &served.doors.status;
    let found = tokio::join!(status.zones(&member.caller, wanted), status.counts(&member.caller));
    let (zones, counts) = match found {
        (Ok(zones), Ok(counts)) => (zones, counts),
        (Err(problem), _) | (_, Err(problem)) => return refusal(&problem),
    };
    // Without the inventory there are none, and the list is worth showing all the same.
    let removed = match is_first_page {
        true => served.doors.removals.removed(&member.caller, REMOVED).await.unwrap_or_default(),
        false => Vec::new(),
    };
    let last = zones.last().filter(|_| zones.len() == LIMIT as usize);
    let next = last.map(|last| {
        let find = percent_encoded(&asked.find);
        let state = state.map(json::State::as_str).unwrap_or_default();
        format!("?after={}&find={find}&state={state}", percent_encoded(&last.name))
    });
    page(&List {
        frame: Frame::of(&member, "zones"),
        zones,
        counts,
        find: &asked.find,
        state,
        states: json::State::ALL,
        next,
        is_filtered: state.is_some() || !asked.find.trim().is_empty(),
        is_first_page,
        removed,
    })
}

impl List<'_> {
    fn segment(&self, zone: &json::Zone) -> String {
        zone.name.parse().map(|name| segment_of(&name)).unwrap_or_default()
    }
}
