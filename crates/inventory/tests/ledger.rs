//! The ledger of attempts, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use dns::Serial;
use inventory::{
    ATTEMPTS_MAX, Attempt, Inventory, Kind, Notify, NotifySender, NotifySpan, Outcome, RecordedReason,
    StrangerNotify, TenantId, Trigger, ZoneId,
};
use place::{BY, Engine, Place, name, open, unlock, zone};
use xfr::Moment;
use xfr::notify::Channel;

on_both_engines!(
    attempts_come_back_as_they_were_newest_first_in_pages,
    consecutive_checks_without_news_are_one_row,
    consecutive_failures_of_one_kind_are_one_row_with_the_newest_sentence,
    a_zone_keeps_its_newest_thousand_attempts,
    attempts_older_than_ninety_days_are_forgotten,
    a_zone_to_which_nothing_happens_any_more_is_not_remembered_for_ever,
    notifies_come_back_as_they_were_and_alike_ones_are_one,
    a_flood_of_notifies_is_a_handful_of_rows,
    notifies_leave_half_of_what_waits_to_attempts,
    a_removed_zones_attempts_go_with_it_and_late_ones_are_nobodys,
    a_zone_that_comes_back_has_its_attempts_and_one_that_is_deleted_takes_them_along,
    another_tenants_attempts_are_not_shown,
    what_the_database_cannot_take_is_dropped_and_counted_and_nobody_waits,
);

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
    Attempt { outcome: Outcome::Failed(Box::new(reason)), to_serial: None, ..unchanged(at) }
}

/// A failure for another reason than others.
fn failed_otherwise(at: u64) -> Attempt {
    let Outcome::Failed(reason) = failed(at).outcome else { unreachable!("it failed") };
    Attempt {
        outcome: Outcome::Failed(Box::new(RecordedReason { code: format!("reason_{at}"), ..*reason })),
        ..failed(at)
    }
}

async fn with_zone(engine: Engine) -> (Place, Inventory, ZoneId) {
    let (place, inventory) = open(engine).await;
    let id = inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    (place, inventory, id)
}

async fn attempts_come_back_as_they_were_newest_first_in_pages(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
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

async fn consecutive_checks_without_news_are_one_row(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let notified = Attempt { trigger: Trigger::Notify, ..unchanged(50) };
    for attempt in [unchanged(10), unchanged(20), unchanged(30), failed(40), unchanged(45), notified] {
        inventory.ledger().record(id, attempt);
    }
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.attempt.at.0, row.last_at.0, row.count)).collect();
    assert_eq!(counts, [(45, 50, 2), (40, 40, 1), (10, 30, 3)]);
    assert_eq!(rows[0].attempt.trigger, Trigger::Notify, "what brought the last one about");
    let folded = &rows[2].attempt;
    assert_eq!((folded.octets, folded.records, folded.millis), (300, 3, 30));
}

async fn consecutive_failures_of_one_kind_are_one_row_with_the_newest_sentence(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let retried = |at| Attempt { trigger: Trigger::Retry, ..failed(at) };
    let of_another = |at| Attempt { primary: Some("192.0.2.2:53".parse().unwrap()), ..retried(at) };
    inventory.ledger().record(id, Attempt { outcome: Outcome::Updated, ..unchanged(5) });
    // Two primaries that fail in turns.
    for at in (10..5_000).step_by(20) {
        inventory.ledger().record(id, retried(at));
        inventory.ledger().record(id, of_another(at + 10));
    }
    let Outcome::Failed(reason) = failed(0).outcome else { unreachable!("it failed") };
    let newest = RecordedReason { message: "the primary refused again".into(), ..*reason };
    let last =
        Attempt { outcome: Outcome::Failed(Box::new(newest.clone())), to_serial: Some(Serial(9)), ..retried(6_000) };
    inventory.ledger().record(id, last);
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.attempt.at.0, row.last_at.0, row.count)).collect();
    assert_eq!(counts, [(20, 5_000, 250), (10, 6_000, 251), (5, 5, 1)]);
    assert_eq!(
        (&rows[1].attempt.outcome, rows[1].attempt.to_serial),
        (&Outcome::Failed(Box::new(newest)), Some(Serial(9)))
    );
    assert_eq!(rows[1].attempt.octets, 25_100);
    let latest = inventory.latest_attempts().await.unwrap();
    assert_eq!(latest, [(id, rows[1].clone())], "the last attempt, not the newest row");
    // What succeeds in between ends the run.
    for attempt in [unchanged(6_100), retried(6_200)] {
        inventory.ledger().record(id, attempt);
    }
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].attempt.at, rows[0].count), (5, Moment(6_200), 1));
}

