//! The organisation itself: what it is called, all its data in one file, and its end.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::sentence;
use crate::body::streamed_json;
use crate::json::Scope;
use crate::problem::Problem;
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "organisation.html")]
struct Organisation<'a> {
    frame: Frame,
    name: String,
    /// The first one stays.
    is_first: bool,
    zones: u64,
    members: u64,
    typed: &'a str,
    name_error: String,
    remove_error: String,
}

pub(crate) async fn organisation(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn rename(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let renamed = async {
        let name = text::organisation_name(form.text("name"))?;
        served.doors.organisations.rename_organisation(&member.caller, member.caller.tenant, &name).await
    };
    match (renamed.await, drawn(&member, &served).await) {
        (Ok(()), _) => Redirect::to(&format!("{}/organisation", base(&member.membership))).into_response(),
        (_, Err(problem)) => refusal(&problem),
        (Err(problem), Ok(drawn)) => {
            again(&problem, &Organisation { name_error: sentence(problem.detail()), ..drawn })
        }
    }
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let (typed, password) = (form.text("name"), form.verbatim("password"));
    let Member { who, visitor, caller, .. } = &member;
    match served.doors.organisations.remove_own(visitor, who, caller, password, typed).await {
        // Whoever belonged nowhere else is no user any more.
        Ok(()) => Redirect::to("/").into_response(),
        Err(problem) => match drawn(&member, &served).await {
            Ok(drawn) => again(&problem, &Organisation { typed, remove_error: sentence(problem.detail()), ..drawn }),
            Err(problem) => refusal(&problem),
        },
    }
}

pub(crate) async fn export(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    match served.doors.organisations.export_organisation(&member.caller).await {
        Ok(text) => {
            let kept_as = format!("attachment; filename=\"organisation-{}.json\"", member.caller.tenant.0);
            let headers =
                [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, kept_as)];
            (headers, streamed_json(text)).into_response()
        }
        Err(problem) => refusal(&problem),
    }
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Organisation<'a>, Problem> {
    let organisation = served.doors.organisations.organisation(member.caller.tenant).await?;
    Ok(Organisation {
        frame: Frame::of(member, "organisation"),
        name: organisation.name,
        is_first: member.caller.tenant == zone::TenantId::DEFAULT,
        zones: organisation.zones,
        members: organisation.members,
        typed: "",
        name_error: String::new(),
        remove_error: String::new(),
    })
}
