//! Catalogs (RFC 9432): zones whose members are here because they list them.
//!
//! A zone is a member of one catalog or it is configured. One that is configured is never touched by a catalog, and
//! configuring a member makes it a configured zone. When a catalog is removed, its members stay, as configured zones:
//! only a plan removes any.
//!
//! Templates are text that means nothing here: whoever has a plan carried out says what zones are made of.

mod apply;
mod configured;
mod holdings;
mod named;

use std::collections::BTreeMap;
use std::time::Duration;

use dns::Name;
use sqlx::FromRow;
use xfr::Moment;
use zone::ZoneId;
use zone::catalog::{Guard, Label, Rules};

pub use apply::Make;
pub use named::KeysOf;

pub(crate) use named::catalog_that_names;

use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::{lower_text, read_name};

/// What the owner of a catalog wants of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogSettings {
    /// Members are at or below one of these; none, no members.
    pub suffixes: Vec<Name>,
    /// What members are made of: JSON.
    pub template: String,
    /// What the members of these groups are made of instead.
    pub groups: BTreeMap<String, String>,
    pub guard: Guard,
}

/// A zone that is to be read as a catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    pub id: ZoneId,
    pub tenant: TenantId,
    /// With its letters as typed.
    pub name: Name,
    pub settings: CatalogSettings,
    pub created_at: Moment,
}

impl Catalog {
    pub fn rules(&self) -> Rules {
        let CatalogSettings { suffixes, groups, guard, .. } = &self.settings;
        Rules { suffixes: suffixes.clone(), groups: groups.keys().cloned().collect(), guard: *guard }
    }
}

/// A zone that is here because a catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogMember {
    pub id: ZoneId,
    pub name: Name,
    pub label: Label,
    pub group: Option<String>,
    /// Since when the catalog has not listed it under its label.
    pub missing_since: Option<Moment>,
}

impl Inventory {
    /// The tenant's catalogs, in the order of their ids.
    pub async fn list_catalogs(&self, tenant: TenantId) -> Result<Vec<Catalog>, InventoryError> {
        self.read_catalogs(Some(tenant)).await
    }

    /// All catalogs of all tenants, in the order of their ids: what the program reads.
    pub async fn all_catalogs(&self) -> Result<Vec<Catalog>, InventoryError> {
        self.read_catalogs(None).await
    }

    async fn read_catalogs(&self, tenant: Option<TenantId>) -> Result<Vec<Catalog>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        catalogs_of(&mut transaction, tenant).await
    }

    /// The catalog's members in the order of their names as text in lower case.
    pub async fn catalog_members(&self, catalog: &Catalog) -> Result<Vec<CatalogMember>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        members_of(&mut transaction, catalog).await
    }

    /// The name of the catalog that the tenant's zone is a member of; none for a configured one.
    pub async fn catalog_of(&self, tenant: TenantId, zone: &Name) -> Result<Option<Name>, InventoryError> {
        let spelling: Option<String> = sqlx::query_scalar(
            "SELECT c.spelling FROM zones z JOIN catalog_members m ON m.zone_id = z.id \
             JOIN zones c ON c.id = m.catalog_id WHERE z.tenant_id = $1 AND z.name = $2",
        )
        .bind(to_i64(tenant.0))
        .bind(lower_text(zone))
        .fetch_optional(self.reader())
        .await?;
        spelling.as_deref().map(read_name).transpose()
    }
}

/// All catalogs, or those of one tenant, in the order of their ids.
async fn catalogs_of(
    transaction: &mut Transaction,
    tenant: Option<TenantId>,
) -> Result<Vec<Catalog>, InventoryError> {
    let rows: Vec<CatalogRow> = sqlx::query_as(
        "SELECT c.zone_id, z.tenant_id, z.spelling, c.template, c.guard_share_percent, c.guard_zones_min, \
             c.guard_delay_ms, c.created_at_ms FROM catalogs c JOIN zones z ON z.id = c.zone_id \
             WHERE z.tenant_id = COALESCE($1, z.tenant_id) ORDER BY c.zone_id",
    )
    .bind(tenant.map(|tenant| to_i64(tenant.0)))
    .fetch_all(&mut **transaction)
    .await?;
    let mut catalogs = Vec::with_capacity(rows.len());
    for row in rows {
        let mut catalog = row.read()?;
        catalog.settings.suffixes = suffixes_of(transaction, catalog.id).await?;
        catalog.settings.groups = groups_of(transaction, catalog.id).await?;
        catalogs.push(catalog);
    }
    Ok(catalogs)
}

async fn write_settings(
    transaction: &mut Transaction,
    id: ZoneId,
    settings: &CatalogSettings,
    now: Moment,
) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO catalogs (zone_id, template, guard_share_percent, guard_zones_min, guard_delay_ms, created_at_ms) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (zone_id) DO UPDATE SET template = excluded.template, \
         guard_share_percent = excluded.guard_share_percent, guard_zones_min = excluded.guard_zones_min, \
         guard_delay_ms = excluded.guard_delay_ms",
    )
    .bind(to_i64(id.0))
    .bind(&settings.template)
    .bind(i64::from(settings.guard.share_percent))
    .bind(i64::from(settings.guard.zones_min))
    .bind(millis(settings.guard.delay))
    .bind(to_i64(now.0))
    .execute(&mut **transaction)
    .await?;
    replace_suffixes(transaction, id, &settings.suffixes).await?;
    replace_groups(transaction, id, &settings.groups).await
}

