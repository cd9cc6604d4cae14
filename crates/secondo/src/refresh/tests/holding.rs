//! Versions that are held back, kept, frozen, or of before.

use std::time::Duration;

use dns::Soa;
use xfr::Bounds;

use super::*;

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
async fn it_is_published_by_itself_even_with_the_primary_gone() {
    let mut scene = with_a_held_version().await;
    scene.primary = Primary::start();
    let attempt = attempt(&scene.node, &scene.zone(), &by_time(&scene)).await;
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
    let attempt = attempt(&scene.node, &scene.zone(), &by_time(&scene)).await;
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
    let scene = scene.restarted(Moment(0)).await;
    assert!(matches!(scene.zone().condition().hold, Hold::None), "nor after a crash at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_is_not_published_because_its_primary_shows_an_older_serial_and_that_is_accepted() {
    let scene = with_a_held_version().await;
    scene.set(Setting::SerialWentBack, "accept");
    scene.primary.behave(Behaviour::ClaimSerial(0));
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, held_code(&attempt)), (Kind::Axfr, "version_held"));
    assert_eq!(scene.served_serial(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_zone_publishes_nothing_and_does_not_expire_while_its_primary_answers() {
    let scene = with_a_held_version().await;
    let wake = by_time(&scene);
    scene.zone().condition().hold = Hold::Frozen;
    scene.primary.publish("example.", &text(9, &records(300)));
    assert_eq!(held_code(&scene.follow().await), "zone_frozen");
    assert_eq!(scene.zone().condition().timers.failures(), 0);
    assert_eq!(held_code(&attempt(&scene.node, &scene.zone(), &wake).await), "zone_frozen");
    assert_eq!(scene.served_serial(), Some(1));
    scene.node.write_note(&scene.zone().write().await.unwrap()).await;
    let scene = scene.restarted(Moment(0)).await;
    assert_eq!(held_code(&scene.follow().await), "zone_frozen", "after a restart too");
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
        said.extend(
            {
                let timers = condition.timers;
                condition.said.expiry(&timers, after(percent))
            }
            .map(|left| (percent, left)),
        );
    }
    assert_eq!(said, [(25, 75), (50, 50), (75, 25), (90, 10)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_zone_expires_is_not_said_before_its_check_was_to_end() {
    let scene = Scene::new().await;
    scene.follow().await;
    let (confirmed, expires) = {
        let timers = scene.zone().condition().timers;
        (timers.confirmed_at().unwrap(), timers.expires_at().unwrap())
    };
    let mut timers = Timers::pending(&Bounds::default(), confirmed);
    let expire = u32::try_from(expires.since(confirmed).as_secs()).unwrap();
    let seldom = Soa { refresh: expire / 10 * 4, ..scene.zone().condition().held.as_ref().unwrap().image.soa() };
    timers.confirmed(&seldom, None, &Bounds::default(), confirmed, 0);
    let (left, zone) = (Duration::from_secs(u64::from(expire / 10 * 3)), scene.zone());
    let (mut condition, at) = (zone.condition(), confirmed.plus(left));
    assert_eq!(condition.said.expiry(&timers, at), None, "three tenths of the time are over, and it is not due");
    timers.failed(&Bounds::default(), at, 0);
    assert_eq!(condition.said.expiry(&timers, at), Some(75));
    timers.confirmed(&seldom, None, &Bounds::default(), at, 0);
    assert_eq!(condition.said.expiry(&timers, at), None);
    assert!(!condition.said.expires_soon(), "somebody has confirmed it");
}
