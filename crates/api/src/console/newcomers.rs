//! Signing up, and a forgotten password: forms after which a link is sent. What the page says then is the same whether or not
//! the address is known here.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::assets;
use super::page::{again, page, refusal};
use super::session::{Cookies, Form};
use super::words::sentence;
use crate::doors::Visitor;
use crate::front::Sender;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUp<'a> {
    style: &'static str,
    form_token: String,
    email: &'a str,
    organisation: &'a str,
    error: String,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct Forgotten<'a> {
    style: &'static str,
    form_token: String,
    email: &'a str,
    error: String,
}

#[derive(Template)]
#[template(path = "sent.html")]
struct Sent<'a> {
    style: &'static str,
    email: &'a str,
    is_sign_up: bool,
}

pub(crate) async fn sign_up_page(State(served): State<Served>, cookies: Cookies) -> Response {
    if !served.doors.newcomers.offers().sign_up {
        let detail = "whoever runs this service makes the organisations: ask them, or somebody who can invite you";
        return refusal(&Problem::new(Code::SignUpClosed, detail));
    }
    let form_token = form_token(&served, &cookies).await;
    page(&SignUp { style: assets::style(), form_token, email: "", organisation: "", error: String::new() })
}

pub(crate) async fn sign_up(State(served): State<Served>, sender: Sender, cookies: Cookies, form: Form) -> Response {
    match sign_up_with(&served, &sender.0, &form).await {
        Ok(email) => page(&Sent { style: assets::style(), email: &email, is_sign_up: true }),
        Err(problem) if problem.code() == Code::SignUpClosed => refusal(&problem),
        Err(problem) => {
            let form_token = form_token(&served, &cookies).await;
            let (email, organisation) = (form.text("email"), form.text("organisation"));
            let error = sentence(problem.detail());
            again(&problem, &SignUp { style: assets::style(), form_token, email, organisation, error })
        }
    }
}

async fn sign_up_with(served: &Served, visitor: &Visitor, form: &Form) -> Result<String, Problem> {
    let email = text::email(form.text("email"))?;
    let organisation = text::organisation_name(form.text("organisation"))?;
    served.doors.newcomers.sign_up(visitor, &email, form.verbatim("password"), &organisation).await?;
    Ok(email)
}

pub(crate) async fn forgotten_page(State(served): State<Served>, cookies: Cookies) -> Response {
    if !served.doors.newcomers.offers().mail {
        let detail = "this service sends no mail: ask whoever runs it for a link that sets another password";
        return refusal(&Problem::new(Code::MailMissing, detail));
    }
    let form_token = form_token(&served, &cookies).await;
    page(&Forgotten { style: assets::style(), form_token, email: "", error: String::new() })
}

pub(crate) async fn forgotten(
    State(served): State<Served>,
    sender: Sender,
    cookies: Cookies,
    form: Form,
) -> Response {
    let asked = async {
        let email = text::email(form.text("email"))?;
        served.doors.newcomers.forgot_password(&sender.0, &email).await?;
        Ok::<_, Problem>(email)
    };
    match asked.await {
        Ok(email) => page(&Sent { style: assets::style(), email: &email, is_sign_up: false }),
        Err(problem) => {
            let (form_token, error) = (form_token(&served, &cookies).await, sentence(problem.detail()));
            again(&problem, &Forgotten { style: assets::style(), form_token, email: form.text("email"), error })
        }
    }
}

/// Of whoever is signed in already in this browser.
pub(crate) async fn form_token(served: &Served, cookies: &Cookies) -> String {
    let Some(secret) = cookies.secret() else { return String::new() };
    let who = served.doors.accounts.signed_in(secret).await;
    who.ok().flatten().map(|who| who.form_token).unwrap_or_default()
}
