//! What somebody wants done about a zone now.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::{ZoneInTenant, path};
use crate::console::page::refusal;
use crate::console::session::{Form, Member};
use crate::doors::ZoneChange;
use crate::json::{HoldOrder, OrderHold, Scope, ServiceOrder, Transfer};
use crate::problem::{Code, Problem};
use crate::router::Served;

/// What has ended by then is seen at once on the page that follows.
const SEEN_WITHIN: Duration = Duration::from_secs(1);

pub(crate) async fn order(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    form: Form,
) -> Response {
    if let Err(problem) = member.must(Scope::Zones) {
        return refusal(&problem);
    }
    let (doors, caller, wanted) = (&served.doors, &member.caller, form.text("order"));
    let done = if let Ok(service) = wanted.parse::<ServiceOrder>() {
        let change = ZoneChange { service: Some(service), ..ZoneChange::default() };
        doors.intent.change_zone(caller, &name, change).await.map(drop)
    } else if let Ok(order) = wanted.parse::<HoldOrder>() {
        match generation(&form) {
            Ok(generation) => {
                doors.requests.order_hold(caller, &name, OrderHold { order, generation }).await.map(drop)
            }
            Err(problem) => Err(problem),
        }
    } else if let "refresh" | "full" = wanted {
        let transfer = if wanted == "full" { Transfer::Full } else { Transfer::Incremental };
        let ending = tokio::time::timeout(SEEN_WITHIN, doors.requests.refresh(caller, &name, transfer)).await;
        // It goes on; the page shows how.
        ending.map_or(Ok(()), |ended| ended.map(drop))
    } else {
        Err(Problem::new(Code::QueryInvalid, format!("{wanted:?} is nothing that can be done about a zone")))
    };
    match done {
        Ok(()) => Redirect::to(&path(&member.membership, &name)).into_response(),
        Err(problem) => refusal(&problem),
    }
}

/// The version that is meant; none for the present one.
fn generation(form: &Form) -> Result<Option<u64>, Problem> {
    let text = form.text("generation");
    if text.is_empty() {
        return Ok(None);
    }
    let no_number = |_| Problem::new(Code::GenerationUnknown, format!("{text:?} is the number of no version"));
    text.parse().map(Some).map_err(no_number)
}
