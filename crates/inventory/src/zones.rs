//! Zones and their primaries.

use std::fmt;
use std::str::FromStr;

use dns::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::FromRow;
use xfr::{Moment, Primary, Settings};
use zone::{Tags, ZoneId};

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::catalogs::make_configured;
use crate::claims::{Carried, Proof, end_kept_proofs};
use crate::database::{Changed, Inventory, Transaction, reserve_ids, to_i64, to_u64};
use crate::error::{AddZoneError, ChangeZoneError, InventoryError, RemoveZoneError};
use crate::former_primaries::{Former, remember};
use crate::keys::{check_named_keys, key_id};
use crate::names::{lower_text, read_name};
use crate::plans::{Allowance, check_primaries_allowed};
use crate::primaries::{PrimaryRow, TlsColumns, read_settings, settings_text};
use crate::removed::{Inherits, is_removed, kept_for, remove, take_back, write_removal};
use crate::tags::update_tags;

/// Whether a zone is answered and followed, as its owner wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Answered, and kept up with its primaries.
    #[default]
    Answering,
    /// Answered until it expires; no checks and no transfers.
    Paused,
    /// REFUSED, because somebody switched it off.
    Disabled,
}

impl Service {
    /// Whether queries for the zone are answered, if its name is proven.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Answering | Self::Paused)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answering => "answering",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Service {
    type Err = InventoryError;

    fn from_str(text: &str) -> Result<Self, InventoryError> {
        [Self::Answering, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|service| service.as_str() == text)
            .ok_or_else(|| InventoryError::Damaged(format!("a zone's service is {text:?}")))
    }
}

/// A zone to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewZone {
    /// With its letters as typed.
    pub name: Name,
    /// At least one, at different addresses.
    pub primaries: Vec<Primary>,
    pub service: Service,
    /// None for a claim that is still to be proven.
    pub proof: Option<Proof>,
    pub settings: Settings,
    pub tags: Tags,
    /// The id under which the store holds a zone of this name that the inventory does not know: the zone gets it, and
    /// with it its contents. None where there is no such zone, or it was removed.
    pub stored_as: Option<ZoneId>,
}

impl NewZone {
    /// A zone to answer from the first transfer on, by the word of whoever runs the service.
    pub fn answering(name: Name, primaries: Vec<Primary>) -> Self {
        let proof = Some(Proof::Operator);
        let (service, settings, tags) = (Service::Answering, Settings::default(), Tags::default());
        Self { name, primaries, service, proof, settings, tags, stored_as: None }
    }
}

/// A zone as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub id: ZoneId,
    pub tenant: TenantId,
    /// With its letters as typed.
    pub name: Name,
    pub service: Service,
    /// What shows that the name is the tenant's; none for a claim, which is followed and not answered.
    pub proof: Option<Proof>,
    pub created_at: Moment,
    /// In the order in which they were given.
    pub primaries: Vec<Primary>,
    pub settings: Settings,
    pub tags: Tags,
}

/// What is to be changed about a zone; the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneChange {
    pub primaries: Option<Vec<Primary>>,
    /// What becomes of those before, where they are others.
    pub former: Former,
    pub service: Option<Service>,
    pub settings: Option<Settings>,
    pub tags: Option<Tags>,
}

impl ZoneChange {
    /// As the audit log has it.
    fn said(&self) -> Value {
        let mut said = serde_json::Map::new();
        if let Some(primaries) = &self.primaries {
            said.insert("primaries".into(), json!(addresses(primaries)));
        }
        if let Some(service) = self.service {
            said.insert("service".into(), json!(service.as_str()));
        }
        if let Some(settings) = &self.settings {
            said.insert("settings".into(), json!(settings.to_texts()));
        }
        if let Some(tags) = &self.tags {
            said.insert("tags".into(), json!(tags.iter().collect::<Vec<_>>()));
        }
        Value::Object(said)
    }
}

fn addresses(primaries: &[Primary]) -> Vec<String> {
    primaries.iter().map(|primary| primary.address.to_string()).collect()
}

/// What it took to make sure of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    Created(ZoneId),
    /// It was there with other primaries, or as the member of a catalog.
    Changed(ZoneId),
    AsItWas(ZoneId),
}

impl Inventory {
    /// Adds a zone, durably and whole. The member of a catalog becomes a configured zone, with its contents.
    pub async fn add_zone(&self, by: &By, tenant: TenantId, zone: &NewZone) -> Result<ZoneId, AddZoneError> {
        let mut transaction = self.begin().await?;
        let mut allowance = Allowance::of(&mut transaction, tenant, by.at).await?;
        let id = add(&mut transaction, tenant, zone, &mut allowance, by.at).await?;
        let details = json!({ "primaries": addresses(&zone.primaries) });
        write_audit(&mut transaction, Some(tenant), by, "zone.added", &zone.name.to_string(), details).await?;
        self.commit_change_of(Changed::zones([id]), transaction).await?;
        Ok(id)
    }

