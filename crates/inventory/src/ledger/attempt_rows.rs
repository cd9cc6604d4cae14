//! The rows of attempts: consecutive checks without news are one row, and so are consecutive failures of one
//! kind.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;
use zone::ZoneId;

use super::{ATTEMPTS_MAX, Attempt, KEPT_MS, Outcome, RecordedReason};
use crate::database::{Transaction, to_i64};

/// New versions, or zones, in one statement: each that is run costs more than a row.
const ROWS: usize = 64;

/// So many of a zone's newest rows are looked through for a failure of the same kind: more than a zone with many
/// primaries has kinds of failures at one time.
const FAILURES_ALIKE_WITHIN: i64 = 16;

/// Words in the database.
const FAILED: &str = "failed";
const HELD: &str = "held";

pub(super) async fn write(
    transaction: &mut Transaction,
    attempts: &[(ZoneId, Attempt)],
    now_ms: u64,
) -> Result<(), sqlx::Error> {
    let mut grown = BTreeSet::new();
    let mut rest = attempts;
    while let Some(first) = rest.first() {
        // New versions are rows of their own, as many as there are one behind the other.
        let updates = rest.iter().take(ROWS).take_while(|(_, attempt)| attempt.outcome == Outcome::Updated).count();
        let (next, others) = rest.split_at(updates.max(1));
        rest = others;
        if updates > 0 || !fold(transaction, first.0, &first.1).await? {
            insert(transaction, next).await?;
            grown.extend(next.iter().map(|(zone, _)| *zone));
        }
    }
    for grown in Vec::from_iter(grown).chunks(ROWS) {
        for zone in outgrown(transaction, grown, now_ms).await? {
            trim(transaction, zone, now_ms).await?;
        }
    }
    Ok(())
}

/// Counts the attempt in an earlier row if both are alike, and says whether it did.
async fn fold(transaction: &mut Transaction, zone: ZoneId, attempt: &Attempt) -> Result<bool, sqlx::Error> {
    match &attempt.outcome {
        Outcome::Unchanged => fold_check(transaction, zone, attempt).await,
        Outcome::Failed(reason) => fold_reason(transaction, zone, attempt, FAILED, reason).await,
        Outcome::Held(reason) => fold_reason(transaction, zone, attempt, HELD, reason).await,
        Outcome::Updated => Ok(false),
    }
}

/// The same check without news as the zone's newest row, whatever brought it about: a primary that sends NOTIFYs for
/// nothing, in turns with the zone's timers, must not push out what happened. The row keeps the newest trigger.
async fn fold_check(transaction: &mut Transaction, zone: ZoneId, attempt: &Attempt) -> Result<bool, sqlx::Error> {
    let folded = sqlx::query(
        "UPDATE attempts SET tries = tries + 1, last_ms = $2, millis = $3, octets = octets + $4, \
         records = records + $5, triggered_by = $7 \
         WHERE id = (SELECT MAX(id) FROM attempts WHERE zone_id = $1) AND outcome = 'unchanged' AND kind = $6 \
         AND primary_address IS NOT DISTINCT FROM $8 AND from_serial IS NOT DISTINCT FROM $9 \
         AND to_serial IS NOT DISTINCT FROM $10",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(attempt.at.0))
    .bind(to_i64(attempt.millis))
    .bind(to_i64(attempt.octets))
    .bind(to_i64(attempt.records))
    .bind(attempt.kind.as_str())
    .bind(attempt.trigger.as_str())
    .bind(attempt.primary.map(|primary| primary.to_string()))
    .bind(attempt.from_serial.map(|serial| i64::from(serial.0)))
    .bind(attempt.to_serial.map(|serial| i64::from(serial.0)))
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    Ok(folded > 0)
}

/// A failure like one of those that the zone's newest rows are, as a zone with two primaries that are dead fails in turns;
/// or the same version held back again. The row keeps the newest sentence.
async fn fold_reason(
    transaction: &mut Transaction,
    zone: ZoneId,
    attempt: &Attempt,
    outcome: &str,
    reason: &RecordedReason,
) -> Result<bool, sqlx::Error> {
    let folded = sqlx::query(
        "WITH newest AS (SELECT id, outcome, kind, triggered_by, primary_address, from_serial, to_serial, reason_code \
         FROM attempts WHERE zone_id = $1 ORDER BY id DESC LIMIT $2) \
         UPDATE attempts SET tries = tries + 1, last_ms = $3, millis = $4, octets = octets + $5, \
         records = records + $6, to_serial = $7, reason_fault = $8, reason_message = $9, reason_advice = $10 \
         WHERE id = (SELECT MAX(id) FROM newest WHERE outcome = $16 AND kind = $11 AND triggered_by = $12 \
         AND primary_address IS NOT DISTINCT FROM $13 AND from_serial IS NOT DISTINCT FROM $14 AND reason_code = $15 \
         AND (outcome = 'failed' OR to_serial IS NOT DISTINCT FROM $7)) AND NOT EXISTS (SELECT 1 FROM newest \
         WHERE newest.id > attempts.id AND newest.outcome NOT IN ('failed', 'held'))",
    )
    .bind(to_i64(zone.0))
    .bind(FAILURES_ALIKE_WITHIN)
    .bind(to_i64(attempt.at.0))
    .bind(to_i64(attempt.millis))
    .bind(to_i64(attempt.octets))
    .bind(to_i64(attempt.records))
    .bind(attempt.to_serial.map(|serial| i64::from(serial.0)))
    .bind(reason.fault.as_str())
    .bind(reason.message.as_str())
    .bind(reason.advice.as_str())
    .bind(attempt.kind.as_str())
    .bind(attempt.trigger.as_str())
    .bind(attempt.primary.map(|primary| primary.to_string()))
    .bind(attempt.from_serial.map(|serial| i64::from(serial.0)))
    .bind(reason.code.as_str())
    .bind(outcome)
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    Ok(folded > 0)
}

