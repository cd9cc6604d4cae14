//! Whose a zone's name is, what would prove it, and handing it over.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::{ZoneInTenant, path};
use crate::console::page::{Frame, again, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words;
use crate::json::{self, OwnershipNeighbour, OwnershipProof, OwnershipState, Scope};
use crate::problem::Problem;
use crate::router::Served;

/// What has been seen by then is on the page that follows.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

#[derive(Template)]
#[template(path = "zone_ownership.html")]
struct Page<'a> {
    frame: Frame,
    path: String,
    found: json::Ownership,
    may_change: bool,
    to: &'a str,
    error: String,
}

impl Page<'_> {
    fn badge(&self) -> &'static str {
        match self.found.state {
            OwnershipState::Proven => "Proven",
            OwnershipState::Lapsed => "Proof lost",
            OwnershipState::Claimed => "Not proven",
        }
    }

    fn tone(&self) -> &'static str {
        match self.found.state {
            OwnershipState::Proven => "good",
            OwnershipState::Lapsed | OwnershipState::Claimed => "warn",
        }
    }

    fn sentence(&self) -> String {
        let name = words::bare(&self.found.name);
        let proof = match self.found.proof {
            Some(OwnershipProof::Operator) => "whoever runs this service says so",
            Some(OwnershipProof::Delegation) => "its delegation was seen to change to your name servers",
            Some(OwnershipProof::Challenge) => "your text was seen where it is delegated to",
            Some(OwnershipProof::Above) => "the zone above it is yours",
            Some(OwnershipProof::HandedOver) => "it was handed over to you",
            None => "",
        };
        match self.found.state {
            OwnershipState::Proven => format!("{name} is yours: {proof}."),
            OwnershipState::Lapsed => format!(
                "{name} is still answered here for you, but what proved it does not show any more: neither is it delegated to \
                 your name servers, nor does your text stand where it is delegated to. Another organisation that proves the \
                 name gets it."
            ),
            OwnershipState::Claimed => format!(
                "{name} is copied, and answered as soon as it is seen to be yours: nobody gets a name here by asking for it \
                 first. What proves it is said below."
            ),
        }
    }

    fn is_proven(&self) -> bool {
        self.found.state == OwnershipState::Proven
    }

    fn can_hand_over(&self) -> bool {
        self.may_change && self.found.state != OwnershipState::Claimed
    }
}

pub(crate) async fn ownership(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
) -> Response {
    match drawn(&member, &name, &served).await {
        Ok(drawn) => page(&drawn),
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn act(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let door = &served.doors.ownership;
    let to = form.text("to");
    let done = if form.has("to") {
        door.hand_over(&member.caller, &name, to).await.map(drop)
    } else {
        let looking = tokio::time::timeout(SEEN_WITHIN, door.look_for_proof(&member.caller, &name)).await;
        looking.map_or(Ok(()), |seen| seen.map(drop))
    };
    match (done, drawn(&member, &name, &served).await) {
        (Ok(()), Ok(_)) => Redirect::to(&format!("{}/ownership", path(&member.membership, &name))).into_response(),
        (Err(problem), Ok(drawn)) => again(&problem, &Page { to, error: words::sentence(problem.detail()), ..drawn }),
        (_, Err(problem)) => refusal(&problem),
    }
}

async fn drawn<'a>(member: &Member, name: &dns::Name, served: &Served) -> Result<Page<'a>, Problem> {
    Ok(Page {
        frame: Frame::of(member, "zones"),
        path: path(&member.membership, name),
        found: served.doors.ownership.ownership(&member.caller, name).await?,
        may_change: member.may(Scope::Zones),
        to: "",
        error: String::new(),
    })
}
