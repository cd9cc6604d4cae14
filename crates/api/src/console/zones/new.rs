//! Creating a zone: a name, and where it is copied from.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::form::{self, Row};
use super::path;
use crate::console::page::{Frame, again, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words::sentence;
use crate::doors::{NewZone, PRIMARIES_MAX};
use crate::json::{self, Scope};
use crate::path::percent_encoded;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "zone_new.html")]
struct New<'a> {
    frame: Frame,
    name: &'a str,
    name_error: String,
    rows: Vec<Row>,
    keys: Vec<json::Key>,
    error: String,
    /// Where we answer, and take NOTIFYs.
    dns: Vec<String>,
    can_add_row: bool,
}

pub(crate) async fn page_new(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let made = draw(&member, &served, "", vec![Row::default()], None).await;
    made.map_or_else(|problem| refusal(&problem), |new| page(&new))
}

pub(crate) async fn create(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let (name, mut rows) = (form.text("name"), form::rows(&form));
    if form.has("add_row") {
        rows.push(Row::default());
        let made = draw(&member, &served, name, rows, None).await;
        return made.map_or_else(|problem| refusal(&problem), |new| page(&new));
    }
    let problem = match added(&member, &served, name, &mut rows).await {
        Ok(typed) => {
            let corrected =
                if typed.is_corrected { format!("?typed={}", percent_encoded(name)) } else { String::new() };
            let to = format!("{}{corrected}", path(&member.membership, &typed.name));
            return Redirect::to(&to).into_response();
        }
        Err(problem) => problem,
    };
    match draw(&member, &served, name, rows, Some(&problem)).await {
        Ok(new) => again(&problem, &new),
        Err(problem) => refusal(&problem),
    }
}

async fn added(member: &Member, served: &Served, name: &str, rows: &mut Vec<Row>) -> Result<text::Typed, Problem> {
    // Both are read, so that all that is wrong is said at once.
    let (typed, primaries) =
        (text::typed_zone_name(name), form::read(rows, |address| served.doors.intent.check_address(address)));
    let typed = typed?;
    let zone = NewZone::new(typed.name.clone(), primaries?)?;
    served.doors.intent.add_zone(&member.caller, zone).await?;
    Ok(typed)
}

async fn draw<'a>(
    member: &Member,
    served: &Served,
    name: &'a str,
    rows: Vec<Row>,
    problem: Option<&Problem>,
) -> Result<New<'a>, Problem> {
    let (keys, dns) = tokio::join!(served.doors.intent.keys(&member.caller), served.doors.status.addresses());
    let said = |problem: &Problem| sentence(problem.detail());
    let is_about_name = |problem: &&Problem| {
        matches!(problem.code(), Code::ZoneNameInvalid | Code::ZoneExists | Code::ZoneNameTaken | Code::ZoneIsCatalog)
    };
    let is_about_row = rows.iter().any(|row| !row.error.is_empty());
    let elsewhere = problem.filter(|problem| !is_about_name(problem) && !is_about_row);
    Ok(New {
        frame: Frame::of(member, "zones"),
        name,
        name_error: problem.filter(is_about_name).map(said).unwrap_or_default(),
        can_add_row: rows.len() < PRIMARIES_MAX,
        rows,
        keys: keys?,
        error: elsewhere.map(said).unwrap_or_default(),
        dns,
    })
}
