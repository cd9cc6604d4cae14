//! Events, and who is told of them, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use std::time::Duration;

use inventory::{
    AlertError, AlertRuleId, Channel, Confirmation, DELIVERIES_KEPT, DeliveryState, EventKind, Hashed, Inventory,
    NewAlertRule, NewEvent, Pace, RULES_MAX, Severity, TenantId, Tried, TriedState, Wanted,
};
use place::{BY, Engine, NOW, Place, zone};
use xfr::Moment;
use zone::Tags;

on_both_engines!(
    events_of_a_tenant_that_is_gone_keep_nobody_from_theirs,
    an_event_is_told_once_a_day_and_read_by_its_tenant_alone,
    what_is_over_is_told_anew_and_what_goes_up_and_down_is_left_as_down,
    what_has_not_ended_is_known_at_a_start,
    what_comes_in_stages_is_told_at_each,
    a_rule_is_told_what_it_wants_and_nothing_else,
    events_that_come_together_are_one_delivery_however_many_they_are,
    deliveries_of_a_rule_are_apart_and_one_behind_the_other,
    a_try_of_which_nothing_is_heard_is_made_again,
    an_address_gets_nothing_before_it_is_confirmed,
    a_rule_is_its_tenants_alone_and_goes_with_its_deliveries,
    so_many_rules_and_deliveries_are_kept,
    a_zones_delegation_is_looked_at_once_in_a_while_and_what_was_seen_is_kept,
);

const OURS: TenantId = TenantId::DEFAULT;
const THEIRS: TenantId = TenantId(2);
const DAY_MS: u64 = 24 * 3600 * 1000;
const PACE: Pace = Pace { gather: Duration::from_secs(30), apart: Duration::from_secs(600) };
const LEASE: Duration = Duration::from_secs(120);

fn event(kind: EventKind, subject: &str, after_ms: u64) -> NewEvent {
    NewEvent {
        tenant: OURS,
        at: after(after_ms),
        kind,
        severity: Severity::Warning,
        stage: String::new(),
        subject: subject.into(),
        message: format!("{} of {subject}", kind.as_str()),
        tags: Tags::default(),
    }
}

fn after(ms: u64) -> Moment {
    Moment(NOW.0 + ms)
}

async fn record(inventory: &Inventory, event: NewEvent) -> bool {
    inventory.record_events(&[event], PACE).await.unwrap() == 1
}

fn webhook(severity: Severity) -> NewAlertRule {
    let channel = Channel::Webhook { url: "https://hooks.example/".into(), secret: "c2VjcmV0".into() };
    NewAlertRule { channel, wanted: Wanted { severity, kinds: Vec::new(), tag: None } }
}

async fn add(inventory: &Inventory, rule: &NewAlertRule) -> AlertRuleId {
    inventory.add_alert_rule(&BY, OURS, rule, &Confirmation::None).await.unwrap()
}

/// What waits or has waited for the rule: how many of which kinds.
async fn told(inventory: &Inventory, rule: AlertRuleId) -> Vec<(String, u64)> {
    let deliveries = inventory.deliveries(OURS, Some(rule), None, 100).await.unwrap();
    let groups = deliveries.into_iter().flat_map(|delivery| delivery.digest.groups);
    groups.map(|group| (group.kind, group.count)).collect()
}

async fn an_event_is_told_once_a_day_and_read_by_its_tenant_alone(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    assert!(record(&inventory, event(EventKind::LimitNear, "a.test", 0)).await);
    assert!(!record(&inventory, event(EventKind::LimitNear, "a.test", DAY_MS - 1)).await, "it was told");
    assert!(record(&inventory, event(EventKind::LimitNear, "b.test", 1)).await);
    assert!(record(&inventory, event(EventKind::LimitExceeded, "a.test", 2)).await);
    assert!(record(&inventory, event(EventKind::LimitNear, "a.test", DAY_MS + 1)).await);
    let read = async |before, limit| -> Vec<String> {
        let events = inventory.events(OURS, before, limit).await.unwrap();
        events.iter().map(|event| event.message.clone()).collect()
    };
    assert_eq!(read(None, 2).await, ["limit_near of a.test", "limit_exceeded of a.test"]);
    let last = inventory.events(OURS, None, 2).await.unwrap()[1].id;
    assert_eq!(read(Some(last), 9).await, ["limit_near of b.test", "limit_near of a.test"]);
    assert!(inventory.events(THEIRS, None, 9).await.unwrap().is_empty());
}

async fn events_of_a_tenant_that_is_gone_keep_nobody_from_theirs(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let gone = NewEvent { tenant: TenantId(77), ..event(EventKind::Stale, "gone.test", 0) };
    let over = NewEvent { kind: EventKind::Recovered, ..gone.clone() };
    let events = [gone, over, event(EventKind::Stale, "a.test", 0)];
    assert_eq!(inventory.record_events(&events, PACE).await.unwrap(), 1);
}

