//! Tenants, which people call organisations.
//!
//! A tenant's number is never used twice, and what it is called need not be its own alone. The default tenant is always
//! there: zones that are configured are its own, and so is what this machine's token does.

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::audit::{self, By};
use crate::TenantId;
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, TenantError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    /// None for one that is older than this is known.
    pub created_at: Option<Moment>,
    pub members: u64,
    pub zones: u64,
}

/// The name of the tenant `t`, also of one that was written by a program that knew no such names.
pub(crate) const NAME: &str = "CASE WHEN t.display_name = '' THEN t.name ELSE t.display_name END";

impl Inventory {
    pub async fn add_tenant(&self, by: &By, name: &str) -> Result<TenantId, InventoryError> {
        let mut transaction = self.begin().await?;
        let id = add(&mut transaction, by, name).await?;
        self.commit_change_of(Changed::tenant(id), transaction).await?;
        Ok(id)
    }

    pub async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, InventoryError> {
        let row: Option<TenantRow> = sqlx::query_as(sqlx::AssertSqlSafe(select("t.id = $1")))
            .bind(to_i64(id.0))
            .fetch_optional(self.reader())
            .await?;
        row.map(TenantRow::read).transpose()
    }

    /// At most `limit` tenants in the order of their numbers, those after `after`, that have `find` in their names; the
    /// case of ASCII's letters does not matter.
    pub async fn tenants(
        &self,
        find: &str,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<Tenant>, InventoryError> {
        let condition = format!("t.id > $1 AND LOWER({NAME}) LIKE $2 ESCAPE '\\'");
        let statement = format!("{} ORDER BY t.id LIMIT $3", select(&condition));
        let rows: Vec<TenantRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(after.map_or(-1, |after| to_i64(after.0)))
            .bind(containing(find))
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(TenantRow::read).collect()
    }

    pub async fn rename_tenant(&self, by: &By, id: TenantId, name: &str) -> Result<(), TenantError> {
        let mut transaction = self.begin().await?;
        let before = name_of(&mut transaction, id).await?.ok_or(TenantError::Unknown)?;
        sqlx::query("UPDATE tenants SET display_name = $2 WHERE id = $1")
            .bind(to_i64(id.0))
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        let details = json!({ "before": before });
        audit::write(&mut transaction, Some(id), by, "organisation.renamed", name, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes the tenant with all that is its own; not the default one. Its zones are among
    /// [`Intent::removed`](crate::Intent::removed) from then on, also those that were kept. Of its members those go who
    /// belong to no other tenant and do not run the service; how many is answered.
    pub async fn remove_tenant(&self, by: &By, id: TenantId) -> Result<u64, TenantError> {
        if id == TenantId::DEFAULT {
            return Err(TenantError::Default);
        }
        let mut transaction = self.begin().await?;
        let name = name_of(&mut transaction, id).await?.ok_or(TenantError::Unknown)?;
        let zones: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM zones WHERE tenant_id = $1")
            .bind(to_i64(id.0))
            .fetch_one(&mut *transaction)
            .await?;
        let users = sqlx::query(
            "DELETE FROM users WHERE standing = 'user' AND id IN (SELECT user_id FROM members WHERE tenant_id = $1) \
             AND id NOT IN (SELECT user_id FROM members WHERE tenant_id <> $1)",
        )
        .bind(to_i64(id.0))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        for statement in REMOVE {
            sqlx::query(statement).bind(to_i64(id.0)).execute(&mut *transaction).await?;
        }
        let details = json!({ "id": id.0, "zones": zones, "users": users });
        audit::write(&mut transaction, None, by, "organisation.removed", &name, details).await?;
        self.commit_change(transaction).await?;
        Ok(users)
    }
}

/// What removes all that is a tenant's own, in this order. Members, tokens, links and the audit log go with its row.
const REMOVE: [&str; 5] = [
    "INSERT INTO removed_zones (zone_id) SELECT id FROM zones WHERE tenant_id = $1 \
     ON CONFLICT (zone_id) DO UPDATE SET delete_after_ms = NULL",
    "UPDATE removed_zones SET delete_after_ms = NULL, tenant_id = NULL, name = NULL, label = NULL WHERE tenant_id = $1",
    "DELETE FROM zones WHERE tenant_id = $1",
    "DELETE FROM keys WHERE tenant_id = $1",
    "DELETE FROM tenants WHERE id = $1",
];

pub(super) async fn add(transaction: &mut Transaction, by: &By, name: &str) -> Result<TenantId, InventoryError> {
    // Somebody may have written one past us.
    let id: i64 = sqlx::query_scalar(
        "UPDATE numbers SET last = CASE WHEN last < (SELECT MAX(id) FROM tenants) \
         THEN (SELECT MAX(id) FROM tenants) ELSE last END + 1 WHERE kind = 'tenants' RETURNING last",
    )
    .fetch_one(&mut **transaction)
    .await?;
    sqlx::query("INSERT INTO tenants (id, name, display_name, created_at_ms) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(format!("tenant-{id}"))
        .bind(name)
        .bind(to_i64(by.at.0))
        .execute(&mut **transaction)
        .await?;
    let id = TenantId(to_u64(id)?);
    audit::write(transaction, Some(id), by, "organisation.added", name, json!({ "id": id.0 })).await?;
    Ok(id)
}

pub(super) async fn name_of(transaction: &mut Transaction, id: TenantId) -> Result<Option<String>, InventoryError> {
    let statement = format!("SELECT {NAME} FROM tenants t WHERE t.id = $1");
    let name = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(to_i64(id.0))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(name)
}

fn select(condition: &str) -> String {
    format!(
        "SELECT t.id, {NAME} AS name, t.created_at_ms, \
         (SELECT COUNT(*) FROM members m WHERE m.tenant_id = t.id) AS members, \
         (SELECT COUNT(*) FROM zones z WHERE z.tenant_id = t.id) AS zones FROM tenants t WHERE {condition}"
    )
}

/// A pattern for what has the text in it; signs that stand for others in patterns stand for themselves.
fn containing(text: &str) -> String {
    let text = text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{text}%")
}

#[derive(FromRow)]
struct TenantRow {
    id: i64,
    name: String,
    created_at_ms: i64,
    members: i64,
    zones: i64,
}

impl TenantRow {
    fn read(self) -> Result<Tenant, InventoryError> {
        let created_at = to_u64(self.created_at_ms)?;
        Ok(Tenant {
            id: TenantId(to_u64(self.id)?),
            name: self.name,
            created_at: (created_at > 0).then_some(Moment(created_at)),
            members: to_u64(self.members)?,
            zones: to_u64(self.zones)?,
        })
    }
}
