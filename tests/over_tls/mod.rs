//! Zones copied over TLS (RFC 9103), from the primaries that speak it: a primary that is not the right one gives
//! nothing.

use std::path::PathBuf;

use testing::certificate::{Authority, Certificate};
use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::primary::{Kind, Primary};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{
    ZONE, attempt, failure, has_nothing_to_serve, holds_what_the_primary_holds, secondo, serves, with_each_primary,
};

const NAME: &str = "primary.test";

/// A server that trusts these authorities, and has not run yet.
fn trusting(authority: &Authority) -> Secondo {
    let secondo = secondo();
    let file = secondo.scratch_file("authority.pem", authority.pem());
    secondo.configured(&format!("[tls]\nauthorities = [\"{file}\"]\n"))
}

/// What is typed behind a primary's address so that this software is asked over TLS.
fn options(software: Software, identity: &str) -> String {
    // NSD 4.6 selects no ALPN protocol.
    let alpn = if software == Software::Nsd { ",alpn=may-be-missing" } else { "" };
    format!("{identity}{alpn}")
}

fn add_over_tls(secondo: &Secondo, zone: &str, peer: &Peer, options: &str) {
    secondo.expect(&["zone", "add", zone, "--primary", &format!("{},{options}", peer.tls_address())]);
}

/// Runs `check` for every primary that speaks TLS.
#[track_caller]
fn with_each_over_tls(check: impl Fn(Software) + Sync) {
    with_each_primary(|software| {
        if software.speaks_tls() {
            check(software);
        }
    });
}

#[test]
fn copies_and_differences_come_over_tls_from_a_primary_known_by_its_name_or_by_its_key() {
    with_each_over_tls(|software| {
        let authority = Authority::new();
        let certificate = authority.server(&[NAME, "127.0.0.1"]);
        let secondo = trusting(&authority).started();
        let identities = [
            ("named.test", format!("tls={NAME}")),
            ("addressed.test", "tls".into()),
            ("pinned.test", format!("pin={}", certificate.pin())),
        ];
        let setup = identities
            .iter()
            .fold(Setup::default(), |setup, (zone, _)| setup.and_zone(zone, zone_text::of_hosts(1, 3_000)))
            .notifying(secondo.dns())
            .over_tls(certificate);
        let mut peer = Peer::start(software, setup);
        for (zone, identity) in &identities {
            add_over_tls(&secondo, zone, &peer, &options(software, identity));
            serves(&secondo, zone, 1);
            peer.replace(zone, &zone_text::of_hosts(2, 3_001));
            serves(&secondo, zone, 2);
            let update = attempt(&secondo, zone, "the update on record", |attempt| attempt["to_serial"] == 2);
            assert_eq!((&update["trigger"], &update["kind"]), (&"notify".into(), &"ixfr".into()), "{update}");
            assert_eq!(update["primary"], peer.tls_address().to_string(), "{update}");
            holds_what_the_primary_holds(&secondo, &peer, zone);
        }
    });
}

#[test]
fn tsig_goes_over_tls_too() {
    with_each_over_tls(|software| {
        let authority = Authority::new();
        let key = TsigKey::of("hmac-sha256");
        let secondo = trusting(&authority).started();
        let file = secondo.scratch_file("secret", &key.secret);
        secondo.expect(&["key", "add", &key.name, "--secret-file", &file]);
        let setup = Setup::zone(ZONE, zone_text::of_hosts(1, 3_000)).key(key.clone()).notifying(secondo.dns());
        let mut peer = Peer::start(software, setup.over_tls(authority.server(&[NAME])));
        add_over_tls(&secondo, ZONE, &peer, &options(software, &format!("key={},tls={NAME}", key.name)));
        serves(&secondo, ZONE, 1);
        peer.replace(ZONE, &zone_text::of_hosts(2, 3_001));
        serves(&secondo, ZONE, 2);
    });
}