async fn what_is_over_is_told_anew_and_what_goes_up_and_down_is_left_as_down(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let mut told = Vec::new();
    for hour in 0..7 {
        let at = hour * 3_600_000;
        told.push(record(&inventory, event(EventKind::TransferFailing, "a.test", at)).await);
        told.push(record(&inventory, event(EventKind::Recovered, "a.test", at + 1)).await);
    }
    let expected = [[true, true]; 5].concat().into_iter().chain([true, false, false, false]);
    assert_eq!(told, expected.collect::<Vec<_>>());
    // Another zone has its own.
    assert!(record(&inventory, event(EventKind::TransferFailing, "b.test", 7 * 3_600_000)).await);
    assert!(record(&inventory, event(EventKind::Recovered, "a.test", DAY_MS + 3_600_000)).await);
}

async fn what_has_not_ended_is_known_at_a_start(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    record(&inventory, event(EventKind::TransferFailing, "a.test", 0)).await;
    record(&inventory, event(EventKind::Stale, "b.test", 0)).await;
    record(&inventory, event(EventKind::Expired, "b.test", 1)).await;
    record(&inventory, event(EventKind::Stale, "c.test", 2)).await;
    record(&inventory, event(EventKind::Recovered, "c.test", 3)).await;
    record(&inventory, event(EventKind::LimitNear, "zones", 3)).await;
    let mut troubled = inventory.troubled(Moment(NOW.0 - 1)).await.unwrap();
    troubled.sort_unstable();
    assert_eq!(troubled, [(OURS, "a.test".to_owned()), (OURS, "b.test".to_owned())]);
    assert_eq!(inventory.troubled(NOW).await.unwrap(), [(OURS, "b.test".to_owned())], "not what is too old");
}

async fn what_comes_in_stages_is_told_at_each(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let stage = |stage: &str, at| NewEvent { stage: stage.into(), ..event(EventKind::Expiring, "a.test", at) };
    assert!(record(&inventory, stage("50", 0)).await);
    assert!(!record(&inventory, stage("50", 1)).await);
    assert!(record(&inventory, stage("25", 2)).await);
}

async fn a_rule_is_told_what_it_wants_and_nothing_else(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let wanting = |severity, kinds: &[EventKind], tag: Option<&str>| {
        let wanted = Wanted { severity, kinds: kinds.to_vec(), tag: tag.map(str::to_owned) };
        NewAlertRule { wanted, ..webhook(severity) }
    };
    let all = add(&inventory, &wanting(Severity::Info, &[], None)).await;
    let errors = add(&inventory, &wanting(Severity::Error, &[], None)).await;
    let stale = add(&inventory, &wanting(Severity::Info, &[EventKind::Stale], None)).await;
    let tagged = add(&inventory, &wanting(Severity::Info, &[], Some("prod"))).await;
    let theirs = inventory.add_alert_rule(&BY, THEIRS, &webhook(Severity::Info), &Confirmation::None).await.unwrap();
    let tags = Tags::read(["prod", "berlin"]).unwrap();
    inventory
        .record_events(
            &[
                NewEvent { tags, ..event(EventKind::Stale, "a.test", 0) },
                NewEvent { severity: Severity::Error, ..event(EventKind::Expired, "b.test", 0) },
                NewEvent { severity: Severity::Info, ..event(EventKind::Recovered, "c.test", 0) },
            ],
            PACE,
        )
        .await
        .unwrap();
    let one = |kind: EventKind| (kind.as_str().to_owned(), 1);
    assert_eq!(
        told(&inventory, all).await,
        [one(EventKind::Expired), one(EventKind::Stale), one(EventKind::Recovered)],
        "the worst first"
    );
    let over = "that something is over is told to all who are told of trouble";
    assert_eq!(told(&inventory, errors).await, [one(EventKind::Expired), one(EventKind::Recovered)], "{over}");
    assert_eq!(told(&inventory, stale).await, [one(EventKind::Stale)]);
    assert_eq!(told(&inventory, tagged).await, [one(EventKind::Stale)]);
    assert_eq!(inventory.deliveries(THEIRS, Some(theirs), None, 9).await.unwrap(), []);
    // From now on.
    let wanted = Wanted { severity: Severity::Error, kinds: Vec::new(), tag: None };
    inventory.change_alert_rule(&BY, OURS, stale, &wanted).await.unwrap();
    record(&inventory, NewEvent { severity: Severity::Error, ..event(EventKind::VersionHeld, "d.test", 1) }).await;
    assert_eq!(told(&inventory, stale).await, [one(EventKind::VersionHeld), one(EventKind::Stale)]);
}

