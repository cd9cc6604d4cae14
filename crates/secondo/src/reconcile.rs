//! Makes the node match the inventory.
//!
//! Woken by a signal and by a timer, takes no input, may run at any time and as often as one likes. A pass goes through what
//! has changed, which costs the same however many zones there are; now and then, and where that does not do, through
//! everything. Without an inventory nothing is touched: what is stored goes on being served. A zone is deleted because
//! somebody removed it, or because a zone of its name has taken its place on disk, and for no other reason: one that the
//! inventory does not know is served on, since the inventory may be the one that lost it.

mod access;
mod instructions;
mod start;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use dns::Name;
use inventory::{Changed, Intent, Inventory, InventoryError, Service, TenantId};
use tokio::task::JoinSet;
use xfr::Moment;
use zone::ZoneId;

use crate::followed::{Durability, Followed, Instructions, Trigger};
use crate::kept::first_end;
use crate::node::Node;
use crate::telling::tell;
use access::access;
use instructions::instructions;

pub(crate) use access::{Callers, admissions};
pub(crate) use start::{AtStart, Configured, bring_up, put_configured, say_unavailable};

/// How often everything is gone through, changed or not.
const EVERY: Duration = Duration::from_secs(600);
/// When everything is gone through after something could not be done.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// So that a time is over when it is looked at.
const AFTER_AN_END: Duration = Duration::from_millis(10);
/// How often an inventory that is not available is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// Keeps the node as the inventory wants it, for ever.
pub(crate) async fn follow_inventory(node: Arc<Node>, at_start: Arc<AtStart>) {
    loop {
        let Some(inventory) = node.inventory.load_full() else {
            tokio::time::sleep(OPEN_AGAIN).await;
            match bring_up(&node, &at_start).await {
                Ok(()) => tracing::info!("the inventory is available again"),
                Err(error) => say_unavailable(&error),
            }
            continue;
        };
        let mut changes = inventory.changes();
        let mut course = node.course().take().unwrap_or_default();
        loop {
            let until = match course.pass(&node, &inventory).await {
                Ok(next) => next.since(node.clock.now()),
                Err(error) => {
                    tracing::error!("what should be served cannot be read, what is served stays: {error}");
                    course = Course::default();
                    AGAIN_AFTER
                }
            };
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(until) => {}
            }
        }
    }
}

/// How far the passes have come.
#[derive(Default)]
pub(crate) struct Course {
    /// When everything is gone through again; none before that was done once.
    whole_at: Option<Moment>,
    /// Zones are followed that the inventory does not know: any change may be about their names.
    has_unlisted: bool,
}

impl Course {
    /// After everything has been gone through.
    fn begun(node: &Node, intent: &Intent, is_done: Done) -> Self {
        let whole_at = Some(node.clock.now().plus(EVERY));
        let mut course = Self { whole_at, has_unlisted: !node.all_unlisted().is_empty() };
        course.next(node, intent, is_done);
        course
    }

    /// Makes the node match what has changed since the last pass, or everything where that is due; when the next one is, if
    /// nothing changes before.
    async fn pass(&mut self, node: &Arc<Node>, inventory: &Inventory) -> Result<Moment, InventoryError> {
        let changed = inventory.take_changed();
        let is_whole = self.has_unlisted || self.whole_at.is_none_or(|at| at <= node.clock.now());
        if changed != Changed::Everything && !is_whole {
            let intent = inventory.intent_of(&changed).await?;
            if !has_namesakes(node, &intent) {
                let is_done = reconcile(node, inventory, &intent, &changed).await;
                return Ok(self.next(node, &intent, is_done));
            }
        }
        let intent = read(node, inventory).await?;
        let is_done = reconcile(node, inventory, &intent, &Changed::Everything).await;
        *self = Self::begun(node, &intent, is_done);
        Ok(self.whole_at.unwrap_or_default())
    }

    /// When something of this is over, or is to be tried again, everything is gone through.
    fn next(&mut self, node: &Node, intent: &Intent, is_done: Done) -> Moment {
        let now = node.clock.now();
        let again = (is_done == Done::InPart).then(|| now.plus(AGAIN_AFTER));
        let ends = first_end(intent).into_iter().chain(node.plans.next_end(now)).map(|end| end.plus(AFTER_AN_END));
        let next = ends.chain(again).chain(self.whole_at).min().unwrap_or(now);
        self.whole_at = Some(next);
        next
    }
}

/// Whether what is wanted has come about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Whole,
    /// Something could not be written or deleted.
    InPart,
}

/// What should be served, without those zones that have been kept for long enough.
async fn read(node: &Node, inventory: &Inventory) -> Result<Intent, InventoryError> {
    let intent = inventory.intent().await?;
    let now = node.clock.now();
    if first_end(&intent).is_none_or(|end| end > now) {
        return Ok(intent);
    }
    inventory.end_keeping(now).await?;
    inventory.intent().await
}