/// Inserts attempts in their order. What is a number or a word of ours stands in the statement itself: to hand that over one
/// by one takes several times as long.
async fn insert(transaction: &mut Transaction, attempts: &[(ZoneId, Attempt)]) -> Result<(), sqlx::Error> {
    let optional = |text: Option<String>| text.unwrap_or_else(|| "NULL".to_owned());
    let mut texts: Vec<&str> = Vec::new();
    let mut rows = Vec::with_capacity(attempts.len());
    for (place, (zone, attempt)) in attempts.iter().enumerate() {
        let Attempt { at, primary, trigger, kind, from_serial, to_serial, octets, records, millis, outcome } =
            attempt;
        let (zone, at, octets, records, millis) =
            (to_i64(zone.0), to_i64(at.0), to_i64(*octets), to_i64(*records), to_i64(*millis));
        let primary = optional(primary.map(|primary| format!("'{primary}'")));
        let [from_serial, to_serial] =
            [from_serial, to_serial].map(|serial| optional(serial.map(|serial| serial.0.to_string())));
        let (outcome, reason) = match outcome {
            Outcome::Unchanged => ("unchanged", None),
            Outcome::Updated => ("updated", None),
            Outcome::Held(reason) => (HELD, Some(reason)),
            Outcome::Failed(reason) => (FAILED, Some(reason)),
        };
        let reason = match reason {
            None => "NULL, NULL, NULL, NULL".to_owned(),
            Some(reason) => {
                let first = texts.len() + 1;
                texts.extend([&*reason.code, &reason.fault, &reason.message, &reason.advice]);
                format!("${first}, ${}, ${}, ${}", first + 1, first + 2, first + 3)
            }
        };
        rows.push(format!(
            "({place}, {zone}, {at}, {primary}, '{trigger}', '{kind}', {from_serial}, {to_serial}, {octets}, {records}, \
             {millis}, '{outcome}', {reason})"
        ));
    }
    // The zone may have been removed meanwhile: then there is nothing to insert.
    let statement = format!(
        "WITH made (place, zone, at_ms, primary_address, triggered_by, kind, from_serial, to_serial, octets, records, \
         millis, outcome, code, fault, message, advice) AS (VALUES {}) INSERT INTO attempts (zone_id, at_ms, last_ms, \
         tries, primary_address, triggered_by, kind, from_serial, to_serial, octets, records, millis, outcome, \
         reason_code, reason_fault, reason_message, reason_advice) SELECT made.zone, made.at_ms, made.at_ms, 1, \
         made.primary_address, made.triggered_by, made.kind, CAST(made.from_serial AS BIGINT), \
         CAST(made.to_serial AS BIGINT), made.octets, made.records, made.millis, made.outcome, made.code, made.fault, \
         made.message, made.advice FROM made JOIN zones ON zones.id = made.zone ORDER BY made.place",
        rows.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    for text in texts {
        query = query.bind(text);
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// Which of these zones have too much, or something too old in their first row: rows behind one that has been added to for
/// long are found when all are gone through ([`super::age`]).
async fn outgrown(transaction: &mut Transaction, grown: &[ZoneId], now_ms: u64) -> Result<Vec<ZoneId>, sqlx::Error> {
    let zones = grown.iter().map(|zone| format!("({})", to_i64(zone.0))).collect::<Vec<_>>().join(", ");
    let oldest_ms = to_i64(now_ms.saturating_sub(KEPT_MS));
    let statement = format!(
        "WITH grown (zone) AS (VALUES {zones}) SELECT zone FROM grown WHERE EXISTS (SELECT 1 FROM attempts \
         WHERE zone_id = zone ORDER BY id DESC LIMIT 1 OFFSET {ATTEMPTS_MAX}) \
         OR (SELECT last_ms FROM attempts WHERE zone_id = zone ORDER BY id LIMIT 1) < {oldest_ms}"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(statement)).persistent(false);
    let found: Vec<i64> = query.fetch_all(&mut **transaction).await?;
    Ok(grown.iter().copied().filter(|zone| found.contains(&to_i64(zone.0))).collect())
}

/// Deletes what is too old or too much. The newest attempt is the clock.
async fn trim(transaction: &mut Transaction, zone: ZoneId, now_ms: u64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM attempts WHERE zone_id = $1 AND (last_ms < $2 OR id <= \
         (SELECT id FROM attempts WHERE zone_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $3))",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(now_ms.saturating_sub(KEPT_MS)))
    .bind(i64::from(ATTEMPTS_MAX))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
