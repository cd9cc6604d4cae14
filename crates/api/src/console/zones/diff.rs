//! What differs between two kept versions of a zone.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::Text;
use crate::path::percent_encoded;
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Lines on the page; all of them are in the file that the API gives.
pub(super) const LINES_MAX: usize = 2_000;

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

#[derive(Template)]
#[template(path = "zone_diff.html")]
struct Diff {
    frame: Frame,
    path: String,
    name: String,
    asked: Asked,
    lines: Vec<Line>,
    is_cut: bool,
    api: String,
}

pub(super) struct Line {
    pub(super) tone: &'static str,
    pub(super) text: String,
}

/// As many lines as stand on a page, and whether there are more.
pub(super) fn read_lines(pieces: Text) -> (Vec<Line>, bool) {
    let mut lines = Vec::new();
    for piece in pieces {
        for text in piece.lines() {
            if lines.len() == LINES_MAX {
                return (lines, true);
            }
            let tone = if text.starts_with('-') { "went" } else { "came" };
            lines.push(Line { tone, text: text.to_owned() });
        }
    }
    (lines, false)
}

pub(crate) async fn diff(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let (Ok(from), Ok(to)) = (asked.from.parse(), asked.to.parse()) else {
        return refusal(&Problem::new(
            Code::GenerationUnknown,
            "the address does not say which two versions are meant",
        ));
    };
    let pieces = match served.doors.contents.diff(&member.caller, &name, from, to).await {
        Ok(pieces) => pieces,
        Err(problem) => return refusal(&problem),
    };
    let (lines, is_cut) = read_lines(pieces);
    let api =
        format!("/api/v1/zones/{}/diff?from={}&to={}", percent_encoded(&name.to_string()), asked.from, asked.to);
    page(&Diff {
        frame: Frame::of(&member, "zones"),
        path: path(&member.membership, &name),
        name: name.to_string(),
        asked,
        lines,
        is_cut,
        api,
    })
}
