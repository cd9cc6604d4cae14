//! What organisations are told of: on record for each, and never in the way of what it is about.
//!
//! Who has something to tell puts it into a queue of bounded length, and goes on. One task moves what is there to the inventory,
//! many in a transaction: of a hundred thousand zones whose primary dies each tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use answer::Contents;
use inventory::{EventKind, Inventory, InventoryError, NewEvent, Severity, TenantId};
use tokio::sync::Notify;
use tokio::time::sleep;
use xfr::Moment;
use zone::Tags;

use crate::followed::Followed;
use crate::node::Node;
use crate::warnings;

/// Of a limit, so much of it is near: told before it bites.
const NEAR_PERCENT: u64 = 80;
/// Events that wait to be put on record: some ten megabytes of them.
const WAITING_MAX: usize = 20_000;
/// In one transaction: others write too.
const TOGETHER_MAX: usize = 500;
/// How long events wait for others to be put on record with.
const GATHERED_FOR: Duration = Duration::from_millis(200);
/// What was told longer ago than a month is not told to be over after a restart.
const REMEMBERED_MS: u64 = 31 * 24 * 3600 * 1000;
/// Before it is tried again to put them on record.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Something to be told.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) severity: Severity,
    /// How far it has come, of what comes in stages.
    pub(crate) stage: String,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub(crate) subject: String,
    pub(crate) message: String,
    /// Of the zone.
    pub(crate) tags: Tags,
}

impl Event {
    /// One about this, and nothing that is the tenant's zone here.
    pub(crate) fn about(kind: EventKind, severity: Severity, subject: impl Into<String>, message: String) -> Self {
        Self { kind, severity, stage: String::new(), subject: subject.into(), message, tags: Tags::default() }
    }

    pub(crate) fn of_zone(zone: &Followed, kind: EventKind, severity: Severity, message: String) -> Self {
        let tags = zone.instructions().tags.clone();
        Self { tags, ..Self::about(kind, severity, zone.name.to_string(), message) }
    }

    pub(crate) fn at_stage(self, stage: impl Into<String>) -> Self {
        Self { stage: stage.into(), ..self }
    }

    fn of(self, tenant: TenantId, at: Moment) -> NewEvent {
        let Self { kind, severity, stage, subject, message, tags } = self;
        NewEvent { tenant, at, kind, severity, stage, subject, message, tags }
    }
}

/// What is to be put on record.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Vec<NewEvent>>,
    has_come: Notify,
    lost: AtomicU64,
}

impl Queue {
    fn push(&self, event: NewEvent) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push(event);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        drop(waiting);
        self.has_come.notify_one();
    }

    fn take(&self) -> Vec<NewEvent> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has them wait on, before all that has come since.
    fn give_back(&self, mut events: Vec<NewEvent>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        events.append(&mut waiting);
        *waiting = events;
    }
}

/// Puts it on record for the tenant, in the background. What is told again within a day is told once.
pub(crate) fn tell(node: &Node, tenant: TenantId, event: Event) {
    node.events.push(event.of(tenant, node.clock.now()));
}

/// Puts them on record for the zone's tenant, before what would have them be told no more.
pub(crate) async fn tell_at_once(
    node: &Node,
    inventory: &Inventory,
    zone: &Followed,
    events: Vec<Event>,
) -> Result<(), InventoryError> {
    let now = node.clock.now();
    let events: Vec<NewEvent> = events.into_iter().map(|event| event.of(zone.tenant, now)).collect();
    inventory.record_events(&events, node.alerts.settings.pace).await?;
    node.alerts.has_come.notify_one();
    Ok(())
}

/// Tells the zone's tenant.
pub(crate) fn tell_of(node: &Node, zone: &Followed, event: Event) {
    tell(node, zone.tenant, event);
}

/// Has the zones that were told to be in trouble before the program began be told to be well again when they are, and those that
/// have expired in between be told of.
pub(crate) async fn remember_troubles(node: &Node) {
    // Nobody was here to tell of what expired meanwhile.
    for zone in node.zones() {
        let is_over = zone.condition().held.is_some() && matches!(zone.served.contents(), Contents::Expired);
        if is_over && zone.instructions().is_answered() {
            warnings::tell_that_expired(node, &zone);
        }
    }
    let Some(inventory) = node.inventory.load_full() else { return };
    let since = Moment(node.clock.now().0.saturating_sub(REMEMBERED_MS));
    match inventory.troubled(since).await {
        Ok(troubled) => {
            for (tenant, subject) in troubled {
                let zone = subject.parse().ok().and_then(|name| node.zone_of(tenant, &name));
                zone.inspect(|zone| zone.condition().said.is_troubled = true);
            }
        }
        Err(error) => tracing::warn!("which zones were in trouble before is not known: {error}"),
    }
}

/// Puts events on record as they come, for ever.
pub(crate) async fn keep_record(node: Arc<Node>) {
    loop {
        node.events.has_come.notified().await;
        sleep(GATHERED_FOR).await;
        while let Err(why) = put_on_record(&node).await {
            if let Some(why) = why {
                tracing::warn!("events are not on record yet: {why}");
            }
            sleep(AGAIN_AFTER).await;
        }
    }
}

/// Puts all that waits on record; else why that cannot be, if there is anything to say.
pub(crate) async fn put_on_record(node: &Node) -> Result<(), Option<String>> {
    let lost = node.events.lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        tracing::error!(lost, "so many events are on no record, because {WAITING_MAX} others waited");
    }
    let mut waiting = node.events.take();
    while !waiting.is_empty() {
        let Some(inventory) = node.inventory.load_full() else {
            node.events.give_back(waiting);
            return Err(None);
        };
        let rest = waiting.split_off(waiting.len().min(TOGETHER_MAX));
        if let Err(error) = inventory.record_events(&waiting, node.alerts.settings.pace).await {
            waiting.extend(rest);
            node.events.give_back(waiting);
            return Err(Some(error.to_string()));
        }
        node.alerts.has_come.notify_one();
        waiting = rest;
    }
    Ok(())
}

/// Tells that so many of what a plan allows are there, if that is near the limit. `what` is such as "zones"; `subject` the zone
/// that has them, if one has.
pub(crate) fn tell_if_near(node: &Node, tenant: TenantId, limit: Option<u64>, have: u64, what: &str, subject: &str) {
    let Some(limit) = limit.filter(|limit| is_near(have, *limit)) else { return };
    let whose = if subject.is_empty() { "the organisation".to_owned() } else { format!("the zone {subject}") };
    let (kind, severity) = if have > limit {
        (EventKind::LimitExceeded, Severity::Error)
    } else {
        (EventKind::LimitNear, Severity::Warning)
    };
    let message = format!("{whose} has {have} of the {limit} {what} that its plan allows");
    tell(node, tenant, Event::about(kind, severity, format!("{what} {subject}").trim(), message));
}

fn is_near(have: u64, limit: u64) -> bool {
    have.saturating_mul(100) >= limit.saturating_mul(NEAR_PERCENT) && have > 0
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_limit_is_near_from_four_fifths_on() {
        for (have, limit, expected) in
            [(79, 100, false), (80, 100, true), (101, 100, true), (0, 0, false), (1, 1, true), (3, 4, false)]
        {
            assert_eq!(is_near(have, limit), expected, "{have} of {limit}");
        }
    }
}