async fn events_that_come_together_are_one_delivery_however_many_they_are(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let rule = add(&inventory, &webhook(Severity::Info)).await;
    let many: Vec<NewEvent> =
        (0..300).map(|zone| event(EventKind::Stale, &format!("zone{zone}.test"), zone)).collect();
    for portion in many.chunks(100) {
        inventory.record_events(portion, PACE).await.unwrap();
    }
    assert_eq!(inventory.next_delivery_due().await.unwrap(), Some(after(30_000)));
    assert_eq!(inventory.take_due_deliveries(after(29_999), LEASE, 9).await.unwrap(), []);
    let due = inventory.take_due_deliveries(after(30_000), LEASE, 9).await.unwrap();
    assert_eq!(due.iter().map(|due| (due.rule.id, due.tenant)).collect::<Vec<_>>(), [(rule, OURS)]);
    let digest = &due[0].delivery.digest;
    assert_eq!((digest.count(), digest.severity(), digest.groups.len()), (300, Severity::Warning, 1));
    let subjects: Vec<&str> = digest.groups[0].first.iter().map(|told| told.subject.as_str()).collect();
    assert_eq!(subjects.len(), 10);
    assert_eq!(subjects[..2], ["zone0.test", "zone1.test"]);
}

async fn deliveries_of_a_rule_are_apart_and_one_behind_the_other(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let rule = add(&inventory, &webhook(Severity::Info)).await;
    record(&inventory, event(EventKind::Stale, "a.test", 0)).await;
    let first = inventory.take_due_deliveries(after(30_000), LEASE, 9).await.unwrap().remove(0).delivery;
    assert_eq!((first.state, first.tries), (DeliveryState::Trying, 1));
    // What comes while it is tried is another one, which waits for its end.
    record(&inventory, event(EventKind::Stale, "b.test", 31_000)).await;
    let again = TriedState::Again(after(200_000));
    let tried = |at, state| Tried { at: after(at), answer: "503 Service Unavailable".into(), state };
    inventory.delivery_tried(first.id, &tried(32_000, again)).await.unwrap();
    assert_eq!(inventory.next_delivery_due().await.unwrap(), Some(after(200_000)));
    assert_eq!(inventory.take_due_deliveries(after(199_999), LEASE, 9).await.unwrap(), []);
    let second_try = inventory.take_due_deliveries(after(200_000), LEASE, 9).await.unwrap().remove(0).delivery;
    assert_eq!((second_try.id, second_try.tries), (first.id, 2));
    assert_eq!(second_try.digest, first.digest, "it says what it said");
    inventory.delivery_tried(first.id, &tried(201_000, TriedState::Sent)).await.unwrap();
    let second = inventory.take_due_deliveries(after(201_000), LEASE, 9).await.unwrap().remove(0).delivery;
    assert_ne!(second.id, first.id);
    inventory.delivery_tried(second.id, &tried(202_000, TriedState::Sent)).await.unwrap();
    // And then there is quiet for a while.
    record(&inventory, event(EventKind::Stale, "c.test", 203_000)).await;
    assert_eq!(inventory.next_delivery_due().await.unwrap(), Some(after(802_000)));
    let kept = inventory.deliveries(OURS, Some(rule), None, 9).await.unwrap();
    let states: Vec<_> = kept.iter().map(|delivery| (delivery.state, delivery.answer.as_str())).collect();
    let sent = (DeliveryState::Sent, "503 Service Unavailable");
    assert_eq!(states, [(DeliveryState::Gathering, ""), sent, sent]);
}

async fn a_try_of_which_nothing_is_heard_is_made_again(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    add(&inventory, &webhook(Severity::Info)).await;
    record(&inventory, event(EventKind::Stale, "a.test", 0)).await;
    let first = inventory.take_due_deliveries(after(30_000), LEASE, 9).await.unwrap().remove(0).delivery;
    assert_eq!(inventory.take_due_deliveries(after(149_999), LEASE, 9).await.unwrap(), []);
    let again = inventory.take_due_deliveries(after(150_000), LEASE, 9).await.unwrap().remove(0).delivery;
    assert_eq!((again.id, again.tries), (first.id, 2));
}

async fn an_address_gets_nothing_before_it_is_confirmed(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let rule = NewAlertRule { channel: Channel::Mail("noc@example.net".into()), ..webhook(Severity::Info) };
    let secret = Hashed::of("sent by mail");
    let id = inventory.add_alert_rule(&BY, OURS, &rule, &Confirmation::Awaited(secret.clone())).await.unwrap();
    assert!(!inventory.alert_rules(OURS).await.unwrap()[0].is_confirmed);
    record(&inventory, event(EventKind::Stale, "a.test", 0)).await;
    assert_eq!(told(&inventory, id).await, []);
    assert_eq!(inventory.confirm_alert_rule(&BY, &Hashed::of("guessed")).await.unwrap(), None);
    assert_eq!(inventory.confirm_alert_rule(&BY, &secret).await.unwrap().as_deref(), Some("noc@example.net"));
    assert_eq!(inventory.confirm_alert_rule(&BY, &secret).await.unwrap(), None, "once");
    record(&inventory, event(EventKind::Stale, "b.test", 0)).await;
    assert_eq!(told(&inventory, id).await, [("stale".to_owned(), 1)]);
}

