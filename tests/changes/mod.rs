//! A change at the primary is served here: by NOTIFY at once, by timer without, or when somebody asks for it.

use dns::Rcode;
use testing::peer::{Peer, Setup, Software};
use testing::primary::{Behaviour, Kind, Primary};
use testing::query;
use testing::zone_text::{self, Timers};

use crate::scene::{
    FAST_TIMERS, ZONE, add, attempt, following, holds_what_the_primary_holds, secondo, serves, with_each_primary,
};

#[test]
fn a_notify_brings_the_change_as_differences_where_the_primary_has_them() {
    with_each_primary(|software| {
        let (secondo, mut peer) = following(secondo(), software, ZONE, &zone_text::small(1));
        // The zone's timers are hours: only the NOTIFY can bring this.
        peer.replace(ZONE, &zone_text::small(2));
        serves(&secondo, ZONE, 2);
        holds_what_the_primary_holds(&secondo, &peer, ZONE);
        let reply = query::ask(secondo.dns(), "www.example.test", dns::Type::A).unwrap();
        assert_eq!(reply.answer, ["www.example.test. 300 IN A 192.0.2.3"]);
        let attempt = attempt(&secondo, ZONE, "the update on record", |attempt| {
            attempt["to_serial"] == 2 && attempt["outcome"] == "updated"
        });
        assert_eq!((&attempt["trigger"], &attempt["from_serial"]), (&"notify".into(), &1.into()));
        assert_eq!(peer.differences_sent(ZONE) > 0, software.sends_differences(), "{}", peer.log());
        if software.sends_differences() {
            assert_eq!(attempt["kind"], "ixfr");
        }
    });
}

#[test]
fn every_version_of_a_quick_series_ends_in_the_last_one() {
    with_each_primary(|software| {
        let (secondo, mut peer) = following(secondo(), software, ZONE, &zone_text::of_hosts(1, 50));
        for serial in 2..=20 {
            peer.replace(ZONE, &zone_text::of_hosts(serial, 50 + serial));
        }
        serves(&secondo, ZONE, 20);
        holds_what_the_primary_holds(&secondo, &peer, ZONE);
        let history = secondo.json(&["zone", "history", ZONE]);
        let generations: Vec<u64> = history["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version["generation"].as_u64().unwrap())
            .collect();
        assert!(
            generations.windows(2).all(|pair| pair[0] > pair[1]),
            "newest first, always growing: {generations:?}"
        );
        assert_eq!(history["versions"][0]["serial"], 20);
    });
}

/// Some 3,000 names; with each version other ones are cut off, hidden, gone, or there again.
fn large(serial: u32) -> String {
    let mut text = zone_text::of_hosts(serial, 3000 + serial % 3);
    for host in 0..serial {
        let line = match (host + serial) % 5 {
            0 => format!("deep.below.host-{host} TXT \"{serial}\"\n"),
            1 => format!("host-{host} NS ns.other.test.\nbelow.host-{host} A 192.0.2.{serial}\n"),
            2 => format!("*.host-{host} A 192.0.2.{serial}\n"),
            3 => format!("far.host-{host} DNAME host-{serial}\n"),
            _ => format!("host-{host} MX 10 host-{serial}\n"),
        };
        text += &line;
    }
    text
}

#[test]
fn changes_of_a_large_zone_are_its_primarys_also_after_the_program_was_killed() {
    for software in [Software::Knot, Software::Bind] {
        let (mut secondo, mut peer) = following(secondo(), software, ZONE, &large(1));
        for serial in 2..=9 {
            peer.replace(ZONE, &large(serial));
            serves(&secondo, ZONE, serial);
            holds_what_the_primary_holds(&secondo, &peer, ZONE);
            if serial % 4 == 0 {
                secondo.kill();
                secondo.start();
                serves(&secondo, ZONE, serial);
                holds_what_the_primary_holds(&secondo, &peer, ZONE);
            }
        }
        let history = secondo.json(&["zone", "history", ZONE]);
        assert_eq!(history["versions"].as_array().unwrap().len(), 9, "{software:?} {history}");
        assert!(peer.differences_sent(ZONE) > 0, "{}", peer.log());
    }
}

#[test]
fn without_notify_the_refresh_timer_finds_the_change() {
    with_each_primary(|software| {
        let text = |serial| zone_text::with_timers(serial, Timers::SECONDS);
        let mut peer = Peer::start(software, Setup::zone(ZONE, text(1)));
        let secondo = secondo().configured(FAST_TIMERS).started();
        add(&secondo, ZONE, peer.address());
        serves(&secondo, ZONE, 1);
        peer.replace(ZONE, &text(2));
        serves(&secondo, ZONE, 2);
        let attempt = attempt(&secondo, ZONE, "the update on record", |attempt| {
            attempt["to_serial"] == 2 && attempt["outcome"] == "updated"
        });
        assert_eq!(attempt["trigger"], "refresh");
    });
}

#[test]
fn a_refresh_asked_for_is_carried_out_before_the_command_returns() {
    with_each_primary(|software| {
        let mut peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)));
        let secondo = secondo().started();
        add(&secondo, ZONE, peer.address());
        serves(&secondo, ZONE, 1);
        peer.replace(ZONE, &zone_text::small(2));
        secondo.expect(&["zone", "refresh", ZONE]);
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
        secondo.expect(&["zone", "refresh", ZONE, "--full"]);
        let attempt = attempt(&secondo, ZONE, "the full transfer on record", |attempt| {
            attempt["from_serial"] == 2 && attempt["kind"] == "axfr"
        });
        assert_eq!(attempt["trigger"], "request");
        holds_what_the_primary_holds(&secondo, &peer, ZONE);
    });
}

