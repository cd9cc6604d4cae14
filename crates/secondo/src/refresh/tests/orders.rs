//! The owner's word, and attempts that are under way when it comes.

use std::time::Duration;

use zone::Generation;

use super::*;
use crate::history;
use crate::orders::{self, Refusal};

/// Begins an attempt.
pub(super) fn begin(scene: &Scene) -> tokio::task::JoinHandle<Attempt> {
    let (node, zone) = (scene.node.clone(), scene.zone());
    tokio::spawn(async move { attempt(&node, &zone, &Wake::by(Trigger::Refresh)).await })
}

/// A scene with a version of before, and an attempt that the primary never lets end.
pub(super) async fn with_an_attempt_that_hangs(scene: &Scene, serial: u32) -> tokio::task::JoinHandle<Attempt> {
    scene.primary.behave(Behaviour::HangHalfWay);
    scene.primary.publish("example.", &text(serial, &records(300)));
    let (before, hanging) = (scene.primary.count(Query::Ixfr), begin(scene));
    let primary = &scene.primary;
    tokio::task::block_in_place(|| primary.wait_for(Query::Ixfr, before + 1));
    hanging
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
    assert!(orders::freeze(&scene.node, &zone, Some(wanted.generation)).await.is_ok());
    let served = zone.snapshot().unwrap();
    assert_eq!((served.image.serial(), served.image.digest()), (wanted.image.serial(), wanted.image.digest()));
    assert!(served.generation > generations[3].generation);
    let (store, id) = (scene.node.store.clone(), zone.id);
    let work = move || {
        let steps = history::steps(&store, id, generations[0].generation, served.generation).unwrap();
        let unknown = history::steps(&store, id, Generation(7), served.generation).is_err();
        (history::lines(&steps).collect::<String>(), unknown)
    };
    let (lines, unknown) = tokio::task::spawn_blocking(work).await.unwrap();
    assert!(lines.contains("- only-1.example. 60 IN A 192.0.2.1\n"), "{lines}");
    assert!(lines.contains("+ only-2.example. 60 IN A 192.0.2.1\n"), "{lines}");
    assert!(!lines.contains("only-3") && !lines.contains("only-4") && unknown, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_one_that_replaced_everything_is_served_again() {
    // As after a break-in; what differs is more than history usually takes.
    let scene = Scene::new().await;
    let many = |what: &str| (0..5_000).map(|n| format!("{what}-{n} 60 TXT \"{n:x>200}\"\n")).collect::<String>();
    scene.primary.publish("example.", &text(1, &many("ours")));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    let ours = scene.zone().condition().held.clone().unwrap();
    scene.primary.publish("example.", &text(2, &many("theirs")));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(ours.generation)).await.is_ok());
    assert_eq!(scene.zone().snapshot().unwrap().image.digest(), ours.image.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_an_attempt_that_hangs_to_freeze_or_to_publish() {
    let scene = with_a_held_version().await;
    let first = scene.zone().snapshot().unwrap();
    let hanging = with_an_attempt_that_hangs(&scene, 3).await;
    assert!(orders::publish(&scene.node, &scene.zone()).await.is_ok());
    assert_eq!(scene.served_serial(), Some(2), "what was held back was here");
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(first.generation)).await.is_ok());
    assert_eq!(scene.served_serial(), Some(1));
    assert!(!hanging.is_finished(), "it ended, so this shows nothing");
    hanging.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_after_the_word_is_neither_published_nor_held_nor_does_it_end_the_freeze() {
    for lost in [false, true] {
        let scene = Scene::new().await;
        scene.primary.publish("example.", &text(1, &records(200)));
        scene.follow().await;
        scene.primary.publish("example.", &text(2, &records(if lost { 20 } else { 300 })));
        let zone = scene.zone();
        // It is given while the new version is on its way.
        let writing = zone.write().await.unwrap();
        let (before, arriving) = (scene.primary.count(Query::Ixfr), begin(&scene));
        let primary = &scene.primary;
        tokio::task::block_in_place(|| primary.wait_for(Query::Ixfr, before + 1));
        zone.condition().hold = Hold::Frozen;
        drop(writing);
        assert_eq!(held_code(&arriving.await.unwrap()), "zone_frozen");
        assert!(zone.condition().hold.is_frozen());
        assert_eq!(scene.served_serial(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_a_primary_that_is_none_any_more_or_for_a_paused_zone_is_not_published() {
    for service in [Service::Answering, Service::Paused] {
        let scene = Scene::new().await;
        scene.follow().await;
        scene.primary.publish("example.", &text(2, ""));
        let zone = scene.zone();
        let writing = zone.write().await.unwrap();
        let (before, arriving) = (scene.primary.count(Query::Ixfr), begin(&scene));
        let primary = &scene.primary;
        tokio::task::block_in_place(|| primary.wait_for(Query::Ixfr, before + 1));
        match service {
            Service::Answering => scene.ask(&[Primary::start().address()]),
            service => zone.instruct(Instructions { service, ..Instructions::clone(&zone.instructions()) }),
        }
        drop(writing);
        assert_eq!(code(&arriving.await.unwrap()), "overtaken");
        assert_eq!(scene.served_serial(), Some(1));
        let condition = zone.condition();
        assert_eq!(condition.timers.failures(), 0, "nothing has failed");
        assert!(condition.timers.is_due(scene.node.clock.now()), "what is wanted now has not been tried");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_for_a_zone_that_was_paused_while_an_attempt_ran() {
    let scene = Scene::new().await;
    scene.follow().await;
    let zone = scene.zone();
    let writing = zone.write().await.unwrap();
    scene.primary.publish("example.", &text(2, ""));
    scene.node.wake(&zone, Wake::by(Trigger::Notify));
    let primary = &scene.primary;
    tokio::task::block_in_place(|| primary.wait_for(Query::Ixfr, 1));
    let (ended, ending) = tokio::sync::oneshot::channel();
    scene.node.wake(&zone, Wake { waiting: vec![ended], ..Wake::by(Trigger::Notify) });
    zone.instruct(Instructions { service: Service::Paused, ..Instructions::clone(&zone.instructions()) });
    let asked = scene.primary.count(Query::SoaOverUdp);
    drop(writing);
    assert!(ending.await.is_err(), "nobody tells of an attempt that was not made");
    assert_eq!(scene.primary.count(Query::SoaOverUdp), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_asked_for_a_zone_that_is_paused_while_its_primary_is_silent() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.behave(Behaviour::Silent(Query::SoaOverUdp));
    let (before, asking) = (scene.primary.count(Query::SoaOverUdp), begin(&scene));
    let primary = &scene.primary;
    tokio::task::block_in_place(|| primary.wait_for(Query::SoaOverUdp, before + 1));
    let zone = scene.zone();
    zone.instruct(Instructions { service: Service::Paused, ..Instructions::clone(&zone.instructions()) });
    assert_eq!(code(&asking.await.unwrap()), "overtaken");
    assert_eq!(scene.primary.count(Query::SoaOverUdp), before + 1, "there was no second try");
    assert_eq!(zone.condition().timers.failures(), 0, "nothing has failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_already_is_published_without_confirming_the_zone() {
    let mut scene = with_a_held_version().await;
    let first = scene.zone().snapshot().unwrap();
    scene.primary = Primary::start();
    let expires_at = |scene: &Scene| scene.zone().condition().timers.expires_at().unwrap();
    let before = expires_at(&scene);
    assert!(orders::publish(&scene.node, &scene.zone()).await.is_ok());
    assert_eq!((scene.served_serial(), expires_at(&scene)), (Some(2), before));
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(first.generation)).await.is_ok());
    assert_eq!((scene.served_serial(), expires_at(&scene)), (Some(1), before));
    let scene = scene.restarted(before).await;
    assert_eq!(scene.served_serial(), None, "it has expired meanwhile");
    let second = scene.zone().condition().held.clone().unwrap().generation;
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(first.generation)).await.is_ok());
    let held = scene.zone().condition().held.clone().unwrap();
    assert!(held.generation > second && scene.served_serial().is_none(), "and nothing revives it");
}

#[tokio::test(flavor = "multi_thread")]
async fn primaries_are_asked_at_once_about_a_version_of_before_that_has_not_long_enough_to_live() {
    let scene = Scene::new().await;
    scene.primary.publish("example.", "@ 60 SOA ns host 1 3600 600 3600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
    scene.follow().await;
    let short_lived = Generation(scene.generation());
    scene.primary.publish("example.", &text(2, ""));
    scene.follow().await;
    let later = scene.node.clock.now().plus(Duration::from_hours(2));
    let scene = scene.restarted(later).await;
    assert_eq!(scene.served_serial(), Some(2));
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(short_lived)).await.is_ok());
    assert_eq!(scene.served_serial(), None, "nobody has confirmed it for two hours");
    assert!(scene.zone().condition().timers.is_due(scene.node.clock.now()));
    assert_eq!(held_code(&scene.follow().await), "zone_frozen");
    assert_eq!(scene.served_serial(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_came_in_the_place_of_the_released_one_waits_anew_if_it_lost_more() {
    let scene = with_a_held_version().await.restarted(Moment(0)).await;
    scene.primary.publish("example.", &text(3, &records(5)));
    assert_eq!(held_code(&attempt(&scene.node, &scene.zone(), &by_time(&scene)).await), "version_held");
    assert!(matches!(&scene.zone().condition().hold, Hold::Held(held) if held.serial.0 == 3));
    assert_eq!(scene.zone().condition().hold.ends_at(&Policy::default()), None, "nearly everything is gone");
    assert_eq!(scene.served_serial(), Some(1));
    assert!(orders::publish(&scene.node, &scene.zone()).await.is_ok(), "the owner knows");
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_published_by_itself_is_not_once_the_owner_keeps_what_is_served() {
    let scene = with_a_held_version().await;
    let wake = by_time(&scene);
    assert!(orders::keep(&scene.node, &scene.zone()).await.is_ok());
    scene.primary.publish("example.", &text(3, &records(60)));
    let overtaken = attempt(&scene.node, &scene.zone(), &wake).await;
    assert_eq!((code(&overtaken), scene.served_serial()), ("overtaken", Some(1)));
    assert_eq!(held_code(&scene.follow().await), "version_held", "and judged anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_primary_says_about_one_version_does_not_confirm_another_that_took_its_place_meanwhile() {
    let scene = Scene::new().await;
    let mut generations = Vec::new();
    for serial in [9, 3] {
        scene.primary.publish("example.", &text(serial, ""));
        assert_eq!(scene.attempt(Transfer::Full).await.result, Ok(Refreshed::Published));
        generations.push(Generation(scene.generation()));
    }
    // Newer than 3, and older than 9. The answer comes over TCP, after the word.
    scene.primary.publish("example.", &text(5, ""));
    scene.primary.behave(Behaviour::Silent(Query::SoaOverUdp));
    let confirmed_at = scene.zone().condition().timers.confirmed_at();
    let (before, asking) = (scene.primary.count(Query::SoaOverUdp), begin(&scene));
    let primary = &scene.primary;
    tokio::task::block_in_place(|| primary.wait_for(Query::SoaOverUdp, before + 1));
    assert!(orders::freeze(&scene.node, &scene.zone(), Some(generations[0])).await.is_ok());
    assert_eq!(held_code(&asking.await.unwrap()), "zone_frozen");
    let zone = scene.zone();
    assert_eq!((scene.served_serial(), zone.condition().timers.confirmed_at()), (Some(9), confirmed_at));
    assert!(zone.condition().timers.is_due(scene.node.clock.now()), "what is there now has not been asked about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_lags_behind_does_not_end_a_hold_that_a_silent_one_gave_reason_for() {
    for kept in [false, true] {
        let scene = with_a_held_version().await;
        let lagging = Primary::with_zone("example.", &text(1, &records(200)));
        if kept {
            assert!(orders::keep(&scene.node, &scene.zone()).await.is_ok());
        }
        scene.ask(&[lagging.address(), scene.primary.address()]);
        scene.primary.behave(Behaviour::Answer(Query::SoaOverUdp, dns::Rcode::SERVFAIL));
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
        assert!(!matches!(scene.zone().condition().hold, Hold::None));
        scene.primary.behave_well();
        scene.primary.publish("example.", &text(1, &records(200)));
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
        assert!(matches!(scene.zone().condition().hold, Hold::None), "all have taken it back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_makes_no_sense_is_refused_and_changes_nothing() {
    let scene = Scene::new().await;
    let zone = scene.zone();
    assert!(matches!(orders::freeze(&scene.node, &zone, None).await, Err(Refusal::NothingThere)));
    scene.follow().await;
    assert!(matches!(orders::publish(&scene.node, &zone).await, Err(Refusal::NothingHeld)));
    assert!(matches!(orders::keep(&scene.node, &zone).await, Err(Refusal::NothingHeld)));
    assert!(matches!(orders::thaw(&scene.node, &zone).await, Err(Refusal::NotFrozen)));
    let never = Some(Generation(1));
    assert!(matches!(orders::freeze(&scene.node, &zone, never).await, Err(Refusal::NoWay(_))));
    assert!(matches!(zone.condition().hold, Hold::None));
    zone.end_writing().await;
    assert!(matches!(orders::freeze(&scene.node, &zone, None).await, Err(Refusal::Removed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_that_comes_when_its_zone_was_frozen_confirms_nothing() {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(5, ""));
    scene.follow().await;
    scene.primary.publish("example.", &text(3, ""));
    let (node, zone) = (scene.node.clone(), scene.zone());
    let before = zone.condition().timers.confirmed_at();
    let writing = zone.write().await.unwrap();
    let (primary, asked) = (&scene.primary, scene.primary.count(Query::Axfr));
    let wanted = zone.clone();
    let arriving = tokio::spawn(async move {
        attempt(&node, &wanted, &Wake { transfer: Transfer::Full, ..Wake::by(Trigger::Request) }).await
    });
    tokio::task::block_in_place(|| primary.wait_for(Query::Axfr, asked + 1));
    zone.condition().hold = Hold::Frozen;
    drop(writing);
    assert_eq!(code(&arriving.await.unwrap()), "overtaken");
    assert_eq!((scene.served_serial(), zone.condition().timers.confirmed_at()), (Some(5), before));
}

/// Has the disk take nothing more, however small.
async fn fill(scene: &Scene) {
    scene.disk.set_room(Some(scene.disk.used()));
    for octets in [1 << 16, 1 << 10, 1] {
        let mut others = 1_000..;
        while let Some(other) = others.next()
            && scene.node.store.note(ZoneId(octets * other), vec![b'.'; octets as usize]).await.is_ok()
        {}
    }
}

/// What a start would find now.
async fn restarted(scene: &Scene) -> Arc<Followed> {
    let disk = scene.disk.cut(scene.disk.operations(), Survival::Nothing, Syncs::Kept);
    start(&disk, Moment(0)).await.zone(ZONE).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_or_published_on_a_full_disk_is_not_said_to_be_done() {
    let scene = with_a_held_version().await;
    let (zone, node) = (scene.zone(), scene.node.clone());
    let is_kept = |zone: &Followed| matches!(zone.condition().hold, Hold::Kept { .. });
    fill(&scene).await;
    for _ in 0..2 {
        assert!(matches!(orders::keep(&node, &zone).await, Err(Refusal::NotOnDisk)), "also when it is given again");
        assert!(is_kept(&zone) && !is_kept(&*restarted(&scene).await));
    }
    for _ in 0..2 {
        assert!(matches!(orders::publish(&node, &zone).await, Err(Refusal::NotOnDisk)));
        assert_eq!(scene.served_serial(), Some(2));
    }
    assert_eq!(restarted(&scene).await.snapshot().unwrap().image.serial().0, 1);
    scene.disk.set_room(None);
    assert!(commit_volatile(&node).await);
    assert!(matches!(orders::publish(&node, &zone).await, Err(Refusal::NothingHeld)));
    assert_eq!(restarted(&scene).await.snapshot().unwrap().image.serial().0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_frozen_at_a_version_of_before_on_a_full_disk_and_that_is_not_said_to_be_done() {
    let scene = Scene::new().await;
    scene.follow().await;
    let (zone, node) = (scene.zone(), scene.node.clone());
    let before = zone.snapshot().unwrap();
    scene.primary.publish("example.", &text(2, ""));
    scene.follow().await;
    let is_frozen = |zone: &Followed| zone.condition().hold.is_frozen();
    fill(&scene).await;
    assert!(matches!(orders::freeze(&node, &zone, Some(before.generation)).await, Err(Refusal::NotOnDisk)));
    assert!(is_frozen(&zone) && scene.served_serial() == Some(1), "the brake works on a full disk");
    assert!(!is_frozen(&*restarted(&scene).await));
    // As soon as there is room, without another order.
    assert!(!make_durable(&node, &zone).await);
    scene.disk.set_room(None);
    assert!(commit_volatile(&node).await && zone.condition().is_on_disk());
    let after = restarted(&scene).await;
    assert!(is_frozen(&after) && after.snapshot().unwrap().image.serial().0 == 1);
    fill(&scene).await;
    for _ in 0..2 {
        assert!(matches!(orders::thaw(&node, &zone).await, Err(Refusal::NotOnDisk)));
        assert!(!is_frozen(&zone) && is_frozen(&*restarted(&scene).await));
    }
    scene.disk.set_room(None);
    assert!(commit_volatile(&node).await);
    assert!(matches!(orders::thaw(&node, &zone).await, Err(Refusal::NotFrozen)));
    assert!(!is_frozen(&*restarted(&scene).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_zone_of_which_nothing_is_left_stays_dark_and_asks_for_nothing_until_it_is_thawed() {
    // What a disk that damaged the frozen version leaves.
    let scene = Scene::new().await;
    let zone = scene.zone();
    zone.condition().hold = Hold::Frozen;
    for transfer in [Transfer::Newer, Transfer::Full] {
        assert_eq!(held_code(&scene.attempt(transfer).await), "frozen_and_lost");
        assert_eq!((scene.served_serial(), scene.primary.count(Query::Axfr)), (None, 0));
        assert!(!zone.condition().timers.is_due(scene.node.clock.now()), "it would be asked again and again");
    }
    assert!(orders::thaw(&scene.node, &zone).await.is_ok());
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
}
