//! The door to zones that are removed, and that may be had back for a while.

use async_trait::async_trait;
use dns::Name;

use super::Caller;
use crate::json;
use crate::problem::Problem;

/// What becomes of what a removed zone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is kept for some days, and can be had back.
    Kept,
    /// It is deleted, also of a zone that is kept.
    AtOnce,
}

/// Without the inventory each answers [`Code::InventoryUnavailable`](crate::Code::InventoryUnavailable).
#[async_trait]
pub trait Removals: Send + Sync {
    /// Removes the zone: from now on it is neither answered nor followed.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown); [`Code::ZoneOfCatalog`](crate::Code::ZoneOfCatalog) for a member,
    /// [`Code::ZoneIsCatalog`](crate::Code::ZoneIsCatalog) for a catalog.
    async fn remove(&self, caller: &Caller, name: &Name, removal: Removal) -> Result<(), Problem>;

    /// The zones that can be had back, those removed last first, at most `limit`.
    async fn removed(&self, caller: &Caller, limit: u32) -> Result<Vec<json::RemovedZone>, Problem>;

    /// Has the zone of this name back that was removed last.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown) when none is kept, and those of adding a zone.
    async fn restore(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem>;
}
