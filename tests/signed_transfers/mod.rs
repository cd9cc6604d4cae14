//! TSIG (RFC 8945) with every primary and every algorithm, and what is said when the two sides disagree.

use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{ZONE, failure, has_nothing_to_serve, secondo, serves, with_each_primary};

fn add_key(secondo: &Secondo, key: &TsigKey) {
    let file = secondo.scratch_file("secret", &key.secret);
    secondo.expect(&["key", "add", &key.name, "--algorithm", key.algorithm, "--secret-file", &file]);
}

fn add_signed(secondo: &Secondo, zone: &str, peer: &Peer, key: &TsigKey) {
    secondo.expect(&["zone", "add", zone, "--primary", &format!("{},key={}", peer.address(), key.name)]);
}

#[test]
fn every_algorithm_signs_copies_notifies_and_differences_with_every_primary() {
    with_each_primary(|software| {
        let secondo = secondo().started();
        for algorithm in TsigKey::ALGORITHMS {
            let key = TsigKey::of(algorithm);
            let zone = format!("{algorithm}.test");
            let setup = Setup::zone(&zone, zone_text::of_hosts(1, 3_000)).key(key.clone()).notifying(secondo.dns());
            let mut peer = Peer::start(software, setup);
            add_key(&secondo, &key);
            add_signed(&secondo, &zone, &peer, &key);
            serves(&secondo, &zone, 1);
            peer.replace(&zone, &zone_text::of_hosts(2, 3_001));
            serves(&secondo, &zone, 2);
            assert_eq!(peer.differences_sent(&zone) > 0, software.sends_differences(), "{algorithm}");
        }
        let keys = secondo.json(&["key", "list"]).to_string();
        let secret = TsigKey::of("hmac-sha256").secret;
        assert!(keys.contains("key-hmac-sha256.test") && !keys.contains(&secret), "{keys}");
        assert!(!secondo.log().contains(&secret), "a secret is in the log");
    });
}

#[test]
fn a_wrong_secret_is_named_and_nothing_is_installed() {
    with_each_primary(|software| {
        let key = TsigKey::of("hmac-sha256");
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
        let secondo = secondo().started();
        add_key(&secondo, &key.with_wrong_secret());
        add_signed(&secondo, ZONE, &peer, &key);
        let reason = failure(&secondo, ZONE);
        let code = reason["code"].as_str().unwrap();
        // PowerDNS does not say what is wrong.
        let expected = if software == Software::PowerDns { "tsig_rejected" } else { "tsig_bad_sig" };
        assert_eq!(code, expected, "{reason}");
        assert_eq!(reason["fault"], "configuration", "{reason}");
        has_nothing_to_serve(&secondo, ZONE);
    });
}

#[test]
fn a_key_that_the_primary_does_not_know_is_named() {
    with_each_primary(|software| {
        let known = TsigKey::of("hmac-sha256");
        let unknown = TsigKey { name: "unknown.test".into(), ..known.clone() };
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).key(known));
        let secondo = secondo().started();
        add_key(&secondo, &unknown);
        add_signed(&secondo, ZONE, &peer, &unknown);
        let reason = failure(&secondo, ZONE);
        let code = reason["code"].as_str().unwrap();
        // PowerDNS does not say what is wrong.
        let expected = if software == Software::PowerDns { "tsig_rejected" } else { "tsig_bad_key" };
        assert_eq!(code, expected, "{reason}");
        assert_eq!(reason["fault"], "configuration", "{reason}");
        has_nothing_to_serve(&secondo, ZONE);
    });
}

#[test]
fn a_primary_that_wants_a_signature_refuses_without() {
    with_each_primary(|software| {
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).key(TsigKey::of("hmac-sha256")));
        let secondo = secondo().with_zone(ZONE, peer.address()).started();
        let reason = failure(&secondo, ZONE);
        assert!(["refused", "notauth"].contains(&reason["code"].as_str().unwrap()), "{reason}");
        assert_eq!(reason["fault"], "configuration", "{reason}");
        // Knot says NOTAUTH, of a zone whose SOA record it shows.
        assert!(reason["advice"].as_str().unwrap().contains("Allow our addresses"), "{reason}");
        has_nothing_to_serve(&secondo, ZONE);
    });
}

#[test]
fn a_key_that_is_not_here_is_refused_when_the_zone_is_added() {
    let secondo = secondo().started();
    let ran = secondo.client(&["zone", "add", ZONE, "--primary", "127.0.0.1:1,key=nobody"]);
    ran.must_fail(&["key_unknown", "nobody"]);
    assert_eq!(query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap().rcode, dns::Rcode::REFUSED);
}

#[test]
fn a_generated_secret_is_printed_once_and_works() {
    let secondo = secondo().started();
    let added = secondo.json(&["key", "add", "made.test"]);
    let secret = added["secret"].as_str().expect("a generated secret is printed").to_owned();
    let key = TsigKey { name: "made.test".into(), algorithm: "hmac-sha256", secret: secret.clone() };
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
    add_signed(&secondo, ZONE, &peer, &key);
    serves(&secondo, ZONE, 1);
    for words in [&["key", "list"][..], &["zone", "show", ZONE], &["zone", "history", ZONE], &["status"]] {
        assert!(!secondo.json(words).to_string().contains(&secret), "{words:?} says the secret again");
    }
    secondo.client(&["key", "remove", "made.test"]).must_fail(&["key_in_use"]);
}
