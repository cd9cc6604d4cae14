//! Claims that wait for a proof: for operators.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::filter::{self, Filter};
use super::page::{Frame, base, page, refusal};
use super::session::{Form, Member};
use super::words;
use crate::json::{self, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Claims on one page.
const ON_A_PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "claims.html")]
struct Claims {
    frame: Frame,
    claims: Vec<json::Claim>,
    next: Option<u64>,
}

pub(crate) async fn claims(member: Member, State(served): State<Served>, Filter(part): Filter<Part>) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    let after = match part.and_then(|part| filter::number(&part.after)) {
        Ok(after) => after.unwrap_or_default(),
        Err(problem) => {
            let back = format!("{}/claims", base(&member.membership));
            return filter::wrong(Frame::of(&member, "claims"), &problem, &back, "All claims");
        }
    };
    match served.doors.ownership.claims(&member.caller, after, ON_A_PAGE).await {
        Ok(found) => page(&Claims { frame: Frame::of(&member, "claims"), claims: found.claims, next: found.next }),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn approve(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    let Ok(zone) = form.text("zone").parse() else {
        return refusal(&Problem::new(Code::ClaimUnknown, "this is the number of no claim"));
    };
    match served.doors.ownership.approve(&member.caller, zone).await {
        Ok(()) => Redirect::to(&format!("{}/claims", base(&member.membership))).into_response(),
        Err(problem) => refusal(&problem),
    }
}
