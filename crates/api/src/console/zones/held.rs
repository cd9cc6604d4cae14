//! A version that is held back, beside what is served: what would go and come, and the word about it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::diff::{LINES_MAX, Line, read_lines};
use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::json::{self, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;

#[derive(Template)]
#[template(path = "zone_held.html")]
struct Page {
    frame: Frame,
    path: String,
    zone: json::Zone,
    held: json::HeldBack,
    may_change: bool,
    /// None where the version is not here any more.
    lines: Option<Vec<Line>>,
    is_cut: bool,
}

pub(crate) async fn held(member: Member, ZoneInTenant(name): ZoneInTenant, State(served): State<Served>) -> Response {
    let drawn = async {
        let zone = served.doors.status.glance(&member.caller, &name).await?;
        let held = zone.held_back.clone().filter(|_| zone.hold == json::Hold::Held);
        let held = held.ok_or_else(|| {
            Problem::new(Code::NothingHeld, "no version is held back any more: what is served is the newest")
        })?;
        let read = match served.doors.contents.held_diff(&member.caller, &name).await {
            Ok(pieces) => Some(read_lines(pieces)),
            // It is fetched again when it is to be published.
            Err(problem) if problem.code() == Code::NothingHeld => None,
            Err(problem) => return Err(problem),
        };
        let is_cut = read.as_ref().is_some_and(|(_, is_cut)| *is_cut);
        Ok(Page {
            frame: Frame::of(&member, "zones"),
            path: path(&member.membership, &name),
            may_change: member.may(Scope::Zones) && zone.origin == json::Origin::Configured,
            zone,
            held,
            lines: read.map(|(lines, _)| lines),
            is_cut,
        })
    };
    drawn.await.map_or_else(|problem: Problem| refusal(&problem), |drawn| page(&drawn))
}
