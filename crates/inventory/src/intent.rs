//! What should exist, of one moment: what reconcile compares the node with.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dns::Name;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::QueryAs;
use sqlx::{Any, FromRow, Row};
use xfr::{Algorithm, Key, Moment, Primary};
use zone::ZoneId;

use crate::TenantId;
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::{lower_text, read_name};
use crate::plans::{Terms, terms};
use crate::primaries::PrimaryRow;
use crate::zones::{Zone, ZoneRow};

/// All zones of all tenants with their primaries and keys, of one moment; or some of them, by [`Inventory::intent_of`].
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// In the order of their ids.
    pub zones: Vec<Zone>,
    /// By tenant and name.
    pub keys: HashMap<(TenantId, Name), Arc<Key>>,
    /// The zones that are catalogs, with their names.
    pub catalogs: HashMap<ZoneId, Name>,
    /// The zones that are members, each with its catalog.
    pub members: HashMap<ZoneId, ZoneId>,
    /// Zones that somebody removed, to be deleted from the store too. A zone that is neither here nor in `zones` is
    /// one that the inventory does not know, and no order to delete anything.
    pub removed: HashSet<ZoneId>,
    /// Zones that somebody or a catalog removed, whose contents are kept until then, and are not answered.
    pub kept: HashMap<ZoneId, Moment>,
    /// The plans of tenants that have one.
    pub terms: HashMap<TenantId, Terms>,
}

impl Intent {
    /// The key that the zone's primary is asked with.
    pub fn key(&self, zone: &Zone, primary: &Primary) -> Option<&Arc<Key>> {
        self.keys.get(&(zone.tenant, primary.key.clone()?))
    }
}

impl Inventory {
    /// Reads everything that should exist; some 10 µs a zone.
    pub async fn intent(&self) -> Result<Intent, InventoryError> {
        // One transaction, so that no zone is seen without the key that was added before it.
        let mut transaction = self.reader().begin().await?;
        let mut intent = Intent::default();
        read_keys(&mut transaction, None, &mut intent).await?;
        read_zones(&mut transaction, Which::All, &mut intent).await?;
        read_catalogs(&mut transaction, Which::All, &mut intent).await?;
        read_removed(&mut transaction, Which::All, &mut intent).await?;
        drop(transaction);
        intent.terms = self.all_terms().await?.into_iter().collect();
        Ok(intent)
    }

    /// Reads what should exist of what has changed, and what the zones need of it: the keys of their primaries, their
    /// catalogs, their tenants' plans. What of it is not there should not exist. Of tenants that is all their zones.
    pub async fn intent_of(&self, changed: &Changed) -> Result<Intent, InventoryError> {
        let Changed::Only { zones, keys, tenants } = changed else { return self.intent().await };
        let mut transaction = self.reader().begin().await?;
        let mut intent = Intent::default();
        let zones = runs(zones.iter().copied());
        // What was removed goes by no plan.
        for run in &zones {
            read_removed(&mut transaction, *run, &mut intent).await?;
        }
        for which in zones.into_iter().chain(tenants.iter().map(|tenant| Which::OfTenant(*tenant))) {
            read_zones(&mut transaction, which, &mut intent).await?;
            read_catalogs(&mut transaction, which, &mut intent).await?;
        }
        // One that has changed itself may be its tenant's, too.
        intent.zones.sort_by_key(|zone| zone.id);
        intent.zones.dedup_by_key(|zone| zone.id);
        let tenants: BTreeSet<TenantId> =
            intent.zones.iter().map(|zone| zone.tenant).chain(tenants.iter().copied()).collect();
        for tenant in tenants.into_iter().filter(|tenant| *tenant != TenantId::DEFAULT) {
            intent.terms.insert(tenant, terms(&mut transaction, tenant).await?);
        }
        let used = |zone: &Zone| {
            let keys = zone.primaries.iter().filter_map(|primary| primary.key.clone());
            keys.map(|key| (zone.tenant, key)).collect::<Vec<_>>()
        };
        let keys: BTreeSet<(TenantId, Name)> =
            intent.zones.iter().flat_map(used).chain(keys.iter().cloned()).collect();
        for key in &keys {
            read_keys(&mut transaction, Some(key), &mut intent).await?;
        }
        Ok(intent)
    }
}

/// Which zones are read.
#[derive(Clone, Copy)]
enum Which {
    All,
    /// From the first to the last, both included.
    Between(ZoneId, ZoneId),
    OfTenant(TenantId),
}

/// These zones, which are in the order of their ids: those whose ids follow each other together, as when they were imported.
fn runs(zones: impl Iterator<Item = ZoneId>) -> Vec<Which> {
    let mut runs: Vec<(ZoneId, ZoneId)> = Vec::new();
    for zone in zones {
        match runs.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(zone.0) => *last = zone,
            _ => runs.push((zone, zone)),
        }
    }
    runs.into_iter().map(|(first, last)| Which::Between(first, last)).collect()
}

/// All keys, or this one.
async fn read_keys(
    transaction: &mut Transaction,
    only: Option<&(TenantId, Name)>,
    intent: &mut Intent,
) -> Result<(), InventoryError> {
    let statement = "SELECT tenant_id, name, algorithm, secret FROM keys";
    let rows = match only {
        None => sqlx::query(statement).fetch_all(&mut **transaction).await?,
        Some((tenant, name)) => {
            let statement = format!("{statement} WHERE tenant_id = $1 AND name = $2");
            let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(to_i64(tenant.0)).bind(lower_text(name));
            query.fetch_all(&mut **transaction).await?
        }
    };
    for row in rows {
        let tenant = TenantId(to_u64(row.try_get("tenant_id")?)?);
        let key = read_key(row.try_get("name")?, row.try_get("algorithm")?, row.try_get("secret")?)?;
        intent.keys.insert((tenant, key.name().clone()), Arc::new(key));
    }
    Ok(())
}

