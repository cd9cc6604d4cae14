//! Makes the node match the inventory.
//!
//! Woken by a signal and by a timer, takes no input, may run at any time and as often as one likes. Without an
//! inventory nothing is touched: what is stored goes on being served, and no zone is taken for removed because the
//! list of zones is gone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inventory::{Intent, Inventory, InventoryError};
use server::{Access, TransferOut};
use transfer::Primary;
use xfr::Timers;
use xfr::notify::NotifyRule;
use zone::ZoneId;

use crate::followed::{Existence, Followed, Settings, Source};
use crate::node::Node;

/// How often it runs without a signal.
const EVERY: Duration = Duration::from_secs(60);
/// How often an inventory that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// Why the inventory is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error(
        "the inventory {path} is missing, though zones are stored: restore it from a backup; to begin again with no zones, \
         stop secondo and move zones.redb and images away"
    )]
    Missing { path: String },
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Opens the inventory. One that is missing is made only where no zone is stored: an empty list would remove them all.
pub(crate) async fn open_inventory(path: &Path, highest_stored: Option<ZoneId>) -> Result<Inventory, Unavailable> {
    if highest_stored.is_some() && !path.exists() {
        return Err(Unavailable::Missing { path: path.display().to_string() });
    }
    let inventory = Inventory::open(path).await?;
    if let Some(highest) = highest_stored {
        inventory.reserve_zone_ids(highest).await?;
    }
    Ok(inventory)
}

/// Keeps the node as the inventory wants it, for ever.
pub(crate) async fn follow_inventory(node: Arc<Node>, transfer_out: TransferOut) {
    loop {
        let Some(inventory) = node.inventory.load_full() else {
            try_to_open(&node).await;
            continue;
        };
        let mut changes = inventory.changes();
        loop {
            match inventory.intent().await {
                Ok(intent) => reconcile(&node, &intent, &transfer_out).await,
                Err(error) => tracing::error!("what should be served cannot be read, what is served stays: {error}"),
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

async fn try_to_open(node: &Node) {
    tokio::time::sleep(OPEN_AGAIN).await;
    let highest = node.zones().iter().map(|zone| zone.id).max();
    match open_inventory(&node.inventory_file(), highest).await {
        Ok(inventory) => {
            tracing::info!("the inventory is available again");
            node.inventory.store(Some(Arc::new(inventory)));
        }
        Err(error) => {
            tracing::error!("the stored zones are served, but nothing can be added, removed or transferred: {error}");
        }
    }
}

/// Follows what should be followed and nothing else.
pub(crate) async fn reconcile(node: &Arc<Node>, intent: &Intent, transfer_out: &TransferOut) {
    let wanted: HashMap<ZoneId, &inventory::Zone> =
        intent.zones.iter().filter(|zone| zone.service.is_answered()).map(|zone| (zone.id, zone)).collect();
    let mut has_changed = false;
    for zone in node.zones() {
        // The name is compared too: with an inventory from a backup a number may mean another zone.
        if wanted.get(&zone.id).is_none_or(|intended| intended.name != zone.name) {
            remove(node, &zone).await;
            has_changed = true;
        }
    }
    let mut fresh = Vec::new();
    for intended in wanted.values() {
        let settings = settings(intent, intended);
        if let Some(zone) = node.zone(intended.id) {
            if *zone.settings() != settings {
                zone.set(settings);
                node.schedule(&zone);
            }
            continue;
        }
        let timers = Timers::pending(&node.bounds, node.clock.now());
        let zone = Arc::new(Followed::new(intended.id, intended.name.clone(), timers));
        zone.set(settings);
        node.follow(zone.clone());
        fresh.push(zone);
        has_changed = true;
    }
    node.shared.access.store(Arc::new(access(intent, transfer_out)));
    if has_changed {
        node.publish_table();
    }
    // A zone is answered, if only with SERVFAIL, before it is fetched.
    fresh.iter().for_each(|zone| node.schedule(zone));
    node.reconciled.send_modify(|times| *times += 1);
}

/// Has the zone neither followed nor answered nor kept.
async fn remove(node: &Node, zone: &Followed) {
    node.forget(zone.id);
    node.publish_table();
    *zone.writing.lock().await = Existence::Removed;
    match node.store.remove(zone.id).await {
        Ok(()) => tracing::info!(zone = %zone.name, "the zone is removed"),
        // The next start finds it in the store and not in the inventory, and tries again.
        Err(error) => tracing::error!(zone = %zone.name, "the removed zone is still on disk: {error}"),
    }
}

fn settings(intent: &Intent, zone: &inventory::Zone) -> Settings {
    let source = |primary: &inventory::Primary| Source {
        primary: Primary { address: primary.address, key: intent.key(zone, primary).cloned() },
        key: primary.key.clone(),
    };
    Settings { created_at: zone.created_at, sources: zone.primaries.iter().map(source).collect() }
}

fn access(intent: &Intent, transfer_out: &TransferOut) -> Access {
    let mut access = Access { transfer_out: transfer_out.clone(), ..Access::default() };
    for ((_, name), key) in &intent.keys {
        access.keys.insert(name.clone(), key.clone());
    }
    for zone in intent.zones.iter().filter(|zone| zone.service.is_answered()) {
        let rule = NotifyRule {
            zone: zone.id,
            addresses: zone.primaries.iter().map(|primary| primary.address.ip()).collect(),
            keys: zone.primaries.iter().filter_map(|primary| primary.key.clone()).collect(),
        };
        access.notify.entry(zone.name.clone()).or_default().push(rule);
    }
    access
}
