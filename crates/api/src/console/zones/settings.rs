//! What is set for a zone: its primaries, and what differs from the defaults.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use xfr::{Setting, span};

use super::form::{self, Row};
use super::{ZoneInTenant, path};
use crate::console::page::{Frame, again, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words::{self, sentence};
use crate::doors::{PRIMARIES_MAX, ZoneChange};
use crate::json::{self, Scope};
use crate::problem::Problem;
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "zone_settings.html")]
struct Settings {
    frame: Frame,
    path: String,
    zone: json::Zone,
    /// As typed, with what is wrong with them.
    tags: String,
    tags_error: String,
    rows: Vec<Row>,
    keys: Vec<json::Key>,
    settings: Vec<Field>,
    error: String,
    can_add_row: bool,
}

/// What stands in the form's fields.
struct Typed {
    tags: String,
    rows: Vec<Row>,
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    label: &'static str,
    about: &'static str,
    /// What may be chosen, where it is not typed.
    choices: &'static [&'static str],
    default: String,
    value: String,
    error: String,
}

pub(crate) async fn settings(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
) -> Response {
    let drawn = async {
        let (zone, keys) = loaded(&member, &served, &name).await?;
        let rows = zone.primaries.iter().map(Row::of).collect();
        let value = |setting: &Setting| zone.settings.get(setting.name()).cloned().unwrap_or_default();
        let fields = Setting::ALL.iter().map(|setting| field(&served, *setting, value(setting))).collect();
        let tags = zone.tags.join(" ");
        Ok(draw(&member, &name, zone, keys, Typed { tags, rows, fields }))
    };
    drawn.await.map_or_else(|problem: Problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn change(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let (zone, keys) = match loaded(&member, &served, &name).await {
        Ok(loaded) => loaded,
        Err(problem) => return refusal(&problem),
    };
    let (tags, mut rows) = (form.text("tags").to_owned(), form::rows(&form));
    let fields = Setting::ALL.iter().map(|setting| field(&served, *setting, form.text(setting.name()).to_owned()));
    let mut fields: Vec<Field> = fields.collect();
    if form.has("add_row") {
        rows.push(Row::another());
        return page(&draw(&member, &name, zone, keys, Typed { tags, rows, fields }));
    }
    let wanted_tags = text::listed_tags(&tags);
    let tags_error = wanted_tags.as_ref().err().map(|problem| sentence(problem.detail())).unwrap_or_default();
    let read = (
        form::read(&mut rows, |primary| served.doors.intent.check_primary(primary)),
        changes(&zone, &mut fields),
        wanted_tags,
    );
    let done = match read {
        (Ok(primaries), Ok(settings), Ok(wanted)) => {
            let has_others = primaries.iter().map(json::Primary::from).ne(zone.primaries.iter().cloned());
            let tags = wanted.iter().ne(&zone.tags).then_some(wanted);
            let change = ZoneChange { primaries: has_others.then_some(primaries), service: None, settings, tags };
            served.doors.intent.change_zone(&member.caller, &name, change).await.map(drop)
        }
        (Err(problem), ..) | (_, Err(problem), _) | (.., Err(problem)) => Err(problem),
    };
    match done {
        Ok(()) => Redirect::to(&path(&member.membership, &name)).into_response(),
        Err(problem) => {
            let mut drawn = draw(&member, &name, zone, keys, Typed { tags, rows, fields });
            drawn.tags_error = tags_error;
            let is_said = !drawn.tags_error.is_empty()
                || drawn.rows.iter().any(|row| !row.error.is_empty())
                || drawn.settings.iter().any(|field| !field.error.is_empty());
            if !is_said {
                drawn.error = sentence(problem.detail());
            }
            again(&problem, &drawn)
        }
    }
}

/// What is to be set otherwise than it is; what is wrong is said beside its field.
fn changes(zone: &json::Zone, fields: &mut [Field]) -> Result<Vec<(Setting, Option<String>)>, Problem> {
    let mut changes = Vec::new();
    let mut first = None;
    for field in fields {
        let before = zone.settings.get(field.name).map(String::as_str).unwrap_or_default();
        if field.value == before {
            continue;
        }
        let value = (!field.value.is_empty()).then_some(field.value.as_str());
        match text::setting_of(field.name, value).and_then(|(setting, value)| {
            let set = xfr::Settings::default().set(setting, value.as_deref());
            set.map_err(|error| Problem::new(crate::Code::SettingInvalid, error.to_string()))
                .map(|()| (setting, value))
        }) {
            Ok(change) => changes.push(change),
            Err(problem) => {
                // The field says which setting it is, and what was typed.
                let prefix = format!("{} cannot be {:?}: ", field.name, field.value);
                field.error = sentence(problem.detail().strip_prefix(&prefix).unwrap_or(problem.detail()));
                first.get_or_insert(problem);
            }
        }
    }
    first.map_or(Ok(changes), Err)
}

async fn loaded(member: &Member, served: &Served, name: &dns::Name) -> Result<(json::Zone, Vec<json::Key>), Problem> {
    let zone = served.doors.status.glance(&member.caller, name).await?;
    Ok((zone, served.doors.intent.keys(&member.caller).await?))
}

fn field(served: &Served, setting: Setting, value: String) -> Field {
    let (label, default) = (words::setting(setting), served.doors.status.default_of(setting));
    let default = if default == span::text(u32::MAX) { "no limit".to_owned() } else { default };
    let (name, about, choices) = (setting.name(), setting.about(), words::choices(setting));
    Field { name, label, about, choices, default, value, error: String::new() }
}

fn draw(member: &Member, name: &dns::Name, zone: json::Zone, keys: Vec<json::Key>, typed: Typed) -> Settings {
    let Typed { tags, rows, fields } = typed;
    Settings {
        frame: Frame::of(member, "zones"),
        path: path(&member.membership, name),
        zone,
        can_add_row: rows.len() < PRIMARIES_MAX,
        tags,
        tags_error: String::new(),
        rows,
        keys,
        settings: fields,
        error: String::new(),
    }
}
