//! Zones that were removed: had back, or deleted at once.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::path;
use crate::console::page::{base, refusal};
use crate::console::session::{Form, Member};
use crate::doors::Removal;
use crate::json::Scope;
use crate::problem::Problem;
use crate::router::Served;
use crate::text;

pub(crate) async fn restore(member: Member, State(served): State<Served>, form: Form) -> Response {
    let restored = async {
        member.must(Scope::Zones)?;
        let name = text::known_zone_name(form.text("name"))?;
        served.doors.removals.restore(&member.caller, &name).await?;
        Ok::<_, Problem>(path(&member.membership, &name))
    };
    restored.await.map_or_else(|problem| refusal(&problem), |path| Redirect::to(&path).into_response())
}

pub(crate) async fn delete(member: Member, State(served): State<Served>, form: Form) -> Response {
    let deleted = async {
        member.must(Scope::Zones)?;
        let name = text::known_zone_name(form.text("name"))?;
        // One of that name that is here is not meant.
        if served.doors.status.glance(&member.caller, &name).await.is_err() {
            served.doors.removals.remove(&member.caller, &name, Removal::AtOnce).await?;
        }
        Ok::<_, Problem>(format!("{}/zones", base(&member.membership)))
    };
    deleted.await.map_or_else(|problem| refusal(&problem), |path| Redirect::to(&path).into_response())
}
