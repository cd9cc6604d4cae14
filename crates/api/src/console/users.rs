//! Who may sign in: for operators.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::{self, sentence};
use crate::doors::NewUser;
use crate::json::{self, Role, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "users.html")]
struct Users<'a> {
    frame: Frame,
    users: Vec<json::User>,
    roles: &'static [Role],
    email: &'a str,
    error: String,
    /// A link that was made a moment ago, which is shown this once.
    link: Option<json::PasswordLink>,
    sends_mail: bool,
}

pub(crate) async fn users(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |users| page(&users))
}

pub(crate) async fn add(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    let added = add_user(&member, &served, &form).await;
    shown(&member, &served, form.text("email"), added).await
}

async fn add_user(member: &Member, served: &Served, form: &Form) -> Result<json::PasswordLink, Problem> {
    let role: Result<Role, json::UnknownWord> = form.text("role").parse();
    let user = NewUser {
        email: text::email(form.text("email"))?,
        role: role.map_err(|error| Problem::new(Code::BodyInvalid, error.to_string()))?,
        is_operator: form.has("operator"),
    };
    served.doors.accounts.add_user(&member.caller, user).await
}

pub(crate) async fn link(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    let made = served.doors.accounts.link_for_password(&member.caller, form.text("email")).await;
    shown(&member, &served, "", made).await
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    match served.doors.accounts.remove_user(&member.caller, form.text("email")).await {
        Ok(()) => Redirect::to(&format!("{}/users", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn remove_second_factor(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    match served.doors.accounts.remove_second_factor_of(&member.caller, form.text("email")).await {
        Ok(()) => Redirect::to(&format!("{}/users", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}

async fn shown(member: &Member, served: &Served, email: &str, made: Result<json::PasswordLink, Problem>) -> Response {
    match (made, drawn(member, served).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(link), Ok(users)) => page(&Users { link: Some(link), ..users }),
        (Err(problem), Ok(users)) => again(&problem, &Users { email, error: sentence(problem.detail()), ..users }),
    }
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Users<'a>, Problem> {
    Ok(Users {
        frame: Frame::of(member, "users"),
        users: served.doors.accounts.users(&member.caller).await?,
        roles: Role::ALL,
        email: "",
        error: String::new(),
        link: None,
        sends_mail: served.doors.newcomers.offers().mail,
    })
}
