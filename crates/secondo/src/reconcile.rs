//! Makes the node match the inventory.
//!
//! Woken by a signal and by a timer, takes no input, may run at any time and as often as one likes. Without an
//! inventory nothing is touched: what is stored goes on being served. A zone is deleted because somebody removed it, or
//! because a zone of its name has taken its place on disk, and for no other reason: one that the inventory does not know
//! is served on, since the inventory may be the one that lost it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use api::doors::{NewCatalog, NewZone};
use dns::Name;
use inventory::{
    AddZoneError, Intent, Inventory, InventoryError, Location, PlanStanding, Proof, Service, TenantId, Terms,
};
use server::Access;
use store::PutAside;
use tokio::task::JoinSet;
use xfr::notify::{Checks, NotifyRule};
use xfr::policy::ShrinkLimit;
use xfr::{Key, Prefix, Setting};
use zone::ZoneId;

use crate::configuration::Mode;
use crate::doors;
use crate::followed::{Durability, Followed, Instructions, Ownership, Role, Source, Subscription, Trigger};
use crate::kept::first_end;
use crate::node::Node;
use crate::plans;
use crate::telling::tell;

/// How often it runs without a signal.
const EVERY: Duration = Duration::from_secs(60);
/// So that a time is over when it is looked at.
const AFTER_AN_END: Duration = Duration::from_millis(10);
/// How often an inventory that is not available is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// What is known when the program starts.
pub(crate) struct AtStart {
    /// What file and flags ask for.
    pub(crate) keys: Vec<Key>,
    pub(crate) zones: Vec<NewZone>,
    pub(crate) catalogs: Vec<NewCatalog>,
    /// The highest id in the store, also of a zone that cannot be read; none where nothing is stored.
    pub(crate) highest_stored: Option<ZoneId>,
    /// What was stored was damaged and put aside.
    pub(crate) put_aside: Option<PutAside>,
}

impl AtStart {
    /// Whether this server has followed zones before.
    pub(crate) fn has_a_past(&self) -> bool {
        self.highest_stored.is_some() || self.put_aside.is_some()
    }
}

