//! Coming in: signing in, codes, and links that do something once.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::assets;
use super::page::{again, base, page, refusal};
use super::session::{Cookies, FORM_TOKEN, Form, Somebody};
use super::words::sentence;
use crate::doors::{LinkUse, Opened};
use crate::front::Sender;
use crate::problem::Problem;
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    style: &'static str,
    email: &'a str,
    next: &'a str,
    /// Of a session that waits for a code, whose place this takes.
    form_token: String,
    error: String,
    /// Nobody can sign in yet.
    is_first: bool,
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    style: &'static str,
    next: &'a str,
    form_token: String,
    error: String,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    style: &'static str,
    /// None where it is the operator who is created.
    user: Option<String>,
    email: &'a str,
    error: String,
    form_token: String,
}

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// Where one begins: the zones of the first organisation that one belongs to.
pub(crate) async fn home(somebody: Somebody) -> Response {
    match somebody.who.tenants.first() {
        Some(tenant) => Redirect::to(&format!("{}/zones", base(tenant))).into_response(),
        None => Redirect::to("/account").into_response(),
    }
}

pub(crate) async fn sign_in_page(
    State(served): State<Served>,
    cookies: Cookies,
    Query(next): Query<Next>,
) -> Response {
    let who = match cookies.secret() {
        Some(secret) => served.doors.accounts.signed_in(secret).await.ok().flatten(),
        None => None,
    };
    if who.as_ref().is_some_and(|who| !who.wants_code) {
        return Redirect::to(own_path(&next.next)).into_response();
    }
    let form_token = who.map(|who| who.form_token).unwrap_or_default();
    // Without the inventory nobody can sign in, which is said when it is tried.
    let is_first = !served.doors.accounts.has_operator().await.unwrap_or(true);
    let (style, error) = (assets::style(), String::new());
    page(&SignIn { style, email: "", next: &next.next, form_token, error, is_first })
}

pub(crate) async fn sign_in(State(served): State<Served>, sender: Sender, cookies: Cookies, form: Form) -> Response {
    let (email, next) = (form.text("email"), form.text("next"));
    match served.doors.accounts.sign_in(&sender.0, email, form.verbatim("password")).await {
        Ok(opened) => let_in(cookies, opened, next),
        Err(problem) => {
            let error = sentence(problem.detail());
            let form_token = form.text(FORM_TOKEN).to_owned();
            again(&problem, &SignIn { style: assets::style(), email, next, form_token, error, is_first: false })
        }
    }
}

pub(crate) async fn code_page(State(served): State<Served>, cookies: Cookies, Query(next): Query<Next>) -> Response {
    let who = match cookies.secret() {
        Some(secret) => served.doors.accounts.signed_in(secret).await,
        None => Ok(None),
    };
    match who {
        Ok(Some(who)) if who.wants_code => {
            let (style, form_token) = (assets::style(), who.form_token);
            page(&CodePage { style, next: &next.next, form_token, error: String::new() })
        }
        Ok(_) => Redirect::to("/").into_response(),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn code(State(served): State<Served>, sender: Sender, cookies: Cookies, form: Form) -> Response {
    let next = form.text("next");
    let Some(secret) = cookies.secret().map(str::to_owned) else { return Redirect::to("/sign-in").into_response() };
    match served.doors.accounts.show_code(&sender.0, &secret, form.text("code")).await {
        Ok(opened) => let_in(cookies, opened, next),
        Err(problem) => {
            let form_token = form.text(FORM_TOKEN).to_owned();
            let error = sentence(problem.detail());
            again(&problem, &CodePage { style: assets::style(), next, form_token, error })
        }
    }
}

pub(crate) async fn sign_out(State(served): State<Served>, cookies: Cookies, _form: Form) -> Response {
    if let Some(secret) = cookies.secret()
        && let Err(problem) = served.doors.accounts.sign_out(secret).await
    {
        return refusal(&problem);
    }
    (cookies.forget(), Redirect::to("/sign-in")).into_response()
}

pub(crate) async fn link_page(
    State(served): State<Served>,
    Path(secret): Path<String>,
    cookies: Cookies,
) -> Response {
    match served.doors.accounts.link(&secret).await {
        Ok(used_for) => {
            let form_token = form_token(&served, &cookies).await;
            page(&LinkPage {
                style: assets::style(),
                user: user(used_for),
                email: "",
                error: String::new(),
                form_token,
            })
        }
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn link(
    State(served): State<Served>,
    Path(secret): Path<String>,
    sender: Sender,
    cookies: Cookies,
    form: Form,
) -> Response {
    let used_for = match served.doors.accounts.link(&secret).await {
        Ok(used_for) => used_for,
        Err(problem) => return refusal(&problem),
    };
    let (email, password) = (form.text("email"), form.verbatim("password"));
    let accounts = &served.doors.accounts;
    let done = match &used_for {
        LinkUse::CreateOperator => match text::email(email) {
            Ok(email) => accounts.create_operator(&sender.0, &secret, &email, password).await,
            Err(problem) => Err(problem),
        },
        LinkUse::SetPassword { .. } => accounts.set_password(&sender.0, &secret, password).await,
    };
    match done {
        Ok(opened) => let_in(cookies, opened, ""),
        Err(problem) => {
            let form_token = form.text(FORM_TOKEN).to_owned();
            let (error, user) = (sentence(problem.detail()), user(used_for));
            again(&problem, &LinkPage { style: assets::style(), user, email, error, form_token })
        }
    }
}

/// Of whoever is signed in already in this browser, as somebody else perhaps.
async fn form_token(served: &Served, cookies: &Cookies) -> String {
    let Some(secret) = cookies.secret() else { return String::new() };
    let who: Result<_, Problem> = served.doors.accounts.signed_in(secret).await;
    who.ok().flatten().map(|who| who.form_token).unwrap_or_default()
}

fn user(used_for: LinkUse) -> Option<String> {
    match used_for {
        LinkUse::CreateOperator => None,
        LinkUse::SetPassword { email } => Some(email),
    }
}

fn let_in(cookies: Cookies, opened: Opened, next: &str) -> Response {
    let next = own_path(next);
    let to = if opened.wants_code {
        format!("/sign-in/code?next={}", crate::path::percent_encoded(next))
    } else {
        next.to_owned()
    };
    (cookies.keep(opened.secret), Redirect::to(&to)).into_response()
}

/// A path here; anything else may lead elsewhere (`//evil.example`, `/\evil.example`).
fn own_path(next: &str) -> &str {
    let is_ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if is_ours && next.is_ascii() { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn signing_in_leads_nowhere_else() {
        assert_eq!(own_path("/o/1/zones?state=stale"), "/o/1/zones?state=stale");
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "evil", "/\t/evil"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
