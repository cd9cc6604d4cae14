//! The part of a zone's page that lives: sent again whenever it looks otherwise (server-sent events).
//!
//! Whoever looks has a place for it; places are bounded, for each session too, and given back after a while: a browser asks
//! again by itself.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use zone::TenantId;

use super::show::Part;
use super::{ZoneInTenant, path};
use crate::console::page::refusal;
use crate::console::session::Member;
use crate::json::Scope;
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Pages that live at one time: half of the connections.
const LIVING_MAX: usize = 256;
/// Of one user: as many tabs as somebody looks at.
const LIVING_EACH_MAX: usize = 24;
/// After so long the browser asks anew, and shows again who it is.
const LIVES_FOR: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether more has come of a transfer that is under way.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked without any news.
const LOOKED_AT_ANYHOW: Duration = Duration::from_secs(5);

/// Who has which pages open.
#[derive(Default)]
pub(crate) struct Living(Mutex<HashMap<u64, usize>>);

/// A place for one page, given back when it is dropped.
pub(crate) struct Place {
    living: Arc<Living>,
    user: u64,
}

impl Living {
    /// A place for one of the organisation's programs, which have as many as one person.
    pub(crate) fn place_of_programs(self: &Arc<Self>, tenant: TenantId) -> Option<Place> {
        // Users are counted from one on, and never come so far.
        self.place(u64::MAX - tenant.0)
    }

    fn place(self: &Arc<Self>, user: u64) -> Option<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = places.values().sum();
        let own = places.get(&user).copied().unwrap_or_default();
        if all >= LIVING_MAX || own >= LIVING_EACH_MAX {
            return None;
        }
        places.insert(user, own + 1);
        Some(Place { living: self.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.living.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = places.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                places.remove(&self.user);
            }
        }
    }
}

pub(crate) async fn live(member: Member, ZoneInTenant(name): ZoneInTenant, State(served): State<Served>) -> Response {
    let Some(place) = served.living.place(member.who.user) else {
        let detail = "too many pages are kept up to date: this one is when it is loaded anew";
        return Problem::new(Code::TooManyAttempts, detail).into_response();
    };
    let zone = match glance(&served, &member, &name).await {
        Ok(zone) => zone,
        Err(problem) => return refusal(&problem),
    };
    let news = served.doors.status.news(zone.id);
    let view = View {
        path: path(&member.membership, &name),
        member,
        served,
        name,
        news,
        shown: None,
        is_under_way: false,
        has_asked_parent: false,
        _place: place,
    };
    let end = Instant::now() + LIVES_FOR;
    let events = stream::unfold(view, move |mut view| async move {
        let shown = tokio::time::timeout_at(end, view.next()).await.ok()??;
        Some((Ok::<_, Infallible>(Event::default().event("zone").data(shown)), view))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn glance(served: &Served, member: &Member, name: &dns::Name) -> Result<crate::json::Zone, Problem> {
    served.doors.status.glance(&member.caller, name).await
}

struct View {
    member: Member,
    served: Served,
    name: dns::Name,
    path: String,
    news: crate::doors::News,
    /// What the browser has.
    shown: Option<String>,
    /// Whether something was being transferred then.
    is_under_way: bool,
    /// Whether it is known, or being found out, to whom the zone is delegated: once for each page that lives.
    has_asked_parent: bool,
    _place: Place,
}

impl View {
    /// The part as it is, as soon as that is not what the browser has. None when the zone is gone.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.shown.is_some() {
                let wait = if self.is_under_way { LOOKED_AT_EVERY } else { LOOKED_AT_ANYHOW };
                // Whether there are news or it is only time to look: what counts is what is seen.
                let _ = tokio::time::timeout(wait, self.news.next()).await;
            }
            // Whoever has signed out, or belongs here no longer, sees no more from the next look on.
            if !self.member.still_may(&self.served, Scope::Read).await {
                return None;
            }
            let zone = glance(&self.served, &self.member, &self.name).await.ok()?;
            self.is_under_way = !zone.transfers.is_empty();
            if zone.serial.is_some() && !self.has_asked_parent {
                // Where there is no place for it now, there is when it is looked next.
                let begun = self.served.doors.requests.begin_delegation(&self.member.caller, &self.name).await;
                self.has_asked_parent = begun.unwrap_or_default();
            }
            let part =
                Part::of(&self.member, &self.served, &self.name, zone, self.path.clone()).await.render().ok()?;
            if self.shown.as_ref() != Some(&part) {
                self.shown = Some(part.clone());
                return Some(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{LIVING_EACH_MAX, LIVING_MAX, Living};

    #[test]
    fn places_are_bounded_for_each_and_for_all_and_come_back() {
        let living = Arc::new(Living::default());
        let mut places: Vec<_> = (0..LIVING_EACH_MAX).map(|_| living.place(1).unwrap()).collect();
        assert!(living.place(1).is_none());
        let others = (0..LIVING_MAX - LIVING_EACH_MAX).map(|number| living.place(2 + number as u64).unwrap());
        let others: Vec<_> = others.collect();
        assert!(living.place(999).is_none());
        places.pop();
        assert!(living.place(1).is_some());
        drop((places, others));
        assert!(living.0.lock().unwrap().is_empty());
    }
}