/// Why the inventory is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error(
        "the inventory {path} is missing, though zones are stored: restore it from a backup, or make an empty file of that \
         name for a new one; stored zones go on being served, and `secondo zone add` gives them their primaries again"
    )]
    Missing { path: String },
    #[error(
        "the inventory {path} is not the one of these stored zones: the zone {id} is {listed} in it and {stored} in the store; \
         put the two together that belong together"
    )]
    Foreign { path: String, id: ZoneId, listed: Name, stored: Name },
    #[error(
        "the configured zone {zone} names the key {key}, which is not there: add a [[key]] of that name to the configuration file, or take \
         the zone's key out until `secondo key add {key}` has been called"
    )]
    UnknownKey { zone: Name, key: Name },
    #[error("what is configured cannot be put into the inventory: {0}")]
    Configured(AddZoneError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Opens the inventory, puts into it what file and flags ask for, and makes the node match.
///
/// # Errors
/// When any of this fails; the node is as it was then.
pub(crate) async fn bring_up(node: &Arc<Node>, at_start: &AtStart) -> Result<(), Unavailable> {
    let location = &node.inventory_location;
    // One that is missing is made only where no zone is stored: its loss must not go unnoticed. A database of a server was
    // made by somebody, as an empty file would be.
    if let Location::File(path) = location
        && at_start.has_a_past()
        && !path.exists()
    {
        return Err(Unavailable::Missing { path: location.to_string() });
    }
    let (inventory, now) = (Inventory::open(location).await?, node.clock.now());
    // Nothing is written before it is known to be the right one.
    let mut intent = inventory.intent().await?;
    for listed in &intent.zones {
        let stored = node.zone(listed.id).or_else(|| node.kept.get(listed.id));
        if let Some(stored) = stored.filter(|stored| stored.name != listed.name) {
            let (path, id) = (location.to_string(), listed.id);
            return Err(Unavailable::Foreign { path, id, listed: listed.name.clone(), stored: stored.name.clone() });
        }
    }
    if let Some(highest) = at_start.highest_stored {
        inventory.reserve_zone_ids(highest).await?;
    }
    if !at_start.keys.is_empty() || !at_start.zones.is_empty() || !at_start.catalogs.is_empty() {
        put_configured(node, &inventory, at_start).await?;
        intent = inventory.intent().await?;
    }
    if node.mode == Mode::Multi && plans::make_first(&inventory, now).await? {
        intent = inventory.intent().await?;
    }
    match inventory.latest_attempts().await {
        Ok(attempts) => {
            for (zone, attempt) in attempts {
                if let Some(zone) = node.zone(zone) {
                    zone.condition().last_attempt = Some(attempt);
                }
            }
        }
        // Only something to look at.
        Err(error) => tracing::error!("what is on record of earlier attempts cannot be read: {error}"),
    }
    let inventory = Arc::new(inventory);
    node.inventory.store(Some(inventory.clone()));
    reconcile(node, &inventory, &intent).await;
    say_what_is_not_listed(node, &intent);
    Ok(())
}

async fn put_configured(node: &Node, inventory: &Inventory, at_start: &AtStart) -> Result<(), Unavailable> {
    let now = node.clock.now();
    for key in &at_start.keys {
        inventory.ensure_key(TenantId::DEFAULT, key, now).await?;
    }
    let zones = at_start.zones.iter().map(|zone| (zone, None));
    let catalogs = at_start.catalogs.iter().map(|catalog| (&catalog.zone, Some(&catalog.rules)));
    for (zone, rules) in zones.chain(catalogs) {
        // Whoever writes the file runs the service.
        let row = inventory::NewZone { proof: Some(Proof::Operator), ..doors::row(node, TenantId::DEFAULT, zone) };
        let ensured = match rules {
            None => inventory.ensure_zone(TenantId::DEFAULT, &row, now).await,
            Some(rules) => {
                let settings = doors::configured_catalog(rules.clone());
                inventory.ensure_catalog(TenantId::DEFAULT, &row, &settings, now).await
            }
        };
        let error = match ensured {
            Ok(ensured) => {
                tracing::info!(zone = %row.name, ?ensured, "the zone is configured");
                continue;
            }
            Err(AddZoneError::Inventory(error)) => return Err(error.into()),
            Err(AddZoneError::UnknownKey { zone, key }) => Unavailable::UnknownKey { zone, key },
            Err(error) => Unavailable::Configured(error),
        };
        if !at_start.has_a_past() {
            return Err(error);
        }
        // What is stored, or listed, is served, and everything else goes on.
        tracing::error!(zone = %row.name, "{error}");
    }
    Ok(())
}

fn say_what_is_not_listed(node: &Node, intent: &Intent) {
    for zone in node.kept.all().into_iter().filter(|zone| !intent.kept.contains_key(&zone.id)) {
        tracing::warn!(
            zone = %zone.name,
            "the zone was removed by a catalog, and the inventory does not know it: it is not answered; give it back with \
             `secondo zone add`, or have it deleted with `secondo zone remove`"
        );
    }
    for zone in node.all_unlisted() {
        tracing::warn!(
            zone = %zone.name,
            "the zone is stored, but the inventory does not know it: it is served until it expires; give it its primaries \
             again with `secondo zone add`, or remove it with `secondo zone remove`"
        );
    }
}

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
        loop {
            let mut until = EVERY;
            match read(&node, &inventory).await {
                Ok(intent) => {
                    reconcile(&node, &inventory, &intent).await;
                    let end = first_end(&intent).into_iter().chain(node.plans.next_end(node.clock.now())).min();
                    let end = end.map(|end| end.since(node.clock.now()) + AFTER_AN_END);
                    until = end.map_or(EVERY, |end| end.min(EVERY));
                }
                Err(error) => tracing::error!("what should be served cannot be read, what is served stays: {error}"),
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(until) => {}
            }
        }
    }
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

pub(crate) fn say_unavailable(error: &Unavailable) {
    tracing::error!("the stored zones are served, but nothing can be added, removed or transferred: {error}");
}

