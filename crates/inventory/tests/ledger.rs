//! The ledger of attempts, on real database files.

#![allow(clippy::unwrap_used)]

mod place;

use dns::Serial;
use inventory::{ATTEMPTS_MAX, Attempt, Inventory, Kind, Outcome, RecordedReason, TenantId, Trigger, ZoneId};
use place::{Place, name, open, zone};
use xfr::Moment;

const OURS: TenantId = TenantId::DEFAULT;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn unchanged(at: u64) -> Attempt {
    Attempt {
        at: Moment(at),
        primary: Some("192.0.2.1:53".parse().unwrap()),
        trigger: Trigger::Refresh,
        kind: Kind::Check,
        from_serial: Some(Serial(7)),
        to_serial: Some(Serial(7)),
        octets: 100,
        records: 1,
        millis: at,
        outcome: Outcome::Unchanged,
    }
}

fn failed(at: u64) -> Attempt {
    let reason = RecordedReason {
        code: "refused".into(),
        fault: "primary".into(),
        message: "the primary refused".into(),
        advice: "allow us".into(),
    };
    Attempt { outcome: Outcome::Failed(reason), to_serial: None, ..unchanged(at) }
}

async fn with_zone() -> (Place, Inventory, ZoneId) {
    let (place, inventory) = open().await;
    let id = inventory.add_zone(OURS, &zone("example.org", &["192.0.2.1:53"]), Moment(0)).await.unwrap();
    (place, inventory, id)
}

#[tokio::test]
async fn attempts_come_back_as_they_were_newest_first_in_pages() {
    let (_place, inventory, id) = with_zone().await;
    let updated = Attempt {
        trigger: Trigger::First,
        kind: Kind::Axfr,
        from_serial: None,
        to_serial: Some(Serial(u32::MAX)),
        outcome: Outcome::Updated,
        ..unchanged(1)
    };
    let given = [updated, failed(2), Attempt { primary: None, ..failed(3) }, unchanged(4)];
    for attempt in &given {
        inventory.ledger().record(id, attempt.clone());
    }
    let first = inventory.attempts(OURS, id, None, 3).await.unwrap();
    let rest = inventory.attempts(OURS, id, first.last().map(|row| row.id), 3).await.unwrap();
    let found: Vec<_> = first.iter().chain(&rest).rev().map(|row| row.attempt.clone()).collect();
    assert_eq!(found, given);
    let latest = inventory.latest_attempts().await.unwrap();
    assert_eq!(latest, [(id, first[0].clone())]);
}

#[tokio::test]
async fn consecutive_checks_without_news_are_one_row() {
    let (_place, inventory, id) = with_zone().await;
    let notified = Attempt { trigger: Trigger::Notify, ..unchanged(50) };
    for attempt in [unchanged(10), unchanged(20), unchanged(30), failed(40), unchanged(45), notified] {
        inventory.ledger().record(id, attempt);
    }
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.attempt.at.0, row.last_at.0, row.count)).collect();
    assert_eq!(counts, [(50, 50, 1), (45, 45, 1), (40, 40, 1), (10, 30, 3)]);
    let folded = &rows[3].attempt;
    assert_eq!((folded.octets, folded.records, folded.millis), (300, 3, 30));
}

#[tokio::test]
async fn a_zone_keeps_its_newest_thousand_attempts() {
    let (_place, inventory, id) = with_zone().await;
    for at in 0..u64::from(ATTEMPTS_MAX) + 500 {
        inventory.ledger().record(id, failed(at));
    }
    let rows = inventory.attempts(OURS, id, None, 10_000).await.unwrap();
    assert_eq!(rows.len(), ATTEMPTS_MAX as usize);
    assert_eq!(rows[0].attempt.at, Moment(u64::from(ATTEMPTS_MAX) + 499));
    assert_eq!(inventory.ledger().dropped(), 0);
}

#[tokio::test]
async fn attempts_older_than_ninety_days_are_forgotten() {
    let (_place, inventory, id) = with_zone().await;
    for at in [0, DAY_MS, 91 * DAY_MS - 1] {
        inventory.ledger().record(id, failed(at));
    }
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    let times: Vec<_> = rows.iter().map(|row| row.attempt.at.0).collect();
    assert_eq!(times, [91 * DAY_MS - 1, DAY_MS]);
}

#[tokio::test]
async fn a_removed_zones_attempts_go_with_it_and_late_ones_are_nobodys() {
    let (_place, inventory, id) = with_zone().await;
    inventory.ledger().record(id, failed(1));
    inventory.ledger().flush().await;
    inventory.remove_zone(OURS, &name("example.org")).await.unwrap();
    inventory.ledger().record(id, failed(2));
    inventory.ledger().flush().await;
    assert_eq!(inventory.ledger().dropped(), 0);
    assert!(inventory.latest_attempts().await.unwrap().is_empty());
}

#[tokio::test]
async fn another_tenants_attempts_are_not_shown() {
    let (_place, inventory, id) = with_zone().await;
    inventory.ledger().record(id, failed(1));
    assert!(inventory.attempts(TenantId(2), id, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_database_cannot_take_is_dropped_and_counted_and_nobody_waits() {
    let (place, inventory, id) = with_zone().await;
    let mut other = place.connect().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    // The first batch waits for the lock; the queue fills behind it.
    for at in 0..40_000 {
        inventory.ledger().record(id, failed(at));
    }
    assert!(inventory.ledger().dropped() > 20_000);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    inventory.ledger().flush().await;
    assert_eq!(inventory.attempts(OURS, id, None, 10_000).await.unwrap().len(), ATTEMPTS_MAX as usize);
}
