//! What happened that an organisation should know of: a limit that is near, a zone that expires, a proof that is lost.
//!
//! Invariant: an event is on record, and with everybody who is to be told of it, in one transaction: whoever reads of it in the
//! console has it on its way too.

mod kind;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sqlx::FromRow;
use xfr::Moment;
use zone::Tags;

use crate::TenantId;
use crate::alerts;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;

pub use kind::EventKind;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// What is told again within that time is the same event, unless it was over meanwhile.
const SAME_FOR_MS: u64 = DAY_MS;
/// That something is over is told so often of it in a day; then what goes up and down is left as down.
const OVER_IN_A_DAY: i64 = 5;
/// Events kept of a tenant.
const KEPT_MAX: i64 = 10_000;
/// Subjects of trouble that are read at a start.
const TROUBLED_MAX: i64 = 100_000;

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
    pub tenant: TenantId,
    pub at: Moment,
    pub kind: EventKind,
    pub severity: Severity,
    /// How far it has come, of what comes in stages, each of which is told; empty for all else.
    pub stage: String,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub subject: String,
    pub message: String,
    /// Of the zone.
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    pub at: Moment,
    /// [`EventKind::as_str`], maybe of another version of this program.
    pub kind: String,
    pub severity: Severity,
    pub subject: String,
    pub message: String,
}

impl Inventory {
    /// Puts events on record, but for those that were told within the last day and are not over since, and has those told who
    /// are to be; how many are new.
    pub async fn record_events(&self, events: &[NewEvent], pace: alerts::Pace) -> Result<usize, InventoryError> {
        let mut transaction = self.begin().await?;
        let mut fresh: BTreeMap<TenantId, Vec<&NewEvent>> = BTreeMap::new();
        for event in events {
            if insert(&mut transaction, event).await? {
                fresh.entry(event.tenant).or_default().push(event);
            }
        }
        for (tenant, events) in &fresh {
            alerts::gather(&mut transaction, *tenant, events, pace).await?;
            trim(&mut transaction, *tenant).await?;
        }
        transaction.commit().await?;
        Ok(fresh.values().map(Vec::len).sum())
    }

    /// The subjects of what was told since then that ends some day, and has not been told to: a program that begins knows
    /// nothing of it.
    pub async fn troubled(&self, since: Moment) -> Result<Vec<(TenantId, String)>, InventoryError> {
        let kinds: Vec<String> = EventKind::ALL
            .into_iter()
            .filter(|kind| kind.ends())
            .map(|kind| format!("'{}'", kind.as_str()))
            .collect();
        let statement = format!(
            "SELECT DISTINCT tenant_id, subject FROM events WHERE kind IN ({}) AND at_ms > $1 AND NOT EXISTS \
             (SELECT 1 FROM events AS later WHERE later.tenant_id = events.tenant_id AND later.kind = 'recovered' AND \
             later.subject = events.subject AND later.id > events.id) LIMIT $2",
            kinds.join(", ")
        );
        let rows: Vec<(i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(since.0))
            .bind(TROUBLED_MAX)
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(|(tenant, subject)| Ok((TenantId(to_u64(tenant)?), subject))).collect()
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

/// Whether the event is new. Of a tenant that has been removed meanwhile there is nothing to tell, and others are told.
async fn insert(transaction: &mut Transaction, event: &NewEvent) -> Result<bool, InventoryError> {
    let since = to_i64(event.at.0.saturating_sub(SAME_FOR_MS));
    let statement = if event.kind.ends_others() {
        // What was never told to have begun is not told to be over; and what goes up and down all day long is left.
        "INSERT INTO events (tenant_id, at_ms, kind, severity, stage, subject, message) SELECT $1, $2, $3, $4, $5, $6, $7 \
         WHERE EXISTS (SELECT 1 FROM tenants WHERE id = $1) AND (SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND kind = $3 AND subject = $6 AND at_ms > $8) < $9"
    } else {
        "INSERT INTO events (tenant_id, at_ms, kind, severity, stage, subject, message) SELECT $1, $2, $3, $4, $5, $6, $7 \
         WHERE EXISTS (SELECT 1 FROM tenants WHERE id = $1) AND $9 > 0 AND NOT EXISTS \
         (SELECT 1 FROM events WHERE tenant_id = $1 AND kind = $3 AND subject = $6 AND stage = $5 AND at_ms > $8 AND id > \
         COALESCE((SELECT MAX(id) FROM events WHERE tenant_id = $1 AND kind = 'recovered' AND subject = $6), 0))"
    };
    let added = sqlx::query(statement)
        .bind(to_i64(event.tenant.0))
        .bind(to_i64(event.at.0))
        .bind(event.kind.as_str())
        .bind(event.severity.as_str())
        .bind(&event.stage)
        .bind(&event.subject)
        .bind(&event.message)
        .bind(since)
        .bind(OVER_IN_A_DAY)
        .execute(&mut **transaction)
        .await?;
    Ok(added.rows_affected() > 0)
}

async fn trim(transaction: &mut Transaction, tenant: TenantId) -> Result<(), InventoryError> {
    sqlx::query(
        "DELETE FROM events WHERE tenant_id = $1 AND id <= \
         (SELECT id FROM events WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(to_i64(tenant.0))
    .bind(KEPT_MAX)
    .execute(&mut **transaction)
    .await?;
    Ok(())
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
