//! Looking at all zones' delegations now and then, so that somebody is told when one has changed, or leads to servers that do not
//! answer for the zone.
//!
//! Invariant: what could not be seen changes nothing. Not more than one zone a second is looked at, however many there are: the
//! servers of parents are not ours.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::json::{self, DelegationState};
use inventory::{EventKind, Inventory, InventoryError, Severity};
use tokio::time::sleep;
use xfr::Moment;

use super::Delegations;
use super::shown::{Here, shown};
use crate::events::{self, Event};
use crate::followed::Followed;
use crate::node::Node;

const EACH: Duration = Duration::from_secs(1);
/// Before it is looked again for zones whose time has come.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// Zones that are taken at a time.
const TOGETHER: u32 = 100;

/// Looks at each zone once in `every`, for ever.
pub(crate) async fn look_at_all(node: Arc<Node>, delegations: Arc<Delegations>, every: Duration) {
    loop {
        sleep(LOOK_EVERY).await;
        let Some(inventory) = node.inventory.load_full() else { continue };
        if let Err(error) = look_at_those_due(&node, &inventory, &delegations, every).await {
            tracing::warn!("delegations are looked at later: {error}");
        }
    }
}

async fn look_at_those_due(
    node: &Arc<Node>,
    inventory: &Inventory,
    delegations: &Arc<Delegations>,
    every: Duration,
) -> Result<(), InventoryError> {
    loop {
        let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let since = Moment(node.clock.now().0.saturating_sub(every));
        let due = inventory.delegations_due(since, TOGETHER).await?;
        if due.is_empty() {
            return Ok(());
        }
        for (_, id) in due {
            match node.zone(id) {
                Some(zone) => look(node, inventory, delegations, &zone).await?,
                None => drop(inventory.delegation_seen(id, None, node.clock.now()).await?),
            }
            sleep(EACH).await;
        }
    }
}

async fn look(
    node: &Arc<Node>,
    inventory: &Inventory,
    delegations: &Arc<Delegations>,
    zone: &Arc<Followed>,
) -> Result<(), InventoryError> {
    let (lookers, looked_at) = (node.clone(), zone.clone());
    let walked = delegations.walked(&zone.name, node.clock.now(), move || lookers.tell_lookers(&looked_at)).await;
    // Where there was no place for a walk it is this zone's turn again tomorrow: it has not been seen.
    let Some(walked) = walked else {
        return inventory.delegation_seen(zone.id, None, node.clock.now()).await.map(drop);
    };
    remember(node, inventory, zone, &shown(&zone.name, &walked, &Here::of(zone), &BTreeSet::new())).await
}

/// Puts on record what was seen of the zone's delegation, and tells its owner what is otherwise than before, or lame.
pub(crate) async fn remember(
    node: &Node,
    inventory: &Inventory,
    zone: &Followed,
    seen: &json::Delegation,
) -> Result<(), InventoryError> {
    let now = delegated_to(seen);
    let before = inventory.last_delegation(zone.id).await?;
    let changed = before.zip(now.as_ref()).filter(|(before, now)| before != *now);
    let mut told: Vec<Event> = changed.map(|(before, now)| has_changed(zone, &before, now)).into_iter().collect();
    told.extend(is_lame(zone, seen));
    // First what is told, so that a crash in between has it told again.
    events::tell_at_once(node, inventory, zone, told).await?;
    inventory.delegation_seen(zone.id, now.as_deref(), node.clock.now()).await
}

/// To whom the zone is delegated, in lower case and in order; none where that was not seen.
fn delegated_to(seen: &json::Delegation) -> Option<Vec<String>> {
    let mut names: Vec<String> = match seen.state {
        DelegationState::Delegated => seen.name_servers.iter().map(|name| name.to_lowercase()).collect(),
        DelegationState::NotDelegated => Vec::new(),
        DelegationState::Differing | DelegationState::OnlyItself | DelegationState::Unknown => return None,
    };
    names.sort_unstable();
    Some(names)
}

fn has_changed(zone: &Followed, before: &[String], now: &[String]) -> Event {
    let list = |names: &[String]| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    let message = format!(
        "the zone {} is delegated to {} now, and was to {}: if that is not your doing, see who changed it at its registry",
        zone.name,
        list(now),
        list(before)
    );
    let severity = if now.is_empty() { Severity::Error } else { Severity::Warning };
    // Another change within a day is told too.
    let stage = format!("{} > {}", before.join(" "), now.join(" "));
    Event::of_zone(zone, EventKind::DelegationChanged, severity, message).at_stage(stage)
}

fn is_lame(zone: &Followed, seen: &json::Delegation) -> Option<Event> {
    let lame: Vec<&str> =
        seen.servers.iter().filter(|server| server.is_lame()).map(|server| server.name.as_str()).collect();
    if lame.is_empty() {
        return None;
    }
    let message = format!(
        "the zone {} is delegated to {}, which does not answer for it: resolvers that ask there have to ask again elsewhere",
        zone.name,
        lame.join(", ")
    );
    Some(Event::of_zone(zone, EventKind::DelegationLame, Severity::Warning, message))
}