/// Follows what should be followed, and nothing that was removed: all that there is, or as far as something has changed.
async fn reconcile(node: &Arc<Node>, inventory: &Inventory, intent: &Intent, changed: &Changed) -> Done {
    let mut removed: Vec<(ZoneId, Option<Arc<Followed>>)> =
        intent.removed.iter().map(|id| (*id, node.forget(*id).or_else(|| node.kept.take(*id)))).collect();
    let mut gone: Vec<Arc<Followed>> = removed.iter().filter_map(|(_, zone)| zone.clone()).collect();
    let aside = node.put_kept_aside(intent);
    gone.extend(aside.iter().cloned());
    let mut namesakes = match changed {
        Changed::Everything => put_namesakes_aside(node, intent),
        Changed::Only { .. } => HashMap::new(),
    };
    let mut has_changed = !gone.is_empty() || !namesakes.is_empty();
    let (mut fresh, mut followed) = (Vec::new(), Vec::new());
    for intended in &intent.zones {
        let instructions = instructions(node, intent, intended);
        let namesake = namesakes.remove(&intended.id);
        let known = node.zone(intended.id).or_else(|| node.take_back(intended.id));
        if let Some(zone) = known.filter(|zone| namesake.is_none() || zone.condition().held.is_some()) {
            has_changed |= instruct(node, &zone, instructions);
            if let Some(namesake) = namesake.filter(|_| zone.is_stored()) {
                tracing::info!(zone = %zone.name, id = %namesake.id, "what was stored of an earlier zone of this name is deleted");
                removed.push((namesake.id, Some(namesake)));
            }
            followed.push(zone);
            continue;
        }
        let zone = Arc::new(match namesake {
            Some(namesake) => Followed::heir(intended.id, intended.tenant, intended.name.clone(), &namesake),
            None => node.fresh(intended.id, intended.tenant, intended.name.clone(), &instructions.policy.bounds),
        });
        zone.instruct(node.instructions.share(instructions));
        node.follow(zone.clone());
        fresh.push(zone.clone());
        followed.push(zone);
        has_changed = true;
    }
    match changed {
        Changed::Everything => node.plans.follow(node, &intent.terms),
        Changed::Only { .. } => node.plans.follow_some(node, &intent.terms),
    }
    node.shared.access.store(Arc::new(access(node, intent, changed, &gone)));
    match changed {
        _ if !has_changed => {}
        Changed::Everything => node.publish_table(),
        Changed::Only { .. } => node.publish_changes(&gone, &followed),
    }
    // A zone is answered, if only with SERVFAIL, before it is fetched.
    fresh.iter().for_each(|zone| node.schedule(zone));
    if fresh.iter().any(|zone| zone.condition().durability == Durability::Volatile) {
        node.volatile.notify_one();
    }
    // Before anybody is told that a zone is disabled: from then on nothing may have it answered again.
    match changed {
        Changed::Everything => write_notes(node).await,
        Changed::Only { .. } => write_notes_of(node, followed.into_iter().chain(aside)).await,
    }
    node.tide.gone_through(intent.zones.len());
    node.reconciled.send_modify(|times| *times += 1);
    if removed.is_empty() {
        return Done::Whole;
    }
    let is_done = delete(node, inventory, removed).await;
    node.reconciled.send_modify(|times| *times += 1);
    is_done
}

/// Whether any of these zones has a followed zone of another id beside it under its name, as when the inventory is an old
/// copy: that is for a pass over everything.
fn has_namesakes(node: &Node, intent: &Intent) -> bool {
    let is_going = |id: &ZoneId| intent.removed.contains(id) || intent.kept.contains_key(id);
    let has_namesake = |zone: &inventory::Zone| {
        let named = node.named(zone.tenant, &zone.name);
        named.iter().any(|other| other.id != zone.id && !is_going(&other.id))
    };
    intent.zones.iter().any(has_namesake)
}

