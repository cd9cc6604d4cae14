//! Transfers over TLS (RFC 9103): whom we believe, and what never goes in clear text.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use dns::Name;
use rustls::RootCertStore;
use testing::certificate::{Authority, Certificate};
use testing::primary::{Behaviour, InPlaceOfTls, Kind, Primary as Scripted};
use transfer::{Deadlines, Fetch, Internet, Lane, Limits, Meter, OurCertificate, Primary, TlsClient, Transfers};
use xfr::{Alpn, Destinations, Identity, Pin, Tls};

const ZONE: &str = "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";

struct Scene {
    authority: Authority,
    scripted: Scripted,
    certificate: Certificate,
}

impl Scene {
    fn new() -> Self {
        let authority = Authority::new();
        let certificate = authority.server(&["primary.test", "127.0.0.1"]);
        let scripted = Scripted::over_tls(&certificate);
        scripted.publish("example.", ZONE);
        Self { authority, scripted, certificate }
    }

    fn behaving(behaviour: Behaviour) -> Self {
        let scene = Self::new();
        scene.scripted.behave(behaviour);
        scene
    }

    fn primary(&self, identity: Identity) -> Primary {
        let tls = Tls { identity, alpn: Alpn::Required };
        Primary { tls: Some(tls), ..Primary::at(self.scripted.tls_address()) }
    }

    fn transfers(&self, ours: Option<&Certificate>) -> Transfers {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.root()).unwrap();
        let ours = ours.map(|ours| OurCertificate { chain: ours.chain(), key: ours.key() });
        let deadlines = Deadlines {
            connect: Duration::from_millis(800),
            idle: Duration::from_secs(1),
            probe: Duration::from_secs(2),
            ..Deadlines::default()
        };
        Transfers::new(
            Limits { deadlines, ..Limits::default() },
            Arc::new(Internet::new(Destinations::Anything)),
            TlsClient::new(roots, ours),
        )
    }

    /// How many records came, or the reason's code; the probe must say the same.
    async fn asked(&self, identity: Identity) -> Result<u64, &'static str> {
        self.asked_with(&self.transfers(None), &self.primary(identity)).await
    }

    async fn asked_with(&self, transfers: &Transfers, primary: &Primary) -> Result<u64, &'static str> {
        let zone: Name = "example.".parse().unwrap();
        let soa = transfers.probe(&zone, primary, Lane::Request).await.map_err(|reason| reason.code());
        let meter = Meter::default();
        let fetched = transfers.fetch(&zone, primary, Fetch::Axfr, Lane::Request, &meter).await;
        let fetched = fetched.map(|_| meter.read().records).map_err(|reason| reason.code());
        assert_eq!(soa.err(), fetched.err(), "the probe ends as the transfer does");
        fetched
    }

    fn assert_nothing_went_in_clear(&self) {
        let udp_and_tcp = [Kind::SoaOverUdp, Kind::SoaOverTcp].map(|kind| self.scripted.count(kind));
        assert_eq!((udp_and_tcp, self.scripted.connections_over_tcp()), ([0, 0], 0));
    }
}

fn name(name: &str) -> Identity {
    Identity::Name(name.to_owned())
}

fn pin(certificate: &Certificate) -> Identity {
    Identity::Pin(Pin::from_base64(certificate.pin()).unwrap())
}

#[tokio::test]
async fn a_primary_is_known_by_its_name_its_address_or_its_key() {
    let scene = Scene::new();
    for identity in [name("primary.test"), Identity::Address, pin(&scene.certificate)] {
        assert_eq!(scene.asked(identity).await, Ok(4));
    }
    let hellos = scene.scripted.hellos();
    assert!(hellos.iter().all(|hello| hello.protocols == ["dot"]), "{hellos:?}");
    assert_eq!(scene.scripted.connections_over_tls(), 3, "the probe and the transfer share a connection");
    scene.assert_nothing_went_in_clear();
}

#[tokio::test]
async fn who_is_somebody_else_gets_no_question() {
    let scene = Scene::new();
    assert_eq!(scene.asked(name("other.test")).await, Err("tls_certificate"));
    assert_eq!(scene.asked(pin(&Certificate::of_nobody())).await, Err("tls_pin"));
    for shown in [
        scene.authority.expired_server(&["primary.test"]),
        Certificate::alone(&["primary.test"]),
        Authority::new().server(&["primary.test"]),
    ] {
        scene.scripted.behave_well();
        scene.scripted.behave(Behaviour::Shows(shown.clone()));
        assert_eq!(scene.asked(name("primary.test")).await, Err("tls_certificate"));
        assert_eq!(scene.asked(pin(&shown)).await, Ok(4), "a pinned key needs no authority and no date");
    }
    assert_eq!(scene.scripted.count(Kind::SoaOverTls), 3);
    scene.assert_nothing_went_in_clear();
}

