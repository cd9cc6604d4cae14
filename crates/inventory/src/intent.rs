//! Everything that should exist, at once: what reconcile compares the node with.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use dns::Name;
use sqlx::Row;
use xfr::{Algorithm, Key, Moment, Primary};
use zone::ZoneId;

use crate::TenantId;
use crate::database::{Inventory, to_u64};
use crate::error::InventoryError;
use crate::plans::Terms;
use crate::primaries::PrimaryRow;
use crate::zones::{Zone, ZoneRow, read_name};

/// All zones of all tenants with their primaries and keys, of one moment.
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// In the order of their ids.
    pub zones: Vec<Zone>,
    /// By tenant and name.
    pub keys: HashMap<(TenantId, Name), Arc<Key>>,
    /// The zones that are catalogs.
    pub catalogs: HashSet<ZoneId>,
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
        let keys = sqlx::query("SELECT tenant_id, name, algorithm, secret FROM keys")
            .fetch_all(&mut *transaction)
            .await?
            .iter()
            .map(|row| {
                let tenant = TenantId(to_u64(row.try_get("tenant_id")?)?);
                let key = read_key(row.try_get("name")?, row.try_get("algorithm")?, row.try_get("secret")?)?;
                Ok(((tenant, key.name().clone()), Arc::new(key)))
            })
            .collect::<Result<_, InventoryError>>()?;
        let rows: Vec<ZoneRow> = sqlx::query_as(
            "SELECT id, tenant_id, spelling, service, proof, settings, created_at_ms FROM zones ORDER BY id",
        )
        .fetch_all(&mut *transaction)
        .await?;
        let mut zones = rows.into_iter().map(ZoneRow::read).collect::<Result<Vec<_>, _>>()?;
        let primaries: Vec<PrimaryRow> = sqlx::query_as(
            "SELECT p.zone_id, p.ip, p.port, k.name AS key_name, p.source, p.tls, p.alpn \
             FROM primaries p LEFT JOIN keys k ON k.id = p.key_id ORDER BY p.zone_id, p.position",
        )
        .fetch_all(&mut *transaction)
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
        let catalogs: Vec<i64> =
            sqlx::query_scalar("SELECT zone_id FROM catalogs").fetch_all(&mut *transaction).await?;
        let catalogs = catalogs.into_iter().map(|id| to_u64(id).map(ZoneId)).collect::<Result<_, _>>()?;
        let members: Vec<(i64, i64)> =
            sqlx::query_as("SELECT zone_id, catalog_id FROM catalog_members").fetch_all(&mut *transaction).await?;
        let ids = |(zone, catalog)| Ok((ZoneId(to_u64(zone)?), ZoneId(to_u64(catalog)?)));
        let members = members.into_iter().map(ids).collect::<Result<_, InventoryError>>()?;
        let gone: Vec<(i64, Option<i64>)> =
            sqlx::query_as("SELECT zone_id, delete_after_ms FROM removed_zones").fetch_all(&mut *transaction).await?;
        let (mut removed, mut kept) = (HashSet::new(), HashMap::new());
        for (id, until) in gone {
            let id = ZoneId(to_u64(id)?);
            match until {
                None => _ = removed.insert(id),
                Some(until) => _ = kept.insert(id, Moment(to_u64(until)?)),
            }
        }
        drop(transaction);
        let terms = self.all_terms().await?.into_iter().collect();
        Ok(Intent { zones, keys, catalogs, members, removed, kept, terms })
    }
}

fn read_key(name: &str, algorithm: &str, secret: &str) -> Result<Key, InventoryError> {
    let damaged =
        |error: &dyn std::fmt::Display| InventoryError::Damaged(format!("it holds the key {name:?}: {error}"));
    let algorithm: Algorithm = algorithm.parse().map_err(|error| damaged(&error))?;
    Key::from_base64(read_name(name)?, algorithm, secret).map_err(|error| damaged(&error))
}
