//! Versions that are held back, kept, frozen, or of before.

use transfer::{Fetch, Lane};
use xfr::Reason;

use super::*;
use crate::history;
use crate::holds::Want;
use crate::refresh::{Received, Way, refresh};

/// A zone whose newest version has lost most of its records.
async fn with_a_held_version() -> Scene {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(1, &records(200)));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    scene.primary.publish("example.", &text(2, &records(60)));
    assert_eq!(held_code(&scene.follow().await), "version_held");
    scene
}

fn held_code(attempt: &Attempt) -> &'static str {
    match &attempt.result {
        Ok(Refreshed::Held(reason)) => reason.code(),
        other => panic!("nothing is held back: {other:?}"),
    }
}

fn released() -> Wake {
    Wake { guard: Guard::Released, ..Wake::by(Trigger::Request) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_lost_too_much_is_kept_back_and_confirms_the_old_one() {
    let scene = with_a_held_version().await;
    assert_eq!(scene.served_serial(), Some(1));
    let confirmed_at = scene.zone().condition().timers.confirmed_at();
    let transfers = scene.primary.count(Query::Ixfr) + scene.primary.count(Query::Axfr);
    let again = scene.follow().await;
    assert_eq!((again.kind, held_code(&again)), (Kind::Check, "version_held"));
    assert!(scene.zone().condition().timers.confirmed_at() >= confirmed_at);
    assert_eq!(scene.zone().condition().timers.failures(), 0, "the primary has done nothing wrong");
    let after = scene.primary.count(Query::Ixfr) + scene.primary.count(Query::Axfr);
    assert_eq!(after, transfers, "it is not fetched again and again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_word_publishes_it_even_with_the_primary_gone() {
    let mut scene = with_a_held_version().await;
    scene.primary = Primary::start();
    let attempt = attempt(&scene.node, &scene.zone(), &released()).await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Publish, Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(2));
    assert!(matches!(scene.zone().condition().hold, Hold::None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_outlives_a_restart_with_its_time() {
    let scene = with_a_held_version().await;
    let since = |scene: &Scene| match &scene.zone().condition().hold {
        Hold::Held(held) => (held.since, held.version.is_some()),
        other => panic!("{other:?}"),
    };
    let (before, _) = since(&scene);
    let scene = scene.restarted(Moment(0)).await;
    assert_eq!(since(&scene), (before, false));
    assert_eq!(held_code(&scene.follow().await), "version_held", "it is not even fetched");
    let attempt = attempt(&scene.node, &scene.zone(), &released()).await;
    assert_eq!(attempt.result, Ok(Refreshed::Published), "now it is");
    assert_eq!(scene.served_serial(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_keeps_stays_until_there_is_yet_another_version() {
    let scene = with_a_held_version().await;
    scene.zone().condition().hold = Hold::Kept { serial: dns::Serial(2) };
    assert_eq!(held_code(&scene.follow().await), "version_kept");
    scene.primary.publish("example.", &text(3, &records(190)));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_judged_anew_and_a_whole_zone_asked_for_is_never_held() {
    let scene = with_a_held_version().await;
    scene.primary.publish("example.", &text(3, &records(50)));
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, held_code(&attempt)), (Kind::Ixfr, "version_held"));
    assert_eq!(scene.attempt(Transfer::Full).await.result, Ok(Refreshed::Published));
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_primary_took_back_is_no_longer_held() {
    let scene = with_a_held_version().await;
    scene.primary.behave(Behaviour::ClaimSerial(1));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
    assert!(matches!(scene.zone().condition().hold, Hold::None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_zone_publishes_nothing_and_does_not_expire_while_its_primary_answers() {
    let scene = with_a_held_version().await;
    scene.zone().condition().hold = Hold::Frozen;
    scene.primary.publish("example.", &text(9, &records(300)));
    assert_eq!(held_code(&scene.follow().await), "zone_frozen");
    assert_eq!(scene.zone().condition().timers.failures(), 0);
    assert_eq!(held_code(&attempt(&scene.node, &scene.zone(), &released()).await), "zone_frozen");
    assert_eq!(scene.served_serial(), Some(1));
    scene.node.write_note(&scene.zone()).await;
    let scene = scene.restarted(Moment(0)).await;
    assert_eq!(held_code(&scene.follow().await), "zone_frozen", "after a restart too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_on_its_way_when_its_zone_was_frozen_is_not_published() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.publish("example.", &text(2, ""));
    let (zone, primary) = (scene.zone(), transfer::Primary::at(scene.primary.address()));
    // The attempt has decided to fetch before, and asks no more.
    zone.condition().hold = Hold::Frozen;
    let (lane, fetch, want) = (Lane::Notify, Fetch::Axfr, Want::Newer);
    let way = Way { primary: &primary, lane, fetch, want, expires_in_secs: None };
    let refreshed = refresh(&scene.node, &zone, way, &mut Received::default()).await;
    assert_eq!(refreshed, Ok(Refreshed::Held(Reason::ZoneFrozen { serial: dns::Serial(2) })));
    assert_eq!(scene.served_serial(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_before_is_served_again_under_a_new_generation() {
    let scene = Scene::new().await;
    let mut generations = Vec::new();
    for serial in 1..=4 {
        scene.primary.publish("example.", &text(serial, &format!("only-{serial} 60 A 192.0.2.1\n")));
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
        generations.push(scene.zone().condition().held.clone().unwrap());
    }
    let wanted = generations[1].clone();
    let zone = scene.zone();
    let wake = Wake { freeze_at: Some(wanted.generation), ..Wake::by(Trigger::Request) };
    let attempt = attempt(&scene.node, &zone, &wake).await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Publish, Ok(Refreshed::Published)));
    let served = zone.snapshot().unwrap();
    assert_eq!((served.image.serial(), served.image.digest()), (wanted.image.serial(), wanted.image.digest()));
    assert!(served.generation > generations[3].generation);
    let (store, id) = (scene.node.store.clone(), zone.id);
    let work = move || {
        let steps = history::steps(&store, id, generations[0].generation, served.generation).unwrap();
        let unknown = history::steps(&store, id, zone::Generation(7), served.generation).is_err();
        (history::lines(&steps).collect::<String>(), unknown)
    };
    let (lines, unknown) = tokio::task::spawn_blocking(work).await.unwrap();
    assert!(lines.contains("- only-1.example. 60 IN A 192.0.2.1\n"), "{lines}");
    assert!(lines.contains("+ only-2.example. 60 IN A 192.0.2.1\n"), "{lines}");
    assert!(!lines.contains("only-3") && !lines.contains("only-4") && unknown, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_may_be_served_beyond_its_expiry() {
    let scene = Scene::new().await;
    scene.follow().await;
    let expires_at = scene.zone().condition().timers.expires_at().unwrap();
    let later = |millis| Moment(expires_at.0 + millis);
    let is_over = |at| scene.zone().is_over(&scene.zone().condition(), at);
    assert!(!is_over(Moment(expires_at.0 - 1)) && is_over(expires_at));
    scene.set(Setting::ServePastExpiry, "2d");
    assert!(!is_over(later(2 * DAY_MILLIS - 1)) && is_over(later(2 * DAY_MILLIS)));
    let next = |at| scene.zone().next_moment(&scene.zone().condition(), at);
    assert_eq!(next(expires_at), Some(later(2 * DAY_MILLIS)), "somebody looks then");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_said_once_at_each_share_of_the_time_left_that_a_zone_will_expire() {
    let scene = Scene::new().await;
    scene.follow().await;
    let zone = scene.zone();
    let mut condition = zone.condition();
    let (confirmed, expires) = (condition.timers.confirmed_at().unwrap(), condition.timers.expires_at().unwrap());
    let after = |percent: u64| Moment(confirmed.0 + (expires.0 - confirmed.0) * percent / 100);
    let mut said = Vec::new();
    for percent in 0..=100 {
        said.extend(condition.warn_of_expiry(after(percent)).map(|left| (percent, left)));
    }
    assert_eq!(said, [(50, 50), (75, 25), (90, 10)]);
}
