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
        let generation = form.text("generation");
        match (generation.is_empty(), generation.parse()) {
            (true, _) => {
                doors.requests.order_hold(caller, &name, OrderHold { order, generation: None }).await.map(drop)
            }
            (false, Ok(generation)) => {
                let order = OrderHold { order, generation: Some(generation) };
                doors.requests.order_hold(caller, &name, order).await.map(drop)
            }
            (false, Err(_)) => {
                Err(Problem::new(Code::GenerationUnknown, format!("{generation:?} is the number of no version")))
            }
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