#[tokio::test]
async fn the_pin_that_was_found_is_told() {
    let scene = Scene::new();
    let transfers = scene.transfers(None);
    let zone = "example.".parse().unwrap();
    let other = scene.primary(pin(&Certificate::of_nobody()));
    let reason = transfers.probe(&zone, &other, Lane::Refresh).await.unwrap_err();
    assert!(reason.to_string().ends_with(scene.certificate.pin()), "{reason}");
}

#[tokio::test]
async fn without_any_authority_only_pins_are_good() {
    let scene = Scene::new();
    let transfers =
        Transfers::new(Limits::default(), Arc::new(Internet::new(Destinations::Anything)), TlsClient::default());
    let by_name = scene.primary(name("primary.test"));
    assert_eq!(scene.asked_with(&transfers, &by_name).await, Err("tls_certificate"));
    assert_eq!(scene.asked_with(&transfers, &scene.primary(pin(&scene.certificate))).await, Ok(4));
}

#[tokio::test]
async fn the_protocol_must_be_agreed_on_unless_its_lack_is_allowed() {
    // NSD #199, #414: RFC 9103 §7.1 wants ALPN.
    let scene = Scene::behaving(Behaviour::NoAlpn);
    assert_eq!(scene.asked(name("primary.test")).await, Err("tls_no_alpn"));
    let mut primary = scene.primary(name("primary.test"));
    primary.tls = primary.tls.map(|tls| Tls { alpn: Alpn::MayBeMissing, ..tls });
    assert_eq!(scene.asked_with(&scene.transfers(None), &primary).await, Ok(4));
    scene.scripted.behave_well();
    scene.scripted.behave(Behaviour::OtherAlpn);
    assert_eq!(scene.asked_with(&scene.transfers(None), &primary).await, Err("tls_no_alpn"), "another is not none");
    scene.assert_nothing_went_in_clear();
}

#[tokio::test]
async fn the_primary_may_want_to_know_who_we_are() {
    let scene = Scene::new();
    let clients = Authority::new();
    scene.scripted.behave(Behaviour::WantsClientOf(clients.root()));
    let primary = scene.primary(name("primary.test"));
    assert_eq!(scene.asked_with(&scene.transfers(None), &primary).await, Err("tls_our_certificate"));
    let stranger = Authority::new().client("secondary.test");
    assert_eq!(scene.asked_with(&scene.transfers(Some(&stranger)), &primary).await, Err("tls_our_certificate"));
    let known = clients.client("secondary.test");
    assert_eq!(scene.asked_with(&scene.transfers(Some(&known)), &primary).await, Ok(4));
    assert_eq!(scene.scripted.handshakes().last().unwrap().as_ref(), known.chain().first());
}

#[tokio::test]
async fn what_is_no_tls_of_today_is_named_and_nothing_goes_in_clear() {
    for (behaviour, code) in [
        (Behaviour::OldTls, "tls_version"),
        (Behaviour::InPlaceOfTls(InPlaceOfTls::Garbage), "tls_failed"),
        (Behaviour::InPlaceOfTls(InPlaceOfTls::Close), "tls_failed"),
        (Behaviour::InPlaceOfTls(InPlaceOfTls::Silence), "timed_out"),
        (Behaviour::InPlaceOfTls(InPlaceOfTls::Dns), "timed_out"),
        (Behaviour::CloseAfterHandshake, "connection_closed"),
        (Behaviour::MuteAfterHandshake, "timed_out"),
    ] {
        let scene = Scene::behaving(behaviour.clone());
        assert_eq!(scene.asked(name("primary.test")).await, Err(code), "{behaviour:?}");
        scene.assert_nothing_went_in_clear();
    }
}

#[tokio::test]
async fn a_transfer_that_is_cut_off_brings_nothing() {
    // NSD #262: over TLS too, an end that is no end leaves nothing behind and nobody waiting.
    for behaviour in [Behaviour::CutHalfWay, Behaviour::CloseHalfWay] {
        let scene = Scene::behaving(behaviour.clone());
        let transfers = scene.transfers(None);
        let primary = scene.primary(name("primary.test"));
        let zone = "example.".parse().unwrap();
        let reason =
            transfers.fetch(&zone, &primary, Fetch::Axfr, Lane::Refresh, &Meter::default()).await.unwrap_err();
        assert_eq!(reason.code(), "connection_closed", "{behaviour:?}");
    }
}
