//! A zone's page: how it is, step by step, and what can be done about it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::steps::{Standing, Step, delegated, steps};
use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::plot::{self, Plot};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::AttemptPage;
use crate::json::{self, Scope};
use crate::router::Served;

/// Attempts on the page; the others are on a page of their own.
const ATTEMPTS: u32 = 12;
/// Attempts in the plot.
const PLOTTED: u32 = 200;
/// RFC 1912 §2.2 advises two to four weeks; with less than a week a long weekend's outage takes the zone down.
const EXPIRE_ADVISED_SECS: u64 = 7 * 24 * 3600;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// What was typed for the name, where it was corrected.
    #[serde(default)]
    typed: String,
}

#[derive(Template)]
#[template(path = "zone.html")]
struct Page<'a> {
    frame: Frame,
    path: String,
    typed: &'a str,
    part: Part,
    attempts: Vec<json::Attempt>,
    plot: Option<Plot>,
    versions: Vec<json::Version>,
    settings: Vec<(String, String)>,
}

/// The part that lives.
#[derive(Template)]
#[template(path = "zone_part.html")]
pub(super) struct Part {
    pub(super) zone: json::Zone,
    pub(super) path: String,
    pub(super) form_token: String,
    pub(super) may_change: bool,
    pub(super) steps: Vec<Step>,
    /// The lines to paste, where a step has failed.
    pub(super) lines: Vec<json::PrimaryLines>,
    pub(super) dns: Vec<String>,
}

impl Part {
    pub(super) async fn of(
        member: &Member,
        served: &Served,
        name: &dns::Name,
        zone: json::Zone,
        path: String,
    ) -> Self {
        let status = &served.doors.status;
        let mut steps = steps(&zone);
        let has_failed = steps.iter().any(|step| step.standing == Standing::Failed);
        let lines =
            if has_failed { status.lines(&member.caller, name).await.unwrap_or_default() } else { Vec::new() };
        // As it is known: nobody waits for the servers of others here.
        let known = status.known_delegation(&member.caller, name).await.unwrap_or_default();
        steps.push(delegated(&zone, known.as_ref()));
        Self {
            path,
            form_token: member.who.form_token.clone(),
            may_change: member.may(Scope::Zones) && zone.origin == json::Origin::Configured,
            steps,
            lines,
            dns: status.addresses().await,
            zone,
        }
    }

    fn is_followed(&self) -> bool {
        matches!(self.zone.service, json::Service::Answering | json::Service::Unproven)
    }

    fn reason(&self) -> Option<&json::Reason> {
        let last = self.zone.last_attempt.as_ref()?;
        last.reason.as_ref().filter(|_| last.outcome == json::AttemptOutcome::Failed)
    }

    /// The lives of a copy that is shorter than is good for it, in words.
    fn short_expire(&self) -> Option<String> {
        let confirmed = self.zone.last_success?.unix_ms();
        let secs = self.zone.expires_at?.unix_ms().saturating_sub(confirmed) / 1000;
        (secs > 0 && secs < EXPIRE_ADVISED_SECS).then(|| xfr::span::text(u32::try_from(secs).unwrap_or(u32::MAX)))
    }
}

pub(crate) async fn show(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let (status, caller) = (&served.doors.status, &member.caller);
    let attempts = AttemptPage { before: None, limit: PLOTTED };
    let (zone, history) = tokio::join!(status.zone(caller, &name), status.history(caller, &name, attempts));
    let zone = match zone {
        Ok(zone) => zone,
        Err(problem) => return refusal(&problem),
    };
    // Without the inventory there is none, and the page is worth showing all the same.
    let history =
        history.unwrap_or_else(|_| json::History { versions: Vec::new(), attempts: Vec::new(), next: None });
    let settings = zone.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let path = path(&member.membership, &name);
    let part = Part::of(&member, &served, &name, zone, path.clone()).await;
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path,
        typed: &asked.typed,
        plot: plot::of(&history.attempts),
        attempts: history.attempts.into_iter().take(ATTEMPTS as usize).collect(),
        versions: history.versions.into_iter().take(ATTEMPTS as usize).collect(),
        part,
        settings,
    })
}
