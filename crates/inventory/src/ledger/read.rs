//! Reading attempts.

use dns::Serial;
use sqlx::FromRow;
use xfr::Moment;
use zone::ZoneId;

use super::{Attempt, Outcome, RecordedAttempt, RecordedReason};
use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::InventoryError;

impl Inventory {
    /// At most `limit` attempts of the tenant's zone, newest first, those before the row `before`; everything that
    /// was recorded before the call is among them.
    pub async fn attempts(
        &self,
        tenant: TenantId,
        zone: ZoneId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAttempt>, InventoryError> {
        self.ledger().flush().await;
        let rows: Vec<AttemptRow> = sqlx::query_as(
            "SELECT a.id, a.zone_id, a.at_ms, a.last_ms, a.tries, a.primary_address, a.triggered_by, a.kind, \
             a.from_serial, a.to_serial, a.octets, a.records, a.millis, a.outcome, a.reason_code, a.reason_fault, \
             a.reason_message, a.reason_advice \
             FROM attempts a JOIN zones z ON z.id = a.zone_id \
             WHERE z.tenant_id = $1 AND a.zone_id = $2 AND a.id < $3 ORDER BY a.id DESC LIMIT $4",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(zone.0))
        .bind(to_i64(before.unwrap_or(u64::MAX)))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(|row| row.read().map(|(_, attempt)| attempt)).collect()
    }

    /// The last attempt of every zone that has one, which need not be its newest row: failures that come in turns are
    /// counted in theirs. It is what a program that starts shows until it has made its own.
    pub async fn latest_attempts(&self) -> Result<Vec<(ZoneId, RecordedAttempt)>, InventoryError> {
        let rows: Vec<AttemptRow> = sqlx::query_as(
            "SELECT a.id, a.zone_id, a.at_ms, a.last_ms, a.tries, a.primary_address, a.triggered_by, a.kind, \
             a.from_serial, a.to_serial, a.octets, a.records, a.millis, a.outcome, a.reason_code, a.reason_fault, \
             a.reason_message, a.reason_advice \
             FROM zones z JOIN attempts a ON a.id = (SELECT id FROM (SELECT id, last_ms FROM attempts \
             WHERE zone_id = z.id ORDER BY id DESC LIMIT 16) AS newest ORDER BY last_ms DESC, id DESC LIMIT 1)",
        )
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(AttemptRow::read).collect()
    }
}

#[derive(FromRow)]
struct AttemptRow {
    id: i64,
    zone_id: i64,
    at_ms: i64,
    last_ms: i64,
    tries: i64,
    primary_address: Option<String>,
    triggered_by: String,
    kind: String,
    from_serial: Option<i64>,
    to_serial: Option<i64>,
    octets: i64,
    records: i64,
    millis: i64,
    outcome: String,
    reason_code: Option<String>,
    reason_fault: Option<String>,
    reason_message: Option<String>,
    reason_advice: Option<String>,
}

impl AttemptRow {
    fn read(self) -> Result<(ZoneId, RecordedAttempt), InventoryError> {
        let damaged = |what: &str| InventoryError::Damaged(format!("the attempt {} has a strange {what}", self.id));
        let reason = RecordedReason {
            code: self.reason_code.unwrap_or_default(),
            fault: self.reason_fault.unwrap_or_default(),
            message: self.reason_message.unwrap_or_default(),
            advice: self.reason_advice.unwrap_or_default(),
        };
        let outcome = match self.outcome.as_str() {
            "unchanged" => Outcome::Unchanged,
            "updated" => Outcome::Updated,
            "held" => Outcome::Held(Box::new(reason)),
            "failed" => Outcome::Failed(Box::new(reason)),
            _ => return Err(damaged("outcome")),
        };
        let primary = self.primary_address.map(|text| text.parse().map_err(|_| damaged("primary"))).transpose()?;
        let serial = |number: Option<i64>| {
            number.map(|number| u32::try_from(number).map(Serial).map_err(|_| damaged("serial"))).transpose()
        };
        let attempt = Attempt {
            at: Moment(to_u64(self.at_ms)?),
            primary,
            trigger: self.triggered_by.parse()?,
            kind: self.kind.parse()?,
            from_serial: serial(self.from_serial)?,
            to_serial: serial(self.to_serial)?,
            octets: to_u64(self.octets)?,
            records: to_u64(self.records)?,
            millis: to_u64(self.millis)?,
            outcome,
        };
        let recorded = RecordedAttempt {
            id: to_u64(self.id)?,
            attempt,
            last_at: Moment(to_u64(self.last_ms)?),
            count: to_u64(self.tries)?,
        };
        Ok((ZoneId(to_u64(self.zone_id)?), recorded))
    }
}
