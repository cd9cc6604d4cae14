//! What the organisation was told: newest first, page by page, and of one severity where somebody wants only that.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::filter::{self, Filter};
use super::page::{Frame, base, page, refusal};
use super::session::Member;
use super::words;
use crate::json::{self, Severity};
use crate::problem::Problem;
use crate::router::Served;

/// Events on a page, as they are read; of one severity there may be fewer.
const LIMIT: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default)]
    before: String,
    #[serde(default)]
    severity: String,
}

#[derive(Template)]
#[template(path = "events.html")]
struct Page {
    frame: Frame,
    events: Vec<json::Event>,
    next: Option<u64>,
    severity: Option<Severity>,
    severities: &'static [Severity],
    is_first_page: bool,
}

pub(crate) async fn events(member: Member, State(served): State<Served>, Filter(asked): Filter<Asked>) -> Response {
    let (before, severity) = match asked.and_then(|asked| asked.read()) {
        Ok(asked) => asked,
        Err(problem) => {
            let back = format!("{}/events", base(&member.membership));
            return filter::wrong(Frame::of(&member, "events"), &problem, &back, "All events");
        }
    };
    match served.doors.plans.events(&member.caller, before, LIMIT).await {
        Ok(found) => page(&Page {
            frame: Frame::of(&member, "events"),
            next: found.next,
            events: found
                .events
                .into_iter()
                .filter(|event| severity.is_none_or(|one| event.severity == one))
                .collect(),
            severity,
            severities: Severity::ALL,
            is_first_page: before.is_none(),
        }),
        Err(problem) => refusal(&problem),
    }
}

impl Asked {
    fn read(&self) -> Result<(Option<u64>, Option<Severity>), Problem> {
        Ok((filter::number(&self.before)?, filter::word("severity", &self.severity)?))
    }
}

impl Page {
    /// What the pages before and after have in common with this one.
    fn wanted(&self) -> &'static str {
        self.severity.map(Severity::as_str).unwrap_or_default()
    }
}
