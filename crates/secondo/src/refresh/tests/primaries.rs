//! Primaries that disagree with each other or with what they said before.

use dns::text::record_to_text;
use dns::{Rcode, Serial};

use super::*;

/// The owners of the served TXT records.
fn texts(scene: &Scene) -> Vec<String> {
    let image = scene.zone().snapshot().unwrap().image.clone();
    let lines = image.records().map(record_to_text).filter(|line| line.contains(" TXT "));
    lines.map(|line| line.split(".example.").next().unwrap().to_owned()).collect()
}

fn txt(owners: &[&str]) -> String {
    owners.iter().map(|owner| format!("{owner} 60 TXT \"x\"\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_primary_sent_in_part_is_not_mixed_with_what_another_sends() {
    // CoreDNS #8367.
    let scene = Scene::new().await;
    let torn = Primary::start();
    torn.behave(Behaviour::CloseHalfWay);
    scene.ask(&[torn.address(), scene.primary.address()]);
    scene.set(Setting::IxfrFrom, "any");
    // The first copy, and then differences and whole zones.
    for serial in 1..4 {
        torn.publish("example.", &text(serial, &txt(&["torn-a", "torn-b", "torn-c", "torn-d"])));
        scene.primary.publish("example.", &text(serial, &txt(&["whole", &format!("whole-{serial}")])));
        let attempt = scene.follow().await;
        assert_eq!((attempt.primary, attempt.result), (Some(scene.primary.address()), Ok(Refreshed::Published)));
        assert_eq!(texts(&scene), ["whole", &format!("whole-{serial}")]);
    }
    assert_eq!((torn.count(Query::Axfr), torn.count(Query::Ixfr)), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_from_a_primary_with_another_history_are_not_applied() {
    // Its version of our serial is not the one that we hold, which shows where it removes what we do not have.
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(1, &txt(&["ours"])));
    scene.follow().await;
    let other = Primary::with_zone("example.", &text(1, &txt(&["theirs"])));
    other.publish("example.", &text(2, &txt(&["new"])));
    scene.ask(&[scene.primary.address(), other.address()]);
    scene.set(Setting::IxfrFrom, "any");
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)));
    assert_eq!((other.count(Query::Ixfr), other.count(Query::Axfr)), (1, 1));
    assert_eq!(texts(&scene), ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_took_the_only_ones_place_is_not_asked_for_differences_after_a_restart_either() {
    let scene = Scene::new().await;
    scene.follow().await;
    let other = Primary::with_zone("example.", &text(1, &txt(&["theirs"])));
    other.publish("example.", &text(2, &txt(&["theirs", "new"])));
    scene.ask(&[other.address()]);
    scene.node.write_note(&scene.zone().write().await.unwrap()).await;
    let scene = scene.restarted(Moment(0)).await;
    scene.ask(&[other.address()]);
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)));
    assert_eq!((texts(&scene), other.count(Query::Ixfr)), (vec!["new".to_owned(), "theirs".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_not_authoritative_is_passed_over_for_one_that_is() {
    // GL#1683, GL#2762, Technitium #1156: what it shows counts for nothing, however new.
    let scene = Scene::new().await;
    let lame = Primary::with_zone("example.", &text(9, ""));
    lame.behave(Behaviour::NotAuthoritative);
    scene.ask(&[lame.address(), scene.primary.address()]);
    assert_eq!(scene.follow().await.primary, Some(scene.primary.address()));
    assert_eq!((scene.served_serial(), lame.count(Query::Axfr)), (Some(1), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_change_under_one_serial_come_only_when_asked_for_whole() {
    // GL#2299, PDNS #10529: as when a zone is signed anew and its serial forgotten. The protocol knows no better.
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(1, &txt(&["before"])));
    scene.follow().await;
    scene.primary.publish("example.", &text(1, &txt(&["after"])));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
    assert_eq!(texts(&scene), ["before"]);
    assert_eq!(scene.attempt(Transfer::Full).await.result, Ok(Refreshed::Published));
    assert_eq!((texts(&scene), scene.served_serial()), (vec!["after".to_owned()], Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ixfr_answered_with_an_error_is_one_axfr_from_the_same_primary() {
    // Technitium #871, NSD #479, NSD #143.
    for rcode in [Rcode::REFUSED, Rcode::SERVFAIL, Rcode::NOTAUTH, Rcode::NOTIMP, Rcode::FORMERR] {
        let scene = Scene::new().await;
        scene.follow().await;
        scene.primary.behave(Behaviour::Answer(Query::Ixfr, rcode));
        scene.primary.publish("example.", &text(2, ""));
        let attempt = scene.follow().await;
        assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)), "{rcode}");
        assert_eq!((scene.primary.count(Query::Ixfr), scene.primary.count(Query::Axfr)), (1, 2), "{rcode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_serials_and_bad_contents_are_failures_that_are_tried_again_later() {
    // NSD 820c1a3e, NSD #104, Knot 3.2.9: expiry runs on, and the next try is neither now nor at the refresh time.
    let half_way = Serial(1 + (1 << 31));
    for (published, kind, code) in [
        (text(0, ""), Kind::Check, "serial_went_back"),
        // RFC 1982 §3.2: neither is newer.
        (text(half_way.0, ""), Kind::Check, "serial_incomparable"),
        (text(2, "ns 60 CNAME a\n"), Kind::Axfr, "cname_with_other_data"),
        ("@ 60 SOA ns host 2 3600 600 86400 60\n".to_owned(), Kind::Axfr, "zone_without_ns"),
    ] {
        let scene = Scene::new().await;
        scene.follow().await;
        let before = scene.zone().condition().timers;
        scene.primary.publish("example.", &published);
        let failed = scene.follow().await;
        let (timers, now) = (scene.zone().condition().timers, scene.node.clock.now());
        assert_eq!((failed.kind, super::code(&failed)), (kind, code));
        assert_eq!((timers.failures(), timers.expires_at()), (1, before.expires_at()), "{code}");
        assert!(timers.next_check() > now && timers.next_check() < before.next_check(), "{code}");
        assert_eq!(scene.served_serial(), Some(1), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_an_update_the_old_version_stays_and_the_next_one_comes() {
    // RFC 5936 §6, RFC 1995 §4: all of a version or nothing of it; the differences have failed before the whole zone.
    let (ixfr, axfr) = (Query::Ixfr, Query::Axfr);
    for (behaviours, code) in [
        (vec![Behaviour::CloseAtOnce(ixfr), Behaviour::CloseAtOnce(axfr)], "connection_closed"),
        (vec![Behaviour::CloseHalfWay], "connection_closed"),
        (vec![Behaviour::CutMessage], "connection_closed"),
        (vec![Behaviour::Garbage(ixfr), Behaviour::Garbage(axfr)], "wrong_id"),
        (vec![Behaviour::WrongId(ixfr), Behaviour::WrongId(axfr)], "wrong_id"),
        (vec![Behaviour::EmptyMessage], "empty_message"),
        (vec![Behaviour::TruncateTcp], "truncated_over_tcp"),
        (vec![Behaviour::OtherZone], "no_soa"),
        (vec![Behaviour::OtherLastSoa], "soa_mismatch"),
        (vec![Behaviour::SoaInTheMiddle], "soa_in_the_middle"),
        (vec![Behaviour::ForeignSoa], "foreign_soa"),
        (vec![Behaviour::RecordsAfterEnd], "records_after_end"),
        (vec![Behaviour::OtherClass], "class_not_in"),
        (vec![Behaviour::TrailingOctet], "trailing_octets"),
        (vec![Behaviour::OneRecordPerMessage, Behaviour::ErrorAtEnd(Rcode::SERVFAIL)], "servfail"),
    ] {
        let scene = Scene::new().await;
        scene.follow().await;
        let digest = scene.zone().snapshot().unwrap().image.digest();
        let expires_at = scene.zone().condition().timers.expires_at();
        scene.primary.publish("example.", &text(2, &txt(&["new"])));
        behaviours.iter().for_each(|behaviour| scene.primary.behave(behaviour.clone()));
        let failed = scene.follow().await;
        assert_eq!((failed.kind, super::code(&failed)), (Kind::Axfr, code), "{behaviours:?}");
        assert!(scene.primary.count(ixfr) > 0, "{behaviours:?}");
        assert_eq!(scene.zone().condition().timers.expires_at(), expires_at, "{behaviours:?}");
        assert_eq!(scene.zone().snapshot().unwrap().image.digest(), digest, "{behaviours:?}");
        let scene = scene.restarted(Moment(0)).await;
        assert_eq!(scene.zone().snapshot().unwrap().image.digest(), digest, "{behaviours:?}");
        scene.primary.behave_well();
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Published), "{behaviours:?}");
        assert_eq!((scene.served_serial(), texts(&scene)), (Some(2), vec!["new".to_owned()]), "{behaviours:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_taken_from_the_primary_that_our_version_came_from() {
    // Knot's master_pin, YADIFA's true-multimaster: two primaries that number their own versions.
    let scene = Scene::new().await;
    let other = Primary::with_zone("example.", &text(1, &txt(&["theirs"])));
    scene.primary.publish("example.", &text(1, &txt(&["ours"])));
    scene.ask(&[scene.primary.address(), other.address()]);
    assert_eq!(scene.follow().await.primary, Some(scene.primary.address()));
    other.publish("example.", &text(2, &txt(&["theirs", "new"])));
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.primary), (Kind::Axfr, Some(other.address())));
    assert_eq!(texts(&scene), ["new", "theirs"], "nothing is mixed");
    other.publish("example.", &text(3, &txt(&["theirs"])));
    assert_eq!(scene.follow().await.kind, Kind::Ixfr, "now it is the one that ours came from");
    scene.primary.publish("example.", &text(4, &txt(&["theirs", "again"])));
    scene.set(Setting::IxfrFrom, "any");
    assert_eq!(scene.follow().await.kind, Kind::Ixfr, "where they are said to have one history");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_goes_before_a_serial_that_is_newer_than_it_and_older_than_ours() {
    // RFC 1982: each third of the circle is newer than the one before it.
    let (ours, news, older) = (0, 0x6000_0000, 0xC000_0000);
    assert!(Serial(news).is_newer_than(Serial(ours)) && Serial(older).is_newer_than(Serial(news)));
    assert!(Serial(ours).is_newer_than(Serial(older)));
    for policy in ["wait", "accept"] {
        let scene = Scene::new().await;
        scene.primary.publish("example.", &text(ours, ""));
        scene.follow().await;
        let behind = Primary::with_zone("example.", &text(ours, ""));
        behind.behave(Behaviour::ClaimSerial(older));
        scene.ask(&[behind.address(), scene.primary.address()]);
        scene.set(Setting::SerialWentBack, policy);
        scene.primary.publish("example.", &text(news, ""));
        let attempt = scene.follow().await;
        assert_eq!((attempt.primary, attempt.result), (Some(scene.primary.address()), Ok(Refreshed::Published)));
        assert_eq!((scene.served_serial(), behind.count(Query::Axfr)), (Some(news), 0), "{policy}");
    }
}
