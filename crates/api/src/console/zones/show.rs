//! A zone's page: how it is, step by step, and what can be done about it.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::queries::by_result;
use super::steps::{Help, Step, delegated, help, steps};
use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::plot::serials::{Serials, serials};
use crate::console::plot::stacked::{Size, Stacked};
use crate::console::plot::{self, Plot};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::{AttemptPage, QuerySpan};
use crate::json::{self, Scope};
use crate::router::Served;
use crate::text;

/// Attempts on the page; the others are on a page of their own.
const ATTEMPTS: u32 = 12;
/// Attempts in the plot.
const PLOTTED: u32 = 200;
/// What people type is shorter: it may be a URL, of which nobody is to put pages of text here.
const TYPED_OCTETS_MAX: usize = 300;
/// RFC 1912 §2.2 advises two to four weeks; with less than a week a long weekend's outage takes the zone down.
const EXPIRE_ADVISED_SECS: u64 = 7 * 24 * 3600;
/// Signatures are renewed days before they end; with less than this left nobody may be going to.
const LAPSING_MS: u64 = 24 * 3600 * 1000;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// What was typed for the name, where it was corrected.
    #[serde(default)]
    typed: String,
}

#[derive(Template)]
#[template(path = "zone.html")]
struct Page {
    frame: Frame,
    path: String,
    /// None where the name was typed as it is.
    typed: Option<String>,
    part: Part,
    attempts: Vec<json::Attempt>,
    plot: Option<Plot>,
    /// Of the last 24 hours; none where nothing was asked.
    queries: Option<Stacked>,
    /// Why there is none.
    no_queries: &'static str,
    serials: Option<Serials>,
    versions: Vec<json::Version>,
    settings: Vec<(String, String)>,
    primaries: Vec<Shown>,
}

/// What a primary was last seen to have.
struct Shown {
    address: String,
    /// With when it was seen.
    serial: Option<(u32, json::Time)>,
    /// The code of why it showed nothing when all were last asked.
    silent: Option<String>,
}

