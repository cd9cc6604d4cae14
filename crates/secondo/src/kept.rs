//! Zones that somebody or a catalog has removed, with what they hold, until they come back or their time is over.
//!
//! A catalog that loses its zones, or some of them, is most often mended within days. What it had is not answered
//! meanwhile (RFC 9432 §5.3 has a removed member go, and lets it be archived), but whoever comes back is served at once,
//! and not copied again. People remove zones by mistake too.
//!
//! Whether a zone is kept is the inventory's to say; here is what is kept of it, and in the store's note that it is not to
//! be answered, also while the program starts and without the inventory.
//!
//! Nothing is done about these zones: no check, no agenda. That they expire is seen when they come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dns::Name;
use inventory::Intent;
use xfr::Moment;
use zone::{TenantId, ZoneId};

use crate::followed::{Followed, Instructions, Role};
use crate::node::Node;
use crate::roster::Roster;

/// For how long, unless the configuration says otherwise: a holiday.
pub(crate) const KEEP_REMOVED: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Default)]
pub(crate) struct Kept(Mutex<Roster>);

impl Kept {
    pub(crate) fn insert(&self, zone: Arc<Followed>) {
        self.lock().insert(zone);
    }

    pub(crate) fn take(&self, id: ZoneId) -> Option<Arc<Followed>> {
        self.lock().remove(id)
    }

    pub(crate) fn get(&self, id: ZoneId) -> Option<Arc<Followed>> {
        self.lock().get(id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Followed>> {
        self.lock().iter().cloned().collect()
    }

    /// The tenant's zone of this name that was added last.
    pub(crate) fn named(&self, tenant: TenantId, name: &Name) -> Option<Arc<Followed>> {
        self.lock().named(tenant, name).next_back().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Puts those zones aside that are to be kept; those that were answered or followed until now. Until
    /// [`Node::publish_table`] they still are answered.
    pub(crate) fn put_kept_aside(&self, intent: &Intent) -> Vec<Arc<Followed>> {
        let ids = intent.kept.keys();
        let aside: Vec<Arc<Followed>> = ids.filter_map(|id| self.forget(*id)).collect();
        for zone in &aside {
            let before = zone.instructions();
            zone.instruct(Instructions { role: Role::Removed, sources: Vec::new(), ..Instructions::clone(&before) });
            tracing::info!(zone = %zone.name, "the zone is REFUSED from now on, and kept in case it comes back");
            self.kept.insert(zone.clone());
        }
        aside
    }

    /// Follows a zone again that was kept. It is still one that was removed, until it is instructed.
    pub(crate) fn take_back(&self, id: ZoneId) -> Option<Arc<Followed>> {
        let zone = self.kept.take(id)?;
        tracing::info!(zone = %zone.name, "the zone has come back, with what it held");
        // What has changed meanwhile is of interest now.
        zone.condition().timers.notified(self.clock.now());
        self.follow(zone.clone());
        Some(zone)
    }
}

/// When the first zone is to be deleted that is kept.
pub(crate) fn first_end(intent: &Intent) -> Option<Moment> {
    intent.kept.values().min().copied()
}
