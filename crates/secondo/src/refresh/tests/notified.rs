//! What is asked of a primary for a NOTIFY.

use dns::Rcode;

use super::*;

/// What a NOTIFY brings about.
async fn notified(scene: &Scene) -> Attempt {
    attempt(&scene.node, &scene.zone(), &Wake::by(Trigger::Notify)).await
}

/// A zone whose newest version, 2, came by differences.
async fn with_differences() -> Scene {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.publish("example.", &text(2, ""));
    assert_eq!(scene.follow().await.kind, Kind::Ixfr);
    scene
}

fn asked(scene: &Scene) -> (u64, u64, u64) {
    let count = |kind| scene.primary.count(kind);
    (count(Query::SoaOverUdp), count(Query::Ixfr), count(Query::Axfr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_gave_differences_is_asked_for_the_next_ones_at_once() {
    let scene = with_differences().await;
    assert_eq!(asked(&scene), (2, 1, 1));
    for serial in 3..6 {
        scene.primary.publish("example.", &text(serial, ""));
        let attempt = notified(&scene).await;
        assert_eq!((attempt.kind, attempt.result), (Kind::Ixfr, Ok(Refreshed::Published)));
        assert_eq!(attempt.to_serial.map(|to| to.0), Some(serial));
    }
    assert_eq!(asked(&scene), (2, 4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notify_without_news_confirms_the_zone_as_a_check_does() {
    let scene = with_differences().await;
    let confirmed_before = scene.zone().condition().timers.confirmed_at();
    testing::eventually(std::time::Duration::from_secs(10), "another millisecond", || {
        (Some(scene.node.clock.now()) > confirmed_before).then_some(()).ok_or_else(|| "it is the same".to_owned())
    });
    let attempt = notified(&scene).await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Check, Ok(Refreshed::Unchanged)));
    assert!(scene.zone().condition().timers.confirmed_at() > confirmed_before);
    assert_eq!(asked(&scene), (2, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_given_the_whole_zone_is_asked_first_what_it_has() {
    let scene = Scene::new().await;
    scene.follow().await;
    assert_eq!(notified(&scene).await.result, Ok(Refreshed::Unchanged));
    assert_eq!(asked(&scene), (2, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_others_all_are_asked() {
    let scene = with_differences().await;
    let other = Primary::with_zone("example.", &text(3, ""));
    scene.ask(&[scene.primary.address(), other.address()]);
    assert_eq!(notified(&scene).await.result, Ok(Refreshed::Published));
    assert_eq!((scene.served_serial(), other.count(Query::SoaOverUdp)), (Some(3), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_at_once_comes_the_usual_way() {
    for rcode in [Rcode::REFUSED, Rcode::SERVFAIL, Rcode::NOTIMP] {
        let scene = with_differences().await;
        scene.primary.behave(Behaviour::Answer(Query::Ixfr, rcode));
        scene.primary.publish("example.", &text(3, ""));
        let attempt = notified(&scene).await;
        assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)), "{rcode}");
        scene.primary.behave_well();
        let before = asked(&scene);
        assert_eq!(notified(&scene).await.result, Ok(Refreshed::Unchanged));
        assert_eq!(asked(&scene), (before.0 + 1, before.1, before.2), "it is asked first again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_held_back_is_not_fetched_for_each_notify() {
    let scene = with_differences().await;
    scene.primary.publish("example.", &text(3, &records(200)));
    notified(&scene).await;
    scene.primary.publish("example.", &text(4, &records(60)));
    let attempt = notified(&scene).await;
    assert_eq!((held_code(&attempt), attempt.to_serial.map(|to| to.0)), ("version_held", Some(4)));
    let before = asked(&scene);
    assert_eq!(held_code(&notified(&scene).await), "version_held");
    assert_eq!(asked(&scene), (before.0 + 1, before.1, before.2));
}
