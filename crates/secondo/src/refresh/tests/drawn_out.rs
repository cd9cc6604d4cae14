//! Transfers and answers that take long: who waits for them, and who does not.

use std::time::Duration;

use transfer::Lane;

use super::orders::{begin, with_an_attempt_that_hangs};
use super::*;
use crate::orders;

/// A transfer is drawn out as soon as it has taken a moment, and goes on all the same.
fn impatient() -> Limits {
    let mut limits = Limits::default();
    (limits.deadlines.progress, limits.deadlines.progress_octets) = (Duration::from_millis(50), 0);
    limits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_drawn_out_ends_when_its_primary_is_none_any_more() {
    let scene = Scene::new().await;
    scene.follow().await;
    let hanging = with_an_attempt_that_hangs(&scene, 2).await;
    let other = Primary::with_zone("example.", &text(3, ""));
    scene.ask(&[other.address()]);
    assert_eq!(code(&hanging.await.unwrap()), "overtaken");
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_come_of_a_transfer_that_was_given_up_is_on_record() {
    let scene = Scene::new().await;
    scene.follow().await;
    let hanging = with_an_attempt_that_hangs(&scene, 2).await;
    let come = |scene: &Scene| scene.zone().condition().transfers.first().map(|transfer| transfer.meter.read());
    // The first half is one message.
    while come(&scene).is_none_or(|received| received.records == 0) {
        tokio::task::yield_now().await;
    }
    let shown = come(&scene).unwrap();
    let other = Primary::with_zone("example.", &text(3, ""));
    scene.ask(&[other.address()]);
    let attempt = hanging.await.unwrap();
    assert_eq!((code(&attempt), attempt.received), ("overtaken", shown));
    assert!(shown.octets > shown.records * 10, "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_our_serial_confirms_it_though_a_transfer_from_another_is_drawn_out() {
    let scene = Scene::new().await;
    scene.follow().await;
    let ours = Primary::with_zone("example.", &text(1, ""));
    scene.ask(&[scene.primary.address(), ours.address()]);
    let before = scene.zone().condition().timers.confirmed_at();
    while Some(scene.node.clock.now()) <= before {
        tokio::task::yield_now().await;
    }
    let hanging = with_an_attempt_that_hangs(&scene, 2).await;
    assert!(scene.zone().condition().timers.confirmed_at() > before && !hanging.is_finished());
    hanging.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_primary_has_meanwhile_is_taken_though_a_transfer_is_drawn_out() {
    let scene = Scene::limited(impatient()).await;
    scene.follow().await;
    let other = Primary::with_zone("example.", &text(1, ""));
    scene.ask(&[scene.primary.address(), other.address()]);
    let asked = scene.primary.count(Query::Axfr);
    let hanging = with_an_attempt_that_hangs(&scene, 9).await;
    tokio::task::block_in_place(|| other.wait_for(Query::SoaOverUdp, 3));
    assert!(!hanging.is_finished() && other.count(Query::Axfr) == 0, "it has nothing new");
    let under_way = |scene: &Scene| -> Vec<SocketAddr> {
        scene.zone().condition().transfers.iter().map(|transfer| transfer.primary).collect()
    };
    assert_eq!(under_way(&scene), [scene.primary.address()]);
    other.publish("example.", &text(2, ""));
    let attempt = hanging.await.unwrap();
    assert_eq!((attempt.primary, attempt.result), (Some(other.address()), Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(2));
    assert_eq!(under_way(&scene), []);
    assert_eq!(scene.primary.count(Query::Axfr), asked, "the transfer that hung was waited for");
    let last = scene.zone().condition().last_attempt.clone().unwrap().attempt;
    assert_eq!(last.primary, Some(other.address()), "what it was ended by is its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_primaries_that_draw_their_transfers_out_do_not_keep_the_news_of_yet_another_away() {
    let scene = Scene::limited(impatient()).await;
    scene.follow().await;
    let (slow, refusing) = (Primary::start(), Primary::with_zone("example.", &text(7, "")));
    slow.behave(Behaviour::HangHalfWay);
    slow.publish("example.", &text(8, &records(300)));
    refusing.behave(Behaviour::Answer(Query::Axfr, dns::Rcode::REFUSED));
    let well = Primary::with_zone("example.", &text(2, ""));
    scene.ask(&[scene.primary.address(), slow.address(), refusing.address(), well.address()]);
    let hanging = with_an_attempt_that_hangs(&scene, 9).await;
    let attempt = hanging.await.unwrap();
    assert_eq!((attempt.primary, attempt.result), (Some(well.address()), Ok(Refreshed::Published)));
    assert!(slow.count(Query::Axfr) + refusing.count(Query::Axfr) >= 2, "they were not asked, so this shows nothing");
    assert_eq!(slow.count(Query::Axfr), 1, "nobody was waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_takes_long_goes_on_where_another_primary_has_news_and_does_not_give_it() {
    let scene = Scene::limited(impatient()).await;
    scene.follow().await;
    let other = Primary::with_zone("example.", &text(8, ""));
    other.behave(Behaviour::Answer(Query::Axfr, dns::Rcode::REFUSED));
    scene.ask(&[scene.primary.address(), other.address()]);
    scene.primary.behave(Behaviour::Trickle { octets: 200, pause: Duration::from_millis(10) });
    scene.primary.publish("example.", &text(9, &records(200)));
    let attempt = scene.follow().await;
    assert!(other.count(Query::Axfr) > 0, "it was not asked, so this shows nothing");
    assert_eq!((attempt.primary, attempt.result), (Some(scene.primary.address()), Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_zone_and_the_version_held_back_are_fetched_at_once_whatever_is_under_way() {
    for is_full in [true, false] {
        // After the restart the held version must be fetched again.
        let scene = with_a_held_version().await.restarted(Moment(0)).await;
        let (primary, zone) = (&scene.primary, scene.zone());
        primary.behave(Behaviour::HangHalfWay);
        primary.publish("example.", &text(3, &records(300)));
        let (before, whole) = (primary.count(Query::Ixfr), primary.count(Query::Axfr));
        scene.node.wake(&zone, Wake::by(Trigger::Refresh));
        tokio::task::block_in_place(|| primary.wait_for(Query::Ixfr, before + 1));
        primary.behave_well();
        if is_full {
            let (ended, ending) = tokio::sync::oneshot::channel();
            let wake = Wake::by(Trigger::Request);
            scene.node.wake(&zone, Wake { transfer: Transfer::Full, waiting: vec![ended], ..wake });
            ending.await.unwrap();
            assert_eq!(primary.count(Query::Axfr) - whole, 1, "what hung was not tried on");
        } else {
            let Ok(attempt) = orders::publish(&scene.node, &zone).await else { panic!("refused") };
            assert_eq!(attempt.attempt.outcome, inventory::Outcome::Updated, "what hung was not waited for");
        }
        assert_eq!(scene.served_serial(), Some(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_before_which_many_wait_keeps_nobody_from_the_news_of_another() {
    let mut limits = Limits { probes_per_address: 1, ..Limits::default() };
    limits.deadlines.probe = Duration::from_millis(100);
    let scene = Scene::limited(limits).await;
    scene.follow().await;
    // At an address of its own, where it says nothing.
    let over_tcp = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let crowded = over_tcp.local_addr().unwrap();
    let over_udp = std::net::UdpSocket::bind(crowded).unwrap();
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let transfers = scene.node.transfers.clone();
            tokio::spawn(
                async move { transfers.probe(&name(), &transfer::Primary::at(crowded), Lane::Refresh).await },
            )
        })
        .collect();
    tokio::task::block_in_place(|| over_udp.recv(&mut [0; 512])).unwrap();
    scene.ask(&[crowded, scene.primary.address()]);
    scene.primary.publish("example.", &text(2, ""));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert_eq!(*scene.zone().condition().silent, [(crowded, "busy")]);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_a_version_confirms_no_other_that_was_published_meanwhile() {
    let scene = with_a_held_version().await;
    let (primary, zone) = (&scene.primary, scene.zone());
    let before = zone.condition().timers.confirmed_at();
    primary.publish("example.", &text(1, &records(200)));
    // The first query goes unanswered, so that there is time for the owner's word.
    primary.behave(Behaviour::Silent(Query::SoaOverUdp));
    let (asked, checking) = (primary.count(Query::SoaOverUdp), begin(&scene));
    tokio::task::block_in_place(|| primary.wait_for(Query::SoaOverUdp, asked + 1));
    assert!(orders::publish(&scene.node, &zone).await.is_ok());
    primary.behave_well();
    assert_eq!(checking.await.unwrap().result, Ok(Refreshed::Unchanged));
    let condition = zone.condition();
    assert_eq!((scene.served_serial(), condition.timers.confirmed_at()), (Some(2), before));
    assert!(condition.timers.is_due(scene.node.clock.now()), "what its primary has to that is asked at once");
}
