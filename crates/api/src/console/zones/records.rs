//! What a zone holds, read-only: a page from a name on, or what has a part in its name.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::{RecordPage, Records};
use crate::path::percent_encoded;
use crate::router::Served;
use crate::text;

const LIMIT: u32 = 200;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// From this name on.
    #[serde(default)]
    from: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    rtype: String,
}

#[derive(Template)]
#[template(path = "zone_records.html")]
struct Page<'a> {
    frame: Frame,
    path: String,
    name: String,
    asked: &'a Asked,
    found: Records,
    next: Option<String>,
}

pub(crate) async fn records(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let from = if asked.from.is_empty() { None } else { text::known_zone_name(&asked.from).ok() };
    let wanted = RecordPage {
        from,
        find: asked.find.trim().to_lowercase(),
        rtype: asked.rtype.trim().parse().ok(),
        limit: LIMIT,
    };
    let found = match served.doors.contents.records(&member.caller, &name, wanted).await {
        Ok(found) => found,
        Err(problem) => return refusal(&problem),
    };
    let next = found.next.as_ref().map(|next| {
        let [next, find, rtype] = [&next.to_string(), &asked.find, &asked.rtype].map(|text| percent_encoded(text));
        format!("?from={next}&find={find}&rtype={rtype}")
    });
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path: path(&member.membership, &name),
        name: name.to_string(),
        asked: &asked,
        found,
        next,
    })
}
