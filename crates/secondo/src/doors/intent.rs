//! What should exist: rows in the inventory, and then the node that matches them.

use std::time::Duration;

use api::doors::{Caller, CatalogChange, NewCatalog, NewKey, NewZone, ZoneChange};
use api::json::ServiceOrder;
use api::{Code, Intent, Problem, json};
use async_trait::async_trait;
use dns::Name;
use inventory::{
    AddKeyError, AddZoneError, ChangeZoneError, Former, Inventory, RemoveKeyError, Service, TenantId, ZoneId,
};
use xfr::{Algorithm, Key, Primary, Settings};

use super::{House, not_on_disk, unavailable, unknown};
use crate::catalogs::keys_of_template;
use crate::events;
use crate::followed::{Durability, Role};
use crate::ledger::time;
use crate::node::Node;

/// How long an answer waits for the node to match what was asked for; it is on record already and will come about.
const MATCHED_WITHIN: Duration = Duration::from_secs(5);

#[async_trait]
impl Intent for House {
    async fn add_zone(&self, caller: &Caller, zone: NewZone) -> Result<json::Zone, Problem> {
        let inventory = self.inventory()?;
        self.check_zone(&zone)?;
        let row = row(&self.node, caller.tenant, &zone);
        let (by, before) = (self.by_caller(caller), *self.node.reconciled.borrow());
        let id = inventory.add_zone(&by, caller.tenant, &row).await.map_err(|error| not_added(&error))?;
        self.tell_of_zones(&inventory, caller.tenant).await;
        // It may have been here before, as the member of a catalog with other primaries, or kept and not answered; what is
        // answered is known when a pass has ended.
        let wanted = inventory::ZoneChange {
            primaries: Some(row.primaries),
            settings: Some(row.settings),
            tags: Some(row.tags),
            ..inventory::ZoneChange::default()
        };
        let is_own = || self.node.zone(id).is_some_and(|zone| zone.instructions().role == Role::Configured);
        let has_ended = || *self.node.reconciled.borrow() > before;
        self.until_matched(async || has_ended() && is_own() && self.is_instructed(id, &wanted)).await;
        match self.node.zone(id).filter(|zone| zone.instructions().is_listed()) {
            Some(zone) => Ok(self.shown(&zone)),
            None => Err(Problem::new(
                Code::TimedOut,
                format!("the zone {} is added, but the server is busy: it will follow", zone.name()),
            )),
        }
    }

    async fn import_zones(&self, caller: &Caller, zones: Vec<NewZone>) -> Result<Vec<Result<(), Problem>>, Problem> {
        let inventory = self.inventory()?;
        let refused: Vec<_> = zones.iter().map(|zone| self.check_zone(zone)).collect();
        let taken = zones.iter().zip(&refused).filter(|(_, refused)| refused.is_ok());
        let rows: Vec<_> = taken.map(|(zone, _)| row(&self.node, caller.tenant, zone)).collect();
        let results = inventory.import_zones(&self.by_caller(caller), caller.tenant, &rows).await;
        let results = results.map_err(|error| unavailable(&error))?;
        self.tell_of_zones(&inventory, caller.tenant).await;
        let mut results = results.into_iter();
        let mut added =
            || results.next().map_or(Ok(()), |result| result.map(drop).map_err(|error| not_added(&error)));
        Ok(refused.into_iter().map(|refused| refused.and_then(|()| added())).collect())
    }

    async fn change_zone(&self, caller: &Caller, name: &Name, change: ZoneChange) -> Result<json::Zone, Problem> {
        let inventory = self.inventory()?;
        self.refuse_members(&inventory, caller.tenant, name).await?;
        let mut wanted = Settings::default();
        wanted.change(&change.settings).map_err(|error| not_settable(&error))?;
        self.check_targets(&wanted)?;
        self.check_primaries(change.primaries.as_deref().unwrap_or_default())?;
        let mut decided = inventory::ZoneChange::default();
        let decide = |zone: &inventory::Zone| {
            decided = self.decided(zone, change)?;
            Ok(decided.clone())
        };
        let before = *self.node.reconciled.borrow();
        let changed = inventory.change_zone(&self.by_caller(caller), caller.tenant, name, decide).await;
        let id = changed.map_err(|error| match error {
            ChangeZoneError::Unknown(name) => self.not_theirs(caller.tenant, &name),
            error => not_changed(&error),
        })??;
        // A pass instructs a zone before it publishes the table that answers come from: it must have ended. One that
        // had begun before, and ends twice if it deletes, may not have read the change.
        let ended = || *self.node.reconciled.borrow() - before;
        self.until_matched(async || ended() > 2 || ended() > 0 && self.is_instructed(id, &decided)).await;
        let zone = self.node.zone(id).ok_or_else(|| unknown(name))?;
        // The inventory knows it; but a start answers for its stored zones before it has been asked.
        if decided.service.is_some() && zone.condition().note_durability == Durability::Volatile {
            return Err(not_on_disk(name));
        }
        Ok(self.shown(&zone))
    }

