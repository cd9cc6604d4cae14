//! Catalogs as somebody configures them: the catalog and its zone come together, and go together.
//!
//! What a catalog lists is for its consumers alone (RFC 9432 §7): there must be no moment in which its zone is here and is
//! not known to be a catalog.

use std::collections::BTreeSet;

use dns::Name;
use serde_json::json;
use xfr::{Moment, Settings};
use zone::ZoneId;

use super::named::check_keys;
use super::{CatalogSettings, KeysOf, catalogs_of, write_settings};
use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Inventory, Transaction};
use crate::error::{AddZoneError, CatalogError, InventoryError};
use crate::keys::check_named_keys;
use crate::plans::Allowance;
use crate::removed::{Inherits, remove};
use crate::zones::{Ensured, NewZone, ensure, find_id, insert};

impl Inventory {
    /// Adds a zone that is a catalog.
    pub async fn add_catalog(
        &self,
        by: &By,
        tenant: TenantId,
        zone: &NewZone,
        settings: &CatalogSettings,
        keys_of: KeysOf,
    ) -> Result<ZoneId, AddZoneError> {
        let mut transaction = self.begin().await?;
        let mut allowance = Allowance::of(&mut transaction, tenant, by.at).await?;
        check_named_keys(&mut transaction, tenant, &zone.name, &zone.settings, &Settings::default()).await?;
        check_keys(&mut transaction, (tenant, &zone.name), settings, None, keys_of).await?;
        let id = insert(&mut transaction, tenant, zone, Inherits::Anything, &mut allowance, by.at).await?;
        write_settings(&mut transaction, id, settings, by.at).await?;
        write_audit(&mut transaction, Some(tenant), by, "catalog.added", &zone.name.to_string(), json!({})).await?;
        self.commit_change(transaction).await?;
        Ok(id)
    }

    /// Makes sure of the zone as [`Inventory::ensure_zone`] does, and that it is a catalog with exactly these settings.
    pub async fn ensure_catalog(
        &self,
        tenant: TenantId,
        zone: &NewZone,
        settings: &CatalogSettings,
        now: Moment,
    ) -> Result<Ensured, AddZoneError> {
        let mut transaction = self.begin().await?;
        let ensured = ensure(&mut transaction, tenant, zone, now).await?;
        let id = match ensured {
            Ensured::Created(id) | Ensured::Changed(id) | Ensured::AsItWas(id) => id,
        };
        let before = settings_of(&mut transaction, tenant, id).await?;
        let ensured = match ensured {
            Ensured::AsItWas(id) if before.is_some_and(|before| before.is_like(settings)) => {
                return Ok(Ensured::AsItWas(id));
            }
            Ensured::AsItWas(id) => Ensured::Changed(id),
            ensured => ensured,
        };
        write_settings(&mut transaction, id, settings, now).await?;
        self.commit_change(transaction).await?;
        Ok(ensured)
    }

    /// Changes the catalog to what `decide` makes of its settings, whatever else is changed at the same time. Its members
    /// stay what they are until the next plan. `decide` may say no: then nothing is changed.
    pub async fn change_catalog<E>(
        &self,
        by: &By,
        tenant: TenantId,
        name: &Name,
        keys_of: KeysOf,
        decide: impl FnOnce(&CatalogSettings) -> Result<CatalogSettings, E>,
    ) -> Result<Result<ZoneId, E>, CatalogError> {
        let mut transaction = self.begin().await?;
        let not_catalog = || CatalogError::NotCatalog(name.clone());
        let id = find_id(&mut transaction, tenant, name).await?.ok_or_else(not_catalog)?;
        let before = settings_of(&mut transaction, tenant, id).await?.ok_or_else(not_catalog)?;
        let settings = match decide(&before) {
            Ok(settings) => settings,
            Err(no) => return Ok(Err(no)),
        };
        check_keys(&mut transaction, (tenant, name), &settings, Some(&before), keys_of).await?;
        write_settings(&mut transaction, id, &settings, by.at).await?;
        write_audit(&mut transaction, Some(tenant), by, "catalog.changed", &name.to_string(), json!({})).await?;
        self.commit_change(transaction).await?;
        Ok(Ok(id))
    }

    /// Removes the catalog and its zone. Its members stay, as configured zones.
    pub async fn remove_catalog(&self, by: &By, tenant: TenantId, name: &Name) -> Result<ZoneId, CatalogError> {
        let mut transaction = self.begin().await?;
        let not_catalog = || CatalogError::NotCatalog(name.clone());
        let id = find_id(&mut transaction, tenant, name).await?.ok_or_else(not_catalog)?;
        settings_of(&mut transaction, tenant, id).await?.ok_or_else(not_catalog)?;
        // Everything else about it goes with it: ON DELETE CASCADE.
        remove(&mut transaction, id).await?;
        write_audit(&mut transaction, Some(tenant), by, "catalog.removed", &name.to_string(), json!({})).await?;
        self.commit_change(transaction).await?;
        Ok(id)
    }
}

impl CatalogSettings {
    /// Whether these say the same; suffixes have no order.
    fn is_like(&self, other: &Self) -> bool {
        let suffixes = |settings: &Self| settings.suffixes.iter().cloned().collect::<BTreeSet<_>>();
        suffixes(self) == suffixes(other)
            && (&self.template, &self.groups, self.guard) == (&other.template, &other.groups, other.guard)
    }
}

/// The settings of a catalog; none for any other zone.
async fn settings_of(
    transaction: &mut Transaction,
    tenant: TenantId,
    id: ZoneId,
) -> Result<Option<CatalogSettings>, InventoryError> {
    let catalogs = catalogs_of(transaction, Some(tenant)).await?;
    Ok(catalogs.into_iter().find(|catalog| catalog.id == id).map(|catalog| catalog.settings))
}
