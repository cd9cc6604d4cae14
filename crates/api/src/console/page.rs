//! What every page has: its frame, where one is in it, and pages that say why something was not done.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::assets;
use super::session::Member;
use super::words::sentence;
use crate::doors::{Marks, Membership, SignedIn};
use crate::json::Scope;
use crate::problem::{Code, Problem};

/// Where one is, for the frame.
pub(crate) struct Frame {
    pub(crate) email: String,
    pub(crate) is_operator: bool,
    pub(crate) form_token: String,
    /// The organisation that the page is about; the first one on pages that are about none.
    pub(crate) tenant: Option<Membership>,
    pub(crate) tenants: Vec<Membership>,
    /// Which of the entries is this page's.
    pub(crate) section: &'static str,
    /// Whether names are to be proven here.
    pub(crate) proves: bool,
    /// What is to be said of the organisation on each of its pages.
    pub(crate) marks: Marks,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
}

impl Frame {
    pub(crate) fn of(member: &Member, section: &'static str) -> Self {
        Self {
            tenant: Some(member.membership.clone()),
            proves: member.proves,
            marks: member.marks.clone(),
            ..Self::without_tenant(&member.who, section)
        }
    }

    pub(crate) fn without_tenant(who: &SignedIn, section: &'static str) -> Self {
        Self {
            email: who.email.clone(),
            is_operator: who.is_operator,
            form_token: who.form_token.clone(),
            tenant: who.tenants.first().cloned(),
            tenants: who.tenants.clone(),
            section,
            proves: false,
            marks: Marks::default(),
            style: assets::style(),
            script: assets::script(),
        }
    }

    /// The beginning of the paths of the organisation's pages.
    pub(crate) fn base(&self) -> String {
        self.tenant.as_ref().map(base).unwrap_or_default()
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.tenant.as_ref().is_some_and(|tenant| tenant.scopes.contains(&scope))
    }

    /// Whether there is more than one to choose among, or this one is none of those.
    pub(crate) fn shows_tenants(&self) -> bool {
        self.tenants.len() > 1 || self.tenant != self.tenants.first().cloned()
    }

    /// Whether the page is one for whoever runs the service.
    pub(crate) fn is_in_service(&self) -> bool {
        matches!(self.section, "organisations" | "plans" | "claims" | "users")
    }

    pub(crate) fn may_zones(&self) -> bool {
        self.may(Scope::Zones)
    }

    pub(crate) fn may_people(&self) -> bool {
        self.may(Scope::People)
    }
}

pub(crate) fn base(tenant: &Membership) -> String {
    format!("/o/{}", tenant.tenant.0)
}

/// The page, made.
pub(crate) fn page(template: &impl Template) -> Response {
    with_status(StatusCode::OK, template)
}

/// A form again, because of what is wrong with it.
pub(crate) fn again(problem: &Problem, template: &impl Template) -> Response {
    let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::BAD_REQUEST);
    // A browser that is told 401 or 403 shows the page all the same.
    with_status(status, template)
}

fn with_status(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!("a page could not be made: {error}");
            Problem::new(Code::Internal, "the page could not be made: the log says why").into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct Refusal<'a> {
    style: &'static str,
    title: &'a str,
    sentence: String,
    status: u16,
    /// None where our pages are not to be had.
    home: Option<&'static str>,
}

/// A page that says why nothing was done.
pub(crate) fn refusal(problem: &Problem) -> Response {
    refused(problem, Some("/"))
}

/// The same to whoever has come under a name that is not ours, where no link leads to another page.
pub(crate) fn refusal_elsewhere(problem: &Problem) -> Response {
    refused(problem, None)
}

fn refused(problem: &Problem, home: Option<&'static str>) -> Response {
    let page = Refusal {
        style: assets::style(),
        title: problem.code().title(),
        sentence: sentence(problem.detail()),
        status: problem.code().status(),
        home,
    };
    again(problem, &page)
}
