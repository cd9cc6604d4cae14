//! Adding many zones at once.

use xfr::Moment;
use zone::ZoneId;

use crate::TenantId;
use crate::database::Inventory;
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
        tenant: TenantId,
        zones: &[NewZone],
        now: Moment,
    ) -> Result<Vec<Result<ZoneId, AddZoneError>>, InventoryError> {
        let mut transaction = self.begin().await?;
        let mut allowance = Allowance::of(&mut transaction, tenant, now).await?;
        let mut results = Vec::with_capacity(zones.len());
        for zone in zones {
            match add(&mut transaction, tenant, zone, &mut allowance, now).await {
                // What is wrong with the inventory is wrong for every line; dropping the transaction undoes all.
                Err(AddZoneError::Inventory(error)) => return Err(error),
                result => results.push(result),
            }
        }
        self.commit_change(transaction).await?;
        Ok(results)
    }
}