#[test]
fn a_primary_that_is_not_shown_to_be_the_right_one_gives_nothing() {
    with_each_over_tls(|software| {
        let authority = Authority::new();
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).over_tls(authority.server(&[NAME])));
        let another = Certificate::of_nobody();
        let fails = |secondo: &Secondo, zone: &str, options: &str, code: &str| {
            add_over_tls(secondo, zone, &peer, options);
            let reason = failure(secondo, zone);
            assert_eq!(reason["code"], code, "{options}: {reason}");
            has_nothing_to_serve(secondo, zone);
            secondo.expect(&["zone", "remove", "--now", zone]);
        };
        let secondo = trusting(&authority).started();
        for (identity, code) in [
            ("tls=other.test".to_owned(), "tls_certificate"),
            // Its certificate has no address.
            ("tls".to_owned(), "tls_certificate"),
            (format!("pin={}", another.pin()), "tls_pin"),
        ] {
            fails(&secondo, ZONE, &options(software, &identity), code);
        }
        if software == Software::Nsd {
            fails(&secondo, ZONE, &format!("tls={NAME}"), "tls_no_alpn");
        }
        let stranger = trusting(&Authority::new()).started();
        fails(&stranger, ZONE, &options(software, &format!("tls={NAME}")), "tls_certificate");
    });
}

#[test]
fn nothing_is_asked_of_a_primary_that_fails_the_check_over_tls_or_in_clear_text() {
    let authority = Authority::new();
    let primary = Primary::over_tls(&authority.server(&["other.test"]));
    primary.publish(ZONE, &zone_text::small(1));
    let secondo = trusting(&authority).started();
    let typed = format!("{},tls={NAME}", primary.tls_address());
    secondo.expect(&["zone", "add", ZONE, "--primary", &typed]);
    assert_eq!(failure(&secondo, ZONE)["code"], "tls_certificate");
    secondo.client(&["zone", "refresh", ZONE]).must_fail(&["tls_certificate"]);
    let asked = [Kind::SoaOverUdp, Kind::SoaOverTcp, Kind::SoaOverTls, Kind::Axfr, Kind::Ixfr]
        .map(|kind| primary.count(kind));
    assert_eq!((asked, primary.connections_over_tcp()), ([0; 5], 0));
    assert!(primary.connections_over_tls() >= 2);
    has_nothing_to_serve(&secondo, ZONE);
}

#[test]
fn bind_gives_its_zones_to_who_shows_the_certificate_that_it_wants() {
    let authority = Authority::new();
    let clients = Authority::new();
    let setup =
        Setup::zone(ZONE, zone_text::small(1)).over_tls(authority.server(&[NAME])).only_for_clients_of(&clients);
    let peer = Peer::start(Software::Bind, setup);
    let nobody = trusting(&authority).started();
    add_over_tls(&nobody, ZONE, &peer, &format!("tls={NAME}"));
    let reason = failure(&nobody, ZONE);
    assert!(["tls_our_certificate", "connection_closed"].contains(&reason["code"].as_str().unwrap()), "{reason}");
    has_nothing_to_serve(&nobody, ZONE);

    let known = secondo();
    let directory: PathBuf = known.data().parent().unwrap().into();
    let (certificate, key) = clients.client("secondary.test").write_files(&directory, "ours");
    let trusted = known.scratch_file("authority.pem", authority.pem());
    let known = known
        .configured(&format!(
            "[tls]\nauthorities = [\"{trusted}\"]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            certificate.display(),
            key.display()
        ))
        .started();
    add_over_tls(&known, ZONE, &peer, &format!("tls={NAME}"));
    serves(&known, ZONE, 1);
    assert_eq!(query::serial(nobody.dns(), ZONE).ok(), None);
}

#[test]
fn a_certificate_of_ours_that_is_for_another_key_is_named_at_the_start() {
    let secondo = secondo();
    let directory: PathBuf = secondo.data().parent().unwrap().into();
    let clients = Authority::new();
    let (certificate, _) = clients.client("secondary.test").write_files(&directory, "ours");
    let (_, key) = clients.client("secondary.test").write_files(&directory, "another");
    let secondo = secondo.configured(&format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    ));
    secondo.serve_in_vain().must_be_wrong_usage(&["secondo.toml:2:15: ", "ours.pem", "another.key"]);
}