    /// Makes sure that the zone exists with exactly these primaries in this order, and with these settings besides what else
    /// is set for it; its service stays as it is. If it was the member of a catalog, it is a configured zone from then
    /// on.
    pub async fn ensure_zone(&self, tenant: TenantId, zone: &NewZone, now: Moment) -> Result<Ensured, AddZoneError> {
        let mut transaction = self.begin().await?;
        let ensured = ensure(&mut transaction, tenant, zone, now).await?;
        match ensured {
            Ensured::AsItWas(_) => {}
            Ensured::Created(_) | Ensured::Changed(_) => self.commit_change(transaction).await?,
        }
        Ok(ensured)
    }

    /// Changes what `decide` says about the zone as it is, durably and whole, whatever else is changed at the same time.
    /// `decide` may say no: then nothing is changed.
    pub async fn change_zone<E>(
        &self,
        by: &By,
        tenant: TenantId,
        name: &Name,
        decide: impl FnOnce(&Zone) -> Result<ZoneChange, E>,
    ) -> Result<Result<ZoneId, E>, ChangeZoneError> {
        let mut transaction = self.begin().await?;
        let Some(zone) = read_by_name(&mut transaction, tenant, name).await? else {
            return Err(ChangeZoneError::Unknown(name.clone()));
        };
        let id = zone.id;
        let change = match decide(&zone) {
            Ok(change) => change,
            Err(no) => return Ok(Err(no)),
        };
        if let Some(primaries) = &change.primaries {
            check_primaries_allowed(&mut transaction, tenant, name, primaries.len()).await?;
            replace_primaries(&mut transaction, tenant, id, name, primaries).await?;
            if change.former == Former::Remembered && *primaries != zone.primaries {
                remember(&mut transaction, id, &zone.primaries).await?;
            }
        }
        if let Some(settings) = &change.settings {
            check_named_keys(&mut transaction, tenant, name, settings, &zone.settings).await?;
            update_settings(&mut transaction, id, settings).await?;
        }
        if let Some(tags) = &change.tags {
            update_tags(&mut transaction, id, tags).await?;
        }
        if let Some(service) = change.service {
            sqlx::query("UPDATE zones SET service = $2 WHERE id = $1")
                .bind(to_i64(id.0))
                .bind(service.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        write_audit(&mut transaction, Some(tenant), by, "zone.changed", &name.to_string(), change.said()).await?;
        self.commit_change_of(Changed::zones([id]), transaction).await?;
        Ok(Ok(id))
    }

    /// Removes the zone with its primaries and its attempts, and gives its id. From then on it is among
    /// [`Intent::removed`](crate::Intent::removed), until [`Inventory::forget_removed`].
    pub async fn remove_zone(&self, by: &By, tenant: TenantId, name: &Name) -> Result<ZoneId, RemoveZoneError> {
        let mut transaction = self.begin().await?;
        let Some(id) = find_id(&mut transaction, tenant, name).await? else {
            return Err(RemoveZoneError::Unknown(name.clone()));
        };
        remove(&mut transaction, id).await?;
        write_removal(&mut transaction, by, tenant, name, None).await?;
        self.commit_change_of(Changed::zones([id]), transaction).await?;
        Ok(id)
    }
}

/// Makes sure of the zone as [`Inventory::ensure_zone`] says; after an error the transaction is not to be committed.
pub(crate) async fn ensure(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &NewZone,
    now: Moment,
) -> Result<Ensured, AddZoneError> {
    let Some(id) = find_id(transaction, tenant, &zone.name).await? else {
        let mut allowance = Allowance::of(transaction, tenant, now).await?;
        let id = insert(transaction, tenant, zone, Inherits::Anything, &mut allowance, now).await?;
        return Ok(Ensured::Created(id));
    };
    let was_member = make_configured(transaction, id).await?;
    let mut settings = settings_of(transaction, id).await?;
    let before = settings.clone();
    settings.take(&zone.settings);
    let as_it_was = primaries_of(transaction, id).await? == zone.primaries && settings == before;
    if as_it_was && !was_member {
        return Ok(Ensured::AsItWas(id));
    }
    update_settings(transaction, id, &settings).await?;
    replace_primaries(transaction, tenant, id, &zone.name, &zone.primaries).await?;
    Ok(Ensured::Changed(id))
}

/// Adds the zone as [`Inventory::add_zone`] says; after an error the transaction holds nothing of it.
pub(crate) async fn add(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &NewZone,
    allowance: &mut Allowance,
    now: Moment,
) -> Result<ZoneId, AddZoneError> {
    check_primaries(transaction, tenant, &zone.name, &zone.primaries).await?;
    check_named_keys(transaction, tenant, &zone.name, &zone.settings, &Settings::default()).await?;
    match find_id(transaction, tenant, &zone.name).await? {
        Some(id) if make_configured(transaction, id).await? => {
            allowance.allows_primaries(&zone.name, zone.primaries.len())?;
            make_like(transaction, tenant, id, zone).await?;
            update_tags(transaction, id, &zone.tags).await?;
            Ok(id)
        }
        _ => insert(transaction, tenant, zone, Inherits::Anything, allowance, now).await,
    }
}

/// Adds the zone's rows, or says why not. Where its name is kept, it goes on as that zone. After an error the transaction holds nothing of the zone.
pub(crate) async fn insert(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &NewZone,
    heir: Inherits<'_>,
    allowance: &mut Allowance,
    now: Moment,
) -> Result<ZoneId, AddZoneError> {
    if let Err(refused) = allowance.allows(&zone.name, zone.primaries.len()) {
        // Who has it already is to hear that, and not of a plan that would let them have it.
        return Err(exists_already(transaction, tenant, &zone.name).await?.unwrap_or(refused));
    }
    check_primaries(transaction, tenant, &zone.name, &zone.primaries).await?;
    let kept = kept_for(transaction, tenant, &zone.name, heir, now).await?;
    let kept_claim = match (zone.proof, kept) {
        (None, Some(kept)) => Carried::of_kept(transaction, kept).await?,
        _ => None,
    };
    let stored_as = match zone.stored_as {
        _ if kept.is_some() => kept,
        Some(id) if is_removed(transaction, id).await? => None,
        stored_as => stored_as,
    };
    // Whoever comes second gets no row, and no error that would end the transaction.
    let statement = match stored_as {
        Some(_) => {
            "INSERT INTO zones (tenant_id, name, spelling, service, settings, created_at_ms, proof, proven_at_ms, id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id"
        }
        None => {
            "INSERT INTO zones (tenant_id, name, spelling, service, settings, created_at_ms, proof, proven_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id"
        }
    };
    let mut query = sqlx::query_scalar(statement)
        .bind(to_i64(tenant.0))
        .bind(lower_text(&zone.name))
        .bind(zone.name.to_string())
        .bind(zone.service.as_str())
        .bind(settings_text(&zone.settings))
        .bind(to_i64(now.0))
        .bind(zone.proof.map(Proof::as_str))
        .bind(zone.proof.map(|_| to_i64(now.0)));
    if let Some(id) = stored_as {
        query = query.bind(to_i64(id.0));
    }
    let id: Option<i64> = query.fetch_optional(&mut **transaction).await?;
    let Some(id) = id else {
        let exists = exists_already(transaction, tenant, &zone.name).await?;
        return Err(exists.unwrap_or_else(|| AddZoneError::NameProven(zone.name.clone())));
    };
    if stored_as.is_some() {
        // PostgreSQL counts only the ids that it has given itself.
        reserve_ids(transaction, id).await?;
    }
    let id = ZoneId(to_u64(id)?);
    if kept.is_some() {
        take_back(transaction, id).await?;
    }
    if let Some(claim) = kept_claim {
        claim.give(transaction, id).await?;
    }
    if zone.proof.is_some() {
        end_kept_proofs(transaction, tenant, &zone.name).await?;
    }
    if !zone.tags.is_empty() {
        update_tags(transaction, id, &zone.tags).await?;
    }
    insert_primaries(transaction, tenant, id, &zone.name, &zone.primaries).await?;
    allowance.spend();
    Ok(id)
}

async fn exists_already(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<Option<AddZoneError>, InventoryError> {
    let found = find_id(transaction, tenant, name).await?;
    Ok(found.map(|_| AddZoneError::ExistsAlready(name.clone())))
}

/// Gives a zone that is there exactly these primaries and settings; after an error the transaction is not to be committed.
pub(crate) async fn make_like(
    transaction: &mut Transaction,
    tenant: TenantId,
    id: ZoneId,
    zone: &NewZone,
) -> Result<(), AddZoneError> {
    update_settings(transaction, id, &zone.settings).await?;
    replace_primaries(transaction, tenant, id, &zone.name, &zone.primaries).await
}

async fn settings_of(transaction: &mut Transaction, id: ZoneId) -> Result<Settings, InventoryError> {
    let (zone, text): (String, String) = sqlx::query_as("SELECT spelling, settings FROM zones WHERE id = $1")
        .bind(to_i64(id.0))
        .fetch_one(&mut **transaction)
        .await?;
    read_settings(&zone, &text)
}

async fn update_settings(
    transaction: &mut Transaction,
    id: ZoneId,
    settings: &Settings,
) -> Result<(), InventoryError> {
    sqlx::query("UPDATE zones SET settings = $2 WHERE id = $1")
        .bind(to_i64(id.0))
        .bind(settings_text(settings))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn replace_primaries(
    transaction: &mut Transaction,
    tenant: TenantId,
    id: ZoneId,
    name: &Name,
    primaries: &[Primary],
) -> Result<(), AddZoneError> {
    check(name, primaries)?;
    sqlx::query("DELETE FROM primaries WHERE zone_id = $1").bind(to_i64(id.0)).execute(&mut **transaction).await?;
    insert_primaries(transaction, tenant, id, name, primaries).await
}

async fn insert_primaries(
    transaction: &mut Transaction,
    tenant: TenantId,
    id: ZoneId,
    name: &Name,
    primaries: &[Primary],
) -> Result<(), AddZoneError> {
    for (position, primary) in (0_i64..).zip(primaries) {
        let key = match &primary.key {
            Some(key) => Some(key_id(transaction, tenant, name, key).await?),
            None => None,
        };
        let columns = TlsColumns::of(primary);
        sqlx::query(
            "INSERT INTO primaries (zone_id, position, ip, port, key_id, source, tls, alpn) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(to_i64(id.0))
        .bind(position)
        .bind(primary.address.ip().to_string())
        .bind(i64::from(primary.address.port()))
        .bind(key)
        .bind(primary.source.map(|source| source.to_string()))
        .bind(columns.tls)
        .bind(columns.alpn)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

fn check(name: &Name, primaries: &[Primary]) -> Result<(), AddZoneError> {
    if primaries.is_empty() {
        return Err(AddZoneError::NoPrimary(name.clone()));
    }
    for (index, primary) in primaries.iter().enumerate() {
        if primaries[..index].iter().any(|earlier| earlier.address == primary.address) {
            return Err(AddZoneError::PrimaryTwice(name.clone()));
        }
    }
    Ok(())
}

/// Whether these can be a zone's primaries. Their keys are looked up before anything is written, so that an unknown one
/// leaves nothing behind.
async fn check_primaries(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
    primaries: &[Primary],
) -> Result<(), AddZoneError> {
    check(name, primaries)?;
    for key in primaries.iter().filter_map(|primary| primary.key.as_ref()) {
        key_id(transaction, tenant, name, key).await?;
    }
    Ok(())
}

pub(crate) async fn find_id(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<Option<ZoneId>, InventoryError> {
    let id: Option<i64> = sqlx::query_scalar("SELECT id FROM zones WHERE tenant_id = $1 AND name = $2")
        .bind(to_i64(tenant.0))
        .bind(lower_text(name))
        .fetch_optional(&mut **transaction)
        .await?;
    id.map(|id| to_u64(id).map(ZoneId)).transpose()
}

/// The tenant's zone of that name, whatever the case of its letters.
async fn read_by_name(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<Option<Zone>, InventoryError> {
    let row: Option<ZoneRow> = sqlx::query_as(
        "SELECT id, tenant_id, spelling, service, proof, settings, tags, created_at_ms FROM zones WHERE tenant_id = $1 AND name = $2",
    )
    .bind(to_i64(tenant.0))
    .bind(lower_text(name))
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut zone = row.read()?;
    zone.primaries = primaries_of(transaction, zone.id).await?;
    Ok(Some(zone))
}

pub(crate) async fn primaries_of(transaction: &mut Transaction, id: ZoneId) -> Result<Vec<Primary>, InventoryError> {
    let rows: Vec<PrimaryRow> = sqlx::query_as(
        "SELECT p.zone_id, p.ip, p.port, k.name AS key_name, p.source, p.tls, p.alpn \
         FROM primaries p LEFT JOIN keys k ON k.id = p.key_id WHERE p.zone_id = $1 ORDER BY p.position",
    )
    .bind(to_i64(id.0))
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(PrimaryRow::read).collect()
}

#[derive(FromRow)]
pub(crate) struct ZoneRow {
    id: i64,
    tenant_id: i64,
    spelling: String,
    service: String,
    proof: Option<String>,
    settings: String,
    tags: String,
    created_at_ms: i64,
}

impl ZoneRow {
    /// The zone, without its primaries.
    pub(crate) fn read(self) -> Result<Zone, InventoryError> {
        Ok(Zone {
            id: ZoneId(to_u64(self.id)?),
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: read_name(&self.spelling)?,
            service: self.service.parse()?,
            proof: self.proof.map(|proof| proof.parse()).transpose()?,
            created_at: Moment(to_u64(self.created_at_ms)?),
            primaries: Vec::new(),
            settings: read_settings(&self.spelling, &self.settings)?,
            tags: Tags::from_stored(&self.tags),
        })
    }
}
