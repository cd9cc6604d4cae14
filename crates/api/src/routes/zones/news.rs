//! A zone's changes as they happen (server-sent events).
//!
//! Whoever listens has one of the places for pages that live, of which each organisation's programs have as many as one person,
//! and gives it back after a while: clients of such events ask again by themselves. Who listens is looked at again and again: a
//! token that is removed hears no more.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::access::{Reads, Shown};
use crate::console::Place;
use crate::doors::{Caller, News};
use crate::json::Scope;
use crate::path::ZoneInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// After so long the client asks anew.
const HEARD_FOR: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether more has come of a transfer that is under way, or anything else has changed.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether the token is still one.
const SHOWN_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Sends the zone as it is, and again whenever it is otherwise: events called `zone`, each with a zone as in lists. The answer
/// ends after ten minutes, and when the zone or the token goes.
#[utoipa::path(
    get, path = "/zones/{name}/news", tag = "zones", params(("name" = String, Path)),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(crate) async fn news(
    Reads(caller): Reads,
    shown: Shown,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
) -> Result<Response, Problem> {
    let zone = served.doors.status.glance(&caller, &name).await?;
    let place = served.living.place_of_programs(caller.tenant).ok_or_else(|| {
        let detail =
            "too many of the organisation's programs are listening: have one listen to what all want to know";
        Problem::new(Code::TooManyAttempts, detail)
    })?;
    let news = served.doors.status.news(zone.id);
    let listener =
        Listener { caller, shown, served, name, news, told: None, shown_at: Instant::now(), _place: place };
    let end = Instant::now() + HEARD_FOR;
    let events = stream::unfold(listener, move |mut listener| async move {
        let zone = tokio::time::timeout_at(end, listener.next()).await.ok()??;
        Some((Ok::<_, Infallible>(Event::default().event("zone").data(zone)), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

struct Listener {
    caller: Caller,
    shown: Shown,
    served: Served,
    name: dns::Name,
    news: News,
    /// What the client has.
    told: Option<String>,
    /// When the token was last looked at.
    shown_at: Instant,
    _place: Place,
}

impl Listener {
    /// The zone as soon as it is not what the client has; none when it is gone, or the client may not know of it any more.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.told.is_some() {
                // Whether there are news or it is only time to look: what counts is what is seen.
                let _ = tokio::time::timeout(LOOKED_AT_EVERY, self.news.next()).await;
            }
            if self.shown_at.elapsed() >= SHOWN_AGAIN_AFTER {
                self.shown_at = Instant::now();
                let caller = self.shown.again(&self.served).await.ok()?;
                (caller.tenant == self.caller.tenant && caller.may(Scope::Read)).then_some(())?;
            }
            let zone = self.served.doors.status.glance(&self.caller, &self.name).await.ok()?;
            let zone = serde_json::to_string(&zone).ok()?;
            if self.told.as_ref() != Some(&zone) {
                self.told = Some(zone.clone());
                return Some(zone);
            }
        }
    }
}
