//! TSIG keys.

use dns::Name;
use serde_json::json;
use xfr::{Algorithm, Key, Moment, Settings};

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::catalogs::{KeysOf, catalog_that_names};
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{AddKeyError, AddZoneError, InventoryError, RemoveKeyError};
use crate::names::{lower_text, read_name};
use crate::primaries::read_settings;

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    pub name: Name,
    pub algorithm: Algorithm,
    pub created_at: Moment,
    /// How many primaries are asked with it.
    pub primaries: u64,
}

impl Inventory {
    pub async fn add_key(&self, by: &By, tenant: TenantId, key: &Key) -> Result<(), AddKeyError> {
        let mut transaction = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO keys (tenant_id, name, algorithm, secret, created_at_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(to_i64(tenant.0))
        .bind(lower_text(key.name()))
        .bind(key.algorithm().to_string())
        .bind(key.secret_base64())
        .bind(to_i64(by.at.0))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if added == 0 {
            return Err(AddKeyError::ExistsAlready(key.name().clone()));
        }
        let details = json!({ "algorithm": key.algorithm().to_string() });
        write_audit(&mut transaction, Some(tenant), by, "key.added", &key.name().to_string(), details).await?;
        self.commit_change_of(Changed::key(tenant, key.name()), transaction).await?;
        Ok(())
    }

    /// Makes sure that the key exists with this algorithm and secret.
    pub async fn ensure_key(&self, tenant: TenantId, key: &Key, now: Moment) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "INSERT INTO keys (tenant_id, name, algorithm, secret, created_at_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant_id, name) DO UPDATE SET algorithm = excluded.algorithm, secret = excluded.secret \
             WHERE keys.algorithm <> excluded.algorithm OR keys.secret <> excluded.secret",
        )
        .bind(to_i64(tenant.0))
        .bind(lower_text(key.name()))
        .bind(key.algorithm().to_string())
        .bind(key.secret_base64())
        .bind(to_i64(now.0))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if changed > 0 {
            self.commit_change(transaction).await?;
        }
        Ok(())
    }

    /// The tenant's keys in the order of their names, without their secrets.
    pub async fn list_keys(&self, tenant: TenantId) -> Result<Vec<KeyEntry>, InventoryError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT k.name, k.algorithm, k.created_at_ms, COUNT(p.zone_id) FROM keys k \
             LEFT JOIN primaries p ON p.key_id = k.id WHERE k.tenant_id = $1 \
             GROUP BY k.id, k.name, k.algorithm, k.created_at_ms ORDER BY k.name",
        )
        .bind(to_i64(tenant.0))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter()
            .map(|(name, algorithm, created_at_ms, primaries)| {
                let algorithm = algorithm
                    .parse()
                    .map_err(|error| InventoryError::Damaged(format!("it holds the key {name:?}: {error}")))?;
                Ok(KeyEntry {
                    name: read_name(&name)?,
                    algorithm,
                    created_at: Moment(to_u64(created_at_ms)?),
                    primaries: to_u64(primaries)?,
                })
            })
            .collect()
    }

    /// Removes the key, unless a primary is asked with it, or the settings of a zone or what members of a catalog are made of
    /// name it.
    pub async fn remove_key(
        &self,
        by: &By,
        tenant: TenantId,
        name: &Name,
        keys_of: KeysOf,
    ) -> Result<(), RemoveKeyError> {
        let mut transaction = self.begin().await?;
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM keys WHERE tenant_id = $1 AND name = $2")
            .bind(to_i64(tenant.0))
            .bind(lower_text(name))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(id) = id else {
            return Err(RemoveKeyError::Unknown(name.clone()));
        };
        let zones: i64 = sqlx::query_scalar("SELECT COUNT(DISTINCT zone_id) FROM primaries WHERE key_id = $1")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
        if zones > 0 {
            return Err(RemoveKeyError::InUse { key: name.clone(), zones: to_u64(zones)? });
        }
        if let Some(zone) = zone_that_names(&mut transaction, tenant, name).await? {
            return Err(RemoveKeyError::Named { key: name.clone(), zone });
        }
        if let Some(catalog) = catalog_that_names(&mut transaction, tenant, name, keys_of).await? {
            return Err(RemoveKeyError::NamedByCatalog { key: name.clone(), catalog });
        }
        sqlx::query("DELETE FROM keys WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        write_audit(&mut transaction, Some(tenant), by, "key.removed", &name.to_string(), json!({})).await?;
        self.commit_change_of(Changed::key(tenant, name), transaction).await?;
        Ok(())
    }
}

pub(crate) async fn key_id(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &Name,
    key: &Name,
) -> Result<i64, AddZoneError> {
    let id: Option<i64> = sqlx::query_scalar("SELECT id FROM keys WHERE tenant_id = $1 AND name = $2")
        .bind(to_i64(tenant.0))
        .bind(lower_text(key))
        .fetch_optional(&mut **transaction)
        .await?;
    id.ok_or_else(|| AddZoneError::UnknownKey { zone: zone.clone(), key: key.clone() })
}

/// Whether the keys are there that these settings name and those before did not: with one that is mistyped, NOTIFYs and
/// copies would be refused, and nobody would know why.
pub(crate) async fn check_named_keys(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &Name,
    settings: &Settings,
    before: &Settings,
) -> Result<(), AddZoneError> {
    let before = before.keys();
    for key in settings.keys().iter().filter(|key| !before.contains(key)) {
        key_id(transaction, tenant, zone, key).await?;
    }
    Ok(())
}

/// The first of the tenant's zones whose settings name the key.
async fn zone_that_names(
    transaction: &mut Transaction,
    tenant: TenantId,
    key: &Name,
) -> Result<Option<Name>, InventoryError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT spelling, settings FROM zones WHERE tenant_id = $1 AND LOWER(settings) LIKE $2 ORDER BY name",
    )
    .bind(to_i64(tenant.0))
    .bind(holds(&lower_text(key)))
    .fetch_all(&mut **transaction)
    .await?;
    for (zone, settings) in rows {
        if read_settings(&zone, &settings)?.keys().contains(key) {
            return read_name(&zone).map(Some);
        }
    }
    Ok(None)
}

/// What a text that holds this one is like: a name's escapes, which stand in JSON as others, and what `LIKE` takes for
/// something else are any text.
fn holds(text: &str) -> String {
    let escaped = text.split(['\\', '%', '_']).collect::<Vec<_>>().join("%");
    format!("%{escaped}%")
}
