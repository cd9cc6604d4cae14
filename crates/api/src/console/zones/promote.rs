//! When the primary is gone: what a new one needs, what it has beside what is served, and pointing the zone there, and back.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use dns::Name;
use serde::Deserialize;

use super::diff::Line;
use super::form::{self, Row};
use super::{ZoneInTenant, path};
use crate::console::page::{Frame, again, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words::{self, sentence};
use crate::doors::{Accept, NewSource, PRIMARIES_MAX, WantedPrimary, Word, check_primaries};
use crate::json::{self, PrimarySoftware, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::routes::zones::promotion::generated;
use crate::text;

/// The servers that a new primary can be, with their names for people.
const SERVERS: [(PrimarySoftware, &str); 6] = [
    (PrimarySoftware::Bind, "BIND"),
    (PrimarySoftware::Knot, "Knot DNS"),
    (PrimarySoftware::Nsd, "NSD"),
    (PrimarySoftware::PowerDns, "PowerDNS"),
    (PrimarySoftware::Yadifa, "YADIFA"),
    (PrimarySoftware::WindowsDns, "Windows DNS"),
];

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    software: String,
}

#[derive(Template)]
#[template(path = "zone_promote.html")]
struct Page {
    frame: Frame,
    path: String,
    promotion: json::Promotion,
    may_change: bool,
    may_make_keys: bool,
    error: String,
    /// Of the new primary.
    rows: Vec<Row>,
    keys: Vec<json::Key>,
    can_add_row: bool,
}

#[derive(Template)]
#[template(path = "zone_compare.html")]
struct Compared {
    frame: Frame,
    path: String,
    comparison: json::Comparison,
    lines: Vec<Line>,
    /// The primaries as they are typed; none for those that the zone had before.
    primaries: Vec<String>,
}

impl Compared {
    fn is_cut(&self) -> bool {
        (self.lines.len() as u64) < self.comparison.removed + self.comparison.added
    }
}

/// The server that is meant; the first where nothing is said.
fn software(word: &str) -> Result<PrimarySoftware, Problem> {
    match word {
        "" => Ok(PrimarySoftware::Bind),
        word => word.parse().map_err(|error: json::UnknownWord| Problem::new(Code::QueryInvalid, error.to_string())),
    }
}

pub(crate) async fn show(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let drawn = async {
        let wanted = WantedPrimary { software: software(&asked.software)?, primary: None };
        let promotion = served.doors.promotions.promotion(&member.caller, &name, &wanted).await?;
        draw(&member, &served, &name, promotion).await
    };
    drawn.await.map_or_else(|problem| refusal(&problem), |drawn| page(&drawn))
}

/// Freezes the zone, with a new key if one is named; its secret is on the page that follows, this once.
pub(crate) async fn freeze(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    let drawn = async {
        member.must(Scope::Zones)?;
        let key = Some(form.text("new_key")).filter(|key| !key.is_empty()).map(generated).transpose()?;
        if key.is_some() {
            member.must(Scope::Keys)?;
        }
        let wanted = WantedPrimary { software: software(form.text("software"))?, primary: None };
        let promotion = served.doors.promotions.promote(&member.caller, &name, wanted, key).await?;
        draw(&member, &served, &name, promotion).await
    };
    drawn.await.map_or_else(|problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn compare(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let mut rows = form::rows(&form);
    if form.has("add_row") {
        rows.push(Row::another());
        return form_again(&member, &served, &name, rows, None).await;
    }
    match compared(&member, &served, &name, &form, &mut rows).await {
        Ok(compared) => page(&compared),
        Err(problem) => form_again(&member, &served, &name, rows, Some(&problem)).await,
    }
}

async fn compared(
    member: &Member,
    served: &Served,
    name: &Name,
    form: &Form,
    rows: &mut Vec<Row>,
) -> Result<Compared, Problem> {
    let source = if form.has("back") {
        NewSource::Former
    } else {
        let primaries = form::read(rows, |primary| served.doors.intent.check_primary(primary))?;
        check_primaries(name, &primaries)?;
        NewSource::Primaries(primaries)
    };
    let comparison = served.doors.promotions.compare(&member.caller, name, &source).await?;
    let tone = |text: &str| if text.starts_with('-') { "went" } else { "came" };
    Ok(Compared {
        frame: Frame::of(member, "zones"),
        path: path(&member.membership, name),
        lines: comparison.lines.iter().map(|text| Line { tone: tone(text), text: text.clone() }).collect(),
        comparison,
        primaries: match source {
            NewSource::Former => Vec::new(),
            NewSource::Primaries(primaries) => primaries.iter().map(ToString::to_string).collect(),
        },
    })
}

pub(crate) async fn finish(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    let finished = async {
        member.must(Scope::Zones)?;
        let primaries = form.all("primary").map(text::primary).collect::<Result<Vec<_>, _>>()?;
        let source = if primaries.is_empty() { NewSource::Former } else { NewSource::Primaries(primaries) };
        if let NewSource::Primaries(primaries) = &source {
            check_primaries(&name, primaries)?;
        }
        let digest = Some(form.text("digest").to_owned());
        let word = Word { digest, accept: Accept::of(form.has("accept")) };
        served.doors.promotions.finish(&member.caller, &name, source, word).await
    };
    match finished.await {
        Ok(_) => Redirect::to(&path(&member.membership, &name)).into_response(),
        Err(problem) => refusal(&problem),
    }
}

/// The page with what was typed, and what is wrong with it.
async fn form_again(
    member: &Member,
    served: &Served,
    name: &Name,
    rows: Vec<Row>,
    problem: Option<&Problem>,
) -> Response {
    let drawn = async {
        let wanted = WantedPrimary::read(None, None)?;
        let promotion = served.doors.promotions.promotion(&member.caller, name, &wanted).await?;
        let drawn = draw(member, served, name, promotion).await?;
        let is_about_row = rows.iter().any(|row| !row.error.is_empty());
        let error = problem.filter(|_| !is_about_row).map(|problem| sentence(problem.detail())).unwrap_or_default();
        Ok(Page { can_add_row: rows.len() < PRIMARIES_MAX, rows, error, ..drawn })
    };
    match (drawn.await, problem) {
        (Ok(drawn), Some(problem)) => again(problem, &drawn),
        (Ok(drawn), None) => page(&drawn),
        (Err::<Page, Problem>(problem), _) => refusal(&problem),
    }
}

async fn draw(member: &Member, served: &Served, name: &Name, promotion: json::Promotion) -> Result<Page, Problem> {
    Ok(Page {
        frame: Frame::of(member, "zones"),
        path: path(&member.membership, name),
        may_change: member.may(Scope::Zones) && promotion.zone.origin != json::Origin::Member,
        may_make_keys: member.may(Scope::Keys),
        promotion,
        error: String::new(),
        rows: vec![Row::default()],
        keys: served.doors.intent.keys(&member.caller).await?,
        can_add_row: true,
    })
}
