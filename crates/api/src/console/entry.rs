//! Coming in: signing in, codes, and links that do something once.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::assets;
use super::page::{Frame, again, base, page, refusal};
use super::session::{Cookies, FORM_TOKEN, Form, LinkInPath, Somebody};
use super::words::sentence;
use crate::doors::{LinkUse, Offers, Opened, SignedIn};
use crate::front::Sender;
use crate::problem::{Code, Problem};
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
    offers: Offers,
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
    used_for: LinkUse,
    /// Where it is the operator who is created.
    email: &'a str,
    error: String,
    form_token: String,
    /// Who is signed in in this browser.
    signed_in_as: Option<String>,
    /// Where to come back to after signing in.
    next: String,
}

impl LinkPage<'_> {
    /// Whether the page asks for a password, and which.
    fn password(&self) -> &'static str {
        match &self.used_for {
            LinkUse::CreateOperator | LinkUse::SetPassword { .. } => "new",
            LinkUse::Join { has_account: false, .. } => "new",
            LinkUse::SignUp { .. } => "chosen",
            LinkUse::Join { has_account: true, .. } | LinkUse::ChangeEmail { .. } => "",
        }
    }

    fn button(&self) -> &'static str {
        match &self.used_for {
            LinkUse::CreateOperator => "Create the operator",
            LinkUse::SetPassword { .. } => "Set the password",
            LinkUse::SignUp { .. } => "Confirm",
            LinkUse::Join { .. } => "Join",
            LinkUse::ChangeEmail { .. } => "Use this address",
        }
    }

    /// The address that the password belongs to.
    fn user(&self) -> &str {
        match &self.used_for {
            LinkUse::CreateOperator => "",
            LinkUse::SetPassword { email }
            | LinkUse::SignUp { email, .. }
            | LinkUse::Join { email, .. }
            | LinkUse::ChangeEmail { email } => email,
        }
    }

    /// Whether an invitation waits for its owner to sign in.
    fn must_sign_in(&self) -> bool {
        let is_known = matches!(self.used_for, LinkUse::Join { has_account: true, .. });
        is_known && !self.signed_in_as.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(self.user()))
    }
}

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "nowhere.html")]
struct Nowhere {
    frame: Frame,
}

/// Where one begins: the zones of the first organisation that one belongs to.
pub(crate) async fn home(somebody: Somebody) -> Response {
    match somebody.who.tenants.first() {
        Some(tenant) => Redirect::to(&format!("{}/zones", base(tenant))).into_response(),
        None => page(&Nowhere { frame: Frame::without_tenant(&somebody.who, "") }),
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
    let offers = served.doors.newcomers.offers();
    page(&SignIn { style, email: "", next: &next.next, form_token, error, is_first, offers })
}

pub(crate) async fn sign_in(State(served): State<Served>, sender: Sender, cookies: Cookies, form: Form) -> Response {
    let (email, next) = (form.text("email"), form.text("next"));
    match served.doors.accounts.sign_in(&sender.0, email, form.verbatim("password")).await {
        Ok(opened) => let_in(cookies, opened, next),
        Err(problem) => {
            let error = sentence(problem.detail());
            let form_token = form.text(FORM_TOKEN).to_owned();
            let (style, offers) = (assets::style(), served.doors.newcomers.offers());
            again(&problem, &SignIn { style, email, next, form_token, error, is_first: false, offers })
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
    LinkInPath(secret): LinkInPath,
    cookies: Cookies,
) -> Response {
    match served.doors.accounts.link(&secret).await {
        Ok(used_for) => page(&drawn(&served, &cookies, &secret, used_for).await),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn link(
    State(served): State<Served>,
    LinkInPath(secret): LinkInPath,
    sender: Sender,
    cookies: Cookies,
    form: Form,
) -> Response {
    let used_for = match served.doors.accounts.link(&secret).await {
        Ok(used_for) => used_for,
        Err(problem) => return refusal(&problem),
    };
    match carried_out(&served, &sender, &cookies, &secret, &used_for, &form).await {
        Ok(Done::Opened(opened)) => let_in(cookies, opened, ""),
        Ok(Done::At(path)) => Redirect::to(&path).into_response(),
        Err(problem) => {
            let link = drawn(&served, &cookies, &secret, used_for).await;
            let (error, email) = (sentence(problem.detail()), form.text("email"));
            again(&problem, &LinkPage { error, email, ..link })
        }
    }
}

/// What comes of a link.
enum Done {
    Opened(Opened),
    /// Whoever was signed in goes on there.
    At(String),
}

async fn carried_out(
    served: &Served,
    sender: &Sender,
    cookies: &Cookies,
    secret: &str,
    used_for: &LinkUse,
    form: &Form,
) -> Result<Done, Problem> {
    let (visitor, password) = (&sender.0, form.verbatim("password"));
    let (accounts, newcomers) = (&served.doors.accounts, &served.doors.newcomers);
    match used_for {
        LinkUse::CreateOperator => {
            let email = text::email(form.text("email"))?;
            accounts.create_operator(visitor, secret, &email, password).await.map(Done::Opened)
        }
        LinkUse::SetPassword { .. } => accounts.set_password(visitor, secret, password).await.map(Done::Opened),
        LinkUse::SignUp { .. } => newcomers.verify(visitor, secret, password).await.map(Done::Opened),
        LinkUse::Join { has_account: false, .. } => newcomers.join(visitor, secret, password).await.map(Done::Opened),
        LinkUse::Join { email, has_account: true, .. } => {
            let who = signed_in(served, cookies).await.filter(|who| !who.wants_code);
            let detail = || Problem::new(Code::NotAllowed, format!("sign in as {email} first"));
            let tenant = newcomers.accept(visitor, &who.ok_or_else(detail)?, secret).await?;
            Ok(Done::At(format!("/o/{}/zones", tenant.0)))
        }
        LinkUse::ChangeEmail { .. } => {
            newcomers.change_email(visitor, secret).await?;
            Ok(Done::At("/account".to_owned()))
        }
    }
}

async fn drawn(served: &Served, cookies: &Cookies, secret: &str, used_for: LinkUse) -> LinkPage<'static> {
    let who = signed_in(served, cookies).await;
    LinkPage {
        style: assets::style(),
        used_for,
        email: "",
        error: String::new(),
        form_token: who.as_ref().map(|who| who.form_token.clone()).unwrap_or_default(),
        signed_in_as: who.filter(|who| !who.wants_code).map(|who| who.email),
        next: crate::path::percent_encoded(&format!("/link/{secret}")),
    }
}

/// Whoever is signed in already in this browser, as somebody else perhaps.
async fn signed_in(served: &Served, cookies: &Cookies) -> Option<SignedIn> {
    served.doors.accounts.signed_in(cookies.secret()?).await.ok().flatten()
}

fn let_in(cookies: Cookies, opened: Opened, next: &str) -> Response {
    let next = own_path(next);
    let to = if opened.wants_code {
        format!("/sign-in/code?next={}", crate::path::percent_encoded(next))
    } else {
        next.to_owned()
    };
    let cookies = match opened.device {
        Some(device) => cookies.keep_device(device),
        None => cookies,
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