/// Zones with their primaries.
async fn read_zones(transaction: &mut Transaction, which: Which, intent: &mut Intent) -> Result<(), InventoryError> {
    let rows: Vec<ZoneRow> = about(
        which,
        "SELECT id, tenant_id, spelling, service, proof, settings, tags, created_at_ms FROM zones {} ORDER BY id",
        "WHERE id BETWEEN $1 AND $2",
        "WHERE tenant_id = $1",
    )
    .fetch_all(&mut **transaction)
    .await?;
    let mut zones = rows.into_iter().map(ZoneRow::read).collect::<Result<Vec<_>, _>>()?;
    let primaries: Vec<PrimaryRow> = about(
        which,
        "SELECT p.zone_id, p.ip, p.port, k.name AS key_name, p.source, p.tls, p.alpn \
         FROM primaries p LEFT JOIN keys k ON k.id = p.key_id {} ORDER BY p.zone_id, p.position",
        "WHERE p.zone_id BETWEEN $1 AND $2",
        "WHERE p.zone_id IN (SELECT id FROM zones WHERE tenant_id = $1)",
    )
    .fetch_all(&mut **transaction)
    .await?;
    let mut remaining = zones.iter_mut().peekable();
    for primary in primaries {
        let id = ZoneId(to_u64(primary.zone_id)?);
        // Both lists are in the order of zone ids.
        while remaining.peek().is_some_and(|zone| zone.id < id) {
            remaining.next();
        }
        if let Some(zone) = remaining.peek_mut().filter(|zone| zone.id == id) {
            zone.primaries.push(primary.read()?);
        }
    }
    intent.zones.extend(zones);
    Ok(())
}

/// All catalogs and members; or which of these zones are one, and their catalogs.
async fn read_catalogs(
    transaction: &mut Transaction,
    which: Which,
    intent: &mut Intent,
) -> Result<(), InventoryError> {
    let id = |id| to_u64(id).map(ZoneId);
    let members: Vec<(i64, i64)> = about(
        which,
        "SELECT zone_id, catalog_id FROM catalog_members {}",
        "WHERE zone_id BETWEEN $1 AND $2",
        "WHERE zone_id IN (SELECT id FROM zones WHERE tenant_id = $1)",
    )
    .fetch_all(&mut **transaction)
    .await?;
    for (zone, catalog) in members {
        intent.members.insert(id(zone)?, id(catalog)?);
    }
    let catalogs: Vec<(i64, String)> = about(
        which,
        "SELECT c.zone_id, z.spelling FROM catalogs c JOIN zones z ON z.id = c.zone_id {}",
        "WHERE c.zone_id BETWEEN $1 AND $2 \
         OR c.zone_id IN (SELECT catalog_id FROM catalog_members WHERE zone_id BETWEEN $1 AND $2)",
        "WHERE z.tenant_id = $1",
    )
    .fetch_all(&mut **transaction)
    .await?;
    for (zone, name) in catalogs {
        intent.catalogs.insert(id(zone)?, read_name(&name)?);
    }
    Ok(())
}

/// All zones that were removed; or those of these.
async fn read_removed(
    transaction: &mut Transaction,
    which: Which,
    intent: &mut Intent,
) -> Result<(), InventoryError> {
    let gone: Vec<(i64, Option<i64>)> = about(
        which,
        "SELECT zone_id, delete_after_ms FROM removed_zones {}",
        "WHERE zone_id BETWEEN $1 AND $2",
        "WHERE tenant_id = $1",
    )
    .fetch_all(&mut **transaction)
    .await?;
    for (zone, until) in gone {
        let zone = ZoneId(to_u64(zone)?);
        match until {
            None => _ = intent.removed.insert(zone),
            Some(until) => _ = intent.kept.insert(zone, Moment(to_u64(until)?)),
        }
    }
    Ok(())
}

/// A statement about all zones, or with a filter in its gap about some, or those of a tenant.
fn about<'q, T: for<'r> FromRow<'r, AnyRow>>(
    which: Which,
    statement: &str,
    between: &str,
    of_tenant: &str,
) -> QueryAs<'q, Any, T, AnyArguments> {
    let filtered = |filter| sqlx::query_as(sqlx::AssertSqlSafe(statement.replace("{}", filter)));
    match which {
        Which::All => filtered(""),
        Which::Between(first, last) => filtered(between).bind(to_i64(first.0)).bind(to_i64(last.0)),
        Which::OfTenant(tenant) => filtered(of_tenant).bind(to_i64(tenant.0)),
    }
}

fn read_key(name: &str, algorithm: &str, secret: &str) -> Result<Key, InventoryError> {
    let damaged =
        |error: &dyn std::fmt::Display| InventoryError::Damaged(format!("it holds the key {name:?}: {error}"));
    let algorithm: Algorithm = algorithm.parse().map_err(|error| damaged(&error))?;
    Key::from_base64(read_name(name)?, algorithm, secret).map_err(|error| damaged(&error))
}
