//! The audit log: every change, in words that stand alone.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;
use sqlx::FromRow;
use xfr::Moment;

use super::UserId;
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    User {
        id: UserId,
        email: String,
    },
    /// An API token, by its name.
    Token(String),
    /// Somebody who is no user yet, by the address that they come with.
    Newcomer(String),
    /// Whoever may read this machine's data directory.
    Machine,
    /// Nobody: the service itself, because of what it saw.
    Service,
}

impl Actor {
    pub(super) fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Token(_) | Self::Newcomer(_) | Self::Machine | Self::Service => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { email, .. } | Self::Newcomer(email) => f.write_str(email),
            Self::Token(name) => write!(f, "token {name}"),
            Self::Machine => f.write_str("this machine"),
            Self::Service => f.write_str("the service"),
        }
    }
}

/// Who does something, from where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub address: Option<IpAddr>,
    pub at: Moment,
}

impl By {
    /// The service itself, because of what it saw.
    pub fn service(at: Moment) -> Self {
        Self { actor: Actor::Service, address: None, at }
    }

    /// Whoever may read this machine's data directory.
    pub fn machine(at: Moment) -> Self {
        Self { actor: Actor::Machine, address: None, at }
    }
}

/// Whose entries are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOf {
    Tenant(TenantId),
    /// Also those that are about the whole service, and no tenant's.
    TenantAndService(TenantId),
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    pub at: Moment,
    pub actor: String,
    pub address: Option<String>,
    /// A stable word for it: `zone.added`.
    pub act: String,
    /// The name of what it was done to.
    pub subject: String,
    /// What more there is to say, without any secret.
    pub details: Value,
}

impl Inventory {
    /// Puts on record what was done elsewhere than in the inventory.
    pub async fn record_act(
        &self,
        tenant: Option<TenantId>,
        by: &By,
        act: &str,
        subject: &str,
        details: Value,
    ) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        write(&mut transaction, tenant, by, act, subject, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// At most `limit` entries, newest first, those before the entry `before`: those that are
    /// asked for.
    pub async fn audit(
        &self,
        of: AuditOf,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, InventoryError> {
        let (tenant, service) = match of {
            AuditOf::Tenant(tenant) => (tenant, 0_i64),
            AuditOf::TenantAndService(tenant) => (tenant, 1),
        };
        let rows: Vec<AuditRow> = sqlx::query_as(
            "SELECT id, at_ms, actor, address, act, subject, details FROM audit \
             WHERE (tenant_id = $1 OR (tenant_id IS NULL AND $2 = 1)) AND id < $3 ORDER BY id DESC LIMIT $4",
        )
        .bind(to_i64(tenant.0))
        .bind(service)
        .bind(to_i64(before.unwrap_or(u64::MAX)))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(AuditRow::read).collect()
    }
}

pub(crate) async fn write(
    transaction: &mut Transaction,
    tenant: Option<TenantId>,
    by: &By,
    act: &str,
    subject: &str,
    details: Value,
) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO audit (tenant_id, at_ms, actor, address, act, subject, details) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.map(|tenant| to_i64(tenant.0)))
    .bind(to_i64(by.at.0))
    .bind(by.actor.to_string())
    .bind(by.address.map(|address| address.to_string()))
    .bind(act)
    .bind(subject)
    .bind(details.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct AuditRow {
    id: i64,
    at_ms: i64,
    actor: String,
    address: Option<String>,
    act: String,
    subject: String,
    details: String,
}

impl AuditRow {
    fn read(self) -> Result<AuditEntry, InventoryError> {
        let details = serde_json::from_str(&self.details)
            .map_err(|error| InventoryError::Damaged(format!("an audit entry holds {:?}: {error}", self.details)))?;
        Ok(AuditEntry {
            id: to_u64(self.id)?,
            at: Moment(to_u64(self.at_ms)?),
            actor: self.actor,
            address: self.address,
            act: self.act,
            subject: self.subject,
            details,
        })
    }
}
