//! How people come: by signing up, which gives them an organisation of their own, or by an invitation to another's; and how
//! they change the address that they are known by. Each takes a link that was sent to the address.

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::audit::{self, By};
use super::links::{self, Purpose, Row, Sent};
use super::users::{self, NewUser, Standing, UserId};
use super::{Hashed, Role, members, tenants};
use crate::TenantId;
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};
use crate::plans;

/// Invitations of one tenant that wait for an answer.
const INVITATIONS_MAX: i64 = 100;

/// Somebody who is to belong to a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    pub email: String,
    pub role: Role,
    pub secret: Hashed,
    pub ends_at: Moment,
    pub sent: Sent,
}

/// Somebody who was asked to belong to a tenant, and has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub email: String,
    pub role: Role,
    pub made_by: String,
    pub created_at: Moment,
    pub ends_at: Moment,
}

impl Inventory {
    /// Makes the user whom a link for signing up promises, and their organisation, which they own; other links of that kind
    /// for the same address do nothing any more.
    pub async fn sign_up(&self, by: &By, secret: &Hashed) -> Result<(UserId, TenantId), UserError> {
        let mut transaction = self.begin().await?;
        let Purpose::SignUp { email, password, organisation } =
            links::use_up(&mut transaction, secret, by.at).await?
        else {
            return Err(UserError::LinkUsed);
        };
        forget_sign_ups(&mut transaction, &email).await?;
        let user = add(&mut transaction, by, &email, &password).await?;
        users::is_verified(&mut transaction, user, by.at).await?;
        let tenant = tenants::add(&mut transaction, by, &organisation).await?;
        belong(&mut transaction, by, tenant, user, &email, Role::Owner).await?;
        self.commit_change_of(Changed::tenant(tenant), transaction).await?;
        Ok((user, tenant))
    }

