//! What was tried to bring a zone up to its primaries, all of it: filtered, page by page.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::{ZoneInTenant, path};
use crate::console::filter::{self, Filter};
use crate::console::page::{Frame, page, refusal};
use crate::console::plot::serials::{Serials, serials};
use crate::console::plot::{self, Plot};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::AttemptPage;
use crate::json::{self, AttemptOutcome};
use crate::router::Served;

/// Attempts that are looked at for one page: all that a zone has.
const LIMIT: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default)]
    outcome: String,
}

#[derive(Template)]
#[template(path = "zone_history.html")]
struct History {
    frame: Frame,
    path: String,
    name: String,
    attempts: Vec<json::Attempt>,
    versions: Vec<json::Version>,
    plot: Option<Plot>,
    serials: Option<Serials>,
    outcome: Option<AttemptOutcome>,
    outcomes: &'static [AttemptOutcome],
}

pub(crate) async fn history(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Filter(asked): Filter<Asked>,
) -> Response {
    let path = path(&member.membership, &name);
    let outcome: Option<AttemptOutcome> = match asked.and_then(|asked| filter::word("outcome", &asked.outcome)) {
        Ok(outcome) => outcome,
        Err(problem) => {
            let back = format!("{path}/history");
            return filter::wrong(Frame::of(&member, "zones"), &problem, &back, "All attempts");
        }
    };
    let attempts = AttemptPage { before: None, limit: LIMIT };
    let history = match served.doors.status.history(&member.caller, &name, attempts).await {
        Ok(history) => history,
        Err(problem) => return refusal(&problem),
    };
    let (plot, serials) = (plot::of(&history.attempts), serials(&history));
    let is_wanted = |attempt: &json::Attempt| outcome.is_none_or(|outcome| attempt.outcome == outcome);
    page(&History {
        frame: Frame::of(&member, "zones"),
        path,
        name: name.to_string(),
        attempts: history.attempts.into_iter().filter(is_wanted).collect(),
        versions: history.versions,
        plot,
        serials,
        outcome,
        outcomes: AttemptOutcome::ALL,
    })
}