async fn members_of(transaction: &mut Transaction, catalog: &Catalog) -> Result<Vec<CatalogMember>, InventoryError> {
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT m.zone_id, z.spelling, m.label, m.group_name, m.missing_since_ms FROM catalog_members m \
         JOIN zones z ON z.id = m.zone_id WHERE m.catalog_id = $1 AND z.tenant_id = $2 ORDER BY z.name",
    )
    .bind(to_i64(catalog.id.0))
    .bind(to_i64(catalog.tenant.0))
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(MemberRow::read).collect()
}

/// Makes a configured zone of a member. No when it is one already.
pub(crate) async fn make_configured(transaction: &mut Transaction, zone: ZoneId) -> Result<bool, InventoryError> {
    let deleted = sqlx::query("DELETE FROM catalog_members WHERE zone_id = $1")
        .bind(to_i64(zone.0))
        .execute(&mut **transaction)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

async fn replace_suffixes(
    transaction: &mut Transaction,
    id: ZoneId,
    suffixes: &[Name],
) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM catalog_suffixes WHERE catalog_id = $1")
        .bind(to_i64(id.0))
        .execute(&mut **transaction)
        .await?;
    for suffix in suffixes {
        sqlx::query("INSERT INTO catalog_suffixes (catalog_id, suffix) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(to_i64(id.0))
            .bind(lower_text(suffix))
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn replace_groups(
    transaction: &mut Transaction,
    id: ZoneId,
    groups: &BTreeMap<String, String>,
) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM catalog_groups WHERE catalog_id = $1")
        .bind(to_i64(id.0))
        .execute(&mut **transaction)
        .await?;
    for (group, template) in groups {
        sqlx::query("INSERT INTO catalog_groups (catalog_id, group_name, template) VALUES ($1, $2, $3)")
            .bind(to_i64(id.0))
            .bind(group)
            .bind(template)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn suffixes_of(transaction: &mut Transaction, id: ZoneId) -> Result<Vec<Name>, InventoryError> {
    let suffixes: Vec<String> =
        sqlx::query_scalar("SELECT suffix FROM catalog_suffixes WHERE catalog_id = $1 ORDER BY suffix")
            .bind(to_i64(id.0))
            .fetch_all(&mut **transaction)
            .await?;
    suffixes.iter().map(|suffix| read_name(suffix)).collect()
}

async fn groups_of(transaction: &mut Transaction, id: ZoneId) -> Result<BTreeMap<String, String>, InventoryError> {
    let groups: Vec<(String, String)> =
        sqlx::query_as("SELECT group_name, template FROM catalog_groups WHERE catalog_id = $1")
            .bind(to_i64(id.0))
            .fetch_all(&mut **transaction)
            .await?;
    Ok(groups.into_iter().collect())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn read_label(text: &str) -> Result<Label, InventoryError> {
    text.parse().map_err(|error| InventoryError::Damaged(format!("it holds the label {text:?}: {error}")))
}

#[derive(FromRow)]
struct CatalogRow {
    zone_id: i64,
    tenant_id: i64,
    spelling: String,
    template: String,
    guard_share_percent: i64,
    guard_zones_min: i64,
    guard_delay_ms: i64,
    created_at_ms: i64,
}

impl CatalogRow {
    /// The catalog, without its suffixes and groups.
    fn read(self) -> Result<Catalog, InventoryError> {
        let damaged =
            || InventoryError::Damaged(format!("the guard of the catalog {:?} cannot be read", self.spelling));
        let guard = Guard {
            share_percent: u8::try_from(self.guard_share_percent).map_err(|_| damaged())?,
            zones_min: u32::try_from(self.guard_zones_min).map_err(|_| damaged())?,
            delay: Duration::from_millis(to_u64(self.guard_delay_ms)?),
        };
        Ok(Catalog {
            id: ZoneId(to_u64(self.zone_id)?),
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: read_name(&self.spelling)?,
            settings: CatalogSettings {
                suffixes: Vec::new(),
                template: self.template,
                groups: BTreeMap::new(),
                guard,
            },
            created_at: Moment(to_u64(self.created_at_ms)?),
        })
    }
}

#[derive(FromRow)]
struct MemberRow {
    zone_id: i64,
    spelling: String,
    label: String,
    group_name: Option<String>,
    missing_since_ms: Option<i64>,
}

impl MemberRow {
    fn read(self) -> Result<CatalogMember, InventoryError> {
        Ok(CatalogMember {
            id: ZoneId(to_u64(self.zone_id)?),
            name: read_name(&self.spelling)?,
            label: read_label(&self.label)?,
            group: self.group_name,
            missing_since: self.missing_since_ms.map(to_u64).transpose()?.map(Moment),
        })
    }
}
