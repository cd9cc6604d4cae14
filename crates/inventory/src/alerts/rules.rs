//! Rules: to whom events are sent, and which of them.

use std::fmt;

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use crate::TenantId;
use crate::accounts::{By, Hashed, write_audit};
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{AlertError, InventoryError};
use crate::events::{EventKind, NewEvent, Severity};

/// Rules of one tenant: each event is held against all of them.
pub const RULES_MAX: u32 = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertRuleId(pub u64);

impl fmt::Display for AlertRuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where events are sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Channel {
    /// To this address.
    Mail(String),
    /// To this URL, signed with this, which is in base64.
    Webhook { url: String, secret: String },
}

impl Channel {
    /// The address, or the URL.
    pub fn target(&self) -> &str {
        match self {
            Self::Mail(address) => address,
            Self::Webhook { url, .. } => url,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(address) => write!(f, "Mail({address})"),
            Self::Webhook { url, .. } => write!(f, "Webhook({url})"),
        }
    }
}

/// Which events are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of this severity or a worse one.
    pub severity: Severity,
    /// Of these kinds; empty for all.
    pub kinds: Vec<EventKind>,
    /// Of zones with this tag; none for all that happens.
    pub tag: Option<String>,
}

impl Wanted {
    /// That something is over is for whoever is told of trouble, and is itself none.
    fn has(&self, event: &NewEvent) -> bool {
        (event.severity >= self.severity || event.kind.ends_others())
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && self.tag.as_ref().is_none_or(|tag| event.tags.iter().any(|one| one == tag))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlertRule {
    pub channel: Channel,
    pub wanted: Wanted,
}

/// How it is known that whoever reads an address wants to be told.
#[derive(Clone, Debug)]
pub enum Confirmation {
    /// It is known, or there is nothing to know.
    None,
    /// By whoever shows this.
    Awaited(Hashed),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRule {
    pub id: AlertRuleId,
    pub channel: Channel,
    pub wanted: Wanted,
    pub created_at: Moment,
    /// Whether whoever reads the address has said that they want it; true for webhooks.
    pub is_confirmed: bool,
}

pub(super) const COLUMNS: &str = "id, channel, target, secret, severity, kinds, tag, created_at_ms, confirmation";

impl Inventory {
    pub async fn add_alert_rule(
        &self,
        by: &By,
        tenant: TenantId,
        rule: &NewAlertRule,
        confirmation: &Confirmation,
    ) -> Result<AlertRuleId, AlertError> {
        let mut transaction = self.begin().await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM alert_rules WHERE tenant_id = $1")
            .bind(to_i64(tenant.0))
            .fetch_one(&mut *transaction)
            .await?;
        if count >= i64::from(RULES_MAX) {
            return Err(AlertError::TooMany);
        }
        let (channel, target, secret) = match &rule.channel {
            Channel::Mail(address) => ("mail", address, None),
            Channel::Webhook { url, secret } => ("webhook", url, Some(secret)),
        };
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO alert_rules (tenant_id, channel, target, secret, severity, kinds, tag, created_at_ms, confirmation) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        )
        .bind(to_i64(tenant.0))
        .bind(channel)
        .bind(target)
        .bind(secret)
        .bind(rule.wanted.severity.as_str())
        .bind(words(&rule.wanted.kinds))
        .bind(rule.wanted.tag.as_deref().unwrap_or_default())
        .bind(to_i64(by.at.0))
        .bind(match confirmation {
            Confirmation::None => None,
            Confirmation::Awaited(secret) => Some(secret.as_str()),
        })
        .fetch_one(&mut *transaction)
        .await?;
        let details = json!({
            "id": id, "channel": channel, "severity": rule.wanted.severity.as_str(), "kinds": words(&rule.wanted.kinds),
            "tag": rule.wanted.tag,
        });
        write_audit(&mut transaction, Some(tenant), by, "alert.added", target, details).await?;
        transaction.commit().await?;
        Ok(AlertRuleId(to_u64(id)?))
    }

    /// The tenant's rules, the oldest first.
    pub async fn alert_rules(&self, tenant: TenantId) -> Result<Vec<AlertRule>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM alert_rules WHERE tenant_id = $1 ORDER BY id");
        let rows: Vec<RuleRow> =
            sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(tenant.0)).fetch_all(self.reader()).await?;
        rows.into_iter().map(RuleRow::read).collect()
    }

