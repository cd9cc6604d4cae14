//! Alerts: to whom events are sent outside of the console, a test of it, and what became of what was sent.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::assets;
use super::newcomers::form_token;
use super::page::{Frame, again, base, page, refusal};
use super::session::{Cookies, Form, LinkInPath, Member};
use super::words::{self, sentence};
use crate::front::Sender;
use crate::json::{self, AlertChannel, AlertWanted, EventKind, Scope, Severity};
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Deliveries that are shown, the newest.
const SHOWN: u32 = 50;

#[derive(Template)]
#[template(path = "alerts.html")]
struct Alerts {
    frame: Frame,
    rules: Vec<json::AlertRule>,
    deliveries: Vec<json::AlertDelivery>,
    kinds: &'static [EventKind],
    severities: &'static [Severity],
    target: String,
    wanted: AlertWanted,
    error: String,
    /// A rule that was added a moment ago; what a webhook's messages are signed with is shown this once.
    added: Option<json::AddedAlertRule>,
    /// What came of a test that was made a moment ago.
    tested: Option<json::AlertDelivery>,
}

#[derive(Template)]
#[template(path = "alert_confirm.html")]
struct Confirm {
    style: &'static str,
    form_token: String,
    /// None before it is confirmed.
    target: Option<String>,
}

pub(crate) async fn alerts(member: Member, State(served): State<Served>) -> Response {
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |alerts| page(&alerts))
}

pub(crate) async fn add(member: Member, State(served): State<Served>, form: Form) -> Response {
    let (target, wanted) = (form.text("target").to_owned(), wanted(&form));
    let added = async {
        member.must(Scope::People)?;
        let channel = AlertChannel::of_target(&target);
        let rule = json::AddAlertRule { channel, target: target.clone(), wanted: wanted.clone()? };
        served.doors.alerts.add_alert_rule(&member.caller, rule).await
    };
    match (added.await, drawn(&member, &served).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(added), Ok(alerts)) => page(&Alerts { added: Some(added), ..alerts }),
        (Err(problem), Ok(alerts)) => {
            let (wanted, error) = (wanted.unwrap_or_default(), sentence(problem.detail()));
            again(&problem, &Alerts { target, wanted, error, ..alerts })
        }
    }
}

pub(crate) async fn change(member: Member, State(served): State<Served>, form: Form) -> Response {
    let changed = async {
        member.must(Scope::People)?;
        served.doors.alerts.change_alert_rule(&member.caller, id(&form)?, wanted(&form)?).await
    };
    done(&member, changed.await.map(drop))
}

pub(crate) async fn remove(member: Member, State(served): State<Served>, form: Form) -> Response {
    let removed = async {
        member.must(Scope::People)?;
        served.doors.alerts.remove_alert_rule(&member.caller, id(&form)?).await
    };
    done(&member, removed.await)
}

pub(crate) async fn test(member: Member, State(served): State<Served>, form: Form) -> Response {
    let tested = async {
        member.must(Scope::People)?;
        served.doors.alerts.test_alert_rule(&member.caller, id(&form)?).await
    };
    match (tested.await, drawn(&member, &served).await) {
        (Ok(tested), Ok(alerts)) => page(&Alerts { tested: Some(tested), ..alerts }),
        (Err(problem), _) | (_, Err(problem)) => refusal(&problem),
    }
}

pub(crate) async fn confirm_page(
    State(served): State<Served>,
    LinkInPath(_): LinkInPath,
    cookies: Cookies,
) -> Response {
    // It is confirmed by somebody who says so: what looks through mail opens links by itself.
    page(&Confirm { style: assets::style(), form_token: form_token(&served, &cookies).await, target: None })
}

pub(crate) async fn confirm(
    State(served): State<Served>,
    LinkInPath(secret): LinkInPath,
    sender: Sender,
    _form: Form,
) -> Response {
    match served.doors.alerts.confirm_alert(&sender.0, &secret).await {
        Ok(target) => page(&Confirm { style: assets::style(), form_token: String::new(), target: Some(target) }),
        Err(problem) => refusal(&problem),
    }
}

fn done(member: &Member, done: Result<(), Problem>) -> Response {
    match done {
        Ok(()) => Redirect::to(&format!("{}/alerts", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}

fn id(form: &Form) -> Result<u64, Problem> {
    form.text("id").parse().map_err(|_| Problem::new(Code::BodyInvalid, "the form names no alert rule"))
}

fn wanted(form: &Form) -> Result<AlertWanted, Problem> {
    let unknown = |error: json::UnknownWord| Problem::new(Code::BodyInvalid, error.to_string());
    Ok(AlertWanted {
        severity: form.text("severity").parse().map_err(unknown)?,
        kinds: form.all("kind").map(str::parse).collect::<Result<_, _>>().map_err(unknown)?,
        tag: Some(form.text("tag").to_owned()).filter(|tag| !tag.is_empty()),
    })
}

async fn drawn(member: &Member, served: &Served) -> Result<Alerts, Problem> {
    member.must(Scope::People)?;
    Ok(Alerts {
        frame: Frame::of(member, "events"),
        rules: served.doors.alerts.alert_rules(&member.caller).await?,
        deliveries: served.doors.alerts.alert_deliveries(&member.caller, None, SHOWN).await?.deliveries,
        kinds: EventKind::ALL,
        severities: Severity::ALL,
        target: String::new(),
        wanted: AlertWanted::default(),
        error: String::new(),
        added: None,
        tested: None,
    })
}

impl Alerts {
    /// To whom the delivery went.
    fn target_of(&self, delivery: &json::AlertDelivery) -> &str {
        self.rules.iter().find(|rule| rule.id == delivery.rule).map_or("", |rule| &rule.target)
    }

    fn tag(&self) -> &str {
        self.wanted.tag.as_deref().unwrap_or_default()
    }
}