impl Shown {
    /// Of each primary, as the attempts tell, the newest first.
    fn of(zone: &json::Zone, attempts: &[json::Attempt]) -> Vec<Self> {
        let shown = |primary: &json::Primary| {
            let of_it = |attempt: &&json::Attempt| attempt.primary.as_ref() == Some(&primary.address);
            let mut seen = attempts.iter().filter(of_it);
            let serial = seen.find_map(|attempt| Some((attempt.to_serial?, attempt.last_at)));
            let silent = zone.silent.iter().find(|silent| silent.primary == primary.address);
            Self { address: primary.address.clone(), serial, silent: silent.map(|silent| silent.code.clone()) }
        };
        zone.primaries.iter().map(shown).collect()
    }
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
    /// Which lines to paste help against what has failed.
    help: Help,
    pub(super) lines: Vec<json::PrimaryLines>,
    pub(super) dns: Vec<String>,
    /// Where transfers come from, as the primaries see it.
    sources: Vec<String>,
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
        let help = help(&zone);
        let lines = match help {
            Help::Nothing => Vec::new(),
            Help::Reach | Help::Allow | Help::Hold => status.lines(&member.caller, name).await.unwrap_or_default(),
        };
        // As it is known: nobody waits for the servers of others here.
        let known = status.known_delegation(&member.caller, name).await.unwrap_or_default();
        steps.push(delegated(&zone, known.as_ref()));
        Self {
            path,
            form_token: member.who.form_token.clone(),
            may_change: member.may(Scope::Zones) && zone.origin == json::Origin::Configured,
            steps,
            help,
            lines,
            dns: status.addresses().await,
            sources: sources(served, &zone.primaries),
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

    /// Whether the first signature ends so soon that it should have been renewed.
    fn is_lapsing(&self, ends_at: &json::Time) -> bool {
        self.zone.warnings.iter().any(|warning| warning.code.starts_with("signature_"))
            || self.zone.last_success.is_some_and(|confirmed| ends_at.unix_ms() < confirmed.unix_ms() + LAPSING_MS)
    }

    /// The lives of a copy that is shorter than is good for it, in words.
    fn short_expire(&self) -> Option<String> {
        let confirmed = self.zone.last_success?.unix_ms();
        let secs = self.zone.expires_at?.unix_ms().saturating_sub(confirmed) / 1000;
        (secs > 0 && secs < EXPIRE_ADVISED_SECS).then(|| xfr::span::text(u32::try_from(secs).unwrap_or(u32::MAX)))
    }
}

/// The addresses that these primaries see when they are asked, each once.
fn sources(served: &Served, primaries: &[json::Primary]) -> Vec<String> {
    let source = |primary: &json::Primary| match &primary.source {
        Some(source) => Some(source.clone()),
        None => served.doors.status.source_towards(primary.address.parse().ok()?).map(|source| source.to_string()),
    };
    let sources: BTreeSet<String> = primaries.iter().filter_map(source).collect();
    sources.into_iter().collect()
}

/// What was typed for this zone, if its name is not what was typed.
///
/// The address says so, and anybody can write an address and have somebody follow it: what is shown is what the form takes for
/// this name and for no other, without all that the form takes no notice of (paths, ports, users in the addresses of pages).
fn corrected(typed: &str, name: &dns::Name) -> Option<String> {
    let text = Some(typed.trim()).filter(|text| text.len() <= TYPED_OCTETS_MAX)?;
    text::typed_zone_name(text).ok().filter(|read| read.is_corrected && read.name == *name)?;
    if !text.contains("://") && !text.ends_with('/') {
        return Some(text.to_owned());
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (host, behind) = rest.split_at(rest.find(['/', '?', '#', ':']).unwrap_or(rest.len()));
    if !matches!(&*scheme.to_ascii_lowercase(), "" | "http" | "https") || text.contains('@') {
        return None;
    }
    let separator = if scheme.is_empty() { "" } else { "://" };
    let behind = if matches!(behind, "" | "/") { behind } else { "/…" };
    Some(format!("{scheme}{separator}{host}{behind}"))
}

pub(crate) async fn show(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let (status, caller) = (&served.doors.status, &member.caller);
    let attempts = AttemptPage { before: None, limit: PLOTTED };
    let (zone, history, queries) = tokio::join!(
        status.zone(caller, &name),
        status.history(caller, &name, attempts),
        status.queries(caller, &name, QuerySpan::DAY)
    );
    let zone = match zone {
        Ok(zone) => zone,
        Err(problem) => return refusal(&problem),
    };
    // Without the inventory there is none, and the page is worth showing all the same.
    let history =
        history.unwrap_or_else(|_| json::History { versions: Vec::new(), attempts: Vec::new(), next: None });
    let settings = zone.settings.iter().map(|(name, value)| (words::setting_named(name), value.clone())).collect();
    let path = path(&member.membership, &name);
    let primaries = Shown::of(&zone, &history.attempts);
    let part = Part::of(&member, &served, &name, zone, path.clone()).await;
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path,
        typed: corrected(&asked.typed, &name),
        plot: plot::of(&history.attempts),
        serials: serials(&history),
        queries: queries.as_ref().ok().and_then(|queries| by_result(queries, Size::Small)),
        no_queries: match queries {
            Ok(_) => "None yet.",
            Err(_) => "They cannot be looked up now, and are counted all the same.",
        },
        attempts: history.attempts.into_iter().take(ATTEMPTS as usize).collect(),
        versions: history.versions.into_iter().take(ATTEMPTS as usize).collect(),
        part,
        settings,
        primaries,
    })
}

#[cfg(test)]
mod tests {
    use super::corrected;

    #[test]
    fn what_was_typed_is_shown_for_what_it_was_taken_for_and_without_what_was_ignored() {
        let shown = |typed: &str| corrected(typed, &"example.org.".parse().unwrap());
        for (typed, text) in [
            ("Example.ORG", "Example.ORG"),
            (" HTTPS://www.example.org/ ", "HTTPS://www.example.org/"),
            ("https://example.org/your account is closed: call 0800", "https://example.org/…"),
            ("https://example.org:call 0800", "https://example.org/…"),
            ("example.org/call 0800/", "example.org/…"),
        ] {
            assert_eq!(shown(typed).as_deref(), Some(text), "{typed:?}");
        }
        for forged in [
            "example.org",
            "example.org.",
            "example.net",
            "https://example.net/",
            "https://call-0800@example.org/",
            "call0800://example.org/",
            "your account is closed: call 0800",
            "",
        ] {
            assert_eq!(shown(forged), None, "{forged:?}");
        }
        assert_eq!(shown(&format!("https://example.org/{}", "x".repeat(300))), None);
    }
}