    /// Has the rule want other events from now on; what waits by now is sent all the same.
    pub async fn change_alert_rule(
        &self,
        by: &By,
        tenant: TenantId,
        id: AlertRuleId,
        wanted: &Wanted,
    ) -> Result<(), AlertError> {
        let mut transaction = self.begin().await?;
        let target: Option<String> = sqlx::query_scalar(
            "UPDATE alert_rules SET severity = $3, kinds = $4, tag = $5 WHERE tenant_id = $1 AND id = $2 RETURNING target",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(id.0))
        .bind(wanted.severity.as_str())
        .bind(words(&wanted.kinds))
        .bind(wanted.tag.as_deref().unwrap_or_default())
        .fetch_optional(&mut *transaction)
        .await?;
        let target = target.ok_or(AlertError::Unknown(id))?;
        let details = json!({
            "id": id.0, "severity": wanted.severity.as_str(), "kinds": words(&wanted.kinds), "tag": wanted.tag,
        });
        write_audit(&mut transaction, Some(tenant), by, "alert.changed", &target, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes the rule with all its deliveries, also those that wait.
    pub async fn remove_alert_rule(&self, by: &By, tenant: TenantId, id: AlertRuleId) -> Result<(), AlertError> {
        let mut transaction = self.begin().await?;
        let target: Option<String> =
            sqlx::query_scalar("DELETE FROM alert_rules WHERE tenant_id = $1 AND id = $2 RETURNING target")
                .bind(to_i64(tenant.0))
                .bind(to_i64(id.0))
                .fetch_optional(&mut *transaction)
                .await?;
        let target = target.ok_or(AlertError::Unknown(id))?;
        write_audit(&mut transaction, Some(tenant), by, "alert.removed", &target, json!({ "id": id.0 })).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Confirms the address that this was sent to, which it is from then on; none where nobody waits for it.
    pub async fn confirm_alert_rule(&self, by: &By, secret: &Hashed) -> Result<Option<String>, InventoryError> {
        let mut transaction = self.begin().await?;
        let confirmed: Option<(i64, i64, String)> = sqlx::query_as(
            "UPDATE alert_rules SET confirmation = NULL WHERE confirmation = $1 RETURNING tenant_id, id, target",
        )
        .bind(secret.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((tenant, id, target)) = confirmed else { return Ok(None) };
        let tenant = TenantId(to_u64(tenant)?);
        write_audit(&mut transaction, Some(tenant), by, "alert.confirmed", &target, json!({ "id": id })).await?;
        transaction.commit().await?;
        Ok(Some(target))
    }
}

/// The tenant's rules that are confirmed, with which of these events each wants.
pub(super) async fn wanting<'a>(
    transaction: &mut Transaction,
    tenant: TenantId,
    events: &[&'a NewEvent],
) -> Result<Vec<(AlertRuleId, Vec<&'a NewEvent>)>, InventoryError> {
    let statement =
        format!("SELECT {COLUMNS} FROM alert_rules WHERE tenant_id = $1 AND confirmation IS NULL ORDER BY id");
    let rows: Vec<RuleRow> =
        sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(tenant.0)).fetch_all(&mut **transaction).await?;
    let mut wanting = Vec::new();
    for row in rows {
        let rule = row.read()?;
        let wanted: Vec<&NewEvent> = events.iter().copied().filter(|event| rule.wanted.has(event)).collect();
        if !wanted.is_empty() {
            wanting.push((rule.id, wanted));
        }
    }
    Ok(wanting)
}

fn words(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
}

#[derive(FromRow)]
pub(super) struct RuleRow {
    id: i64,
    channel: String,
    target: String,
    secret: Option<String>,
    severity: String,
    kinds: String,
    tag: String,
    created_at_ms: i64,
    confirmation: Option<String>,
}

impl RuleRow {
    pub(super) fn read(self) -> Result<AlertRule, InventoryError> {
        let damaged = |what: &str| InventoryError::Damaged(format!("an alert rule {what}"));
        let channel = match self.channel.as_str() {
            "mail" => Channel::Mail(self.target),
            _ => Channel::Webhook { url: self.target, secret: self.secret.ok_or_else(|| damaged("has no secret"))? },
        };
        // A kind that only another version of this program knows never comes from this one.
        let kinds = self.kinds.split_whitespace().filter_map(EventKind::of_word).collect();
        Ok(AlertRule {
            id: AlertRuleId(to_u64(self.id)?),
            channel,
            wanted: Wanted {
                severity: self.severity.parse()?,
                kinds,
                tag: Some(self.tag).filter(|tag| !tag.is_empty()),
            },
            created_at: Moment(to_u64(self.created_at_ms)?),
            is_confirmed: self.confirmation.is_none(),
        })
    }
}
