//! Who belongs to which tenant, as what.

use std::fmt;
use std::str::FromStr;

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::audit::{self, By};
use super::tenants;
use super::users::{self, NewUser, UserId};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};

/// What a member may do; each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Add, change and remove zones and keys.
    Editor,
    /// Also members and tokens.
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InventoryError;

    fn from_str(text: &str) -> Result<Self, InventoryError> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| InventoryError::Damaged(format!("a member's role is {text:?}")))
    }
}

/// A tenant that somebody belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub tenant: TenantId,
    pub name: String,
    pub role: Role,
}

/// Somebody who belongs to a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub email: String,
    pub role: Role,
    pub since: Moment,
    pub seen_at: Option<Moment>,
    pub has_second_factor: bool,
}

impl Inventory {
    /// The tenants that the user belongs to, in the order of their names.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, InventoryError> {
        let name = tenants::NAME;
        let statement = format!(
            "SELECT t.id, {name} AS name, m.role FROM members m JOIN tenants t ON t.id = m.tenant_id \
             WHERE m.user_id = $1 ORDER BY name, t.id"
        );
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(user.0)).fetch_all(self.reader()).await?;
        let read = |(id, name, role): (i64, String, String)| {
            Ok(Membership { tenant: TenantId(to_u64(id)?), name, role: role.parse()? })
        };
        rows.into_iter().map(read).collect()
    }

    /// The tenant's members, in the order of their addresses.
    pub async fn members(&self, tenant: TenantId) -> Result<Vec<Member>, InventoryError> {
        let rows: Vec<MemberRow> = sqlx::query_as(
            "SELECT u.id, u.email, m.role, m.since_ms, u.seen_at_ms, u.totp_secret FROM members m \
             JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 ORDER BY u.email_lower",
        )
        .bind(to_i64(tenant.0))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(MemberRow::read).collect()
    }

    /// Adds somebody who belongs to the tenant from the beginning.
    pub async fn add_member(
        &self,
        by: &By,
        tenant: TenantId,
        user: &NewUser,
        role: Role,
    ) -> Result<UserId, UserError> {
        let mut transaction = self.begin().await?;
        let id = users::add(&mut transaction, by, user).await?;
        write(&mut transaction, by, tenant, id, role).await?;
        let details = json!({ "role": role.as_str() });
        audit::write(&mut transaction, Some(tenant), by, "member.set", &user.email, details).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Has the user belong to the tenant as that; not when the tenant would have no owner left.
    pub async fn set_role(&self, by: &By, tenant: TenantId, user: UserId, role: Role) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = users::email_of(&mut transaction, user).await?;
        if role != Role::Owner {
            refuse_last_owner(&mut transaction, tenant, user, &email).await?;
            forget_invitations_of(&mut transaction, tenant, user).await?;
        }
        write(&mut transaction, by, tenant, user, role).await?;
        let details = json!({ "role": role.as_str() });
        audit::write(&mut transaction, Some(tenant), by, "member.set", &email, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has the user no longer belong to the tenant; not its last owner.
    pub async fn remove_member(&self, by: &By, tenant: TenantId, user: UserId) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = users::email_of(&mut transaction, user).await?;
        refuse_last_owner(&mut transaction, tenant, user, &email).await?;
        let removed = sqlx::query("DELETE FROM members WHERE tenant_id = $1 AND user_id = $2")
            .bind(to_i64(tenant.0))
            .bind(to_i64(user.0))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if removed == 0 {
            return Err(UserError::Unknown);
        }
        forget_invitations_of(&mut transaction, tenant, user).await?;
        // They would open nothing, and come back with whoever comes back.
        sqlx::query("DELETE FROM tokens WHERE tenant_id = $1 AND user_id = $2")
            .bind(to_i64(tenant.0))
            .bind(to_i64(user.0))
            .execute(&mut *transaction)
            .await?;
        audit::write(&mut transaction, Some(tenant), by, "member.removed", &email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn write(
    transaction: &mut Transaction,
    by: &By,
    tenant: TenantId,
    user: UserId,
    role: Role,
) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO members (tenant_id, user_id, role, since_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role",
    )
    .bind(to_i64(tenant.0))
    .bind(to_i64(user.0))
    .bind(role.as_str())
    .bind(to_i64(by.at.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Whoever may not invite any more has invited nobody.
async fn forget_invitations_of(
    transaction: &mut Transaction,
    tenant: TenantId,
    user: UserId,
) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM links WHERE purpose = 'invitation' AND tenant_id = $1 AND user_id = $2")
        .bind(to_i64(tenant.0))
        .bind(to_i64(user.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn refuse_last_owner(
    transaction: &mut Transaction,
    tenant: TenantId,
    user: UserId,
    email: &str,
) -> Result<(), UserError> {
    let owners: Vec<i64> = sqlx::query_scalar("SELECT user_id FROM members WHERE tenant_id = $1 AND role = 'owner'")
        .bind(to_i64(tenant.0))
        .fetch_all(&mut **transaction)
        .await?;
    if owners != [to_i64(user.0)] {
        return Ok(());
    }
    let tenant = tenants::name_of(transaction, tenant).await?.unwrap_or_default();
    Err(UserError::LastOwner { email: email.to_owned(), tenant })
}

/// A tenant, by its name, that has no other owner.
pub(super) async fn only_owned_by(
    transaction: &mut Transaction,
    user: UserId,
) -> Result<Option<String>, InventoryError> {
    let name = tenants::NAME;
    let statement = format!(
        "SELECT {name} FROM members m JOIN tenants t ON t.id = m.tenant_id WHERE m.user_id = $1 AND m.role = 'owner' \
         AND NOT EXISTS (SELECT 1 FROM members o WHERE o.tenant_id = m.tenant_id AND o.role = 'owner' \
         AND o.user_id <> m.user_id) ORDER BY t.id LIMIT 1"
    );
    let name = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(to_i64(user.0))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(name)
}

#[derive(FromRow)]
struct MemberRow {
    id: i64,
    email: String,
    role: String,
    since_ms: i64,
    seen_at_ms: Option<i64>,
    totp_secret: Option<String>,
}

impl MemberRow {
    fn read(self) -> Result<Member, InventoryError> {
        Ok(Member {
            user: UserId(to_u64(self.id)?),
            email: self.email,
            role: self.role.parse()?,
            since: Moment(to_u64(self.since_ms)?),
            seen_at: self.seen_at_ms.map(to_u64).transpose()?.map(Moment),
            has_second_factor: self.totp_secret.is_some(),
        })
    }
}
