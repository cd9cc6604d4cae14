//! Who belongs to the organisation, and who is invited to.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::{self, sentence};
use crate::json::{self, Role, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

#[derive(Template)]
#[template(path = "members.html")]
struct Members<'a> {
    frame: Frame,
    members: Vec<json::Member>,
    invitations: Vec<json::Invitation>,
    roles: &'static [Role],
    email: &'a str,
    error: String,
    /// An invitation that was made a moment ago.
    link: Option<json::PasswordLink>,
    sends_mail: bool,
}

pub(crate) async fn members(member: Member, State(served): State<Served>) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |members| page(&members))
}

pub(crate) async fn invite(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let invited = async {
        let email = text::email(form.text("email"))?;
        served.doors.organisations.invite(&member.caller, &email, role(&form)?).await
    };
    let invited = invited.await;
    match (invited, drawn(&member, &served).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(link), Ok(members)) => page(&Members { link: Some(link), ..members }),
        (Err(problem), Ok(members)) => failed(&problem, Members { email: form.text("email"), ..members }),
    }
}

pub(crate) async fn set_role(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let changed =
        async { served.doors.organisations.set_role(&member.caller, form.text("email"), role(&form)?).await };
    done(&member, &served, changed.await).await
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let removed = served.doors.organisations.remove_member(&member.caller, form.text("email")).await;
    done(&member, &served, removed).await
}

pub(crate) async fn withdraw(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let withdrawn = served.doors.organisations.withdraw(&member.caller, form.text("email")).await;
    done(&member, &served, withdrawn).await
}

fn role(form: &Form) -> Result<Role, Problem> {
    let role: Result<Role, json::UnknownWord> = form.text("role").parse();
    role.map_err(|error| Problem::new(Code::BodyInvalid, error.to_string()))
}

async fn done(member: &Member, served: &Served, outcome: Result<(), Problem>) -> Response {
    match outcome {
        Ok(()) => Redirect::to(&format!("{}/members", base(&member.membership))).into_response(),
        Err(problem) => match drawn(member, served).await {
            Ok(members) => failed(&problem, members),
            Err(problem) => refusal(&problem),
        },
    }
}

fn failed(problem: &Problem, members: Members<'_>) -> Response {
    again(problem, &Members { error: sentence(problem.detail()), ..members })
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Members<'a>, Problem> {
    let organisations = &served.doors.organisations;
    Ok(Members {
        frame: Frame::of(member, "members"),
        members: organisations.members(&member.caller).await?,
        invitations: organisations.invitations(&member.caller).await?,
        roles: Role::ALL,
        email: "",
        error: String::new(),
        link: None,
        sends_mail: served.doors.newcomers.offers().mail,
    })
}