async fn a_rule_is_its_tenants_alone_and_goes_with_its_deliveries(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let rule = add(&inventory, &webhook(Severity::Info)).await;
    record(&inventory, event(EventKind::Stale, "a.test", 0)).await;
    assert_eq!(inventory.alert_rules(THEIRS).await.unwrap(), []);
    assert_eq!(inventory.deliveries(THEIRS, Some(rule), None, 9).await.unwrap(), []);
    assert!(matches!(inventory.remove_alert_rule(&BY, THEIRS, rule).await, Err(AlertError::Unknown(_))));
    let wanted = webhook(Severity::Info).wanted;
    assert!(matches!(inventory.change_alert_rule(&BY, THEIRS, rule, &wanted).await, Err(AlertError::Unknown(_))));
    let test = event(EventKind::Test, "", 0);
    assert!(matches!(inventory.add_test_delivery(THEIRS, rule, &test, LEASE).await, Err(AlertError::Unknown(_))));
    let tested = inventory.add_test_delivery(OURS, rule, &test, LEASE).await.unwrap();
    assert_eq!((tested.delivery.state, tested.rule.id), (DeliveryState::Trying, rule));
    inventory.remove_alert_rule(&BY, OURS, rule).await.unwrap();
    assert_eq!(inventory.deliveries(OURS, None, None, 9).await.unwrap(), []);
    assert_eq!(inventory.next_delivery_due().await.unwrap(), None);
    let tried = Tried { at: NOW, answer: String::new(), state: TriedState::Sent };
    inventory.delivery_tried(tested.delivery.id, &tried).await.unwrap();
}

async fn so_many_rules_and_deliveries_are_kept(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let rule = add(&inventory, &webhook(Severity::Info)).await;
    for _ in 1..RULES_MAX {
        add(&inventory, &webhook(Severity::Error)).await;
    }
    let too_many = inventory.add_alert_rule(&BY, OURS, &webhook(Severity::Info), &Confirmation::None).await;
    assert!(matches!(too_many, Err(AlertError::TooMany)));
    for number in 0..DELIVERIES_KEPT + 3 {
        let test = event(EventKind::Test, "", u64::from(number));
        let tested = inventory.add_test_delivery(OURS, rule, &test, LEASE).await.unwrap();
        let tried = Tried { at: test.at, answer: String::new(), state: TriedState::Sent };
        inventory.delivery_tried(tested.delivery.id, &tried).await.unwrap();
    }
    let kept = inventory.deliveries(OURS, Some(rule), None, 1_000).await.unwrap();
    assert!(kept.len() <= DELIVERIES_KEPT as usize + 1, "{}", kept.len());
}

async fn a_zones_delegation_is_looked_at_once_in_a_while_and_what_was_seen_is_kept(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let first = inventory.add_zone(&BY, OURS, &zone("a.test", &["192.0.2.1:53"])).await.unwrap();
    let second = inventory.add_zone(&BY, OURS, &zone("b.test", &["192.0.2.1:53"])).await.unwrap();
    let due = async |since_ms| inventory.delegations_due(after(since_ms), 9).await.unwrap();
    assert_eq!(inventory.delegations_due(Moment(NOW.0 - 1), 9).await.unwrap(), [], "they are new");
    assert_eq!(due(0).await, [(OURS, first), (OURS, second)]);
    assert_eq!(inventory.last_delegation(first).await.unwrap(), None);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let seen = names(&["ns1.a.test.", "ns2.a.test."]);
    inventory.delegation_seen(first, Some(&seen), after(10)).await.unwrap();
    assert_eq!(due(9).await, [(OURS, second)]);
    inventory.delegation_seen(second, None, after(11)).await.unwrap();
    assert_eq!(due(11).await, [(OURS, first), (OURS, second)], "who waits longest comes first");
    // What cannot be seen changes nothing.
    inventory.delegation_seen(first, None, after(20)).await.unwrap();
    assert_eq!(inventory.last_delegation(first).await.unwrap(), Some(seen));
    assert_eq!(inventory.last_delegation(second).await.unwrap(), None);
    inventory.delegation_seen(first, Some(&[]), after(21)).await.unwrap();
    assert_eq!(inventory.last_delegation(first).await.unwrap(), Some(Vec::new()), "nobody");
}
