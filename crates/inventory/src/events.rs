//! What happened that an organisation should know of: a limit that is near, a proof that is lost.

use std::fmt;
use std::str::FromStr;

use sqlx::FromRow;
use xfr::Moment;

use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

/// What is told again within that time is the same event.
const SAME_FOR_MS: u64 = 24 * 3600 * 1000;
/// Events kept of a tenant.
const KEPT_MAX: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = InventoryError;

    fn from_str(text: &str) -> Result<Self, InventoryError> {
        let found = Self::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| InventoryError::Damaged(format!("an event's severity is {text:?}")))
    }
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub at: Moment,
    /// A stable word for it: `limit_near`.
    pub kind: &'static str,
    pub severity: Severity,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub subject: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    pub at: Moment,
    pub kind: String,
    pub severity: Severity,
    pub subject: String,
    pub message: String,
}

impl Inventory {
    /// Puts the event on record, unless it was told within the last day; whether it is new.
    pub async fn record_event(&self, tenant: TenantId, event: &NewEvent) -> Result<bool, InventoryError> {
        let mut transaction = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO events (tenant_id, at_ms, kind, severity, subject, message) \
             SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS \
             (SELECT 1 FROM events WHERE tenant_id = $1 AND kind = $3 AND subject = $5 AND at_ms > $7)",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(event.at.0))
        .bind(event.kind)
        .bind(event.severity.as_str())
        .bind(&event.subject)
        .bind(&event.message)
        .bind(to_i64(event.at.0.saturating_sub(SAME_FOR_MS)))
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() > 0 {
            sqlx::query(
                "DELETE FROM events WHERE tenant_id = $1 AND id <= \
                 (SELECT id FROM events WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
            )
            .bind(to_i64(tenant.0))
            .bind(KEPT_MAX)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// Whether the tenant was told of an error since then.
    pub async fn has_errors_since(&self, tenant: TenantId, since: Moment) -> Result<bool, InventoryError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM events WHERE tenant_id = $1 AND severity = 'error' AND at_ms > $2 LIMIT 1",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(since.0))
        .fetch_optional(self.reader())
        .await?;
        Ok(found.is_some())
    }

    /// At most `limit` of the tenant's events, newest first, those before the event `before`.
    pub async fn events(
        &self,
        tenant: TenantId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Event>, InventoryError> {
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT id, at_ms, kind, severity, subject, message FROM events WHERE tenant_id = $1 AND id < $2 \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(before.unwrap_or(u64::MAX)))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(EventRow::read).collect()
    }
}

#[derive(FromRow)]
struct EventRow {
    id: i64,
    at_ms: i64,
    kind: String,
    severity: String,
    subject: String,
    message: String,
}

impl EventRow {
    fn read(self) -> Result<Event, InventoryError> {
        Ok(Event {
            id: to_u64(self.id)?,
            at: Moment(to_u64(self.at_ms)?),
            kind: self.kind,
            severity: self.severity.parse()?,
            subject: self.subject,
            message: self.message,
        })
    }
}
