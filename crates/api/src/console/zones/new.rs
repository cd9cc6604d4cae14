//! Creating a zone: a name, and where it is copied from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

/// A server that is reached as most are, by IPv4 and by IPv6: `a.root-servers.net`. It is not asked.
const OUT_THERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4)), 53),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)), 53),
];

#[derive(Template)]
#[template(path = "zone_new.html")]
struct New<'a> {
    frame: Frame,
    name: &'a str,
    name_error: String,
    /// As typed, with what is wrong with them.
    tags: &'a str,
    tags_error: String,
    rows: Vec<Row>,
    keys: Vec<json::Key>,
    error: String,
    /// Where we answer, and take NOTIFYs.
    dns: Vec<String>,
    /// Where transfers come from: towards servers out in the world.
    sources: Vec<IpAddr>,
    can_add_row: bool,
}

/// What stands in the form's fields, but for its rows.
#[derive(Clone, Copy, Default)]
struct Typed<'a> {
    name: &'a str,
    tags: &'a str,
}

impl New<'_> {
    fn begins_at_a_primary(&self) -> bool {
        self.name_error.is_empty() && self.rows.iter().any(|row| row.is_focused)
    }
}

pub(crate) async fn page_new(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let made = draw(&member, &served, Typed::default(), vec![Row::default()], None).await;
    made.map_or_else(|problem| refusal(&problem), |new| page(&new))
}

pub(crate) async fn create(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let (typed, mut rows) = (Typed { name: form.text("name"), tags: form.text("tags") }, form::rows(&form));
    if form.has("add_row") {
        rows.push(Row::another());
        let made = draw(&member, &served, typed, rows, None).await;
        return made.map_or_else(|problem| refusal(&problem), |new| page(&new));
    }
    let problem = match added(&member, &served, typed, &mut rows).await {
        Ok(text::Typed { name, is_corrected }) => {
            let corrected =
                if is_corrected { format!("?typed={}", percent_encoded(typed.name)) } else { String::new() };
            let to = format!("{}{corrected}", path(&member.membership, &name));
            return Redirect::to(&to).into_response();
        }
        Err(problem) => problem,
    };
    match draw(&member, &served, typed, rows, Some(&problem)).await {
        Ok(new) => again(&problem, &new),
        Err(problem) => refusal(&problem),
    }
}

async fn added(
    member: &Member,
    served: &Served,
    typed: Typed<'_>,
    rows: &mut Vec<Row>,
) -> Result<text::Typed, Problem> {
    // All are read, so that all that is wrong is said at once.
    let primaries = form::read(rows, |primary| served.doors.intent.check_primary(primary));
    let read = (text::typed_zone_name(typed.name), primaries, text::listed_tags(typed.tags));
    let typed = read.0?;
    let mut zone = NewZone::new(typed.name.clone(), read.1?)?;
    zone.tags = read.2?;
    served.doors.intent.add_zone(&member.caller, zone).await?;
    Ok(typed)
}

async fn draw<'a>(
    member: &Member,
    served: &Served,
    typed: Typed<'a>,
    rows: Vec<Row>,
    problem: Option<&Problem>,
) -> Result<New<'a>, Problem> {
    let (keys, dns) = tokio::join!(served.doors.intent.keys(&member.caller), served.doors.status.addresses());
    let said = |problem: &Problem| sentence(problem.detail());
    let is_about_name = |problem: &&Problem| {
        matches!(problem.code(), Code::ZoneNameInvalid | Code::ZoneExists | Code::ZoneNameTaken | Code::ZoneIsCatalog)
    };
    let is_about_row = rows.iter().any(|row| !row.error.is_empty());
    // Also where it is not the first thing that is wrong.
    let tags_error = problem.and_then(|_| text::listed_tags(typed.tags).err()).map(|problem| said(&problem));
    let elsewhere = problem.filter(|problem| !is_about_name(problem) && !is_about_row && tags_error.is_none());
    Ok(New {
        frame: Frame::of(member, "zones"),
        name: typed.name,
        tags: typed.tags,
        tags_error: tags_error.unwrap_or_default(),
        name_error: problem.filter(is_about_name).map(said).unwrap_or_default(),
        can_add_row: rows.len() < PRIMARIES_MAX,
        rows,
        keys: keys?,
        error: elsewhere.map(said).unwrap_or_default(),
        dns,
        sources: OUT_THERE.iter().filter_map(|server| served.doors.status.source_towards(*server)).collect(),
    })
}
