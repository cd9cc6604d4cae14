//! Adding many zones at once.

use serde_json::json;
use zone::ZoneId;

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Changed, Inventory};
use crate::error::{AddZoneError, InventoryError};
use crate::plans::Allowance;
use crate::zones::{NewZone, add};

impl Inventory {
    /// Adds each of the zones whole or not at all, all in one transaction, and tells of each what came of it, in
    /// their order; some 100 µs a zone, and one sync of the disk for all. Members of catalogs become configured zones, as
    /// with [`Inventory::add_zone`].
    ///
    /// # Errors
    /// When the inventory fails; none of the zones has been added then.
    pub async fn import_zones(
        &self,
        by: &By,
        tenant: TenantId,
        zones: &[NewZone],
    ) -> Result<Vec<Result<ZoneId, AddZoneError>>, InventoryError> {
        let mut transaction = self.begin().await?;
        let mut allowance = Allowance::of(&mut transaction, tenant, by.at).await?;
        let mut results = Vec::with_capacity(zones.len());
        for zone in zones {
            match add(&mut transaction, tenant, zone, &mut allowance, by.at).await {
                // What is wrong with the inventory is wrong for every line; dropping the transaction undoes all.
                Err(AddZoneError::Inventory(error)) => return Err(error),
                result => results.push(result),
            }
        }
        let added = results.iter().filter(|result| result.is_ok()).count();
        write_audit(&mut transaction, Some(tenant), by, "zones.imported", "", json!({ "added": added })).await?;
        let ids = results.iter().flatten().copied();
        self.commit_change_of(Changed::zones(ids), transaction).await?;
        Ok(results)
    }
}
