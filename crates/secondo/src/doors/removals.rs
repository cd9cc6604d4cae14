//! Removing zones, and having them back.

use std::time::Duration;

use api::doors::{Caller, Removal, Removals};
use api::{Code, Problem, json};
use async_trait::async_trait;
use dns::Name;
use inventory::{Inventory, RemoveZoneError, RestoreZoneError, ZoneId};

use super::intent::not_added;
use super::{House, unavailable};
use crate::followed::Role;
use crate::ledger::time;

/// For how long somebody can have back what they removed.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

#[async_trait]
impl Removals for House {
    async fn remove(&self, caller: &Caller, name: &Name, removal: Removal) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        self.refuse_members(&inventory, caller.tenant, name).await?;
        self.refuse_catalogs(caller.tenant, name)?;
        let before = *self.node.reconciled.borrow();
        let id = self.remove_listed_or_stored(&inventory, caller, name, removal).await?;
        match removal {
            Removal::AtOnce => self.until_removed(&inventory, id).await,
            // What is answered is known when a pass has ended.
            Removal::Kept => {
                let is_gone = async || *self.node.reconciled.borrow() > before && self.node.zone(id).is_none();
                self.until_matched(is_gone).await;
            }
        }
        Ok(())
    }

    async fn removed(&self, caller: &Caller, limit: u32) -> Result<Vec<json::RemovedZone>, Problem> {
        let kept = self.inventory()?.kept_zones(caller.tenant, self.node.clock.now(), limit).await;
        let shown = kept.map_err(|error| unavailable(&error))?.into_iter().map(|zone| json::RemovedZone {
            name: zone.name.to_string(),
            removed_at: time(zone.removed_at),
            deleted_at: time(zone.until),
        });
        Ok(shown.collect())
    }

    async fn restore(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        let inventory = self.inventory()?;
        let before = *self.node.reconciled.borrow();
        let restored = inventory.restore_zone(&self.by_caller(caller), caller.tenant, name).await;
        let id = restored.map_err(|error| match error {
            RestoreZoneError::NotKept(_) => Problem::new(Code::ZoneUnknown, error.to_string()),
            RestoreZoneError::NotAdded(error) => not_added(&error),
            RestoreZoneError::Inventory(error) => unavailable(&error),
        })?;
        self.tell_of_zones(&inventory, caller.tenant).await;
        let is_here = || self.node.zone(id).is_some_and(|zone| zone.instructions().role == Role::Configured);
        self.until_matched(async || *self.node.reconciled.borrow() > before && is_here()).await;
        match self.node.zone(id).filter(|_| is_here()) {
            Some(zone) => Ok(self.shown(&zone)),
            None => {
                let detail = format!("the zone {name} is back, but the server is busy: it will follow");
                Err(Problem::new(Code::TimedOut, detail))
            }
        }
    }
}

impl House {
    async fn remove_listed_or_stored(
        &self,
        inventory: &Inventory,
        caller: &Caller,
        name: &Name,
        removal: Removal,
    ) -> Result<ZoneId, Problem> {
        let tenant = caller.tenant;
        loop {
            let by = self.by_caller(caller);
            let removed = match removal {
                Removal::AtOnce => inventory.remove_zone(&by, tenant, name).await,
                Removal::Kept => inventory.remove_zone_and_keep(&by, tenant, name, by.at.plus(KEPT_FOR)).await,
            };
            match removed {
                Ok(id) => return Ok(id),
                Err(RemoveZoneError::Inventory(error)) => return Err(unavailable(&error)),
                Err(RemoveZoneError::Unknown(_)) => {}
            }
            let kept = || self.node.kept.named(tenant, name);
            let stored = match (self.node.unlisted(tenant, name).or_else(kept), removal) {
                (None, _) => return Err(self.not_theirs(tenant, name)),
                // What only the store knows cannot be had back: nobody knows its primaries.
                (Some(stored), Removal::Kept) if stored.instructions().role == Role::Removed => {
                    return Err(removed_already(name));
                }
                (Some(stored), _) => stored,
            };
            // Somebody may have added it meanwhile: then the inventory knows it.
            let removed = inventory.remove_stored_zone(&by, tenant, name, stored.id).await;
            if removed.map_err(|error| unavailable(&error))? {
                return Ok(stored.id);
            }
        }
    }
}

fn removed_already(name: &Name) -> Problem {
    let detail = format!(
        "the zone {name} is removed already, and kept: have it back with `secondo zone restore {name}`, or deleted with \
         `secondo zone remove --now {name}`"
    );
    Problem::new(Code::ZoneUnknown, detail)
}