async fn a_zone_keeps_its_newest_thousand_attempts(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    for at in 0..u64::from(ATTEMPTS_MAX) + 500 {
        inventory.ledger().record(id, failed_otherwise(at));
    }
    let rows = inventory.attempts(OURS, id, None, 10_000).await.unwrap();
    assert_eq!(rows.len(), ATTEMPTS_MAX as usize);
    assert_eq!(rows[0].attempt.at, Moment(u64::from(ATTEMPTS_MAX) + 499));
    assert_eq!(inventory.ledger().dropped(), 0);
}

async fn attempts_older_than_ninety_days_are_forgotten(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    for at in [0, DAY_MS, 91 * DAY_MS - 1] {
        inventory.ledger().record(id, failed_otherwise(at));
    }
    let rows = inventory.attempts(OURS, id, None, 10).await.unwrap();
    let times: Vec<_> = rows.iter().map(|row| row.attempt.at.0).collect();
    assert_eq!(times, [91 * DAY_MS - 1, DAY_MS]);
}

async fn a_zone_to_which_nothing_happens_any_more_is_not_remembered_for_ever(engine: Engine) {
    let (_place, inventory, quiet) = with_zone(engine).await;
    let lively = inventory.add_zone(&BY, OURS, &zone("example.net", &["192.0.2.1:53"])).await.unwrap();
    inventory.ledger().record(quiet, failed_otherwise(0));
    inventory.ledger().record_notify(quiet, taken(0, 1));
    inventory.ledger().record(quiet, failed_otherwise(80 * DAY_MS));
    // A row that began long ago and goes on.
    for at in [1, 80 * DAY_MS] {
        inventory.ledger().record(lively, unchanged(at));
    }
    inventory.ledger().flush().await;
    // Some batches, of which each goes one step, over more than a day.
    for half_days in 182..190 {
        inventory.ledger().record(lively, unchanged(half_days * DAY_MS / 2));
        inventory.ledger().flush().await;
    }
    let rows = inventory.attempts(OURS, quiet, None, 10).await.unwrap();
    let times: Vec<_> = rows.iter().map(|row| row.attempt.at.0).collect();
    assert_eq!(times, [80 * DAY_MS]);
    assert!(inventory.notifies(OURS, quiet, 10).await.unwrap().is_empty());
    assert_eq!(inventory.attempts(OURS, lively, None, 10).await.unwrap()[0].count, 10);
}

fn span(at: u64, count: u64) -> NotifySpan {
    NotifySpan { first: Moment(at), last: Moment(at), count }
}

fn taken(at: u64, serial: u32) -> Notify {
    Notify {
        sender: NotifySender::Known("192.0.2.1".parse().unwrap()),
        channel: Channel::Tls,
        signed_by: Some(name("key.example.")),
        serial: Some(Serial(serial)),
        declined: None,
        span: span(at, 1),
    }
}

fn refused(at: u64, site: &str) -> Notify {
    Notify {
        sender: NotifySender::Strangers(site.parse().unwrap()),
        channel: Channel::Udp,
        signed_by: None,
        declined: Some("stranger".into()),
        ..taken(at, 7)
    }
}

fn spans(notifies: &[Notify]) -> Vec<(u64, u64, u64)> {
    notifies.iter().map(|notify| (notify.span.first.0, notify.span.last.0, notify.span.count)).collect()
}

async fn notifies_come_back_as_they_were_and_alike_ones_are_one(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let unsigned = Notify { signed_by: None, declined: Some("unsigned".into()), serial: None, ..taken(20, 1) };
    let given = [taken(10, 1), unsigned, refused(30, "198.51.100.0/24"), refused(40, "2001:db8:1::/48")];
    for notify in &given {
        inventory.ledger().record_notify(id, notify.clone());
    }
    let found = inventory.notifies(OURS, id, 10).await.unwrap();
    assert_eq!(found.iter().rev().cloned().collect::<Vec<_>>(), given);

    // Within a minute of each other, or of one serial: one row. Another serial later: another one.
    for (at, serial) in [(30_000, 2), (90_000, 3), (500_000, 3), (600_000, 4)] {
        inventory.ledger().record_notify(id, taken(at, serial));
    }
    let found = inventory.notifies(OURS, id, 2).await.unwrap();
    assert_eq!(spans(&found), [(600_000, 600_000, 1), (10, 500_000, 4)]);
    assert_eq!(found[1].serial, Some(Serial(3)));
    assert!(inventory.notifies(TenantId(2), id, 10).await.unwrap().is_empty(), "another tenant's");
}

