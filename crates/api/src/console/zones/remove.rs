//! Removing a zone, after its name was typed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::{ZoneInTenant, path};
use crate::console::page::{Frame, again, base, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words::{self, sentence};
use crate::doors::Removal;
use crate::json::Scope;
use crate::path::percent_encoded;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "zone_remove.html")]
struct Remove<'a> {
    frame: Frame,
    path: String,
    name: String,
    typed: &'a str,
    error: String,
}

pub(crate) async fn ask(member: Member, ZoneInTenant(name): ZoneInTenant, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    match served.doors.status.glance(&member.caller, &name).await {
        Ok(_) => page(&draw(&member, &name, "", String::new())),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn remove(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let typed = form.text("name");
    let is_meant = text::typed_zone_name(typed).is_ok_and(|typed| typed.name == name);
    let removed = if is_meant {
        served.doors.removals.remove(&member.caller, &name, Removal::Kept).await
    } else {
        Err(Problem::new(Code::ZoneNameInvalid, "this is not the name of the zone: nothing was removed"))
    };
    match removed {
        Ok(()) => {
            let list = format!("{}/zones?removed={}", base(&member.membership), percent_encoded(&name.to_string()));
            Redirect::to(&list).into_response()
        }
        Err(problem) => {
            let error = sentence(problem.detail());
            again(&problem, &draw(&member, &name, typed, error))
        }
    }
}

fn draw<'a>(member: &Member, name: &dns::Name, typed: &'a str, error: String) -> Remove<'a> {
    Remove {
        frame: Frame::of(member, "zones"),
        path: path(&member.membership, name),
        name: name.to_string(),
        typed,
        error,
    }
}