    async fn add_catalog(&self, caller: &Caller, catalog: NewCatalog) -> Result<json::Catalog, Problem> {
        self.add_catalog_and_zone(caller, catalog).await
    }

    async fn change_catalog(
        &self,
        caller: &Caller,
        name: &Name,
        change: CatalogChange,
    ) -> Result<json::Catalog, Problem> {
        self.change_rules(caller, name, change).await
    }

    async fn remove_catalog(&self, caller: &Caller, name: &Name) -> Result<(), Problem> {
        self.remove_catalog_and_zone(caller, name).await
    }

    fn check_primary(&self, primary: &Primary) -> Result<(), Problem> {
        House::check_primary(self, primary)
    }

    async fn add_key(&self, caller: &Caller, key: NewKey) -> Result<json::AddedKey, Problem> {
        let inventory = self.inventory()?;
        let algorithm = algorithm(key.algorithm);
        let made = match &key.secret {
            Some(secret) => Key::from_base64(key.name.clone(), algorithm, secret),
            None => Key::generate(key.name.clone(), algorithm),
        };
        let made = made.map_err(|error| Problem::new(Code::SecretInvalid, error.to_string()))?;
        let added = inventory.add_key(&self.by_caller(caller), caller.tenant, &made).await;
        added.map_err(|error| match error {
            AddKeyError::ExistsAlready(_) => Problem::new(Code::KeyExists, error.to_string()),
            AddKeyError::Inventory(error) => unavailable(&error),
        })?;
        // Whoever is told that it is there may use it: for NOTIFYs, transfers, and to examine a primary.
        self.until_matched(async || {
            self.node.shared.access.load().keys.get(caller.tenant, &key.name).is_some_and(|key| **key == made)
        })
        .await;
        let secret = key.secret.is_none().then(|| made.secret_base64());
        Ok(json::AddedKey { name: made.name().to_string(), algorithm: key.algorithm, secret })
    }

    async fn keys(&self, caller: &Caller) -> Result<Vec<json::Key>, Problem> {
        let keys = self.inventory()?.list_keys(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let shown = keys.into_iter().map(|key| json::Key {
            name: key.name.to_string(),
            algorithm: shown_algorithm(key.algorithm),
            created_at: time(key.created_at),
            primaries: key.primaries,
        });
        Ok(shown.collect())
    }

    async fn remove_key(&self, caller: &Caller, name: &Name) -> Result<(), Problem> {
        let removed =
            self.inventory()?.remove_key(&self.by_caller(caller), caller.tenant, name, keys_of_template).await;
        removed.map_err(|error| match error {
            RemoveKeyError::Unknown(_) => Problem::new(Code::KeyUnknown, error.to_string()),
            RemoveKeyError::InUse { .. } | RemoveKeyError::Named { .. } | RemoveKeyError::NamedByCatalog { .. } => {
                Problem::new(Code::KeyInUse, error.to_string())
            }
            RemoveKeyError::Inventory(error) => unavailable(&error),
        })?;
        // Nobody gets anything with it any more.
        self.until_matched(async || self.node.shared.access.load().keys.get(caller.tenant, name).is_none()).await;
        Ok(())
    }
}

impl House {
    /// What becomes of the zone as it is.
    fn decided(&self, zone: &inventory::Zone, change: ZoneChange) -> Result<inventory::ZoneChange, Problem> {
        let mut settings = zone.settings.clone();
        settings.change(&change.settings).map_err(|error| not_settable(&error))?;
        self.node.defaults.load().with(&settings).map_err(|error| not_settable(&error))?;
        let service = change.service.map(|order| ordered(zone, order)).transpose()?;
        let settings = (!change.settings.is_empty()).then_some(settings);
        let former = Former::Forgotten;
        Ok(inventory::ZoneChange { primaries: change.primaries, former, service, settings, tags: change.tags })
    }

    /// Whether the node does what was asked for.
    fn is_instructed(&self, id: ZoneId, change: &inventory::ZoneChange) -> bool {
        let Some(zone) = self.node.zone(id) else { return false };
        let instructions = zone.instructions();
        let primaries = || instructions.sources.iter().map(|source| &source.configured);
        change.primaries.as_ref().is_none_or(|wanted| primaries().eq(wanted))
            && change.settings.as_ref().is_none_or(|wanted| instructions.settings == *wanted)
            && change.tags.as_ref().is_none_or(|wanted| instructions.tags == *wanted)
            && change.service.is_none_or(|wanted| instructions.service == wanted)
    }

    /// Tells the tenant when it has nearly as many zones as its plan allows.
    pub(super) async fn tell_of_zones(&self, inventory: &Inventory, tenant: TenantId) {
        // An organisation that has just been made is not among those that the node knows.
        let counted = async {
            let Some(limit) = inventory.terms(tenant).await?.limits().zones_max else { return Ok(None) };
            inventory.count_zones(tenant).await.map(|zones| Some((limit, zones)))
        };
        match counted.await {
            Ok(None) => {}
            Ok(Some((limit, zones))) => events::tell_if_near(&self.node, tenant, Some(limit), zones, "zones", ""),
            Err(error) => tracing::warn!(tenant = tenant.0, "zones are not counted: {error}"),
        }
    }