async fn a_flood_of_notifies_is_a_handful_of_rows(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    // A second of a flood in each: forged from the primary's address with ever other serials, and from everywhere.
    for second in 0..1_100_u32 {
        let at = u64::from(second) * 1_000;
        inventory.ledger().record_notify(id, Notify { span: span(at, 1_000), ..taken(at, second) });
        let [_, _, high, low] = second.to_be_bytes();
        inventory.ledger().record_notify(id, refused(at, &format!("10.{high}.{low}.0/24")));
        inventory.ledger().record_notify(id, refused(at, "198.51.100.0/24"));
        let site = format!("10.{high}.{low}.0/24").parse().unwrap();
        let (from, zone) = ("10.0.0.1".parse().unwrap(), Some(name("nowhere.example.")));
        let declined = "unknown_zone".to_owned();
        let stranger = StrangerNotify { site, span: span(at, 9), from, channel: Channel::Udp, zone, declined };
        inventory.ledger().record_stranger(stranger);
        inventory.ledger().flush().await;
    }
    let rows = inventory.notifies(OURS, id, 10_000).await.unwrap();
    let known: Vec<Notify> =
        rows.iter().filter(|row| matches!(row.sender, NotifySender::Known(_))).cloned().collect();
    assert_eq!(spans(&known), [(0, 1_099_000, 1_100_000)]);
    assert_eq!(rows.len(), 1 + 100, "of strangers the last hundred");
    assert!(spans(&rows).contains(&(0, 1_099_000, 1_100)), "who goes on is among them");
    let strangers = inventory.stranger_notifies(10_000).await.unwrap();
    assert_eq!((strangers.len(), strangers[0].span.count, strangers[0].span.last), (1_000, 9, Moment(1_099_000)));
    assert_eq!(inventory.ledger().notifies_dropped(), 0);
}

async fn notifies_leave_half_of_what_waits_to_attempts(engine: Engine) {
    let (place, inventory, id) = with_zone(engine).await;
    let other = place.lock().await;
    for at in 0..20_000 {
        inventory.ledger().record_notify(id, taken(at, 1));
    }
    assert!(inventory.ledger().notifies_dropped() > 10_000);
    for at in 0..5_000 {
        inventory.ledger().record(id, failed(at));
    }
    assert_eq!(inventory.ledger().dropped(), 0);
    unlock(other).await;
    assert_eq!(inventory.attempts(OURS, id, None, 10).await.unwrap()[0].count, 5_000);
}

async fn a_removed_zones_attempts_go_with_it_and_late_ones_are_nobodys(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    inventory.ledger().record(id, failed(1));
    inventory.ledger().flush().await;
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    inventory.ledger().record(id, failed(2));
    inventory.ledger().flush().await;
    assert_eq!(inventory.ledger().dropped(), 0);
    assert!(inventory.latest_attempts().await.unwrap().is_empty());
}

async fn a_zone_that_comes_back_has_its_attempts_and_one_that_is_deleted_takes_them_along(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let (name, until) = (name("example.org"), Moment(BY.at.0 + DAY_MS));
    for at in 1..4 {
        inventory.ledger().record(id, failed_otherwise(at));
    }
    inventory.ledger().flush().await;
    let before = inventory.attempts(OURS, id, None, 10).await.unwrap();
    inventory.remove_zone_and_keep(&BY, OURS, &name, until).await.unwrap();
    assert!(inventory.attempts(OURS, id, None, 10).await.unwrap().is_empty(), "it is nobody's now");
    inventory.restore_zone(&BY, OURS, &name).await.unwrap();
    assert_eq!(inventory.attempts(OURS, id, None, 10).await.unwrap(), before);
    // What happens then comes behind them.
    inventory.ledger().record(id, failed_otherwise(9));
    inventory.ledger().flush().await;
    let after = inventory.attempts(OURS, id, None, 10).await.unwrap();
    assert!(after.len() == before.len() + 1 && after.ends_with(&before), "{after:?}");

    inventory.remove_zone_and_keep(&BY, OURS, &name, until).await.unwrap();
    inventory.remove_stored_zone(&BY, OURS, &name, id).await.unwrap();
    inventory.forget_removed(&[id]).await.unwrap();
    inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    assert!(inventory.latest_attempts().await.unwrap().is_empty(), "it is another zone");
}

async fn another_tenants_attempts_are_not_shown(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    inventory.ledger().record(id, failed(1));
    assert!(inventory.attempts(TenantId(2), id, None, 10).await.unwrap().is_empty());
}

async fn what_the_database_cannot_take_is_dropped_and_counted_and_nobody_waits(engine: Engine) {
    let (place, inventory, id) = with_zone(engine).await;
    let other = place.lock().await;
    // The first batch waits for the lock; the queue fills behind it.
    for at in 0..40_000 {
        inventory.ledger().record(id, failed_otherwise(at));
    }
    assert!(inventory.ledger().dropped() > 20_000);
    unlock(other).await;
    inventory.ledger().flush().await;
    assert_eq!(inventory.attempts(OURS, id, None, 10_000).await.unwrap().len(), ATTEMPTS_MAX as usize);
}