/// Follows what should be followed, and nothing that was removed.
async fn reconcile(node: &Arc<Node>, inventory: &Inventory, intent: &Intent) {
    let mut has_changed = false;
    let mut removed: Vec<(ZoneId, Option<Arc<Followed>>)> =
        intent.removed.iter().map(|id| (*id, node.forget(*id).or_else(|| node.kept.take(*id)))).collect();
    has_changed |= removed.iter().any(|(_, zone)| zone.is_some());
    has_changed |= node.put_kept_aside(intent);
    let mut namesakes = put_namesakes_aside(node, intent);
    has_changed |= !namesakes.is_empty();
    let mut fresh = Vec::new();
    let catalogs = intent.zones.iter().filter(|zone| intent.catalogs.contains(&zone.id));
    let catalogs: HashMap<ZoneId, Name> = catalogs.map(|zone| (zone.id, zone.name.clone())).collect();
    for intended in &intent.zones {
        let instructions = instructions(node, intent, &catalogs, intended);
        let namesake = namesakes.remove(&intended.id);
        let followed = node.zone(intended.id).or_else(|| node.take_back(intended.id));
        if let Some(zone) = followed.filter(|zone| namesake.is_none() || zone.condition().held.is_some()) {
            has_changed |= instruct(node, &zone, instructions);
            if let Some(namesake) = namesake.filter(|_| zone.is_stored()) {
                tracing::info!(zone = %zone.name, id = %namesake.id, "what was stored of an earlier zone of this name is deleted");
                removed.push((namesake.id, Some(namesake)));
            }
            continue;
        }
        let zone = Arc::new(match namesake {
            Some(namesake) => Followed::heir(intended.id, intended.tenant, intended.name.clone(), &namesake),
            None => node.fresh(intended.id, intended.tenant, intended.name.clone(), &instructions.policy.bounds),
        });
        zone.instruct(instructions);
        node.follow(zone.clone());
        fresh.push(zone);
        has_changed = true;
    }
    node.plans.follow(node, &intent.terms);
    node.shared.access.store(Arc::new(access(node, intent)));
    if has_changed {
        node.publish_table();
    }
    // A zone is answered, if only with SERVFAIL, before it is fetched.
    fresh.iter().for_each(|zone| node.schedule(zone));
    if fresh.iter().any(|zone| zone.condition().durability == Durability::Volatile) {
        node.volatile.notify_one();
    }
    // Before anybody is told that a zone is disabled: from then on nothing may have it answered again.
    write_notes(node).await;
    node.reconciled.send_modify(|times| *times += 1);
    if !removed.is_empty() {
        delete(node, inventory, removed).await;
        node.reconciled.send_modify(|times| *times += 1);
    }
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
async fn delete(node: &Node, inventory: &Inventory, removed: Vec<(ZoneId, Option<Arc<Followed>>)>) {
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
    }
}

fn role(catalogs: &HashMap<ZoneId, Name>, intent: &Intent, zone: ZoneId) -> Role {
    if catalogs.contains_key(&zone) {
        return Role::Catalog;
    }
    let catalog = intent.members.get(&zone).and_then(|catalog| catalogs.get(catalog));
    catalog.cloned().map_or(Role::Configured, Role::MemberOf)
}

fn instructions(
    node: &Node,
    intent: &Intent,
    catalogs: &HashMap<ZoneId, Name>,
    zone: &inventory::Zone,
) -> Instructions {
    let source = |primary: &xfr::Primary| Source::new(primary.clone(), intent.key(zone, primary).cloned());
    let terms = intent.terms.get(&zone.tenant);
    let limits = terms.map(Terms::limits).unwrap_or_default();
    let role = role(catalogs, intent, zone.id);
    let mut policy = node.defaults.with(&zone.settings).unwrap_or_else(|error| {
        tracing::error!(zone = %zone.name, "what is set for the zone does not go with the defaults, which count instead: {error}");
        node.defaults.clone()
    });
    // What a catalog loses is guarded where zones are counted, and not records; unless its owner wants both.
    if role == Role::Catalog && zone.settings.iter().all(|(setting, _)| setting != Setting::ShrinkLimit) {
        policy.shrink_limit = ShrinkLimit(100);
    }
    Instructions {
        created_at: zone.created_at,
        sources: zone.primaries.iter().map(source).collect(),
        service: zone.service,
        ownership: Ownership::of(zone.proof),
        role,
        settings: zone.settings.clone(),
        policy,
        subscription: match terms.map(|terms| terms.standing(node.clock.now())) {
            Some(PlanStanding::Ended) => Subscription::Ended,
            Some(PlanStanding::InForce | PlanStanding::Grace { .. }) | None => Subscription::InForce,
        },
        records_max: limits.records_max,
        history_days: limits.history_days,
    }
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
    zone.instruct(instructions);
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
    let mut writing = JoinSet::new();
    let listed = node.zones().into_iter().filter(|zone| zone.instructions().is_listed());
    for zone in listed.chain(node.kept.all()) {
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

fn access(node: &Node, intent: &Intent) -> Access {
    let mut access = Access { transfer_out: node.transfer_out(), ..Access::default() };
    for ((tenant, _), key) in &intent.keys {
        access.keys.add(*tenant, key.clone());
    }
    for zone in intent.zones.iter().filter(|zone| zone.service.is_answered()) {
        let policy = node.zone(zone.id).map(|zone| zone.instructions().policy.clone()).unwrap_or_default();
        let primaries = &zone.primaries;
        let one = |primary: &xfr::Primary| Prefix::of_one(primary.address.ip().to_canonical());
        let keys = primaries.iter().filter_map(|primary| primary.key.clone());
        let rule = NotifyRule {
            zone: zone.id,
            tenant: zone.tenant,
            senders: primaries.iter().map(one).chain(policy.notify_from).collect(),
            keys: keys.chain(policy.notify_keys).collect(),
            trust: policy.notify,
            checks: if zone.service == Service::Paused { Checks::Paused } else { Checks::Made },
        };
        access.notify.entry(zone.name.clone()).or_default().push(rule);
    }
    access
}