/// Stored zones that the inventory does not know, but whose names it knows under other ids, as when it is an old copy:
/// by those ids. They are no longer followed, since a name is answered for one zone.
fn put_namesakes_aside(node: &Node, intent: &Intent) -> HashMap<ZoneId, Arc<Followed>> {
    let ids: HashSet<ZoneId> = intent.zones.iter().map(|zone| zone.id).collect();
    let unlisted: Vec<Arc<Followed>> = node.zones().into_iter().filter(|zone| !ids.contains(&zone.id)).collect();
    if unlisted.is_empty() {
        return HashMap::new();
    }
    let answered = intent.zones.iter().filter(|zone| zone.service.is_answered());
    let by_name: HashMap<(TenantId, &Name), ZoneId> =
        answered.map(|zone| ((zone.tenant, &zone.name), zone.id)).collect();
    let mut namesakes: HashMap<ZoneId, Arc<Followed>> = HashMap::new();
    for zone in unlisted {
        let Some(id) = by_name.get(&(zone.tenant, &zone.name)) else { continue };
        tracing::warn!(zone = %zone.name, stored = %zone.id, listed = %id, "the zone is stored under another id than the inventory has for it: it goes on under that one");
        node.forget(zone.id);
        // Of several the one that was added last.
        match namesakes.entry(*id) {
            Entry::Occupied(mut earlier) if earlier.get().id < zone.id => _ = earlier.insert(zone),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => _ = place.insert(zone),
        }
    }
    namesakes
}

/// Deletes removed zones, which are no longer answered, from the store; then nothing is left to do about them.
async fn delete(node: &Node, inventory: &Inventory, removed: Vec<(ZoneId, Option<Arc<Followed>>)>) -> Done {
    let count = removed.len();
    let mut deleting = JoinSet::new();
    for (id, zone) in removed {
        let store = node.store.clone();
        deleting.spawn(async move {
            if let Some(zone) = &zone {
                zone.end_writing().await;
            }
            match store.remove(id).await {
                Ok(()) => {
                    tracing::info!(%id, zone = zone.map(|zone| zone.name.to_string()), "the zone is removed");
                    Some(id)
                }
                Err(error) => {
                    tracing::error!(%id, "the removed zone is still on disk, and is tried again: {error}");
                    None
                }
            }
        });
    }
    let deleted: Vec<ZoneId> = deleting.join_all().await.into_iter().flatten().collect();
    if let Err(error) = inventory.forget_removed(&deleted).await {
        tracing::warn!("removed zones stay on the list of what is to be removed: {error}");
        return Done::InPart;
    }
    if deleted.len() == count { Done::Whole } else { Done::InPart }
}

/// Has a followed zone looked after in another way; whether it is now to be answered, or no longer.
pub(crate) fn instruct(node: &Node, zone: &Followed, instructions: Instructions) -> bool {
    let before = zone.instructions();
    if *before == instructions {
        return false;
    }
    let now = node.clock.now();
    let is_answered_otherwise = before.is_answered() != instructions.is_answered();
    {
        let mut condition = zone.condition();
        let bounds = &instructions.policy.bounds;
        let held = condition.held.clone().filter(|_| before.policy.bounds != *bounds);
        if let Some(held) = held {
            condition.timers.rebound(&held.image.soa(), bounds, now);
            zone.show_expiry(&condition);
            // A start, under wider bounds too, revives nothing.
            node.store.confirm(zone.id, node.clock_facts(&condition.timers));
        }
        if before.records_max != instructions.records_max && condition.hold.ends_with_another_limit() {
            condition.check_soon(Trigger::Refresh, now);
        }
        // What came from the only primary stands nowhere else, and another may have taken its place since.
        if !before.is_listed() && instructions.sources.len() == 1 && condition.came_from.is_none() {
            condition.came_from = condition.last_attempt.as_ref().and_then(|last| last.attempt.primary);
        }
        // Whoever changed the primaries, or has the zone followed again, wants to see what comes of it. At a start
        // nothing has changed: there the zone only gets to know its primaries.
        let has_other_sources = before.is_listed() && before.sources != instructions.sources;
        let is_followed_again = before.service != Service::Answering && instructions.is_followed();
        if has_other_sources || is_followed_again && before.is_listed() {
            condition.check_soon(Trigger::Refresh, now);
        }
    }
    let has_other_targets = before.is_listed() && before.policy.notify_to != instructions.policy.notify_to;
    zone.instruct(node.instructions.share(instructions));
    if has_other_targets {
        tell(node, zone);
    }
    // What is set may have it served longer or shorter than until now.
    node.revive_if_allowed(zone);
    node.expire_if_due(zone);
    node.schedule(zone);
    node.tell_lookers(zone);
    is_answered_otherwise
}

/// Has the store know what must be known without the inventory; what cannot be written now is tried again later.
pub(crate) async fn write_notes(node: &Arc<Node>) {
    let listed = node.zones().into_iter().filter(|zone| zone.instructions().is_listed());
    write_notes_of(node, listed.chain(node.kept.all())).await;
}

async fn write_notes_of(node: &Arc<Node>, zones: impl Iterator<Item = Arc<Followed>>) {
    let mut writing = JoinSet::new();
    for zone in zones {
        if zone.wanted_note() != zone.note() {
            let node = node.clone();
            writing.spawn(async move {
                if let Some(writing) = zone.write().await {
                    node.write_note(&writing).await;
                }
            });
        }
    }
    writing.join_all().await;
}
