//! Follows catalogs (RFC 9432), and makes one (`produce`): has their members exist, as their newest versions list them.
//!
//! ```text
//! an attempt at a catalog has ended ─┐
//! the inventory has changed         ─┼─> read ─> holdings ─> plan ─> rows of the inventory ─> reconcile does the rest
//! a minute has passed               ─┘  (zone::catalog)    (zone::catalog)
//! ```
//!
//! Invariants: one pass at a time; a catalog that is broken, stale, expired, held back, frozen, paused or not here
//! changes nothing; no member goes because it has waited long enough, unless a primary has confirmed since that the
//! catalog does without it: so a copy that is old, as after a restart, lets no wait run out.
//!
//! Nothing here transfers, answers or deletes: a member is a zone as any other.

mod follow;
mod produce;
mod template;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dns::{Name, Serial};
use inventory::{Catalog, CatalogError, Inventory, InventoryError};
use tokio::sync::Notify;
use xfr::{Freshness, Moment};
use zone::ZoneId;
use zone::catalog::{Broken, Consent, Listing};

use crate::holds::Hold;
use crate::node::Node;

pub(crate) use produce::{OWN_ID, Own};
pub(crate) use template::{keys as keys_of_template, read as read_template, write as write_template};

/// How often they are looked at without a reason: what was not done because of a fault may be possible now.
const EVERY: Duration = Duration::from_secs(60);
/// How often it is seen whether there is an inventory by now.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// What is known of the catalogs besides what the inventory has.
#[derive(Default)]
pub(crate) struct Catalogs {
    /// An attempt at a catalog's zone has ended.
    pub(crate) attempted: Notify,
    /// The catalog that we make ourselves may have to list other zones.
    pub(crate) listed_otherwise: Notify,
    /// Held during a pass.
    working: tokio::sync::Mutex<()>,
    seen: Mutex<HashMap<ZoneId, Seen>>,
}

/// What was made of a catalog.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The version that was followed last.
    pub(crate) followed: Option<Serial>,
    /// A version that cannot be followed.
    pub(crate) broken: Option<(Serial, Broken)>,
    /// By names as text in lower case: the name as the catalog spells it, and why what the catalog wants is not done.
    pub(crate) undone: BTreeMap<String, (Name, Undone)>,
}

/// What of a catalog is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// A listed zone is no member, and is not to be.
    Skipped(String),
    /// It should have been done, and failed.
    Failed(String),
}

/// A catalog whose newest version is here.
struct Current {
    catalog: Catalog,
    listing: Arc<Listing>,
    /// When a primary last said that this is the newest version.
    confirmed_at: Moment,
}

/// Why a catalog cannot be followed now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfollowed {
    #[error(
        "the catalog {0} is not followed now: its zone is not transferred, not confirmed, held back, frozen, paused or disabled; see `secondo zone show {0}`"
    )]
    NotCurrent(Name),
    #[error("the catalog {catalog} cannot be read: {broken}")]
    Broken { catalog: Name, broken: Broken },
    #[error(
        "the catalog {catalog} has the serial {now} by now, not {seen}: see `secondo catalog show {catalog}` again"
    )]
    Changed { catalog: Name, seen: u32, now: u32 },
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<InventoryError> for Unfollowed {
    fn from(error: InventoryError) -> Self {
        Self::Catalog(error.into())
    }
}

