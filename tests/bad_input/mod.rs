//! Everything that can be typed, configured or answered wrongly: a sentence, a code, an exit status, and nothing lost.

mod garbage;
mod misbehaving;

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use testing::peer::{Peer, Setup, Software};
use testing::{port, query, zone_text};

use crate::scene::{
    ZONE, add, failure, failure_within, has_nothing_to_serve, secondo, serves, with_each_primary, zones,
};

#[test]
fn what_is_no_zone_name_or_no_primary_is_refused_with_its_code() {
    let secondo = secondo().started();
    let too_long = "a".repeat(64);
    for name in ["a..b", too_long.as_str(), ""] {
        secondo.client(&["zone", "add", name, "--primary", "192.0.2.1"]).must_be_wrong_usage(&["zone_name_invalid"]);
    }
    for primary in ["nowhere", "192.0.2.1:port", "192.0.2.1:0", "0.0.0.0", "192.0.2.1,color=red"] {
        secondo.client(&["zone", "add", ZONE, "--primary", primary]).must_be_wrong_usage(&["primary_invalid"]);
    }
    assert_eq!(zones(&secondo).len(), 0);
}

#[test]
fn a_zone_that_exists_is_not_added_again_and_goes_on() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    for name in [ZONE, "EXAMPLE.Test."] {
        secondo.client(&["zone", "add", name, "--primary", "192.0.2.1"]).must_fail(&["zone_exists"]);
    }
    let zone = secondo.zone(ZONE);
    assert!(zone["primaries"].to_string().contains(&peer.address().to_string()), "{zone}");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
}

#[test]
fn what_is_not_here_is_said_to_be_unknown() {
    let secondo = secondo().started();
    for words in [&["show"][..], &["refresh"], &["history"], &["export"], &["remove"]] {
        secondo.client(&[&["zone"], words, &["nowhere.test"]].concat()).must_fail(&["zone_unknown", "nowhere.test"]);
    }
    secondo.client(&["key", "remove", "nowhere.test"]).must_fail(&["key_unknown"]);
    secondo
        .client(&["key", "add", "k.test", "--algorithm", "hmac-rot13"])
        .must_be_wrong_usage(&["algorithm_unknown"]);
    let file = secondo.scratch_file("secret", "this is no base64!");
    secondo.client(&["key", "add", "k.test", "--secret-file", &file]).must_be_wrong_usage(&["secret_invalid"]);
}

#[test]
fn without_a_server_the_client_says_where_it_looked() {
    let secondo = secondo();
    secondo.client(&["zone", "list"]).must_fail(&[&secondo.data().display().to_string()]);
    let mut stopped = crate::scene::secondo().started();
    stopped.terminate();
    let ran = stopped.client(&["zone", "list"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn a_taken_port_is_named() {
    let taken = port::free();
    let held = UdpSocket::bind(taken).unwrap();
    secondo().serve_in_vain_at(taken, "127.0.0.1:0").must_fail(&[&taken.to_string()]);
    drop(held);
    let held = TcpListener::bind(taken).unwrap();
    secondo().serve_in_vain_at(taken, "127.0.0.1:0").must_fail(&[&taken.to_string()]);
    secondo().serve_in_vain_at(port::free(), &taken.to_string()).must_fail(&[&taken.to_string()]);
    drop(held);
    // Another Secondo holds it with SO_REUSEPORT, which would let both have it.
    let running = secondo().started();
    secondo().serve_in_vain_at(running.dns(), "127.0.0.1:0").must_fail(&[&running.dns().to_string()]);
    running.expect(&["status"]);
}

#[test]
fn zones_and_keys_of_the_configuration_are_there() {
    let key = testing::peer::TsigKey::of("hmac-sha512");
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
    let configuration = format!(
        "[[key]]\nname = \"{name}\"\nalgorithm = \"{}\"\nsecret = \"{}\"\n\n\
         [[zone]]\nname = \"{ZONE}\"\nprimaries = [\"{}\"]\nkey = \"{name}\"\n",
        key.algorithm,
        key.secret,
        peer.address(),
        name = key.name
    );
    let secondo = secondo().configured(&configuration).started();
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_primary_without_the_zone_is_told_from_one_that_is_dead() {
    with_each_primary(|software| {
        let peer = Peer::start(software, Setup::zone("other.test", zone_text::small(1)));
        let secondo = secondo().started();
        add(&secondo, ZONE, peer.address());
        let reason = failure(&secondo, ZONE);
        let code = reason["code"].as_str().unwrap();
        assert!(["refused", "notauth", "not_authoritative", "servfail"].contains(&code), "{reason}");
        has_nothing_to_serve(&secondo, ZONE);
    });
}

#[test]
fn a_dead_primary_is_the_networks_fault_and_a_mute_one_too() {
    let secondo = secondo().started();
    add(&secondo, "dead.test", port::free());
    let reason = failure(&secondo, "dead.test");
    assert!(["unreachable", "timed_out"].contains(&reason["code"].as_str().unwrap()), "{reason}");
    assert_eq!(reason["fault"], "network");
    has_nothing_to_serve(&secondo, "dead.test");
    let peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)));
    peer.freeze();
    add(&secondo, ZONE, peer.address());
    // It accepts the connection, and then nothing: the longest wait for an answer is half a minute.
    let reason = failure_within(Duration::from_secs(60), &secondo, ZONE);
    assert_eq!((&reason["code"], &reason["fault"]), (&"timed_out".into(), &"network".into()), "{reason}");
    peer.thaw();
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_refresh_that_fails_says_why_and_loses_nothing() {
    let mut peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    peer.switch_off();
    let ran = secondo.client(&["zone", "refresh", ZONE]);
    ran.must_fail(&["network"]);
    assert!(ran.words().contains("unreachable") || ran.words().contains("timed_out"), "{ran:?}");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
}
