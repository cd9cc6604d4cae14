//! TSIG keys.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::{self, sentence};
use crate::doors::NewKey;
use crate::json::{self, KeyAlgorithm, Scope};
use crate::problem::Problem;
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys<'a> {
    frame: Frame,
    keys: Vec<json::Key>,
    algorithms: &'static [KeyAlgorithm],
    may_change: bool,
    name: &'a str,
    error: String,
    /// A key that was made a moment ago, with its secret, which is shown this once.
    added: Option<json::AddedKey>,
}

pub(crate) async fn keys(member: Member, State(served): State<Served>) -> Response {
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |keys| page(&keys))
}

pub(crate) async fn add(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Keys) {
        return refusal(&problem);
    }
    let name = form.text("name");
    let added = add_key(&member, &served, &form).await;
    match (added, drawn(&member, &served).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(added), Ok(keys)) => page(&Keys { added: Some(added), ..keys }),
        (Err(problem), Ok(keys)) => again(&problem, &Keys { name, error: sentence(problem.detail()), ..keys }),
    }
}

async fn add_key(member: &Member, served: &Served, form: &Form) -> Result<json::AddedKey, Problem> {
    let secret = form.text("secret");
    let key = NewKey {
        name: text::key_name(form.text("name"))?,
        algorithm: text::key_algorithm(form.text("algorithm"))?,
        secret: (!secret.is_empty()).then(|| secret.to_owned()),
    };
    served.doors.intent.add_key(&member.caller, key).await
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Keys) {
        return refusal(&problem);
    }
    let removed = match text::key_name(form.text("name")) {
        Ok(name) => served.doors.intent.remove_key(&member.caller, &name).await,
        Err(problem) => Err(problem),
    };
    match removed {
        Ok(()) => Redirect::to(&format!("{}/keys", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Keys<'a>, Problem> {
    Ok(Keys {
        frame: Frame::of(member, "keys"),
        keys: served.doors.intent.keys(&member.caller).await?,
        algorithms: KeyAlgorithm::ALL,
        may_change: member.may(Scope::Keys),
        name: "",
        error: String::new(),
        added: None,
    })
}
