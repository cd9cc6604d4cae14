//! API tokens.

use std::time::{Duration, SystemTime};

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::{self, sentence};
use crate::json::{self, Scope, Time};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

/// How long a token may be good for, as it is offered, in days.
const DAYS: [u64; 4] = [7, 30, 90, 365];

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens<'a> {
    frame: Frame,
    tokens: Vec<json::Token>,
    /// What a new one may have: no more than whoever makes it.
    scopes: Vec<Scope>,
    days: [u64; 4],
    name: &'a str,
    error: String,
    /// One that was made a moment ago, which is shown this once.
    added: Option<json::AddedToken>,
}

pub(crate) async fn tokens(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |tokens| page(&tokens))
}

pub(crate) async fn add(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let added = add_token(&member, &served, &form).await;
    match (added, drawn(&member, &served).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(added), Ok(tokens)) => page(&Tokens { added: Some(added), ..tokens }),
        (Err(problem), Ok(tokens)) => {
            again(&problem, &Tokens { name: form.text("name"), error: sentence(problem.detail()), ..tokens })
        }
    }
}

async fn add_token(member: &Member, served: &Served, form: &Form) -> Result<json::AddedToken, Problem> {
    let scopes = form.all("scope").map(str::parse).collect::<Result<_, _>>();
    let scopes = scopes.map_err(|error: json::UnknownWord| Problem::new(Code::BodyInvalid, error.to_string()))?;
    let ends_at = match form.text("days") {
        "" => None,
        days => {
            let days: u64 =
                days.parse().ok().filter(|days| DAYS.contains(days)).ok_or_else(|| {
                    Problem::new(Code::BodyInvalid, "that is no time for which a token could be good")
                })?;
            let end = SystemTime::now() + Duration::from_secs(days * 24 * 3600);
            let end = end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Some(Time::from_unix_ms(u64::try_from(end.as_millis()).unwrap_or(u64::MAX)))
        }
    };
    let token = json::AddToken { name: form.text("name").to_owned(), scopes, ends_at };
    served.doors.accounts.add_token(&member.caller, text::new_token(&token)?).await
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    match served.doors.accounts.remove_token(&member.caller, form.text("name")).await {
        Ok(()) => Redirect::to(&format!("{}/tokens", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Tokens<'a>, Problem> {
    Ok(Tokens {
        frame: Frame::of(member, "tokens"),
        tokens: served.doors.accounts.tokens(&member.caller).await?,
        scopes: member.caller.scopes.clone(),
        days: DAYS,
        name: "",
        error: String::new(),
        added: None,
    })
}