#[test]
fn a_serial_that_wraps_around_is_newer() {
    // RFC 1982 §3.2: 4294967290 + 10 = 4.
    let (secondo, mut peer) = following(secondo(), Software::Knot, ZONE, &zone_text::small(4_294_967_290));
    peer.replace(ZONE, &zone_text::small(4));
    serves(&secondo, ZONE, 4);
}

#[test]
fn differences_that_do_not_fit_are_not_applied_and_the_whole_zone_is_fetched() {
    // NSD 4.6.1 with `create-ixfr` adds MX and RRSIG records again that are there already. Strictly read, such
    // differences are of another zone.
    let text = |serial| format!("{}@ MX 10 mail\n", zone_text::small(serial));
    let (secondo, mut peer) = following(secondo(), Software::Nsd, ZONE, &text(1));
    peer.replace(ZONE, &text(2));
    serves(&secondo, ZONE, 2);
    holds_what_the_primary_holds(&secondo, &peer, ZONE);
    let failed = attempt(&secondo, ZONE, "the failure on record", |attempt| attempt["outcome"] == "failed");
    assert_eq!((&failed["kind"], &failed["reason"]["code"]), (&"ixfr".into(), &"ixfr_add_present".into()));
    attempt(&secondo, ZONE, "the update on record", |attempt| attempt["kind"] == "axfr" && attempt["to_serial"] == 2);
}

#[test]
fn a_serial_of_zero_is_a_serial() {
    // RT#26796, Knot 3.0.7: 0 does not mean that there is no zone.
    let primary = Primary::with_zone(ZONE, &zone_text::small(0));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 0);
    assert_eq!(secondo.zone(ZONE)["serial"], 0);
    secondo.kill_and_restart();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(0));
    primary.publish(ZONE, &zone_text::small(1));
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    serves(&secondo, ZONE, 1);
    let update = attempt(&secondo, ZONE, "the update on record", |attempt| attempt["to_serial"] == 1);
    assert_eq!((&update["kind"], &update["from_serial"]), (&"ixfr".into(), &0.into()), "{update}");
}

#[test]
fn a_notify_for_what_a_restart_found_on_disk_transfers_nothing() {
    // PDNS #6821: the serial that is held is known before anything is fetched.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.kill_and_restart();
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    let check = attempt(&secondo, ZONE, "the check on record", |attempt| attempt["trigger"] == "notify");
    assert_eq!((&check["kind"], &check["outcome"]), (&"check".into(), &"unchanged".into()), "{check}");
    assert_eq!((primary.count(Kind::Axfr), primary.count(Kind::Ixfr)), (1, 0));
}

#[test]
fn a_check_for_a_notify_that_fails_is_tried_again_at_the_retry_time() {
    // CoreDNS #5089: not only at the refresh time, which is hours here.
    let text = |serial| zone_text::with_timers(serial, Timers { retry: 1, ..Timers::HOURS });
    let primary = Primary::with_zone(ZONE, &text(1));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.behave(Behaviour::Answer(Kind::SoaOverUdp, Rcode::SERVFAIL));
    primary.publish(ZONE, &text(2));
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    attempt(&secondo, ZONE, "the failure on record", |attempt| attempt["reason"]["code"] == "servfail");
    primary.behave_well();
    serves(&secondo, ZONE, 2);
}

#[test]
fn a_check_that_runs_outlives_what_is_changed_here_meanwhile() {
    // GL#5307, GL#4310, Knot 3.1.8.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.behave(Behaviour::Silent(Kind::SoaOverUdp));
    primary.publish(ZONE, &zone_text::small(2));
    primary.publish("other.test", &zone_text::small(1));
    let asked = primary.count(Kind::SoaOverUdp);
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    primary.wait_for(Kind::SoaOverUdp, asked + 1);
    secondo.expect(&["key", "add", "key.test"]);
    add(&secondo, "other.test", primary.address());
    serves(&secondo, "other.test", 1);
    secondo.expect(&["zone", "remove", "other.test"]);
    primary.behave_well();
    serves(&secondo, ZONE, 2);
}
