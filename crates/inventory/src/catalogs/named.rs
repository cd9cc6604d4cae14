//! Keys that members of catalogs are made with, though no member may be here that needs them: they are there when they are
//! named, and stay for as long.
//!
//! Templates are text that means nothing here: whoever wrote them says which keys they name.

use dns::Name;

use super::{CatalogSettings, catalogs_of};
use crate::TenantId;
use crate::database::Transaction;
use crate::error::{AddZoneError, InventoryError};
use crate::keys::key_id;

/// The keys that a template names; none of one that cannot be read.
pub type KeysOf = fn(&str) -> Vec<Name>;

impl CatalogSettings {
    fn keys(&self, keys_of: KeysOf) -> impl Iterator<Item = Name> {
        self.groups.values().chain([&self.template]).flat_map(move |template| keys_of(template))
    }
}

/// Whether the keys are there that these templates name and those before did not.
pub(super) async fn check_keys(
    transaction: &mut Transaction,
    (tenant, catalog): (TenantId, &Name),
    settings: &CatalogSettings,
    before: Option<&CatalogSettings>,
    keys_of: KeysOf,
) -> Result<(), AddZoneError> {
    let before: Vec<Name> = before.into_iter().flat_map(|before| before.keys(keys_of)).collect();
    for key in settings.keys(keys_of).filter(|key| !before.contains(key)) {
        key_id(transaction, tenant, catalog, &key).await?;
    }
    Ok(())
}

/// The first of the tenant's catalogs whose templates name the key.
pub(crate) async fn catalog_that_names(
    transaction: &mut Transaction,
    tenant: TenantId,
    key: &Name,
    keys_of: KeysOf,
) -> Result<Option<Name>, InventoryError> {
    let catalogs = catalogs_of(transaction, Some(tenant)).await?;
    let naming = catalogs.into_iter().find(|catalog| catalog.settings.keys(keys_of).any(|named| named == *key));
    Ok(naming.map(|catalog| catalog.name))
}
