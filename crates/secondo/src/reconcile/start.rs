//! The inventory at a start: opened, filled with what is configured, and known to belong to what is stored.

use std::sync::Arc;

use api::doors::{NewCatalog, NewZone};
use arc_swap::ArcSwap;
use dns::Name;
use inventory::{AddZoneError, Changed, Intent, Inventory, InventoryError, Location, Proof, TenantId};
use store::PutAside;
use xfr::Key;
use zone::ZoneId;

use super::{Course, reconcile};
use crate::configuration::Mode;
use crate::doors;
use crate::node::Node;
use crate::plans;

/// What file and flags ask for.
pub(crate) struct Configured {
    pub(crate) keys: Vec<Key>,
    pub(crate) zones: Vec<NewZone>,
    pub(crate) catalogs: Vec<NewCatalog>,
}

/// What is known when the program starts.
pub(crate) struct AtStart {
    /// Another one when the file was read again.
    pub(crate) configured: ArcSwap<Configured>,
    /// The highest id in the store, also of a zone that cannot be read; none where nothing is stored.
    pub(crate) highest_stored: Option<ZoneId>,
    /// What was stored was damaged and put aside.
    pub(crate) put_aside: Option<PutAside>,
}

impl Configured {
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.zones.is_empty() && self.catalogs.is_empty()
    }
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
    let mut intent = everything(&inventory).await?;
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
    // The stored zones are there already, and say whose they are.
    let stored = node.zones().into_iter().chain(node.kept.all());
    if let Some(highest) = stored.map(|zone| zone.tenant).max() {
        inventory.reserve_tenants(highest).await?;
    }
    let configured = at_start.configured.load_full();
    if !configured.is_empty() {
        put_configured(node, &inventory, &configured, at_start.has_a_past()).await?;
        intent = everything(&inventory).await?;
    }
    if node.mode == Mode::Multi && plans::make_first(&inventory, now).await? {
        intent = everything(&inventory).await?;
    }
    match inventory.latest_attempts().await {
        Ok(attempts) => {
            for (zone, attempt) in attempts {
                if let Some(zone) = node.zone(zone) {
                    zone.condition().last_attempt = Some(Box::new(attempt));
                }
            }
        }
        // Only something to look at.
        Err(error) => tracing::error!("what is on record of earlier attempts cannot be read: {error}"),
    }
    let inventory = Arc::new(inventory);
    node.inventory.store(Some(inventory.clone()));
    let is_done = reconcile(node, &inventory, &intent, &Changed::Everything).await;
    *node.course() = Some(Course::begun(node, &intent, is_done));
    say_what_is_not_listed(node, &intent);
    Ok(())
}

/// What should exist; what changes from now on is for the first pass after this.
async fn everything(inventory: &Inventory) -> Result<Intent, InventoryError> {
    inventory.take_changed();
    inventory.intent().await
}

/// Puts into the inventory what is configured. Where zones were served before, one that cannot be put there is said and keeps
/// nothing else from it.
///
/// # Errors
/// When the inventory fails, or there is no past and something cannot be put there.
pub(crate) async fn put_configured(
    node: &Node,
    inventory: &Inventory,
    configured: &Configured,
    has_a_past: bool,
) -> Result<(), Unavailable> {
    let now = node.clock.now();
    for key in &configured.keys {
        inventory.ensure_key(TenantId::DEFAULT, key, now).await?;
    }
    let zones = configured.zones.iter().map(|zone| (zone, None));
    let catalogs = configured.catalogs.iter().map(|catalog| (&catalog.zone, Some(&catalog.rules)));
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
        if !has_a_past {
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

pub(crate) fn say_unavailable(error: &Unavailable) {
    tracing::error!("the stored zones are served, but nothing can be added, removed or transferred: {error}");
}