impl Catalogs {
    pub(crate) fn seen(&self, id: ZoneId) -> Seen {
        self.lock().get(&id).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ZoneId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows all catalogs, for ever.
pub(crate) async fn follow_catalogs(node: Arc<Node>) {
    loop {
        let Some(inventory) = node.inventory.load_full() else {
            tokio::time::sleep(OPEN_AGAIN).await;
            continue;
        };
        let mut changes = inventory.changes();
        loop {
            let began = Instant::now();
            if let Err(error) = follow_all(&node, &inventory).await {
                tracing::error!("catalogs cannot be followed, their members stay as they are: {error}");
            }
            // Where a pass takes long, as much time is left to others.
            tokio::time::sleep(began.elapsed()).await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                () = node.catalogs.attempted.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

/// One pass over all catalogs.
pub(crate) async fn follow_all(node: &Arc<Node>, inventory: &Inventory) -> Result<(), InventoryError> {
    let _alone = node.catalogs.working.lock().await;
    let catalogs = inventory.all_catalogs().await?;
    node.catalogs.lock().retain(|id, _| catalogs.iter().any(|catalog| catalog.id == *id));
    let all = all_current(node, catalogs).await;
    for current in &all {
        match follow::follow(node, inventory, current, &all, Consent::NotGiven).await {
            // Somebody has removed it meanwhile.
            Ok(()) | Err(Unfollowed::Catalog(CatalogError::NotCatalog(_))) => {}
            Err(error) => {
                tracing::error!(catalog = %current.catalog.name, "the catalog's members stay as they are: {error}");
            }
        }
    }
    Ok(())
}

/// Has all members go that this version of the catalog does not list.
pub(crate) async fn accept(
    node: &Arc<Node>,
    inventory: &Inventory,
    catalog: &Catalog,
    seen: Serial,
) -> Result<(), Unfollowed> {
    let _alone = node.catalogs.working.lock().await;
    let current = current(node, catalog.clone()).await?;
    let now = current.listing.serial();
    if now != seen {
        return Err(Unfollowed::Changed { catalog: catalog.name.clone(), seen: seen.0, now: now.0 });
    }
    let others = inventory.all_catalogs().await?.into_iter().filter(|other| other.id != catalog.id).collect();
    let others = all_current(node, others).await;
    follow::follow(node, inventory, &current, &others, Consent::GivenFor(seen)).await
}

async fn all_current(node: &Arc<Node>, catalogs: Vec<Catalog>) -> Vec<Current> {
    let mut all = Vec::with_capacity(catalogs.len());
    for catalog in catalogs {
        let (id, name) = (catalog.id, catalog.name.clone());
        match current(node, catalog).await {
            Ok(current) => all.push(current),
            Err(Unfollowed::NotCurrent(_)) => {
                tracing::debug!(catalog = %name, "the catalog is not followed now, its members stay as they are");
            }
            // Its zone says which version, once.
            Err(Unfollowed::Broken { broken, .. }) => say_broken(node, id, &name, broken),
            Err(error) => tracing::error!(catalog = %name, "{error}"),
        }
    }
    all
}

/// What the catalog lists, if that is known to be its newest version.
async fn current(node: &Arc<Node>, catalog: Catalog) -> Result<Current, Unfollowed> {
    let not_current = || Unfollowed::NotCurrent(catalog.name.clone());
    let zone = node.zone(catalog.id).filter(|zone| zone.instructions().is_followed()).ok_or_else(not_current)?;
    let (held, confirmed_at) = {
        let condition = zone.condition();
        // One that is held back or frozen is confirmed too, but what it listed last is not known here.
        let is_newest = matches!(condition.hold, Hold::None);
        let is_current = is_newest && condition.freshness(node.clock.now()) == Freshness::Current;
        let held = condition.held.clone().filter(|_| is_current).ok_or_else(not_current)?;
        (held, condition.timers.confirmed_at().ok_or_else(not_current)?)
    };
    // Off the runtime's threads: a large one takes a second.
    let read = tokio::task::spawn_blocking(move || zone::catalog::read(&held.image)).await;
    let read = read.map_err(|_| not_current())?;
    let listing = read.map_err(|broken| Unfollowed::Broken { catalog: catalog.name.clone(), broken })?;
    Ok(Current { catalog, listing: Arc::new(listing), confirmed_at })
}

/// Says once of each version that it is broken.
fn say_broken(node: &Node, id: ZoneId, name: &Name, broken: Broken) {
    let Some(held) = node.zone(id).and_then(|zone| zone.condition().held.clone()) else { return };
    let serial = held.image.serial();
    let mut seen = node.catalogs.lock();
    let seen = seen.entry(id).or_default();
    let now = Some((serial, broken));
    if seen.broken != now
        && let Some((_, broken)) = &now
    {
        tracing::error!(catalog = %name, serial = serial.0, "the catalog cannot be read, its members stay as they are: {broken}");
        seen.broken = now;
    }
}