    /// Deleted from the store too: then no loss of the inventory brings it back.
    pub(super) async fn until_removed(&self, inventory: &Inventory, id: ZoneId) {
        self.until_matched(async || self.node.zone(id).is_none() && inventory.is_deleted(id).await.unwrap_or(false))
            .await;
    }

    pub(super) async fn until_matched<F: Future<Output = bool> + Send>(&self, is_matched: impl Fn() -> F + Send) {
        let mut reconciled = self.node.reconciled.subscribe();
        let matched = async {
            while !is_matched().await {
                if reconciled.changed().await.is_err() {
                    return;
                }
            }
        };
        // Late is no failure: the inventory has it.
        let _ = tokio::time::timeout(MATCHED_WITHIN, matched).await;
    }
}

/// What the zone does when this is carried out. To pause or to resume a disabled zone would answer it, which somebody may
/// have switched off for a reason; to enable a paused one would follow primaries that somebody may not trust.
fn ordered(zone: &inventory::Zone, order: ServiceOrder) -> Result<Service, Problem> {
    let name = &zone.name;
    match (zone.service, order) {
        (Service::Disabled, ServiceOrder::Pause | ServiceOrder::Resume) => Err(Problem::new(
            Code::ZoneDisabled,
            format!("the zone {name} is disabled: have it answered again with `secondo zone enable {name}` first"),
        )),
        (Service::Paused, ServiceOrder::Enable) => Err(Problem::new(
            Code::ZonePaused,
            format!(
                "the zone {name} is paused, and answered: have it followed again with `secondo zone resume {name}`"
            ),
        )),
        (_, ServiceOrder::Pause) => Ok(Service::Paused),
        (_, ServiceOrder::Resume | ServiceOrder::Enable) => Ok(Service::Answering),
        (_, ServiceOrder::Disable) => Ok(Service::Disabled),
    }
}

/// The zone as a row. If its name is that of a stored zone that the inventory has lost, it is that zone.
pub(crate) fn row(node: &Node, tenant: TenantId, zone: &NewZone) -> inventory::NewZone {
    inventory::NewZone {
        stored_as: node
            .unlisted(tenant, zone.name())
            .or_else(|| node.kept.named(tenant, zone.name()))
            .map(|stored| stored.id),
        settings: zone.settings.clone(),
        tags: zone.tags.clone(),
        proof: node.proof_at_once(tenant),
        ..inventory::NewZone::answering(zone.name().clone(), zone.primaries().to_vec())
    }
}

pub(super) fn not_settable(error: &xfr::SettingError) -> Problem {
    Problem::new(Code::SettingInvalid, error.to_string())
}

pub(super) fn not_added(error: &AddZoneError) -> Problem {
    let code = match error {
        AddZoneError::ExistsAlready(_) => Code::ZoneExists,
        AddZoneError::NameProven(_) => Code::ZoneNameTaken,
        AddZoneError::PlanZones { .. } | AddZoneError::PlanPrimaries { .. } | AddZoneError::PlanEnded { .. } => {
            Code::PlanLimit
        }
        AddZoneError::UnknownKey { .. } => Code::KeyUnknown,
        AddZoneError::NoPrimary(_) | AddZoneError::PrimaryTwice(_) => Code::PrimaryInvalid,
        AddZoneError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}

pub(super) fn not_changed(error: &ChangeZoneError) -> Problem {
    match error {
        ChangeZoneError::Unknown(name) => unknown(name),
        ChangeZoneError::Invalid(error) => not_added(error),
        ChangeZoneError::Inventory(error) => unavailable(error),
    }
}

fn algorithm(shown: json::KeyAlgorithm) -> Algorithm {
    match shown {
        json::KeyAlgorithm::HmacMd5 => Algorithm::HmacMd5,
        json::KeyAlgorithm::HmacSha1 => Algorithm::HmacSha1,
        json::KeyAlgorithm::HmacSha224 => Algorithm::HmacSha224,
        json::KeyAlgorithm::HmacSha256 => Algorithm::HmacSha256,
        json::KeyAlgorithm::HmacSha384 => Algorithm::HmacSha384,
        json::KeyAlgorithm::HmacSha512 => Algorithm::HmacSha512,
    }
}

fn shown_algorithm(algorithm: Algorithm) -> json::KeyAlgorithm {
    match algorithm {
        Algorithm::HmacMd5 => json::KeyAlgorithm::HmacMd5,
        Algorithm::HmacSha1 => json::KeyAlgorithm::HmacSha1,
        Algorithm::HmacSha224 => json::KeyAlgorithm::HmacSha224,
        Algorithm::HmacSha256 => json::KeyAlgorithm::HmacSha256,
        Algorithm::HmacSha384 => json::KeyAlgorithm::HmacSha384,
        Algorithm::HmacSha512 => json::KeyAlgorithm::HmacSha512,
    }
}