    /// Asks somebody to belong to the tenant, in the place of what they were asked before.
    pub async fn invite(&self, by: &By, tenant: TenantId, invitation: &NewInvitation) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = &invitation.email;
        if is_member(&mut transaction, tenant, email).await? {
            return Err(UserError::MemberAlready(email.clone()));
        }
        forget(&mut transaction, tenant, email).await?;
        let waiting: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM links WHERE purpose = 'invitation' AND tenant_id = $1 AND ends_at_ms > $2",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(by.at.0))
        .fetch_one(&mut *transaction)
        .await?;
        if waiting >= INVITATIONS_MAX {
            return Err(UserError::TooManyInvitations);
        }
        // Whoever was asked has a place.
        check_members(&mut transaction, tenant, waiting).await?;
        let NewInvitation { role, secret, ends_at, sent, .. } = invitation;
        let purpose = Purpose::Invitation { tenant, email: email.clone(), role: *role, sent: *sent };
        let row = Row { purpose: &purpose, maker: by.actor.user(), made_by: Some(by.actor.to_string()) };
        row.write(&mut transaction, secret, by.at, *ends_at).await?;
        let details = json!({ "role": role.as_str() });
        audit::write(&mut transaction, Some(tenant), by, "member.invited", email, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Those who were asked and have not answered, in the order of their addresses.
    pub async fn invitations(&self, tenant: TenantId, now: Moment) -> Result<Vec<Invitation>, InventoryError> {
        let rows: Vec<InvitationRow> = sqlx::query_as(
            "SELECT email, role, made_by, created_at_ms, ends_at_ms FROM links \
             WHERE purpose = 'invitation' AND tenant_id = $1 AND ends_at_ms > $2 ORDER BY email_lower",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(now.0))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(InvitationRow::read).collect()
    }

    pub async fn withdraw_invitation(&self, by: &By, tenant: TenantId, email: &str) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        if forget(&mut transaction, tenant, email).await? == 0 {
            return Err(UserError::NotInvited(email.to_owned()));
        }
        audit::write(&mut transaction, Some(tenant), by, "member.invitation_withdrawn", email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has the user belong to the tenant that a link invites them to, which must be for their own address.
    pub async fn accept_invitation(&self, by: &By, secret: &Hashed, user: UserId) -> Result<TenantId, UserError> {
        let mut transaction = self.begin().await?;
        let email = users::email_of(&mut transaction, user).await?;
        let Purpose::Invitation { tenant, email: invited, role, sent } =
            links::use_up(&mut transaction, secret, by.at).await?
        else {
            return Err(UserError::LinkUsed);
        };
        if invited.to_lowercase() != email.to_lowercase() {
            return Err(UserError::InvitedAnother(invited));
        }
        if sent == Sent::ByMail {
            users::is_verified(&mut transaction, user, by.at).await?;
        }
        if !is_member(&mut transaction, tenant, &email).await? {
            belong(&mut transaction, by, tenant, user, &email, role).await?;
        }
        transaction.commit().await?;
        Ok(tenant)
    }

    /// Makes a user of somebody whom a link invites, with this password.
    pub async fn join(&self, by: &By, secret: &Hashed, password: &str) -> Result<(UserId, TenantId), UserError> {
        let mut transaction = self.begin().await?;
        let Purpose::Invitation { tenant, email, role, sent } =
            links::use_up(&mut transaction, secret, by.at).await?
        else {
            return Err(UserError::LinkUsed);
        };
        let user = add(&mut transaction, by, &email, password).await?;
        if sent == Sent::ByMail {
            users::is_verified(&mut transaction, user, by.at).await?;
            forget_sign_ups(&mut transaction, &email).await?;
        }
        belong(&mut transaction, by, tenant, user, &email, role).await?;
        transaction.commit().await?;
        Ok((user, tenant))
    }

    /// Gives a user the address that a link was sent to; who it is, and the address they had before.
    pub async fn change_email(&self, by: &By, secret: &Hashed) -> Result<(UserId, String), UserError> {
        let mut transaction = self.begin().await?;
        let Purpose::Email { user, email } = links::use_up(&mut transaction, secret, by.at).await? else {
            return Err(UserError::LinkUsed);
        };
        let before = users::email_of(&mut transaction, user).await?;
        let others: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE email_lower = $1 AND id <> $2")
            .bind(email.to_lowercase())
            .bind(to_i64(user.0))
            .fetch_one(&mut *transaction)
            .await?;
        if others > 0 {
            return Err(UserError::ExistsAlready(email));
        }
        sqlx::query("UPDATE users SET email = $2, email_lower = $3, verified_at_ms = $4 WHERE id = $1")
            .bind(to_i64(user.0))
            .bind(&email)
            .bind(email.to_lowercase())
            .bind(to_i64(by.at.0))
            .execute(&mut *transaction)
            .await?;
        // Sent to the address that was theirs.
        sqlx::query("DELETE FROM links WHERE purpose = 'password' AND user_id = $1")
            .bind(to_i64(user.0))
            .execute(&mut *transaction)
            .await?;
        let details = json!({ "before": before });
        audit::write(&mut transaction, None, by, "user.email_changed", &email, details).await?;
        transaction.commit().await?;
        Ok((user, before))
    }
}

async fn add(transaction: &mut Transaction, by: &By, email: &str, password: &str) -> Result<UserId, UserError> {
    let user = NewUser { email: email.to_owned(), password: password.to_owned(), standing: Standing::User };
    users::add(transaction, by, &user).await
}

async fn belong(
    transaction: &mut Transaction,
    by: &By,
    tenant: TenantId,
    user: UserId,
    email: &str,
    role: Role,
) -> Result<(), UserError> {
    check_members(transaction, tenant, 0).await?;
    members::write(transaction, by, tenant, user, role).await?;
    let details = json!({ "role": role.as_str() });
    audit::write(transaction, Some(tenant), by, "member.joined", email, details).await?;
    Ok(())
}

/// # Errors
/// When with those who wait the tenant has as many members as its plan allows.
async fn check_members(transaction: &mut Transaction, tenant: TenantId, waiting: i64) -> Result<(), UserError> {
    let terms = plans::terms(transaction, tenant).await?;
    let Some(limit) = terms.limits().members_max else { return Ok(()) };
    let members: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM members WHERE tenant_id = $1")
        .bind(to_i64(tenant.0))
        .fetch_one(&mut **transaction)
        .await?;
    if to_u64(members.saturating_add(waiting))? >= limit {
        return Err(UserError::PlanMembers { plan: terms.name().to_owned(), limit });
    }
    Ok(())
}

async fn is_member(transaction: &mut Transaction, tenant: TenantId, email: &str) -> Result<bool, InventoryError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT m.user_id FROM members m JOIN users u ON u.id = m.user_id \
         WHERE m.tenant_id = $1 AND u.email_lower = $2",
    )
    .bind(to_i64(tenant.0))
    .bind(email.to_lowercase())
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(found.is_some())
}

async fn forget(transaction: &mut Transaction, tenant: TenantId, email: &str) -> Result<u64, InventoryError> {
    let gone = sqlx::query("DELETE FROM links WHERE purpose = 'invitation' AND tenant_id = $1 AND email_lower = $2")
        .bind(to_i64(tenant.0))
        .bind(email.to_lowercase())
        .execute(&mut **transaction)
        .await?;
    Ok(gone.rows_affected())
}

async fn forget_sign_ups(transaction: &mut Transaction, email: &str) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM links WHERE purpose = 'sign_up' AND email_lower = $1")
        .bind(email.to_lowercase())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct InvitationRow {
    email: String,
    role: String,
    made_by: String,
    created_at_ms: i64,
    ends_at_ms: i64,
}

impl InvitationRow {
    fn read(self) -> Result<Invitation, InventoryError> {
        Ok(Invitation {
            email: self.email,
            role: self.role.parse()?,
            made_by: self.made_by,
            created_at: Moment(to_u64(self.created_at_ms)?),
            ends_at: Moment(to_u64(self.ends_at_ms)?),
        })
    }
}
