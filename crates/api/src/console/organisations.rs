//! All organisations: for operators.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use zone::TenantId;

use super::filter::{self, Filter};
use super::page::{Frame, again, page, refusal};
use super::session::{Form, Somebody};
use super::words::{self, sentence};
use crate::doors::{Actor, Caller, OrganisationPage};
use crate::json::{self, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

const LIMIT: u32 = 100;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default)]
    find: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    fn read(&self) -> Result<OrganisationPage, Problem> {
        let after = filter::number(&self.after)?.map(TenantId);
        Ok(OrganisationPage { find: self.find.trim().to_owned(), after, limit: LIMIT })
    }
}

#[derive(Template)]
#[template(path = "organisations.html")]
struct Organisations<'a> {
    frame: Frame,
    organisations: Vec<json::Organisation>,
    find: &'a str,
    /// Where the next page begins.
    next: Option<u64>,
    name: &'a str,
    owner: &'a str,
    error: String,
    added: Option<json::AddedOrganisation>,
}

pub(crate) async fn organisations(
    somebody: Somebody,
    State(served): State<Served>,
    Filter(asked): Filter<Asked>,
) -> Response {
    if let Err(problem) = operator(&somebody) {
        return refusal(&problem);
    }
    let asked = match asked.and_then(|asked| asked.read().map(|_| asked)) {
        Ok(asked) => asked,
        Err(problem) => {
            let frame = Frame::without_tenant(&somebody.who, "organisations");
            return filter::wrong(frame, &problem, "/organisations", "All organisations");
        }
    };
    drawn(&somebody, &served, &asked).await.map_or_else(|problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn add(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let caller = match operator(&somebody) {
        Ok(caller) => caller,
        Err(problem) => return refusal(&problem),
    };
    let added = async {
        let name = text::organisation_name(form.text("name"))?;
        let owner = Some(form.text("owner")).filter(|owner| !owner.is_empty()).map(text::email).transpose()?;
        served.doors.organisations.add_organisation(&caller, &name, owner.as_deref()).await
    };
    let (added, asked) = (added.await, Asked::default());
    match (added, drawn(&somebody, &served, &asked).await) {
        (_, Err(problem)) => refusal(&problem),
        (Ok(added), Ok(drawn)) => page(&Organisations { added: Some(added), ..drawn }),
        (Err(problem), Ok(drawn)) => {
            let (name, owner) = (form.text("name"), form.text("owner"));
            again(&problem, &Organisations { name, owner, error: sentence(problem.detail()), ..drawn })
        }
    }
}

/// Whoever runs the service, acting for no organisation in particular.
pub(super) fn operator(somebody: &Somebody) -> Result<Caller, Problem> {
    let Somebody { who, visitor } = somebody;
    if !who.is_operator {
        return Err(Problem::new(Code::NotAllowed, "only an operator, who runs the whole service, may do that"));
    }
    Ok(Caller {
        tenant: TenantId::DEFAULT,
        actor: Actor::User { id: who.user, email: who.email.clone() },
        address: visitor.address,
        scopes: Scope::ALL.to_vec(),
    })
}

async fn drawn<'a>(somebody: &Somebody, served: &Served, asked: &'a Asked) -> Result<Organisations<'a>, Problem> {
    let organisations = served.doors.organisations.organisations(&asked.read()?).await?;
    Ok(Organisations {
        frame: Frame::without_tenant(&somebody.who, "organisations"),
        next: organisations.last().filter(|_| organisations.len() == LIMIT as usize).map(|last| last.id),
        organisations,
        find: &asked.find,
        name: "",
        owner: "",
        error: String::new(),
        added: None,
    })
}
