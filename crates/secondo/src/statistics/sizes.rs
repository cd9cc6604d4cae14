//! How many zones and records tenants have, for their bills: the most of each month.

use std::collections::BTreeMap;

use inventory::{Hour, Inventory, InventoryError, Month, STATISTICS_AT_ONCE_MAX, TenantSize};
use zone::TenantId;

use crate::followed::Role;
use crate::node::Node;

/// What is on record of the present month, as far as this run knows.
#[derive(Default)]
pub(super) struct Sizes {
    month: Option<Month>,
    noted: BTreeMap<TenantId, TenantSize>,
}

impl Sizes {
    /// Notes what is more than was noted.
    pub(super) async fn note(&mut self, inventory: &Inventory, node: &Node) -> Result<(), InventoryError> {
        let month = Month::of(Hour::of(node.clock.now()));
        if self.month.replace(month) != Some(month) {
            self.noted.clear();
        }
        let grown: Vec<TenantSize> = sizes(node).into_values().filter(|size| self.is_more(size)).collect();
        for portion in grown.chunks(STATISTICS_AT_ONCE_MAX) {
            inventory.note_sizes(portion, month).await?;
            portion.iter().for_each(|size| self.keep(*size));
        }
        Ok(())
    }

    fn is_more(&self, size: &TenantSize) -> bool {
        self.noted.get(&size.tenant).is_none_or(|noted| size.zones > noted.zones || size.records > noted.records)
    }

    fn keep(&mut self, size: TenantSize) {
        let noted = self.noted.entry(size.tenant).or_insert(size);
        (noted.zones, noted.records) = (noted.zones.max(size.zones), noted.records.max(size.records));
    }
}

/// What each tenant has now.
fn sizes(node: &Node) -> BTreeMap<TenantId, TenantSize> {
    let mut sizes = BTreeMap::new();
    // What a catalog has removed is only kept in case it comes back.
    for zone in node.zones().iter().filter(|zone| zone.instructions().role != Role::Removed) {
        let tenant = zone.tenant;
        let size: &mut TenantSize = sizes.entry(tenant).or_insert(TenantSize { tenant, zones: 0, records: 0 });
        size.zones += 1;
        size.records += zone.condition().held.as_ref().map_or(0, |held| held.image.record_count());
    }
    sizes
}
