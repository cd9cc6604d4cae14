//! Our certificate, renewed while the program runs: who connects next is shown the new one, and nobody is cut off.

use std::net::SocketAddr;
use std::path::PathBuf;

use dns::{Opcode, Type};
use serde_json::Value;
use testing::certificate::{Authority, Certificate};
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::tls::{Client, Connection};
use testing::{eventually, port, query, zone_text};

use crate::scene::{SOON, ZONE, failure, secondo, serves};

const NAME: &str = "dns.example";

/// Secondo that speaks TLS, and the files of its certificate.
struct Scene {
    secondo: Secondo,
    over_tls: SocketAddr,
    directory: PathBuf,
}

impl Scene {
    fn showing(certificate: &Certificate) -> Self {
        let (secondo, over_tls) = (secondo(), port::free());
        let directory: PathBuf = secondo.data().parent().unwrap().into();
        let (chain, key) = certificate.write_files(&directory, "ours");
        let configuration = format!(
            "[dns]\ntls_listen = [\"{over_tls}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            chain.display(),
            key.display()
        );
        Self { secondo: secondo.configured(&configuration).started(), over_tls, directory }
    }

    /// Writes both files, one after the other, as most who renew certificates do.
    fn renew(&self, certificate: &Certificate) {
        certificate.write_files(&self.directory, "ours");
    }

    fn connect(&self, trusted: &Authority) -> Result<Connection, String> {
        Client::trusting(trusted).connect(self.over_tls, NAME)
    }

    /// Waits until whoever trusts this authority is answered.
    #[track_caller]
    fn is_shown_to_be(&self, trusted: &Authority) -> Connection {
        let mut connection = eventually(SOON, "the certificate to be shown", || self.connect(trusted));
        assert_answers(&mut connection);
        connection
    }

    fn warnings(&self) -> String {
        self.secondo.json(&["status"])["warnings"].to_string()
    }
}

#[track_caller]
fn assert_answers(connection: &mut Connection) {
    query::send(connection, &query::request(Opcode::QUERY, ZONE, Type::SOA, None)).unwrap();
    query::read_reply(&query::receive(connection).unwrap()).unwrap();
}

#[test]
fn a_new_certificate_is_shown_to_who_comes_next_while_old_connections_go_on() {
    let [first, second, third] = [(); 3].map(|()| Authority::new());
    let scene = Scene::showing(&first.server(&[NAME]));
    let mut old = scene.is_shown_to_be(&first);
    scene.renew(&second.server(&[NAME]));
    scene.secondo.hang_up();
    scene.is_shown_to_be(&second);
    assert!(scene.connect(&first).unwrap_err().contains("UnknownIssuer"));
    assert_answers(&mut old);
    // And without a word from anybody.
    scene.renew(&third.server(&[NAME]));
    scene.is_shown_to_be(&third);
    assert_eq!(scene.warnings(), "[]");
}

#[test]
fn a_pair_that_cannot_be_shown_keeps_the_one_of_before_and_is_said_once() {
    let [first, second] = [(); 2].map(|()| Authority::new());
    let scene = Scene::showing(&first.server(&[NAME]));
    let renewed = second.server(&[NAME]);
    let key = std::fs::read(scene.directory.join("ours.key")).unwrap();
    let refused = |why: &str| {
        scene.secondo.hang_up();
        eventually(SOON, why, || Some(()).filter(|()| scene.warnings().contains(why)).ok_or(scene.warnings()));
        scene.is_shown_to_be(&first);
    };
    // The key of before.
    scene.renew(&renewed);
    std::fs::write(scene.directory.join("ours.key"), key).unwrap();
    refused("its own");
    let status = scene.secondo.json(&["status"]);
    assert!(status["certificate"]["refused"].as_str().is_some_and(|why| why.contains("ours.key")), "{status}");
    // Half of a file.
    scene.renew(&renewed);
    let file = scene.directory.join("ours.pem");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    refused("ours.pem");
    // None at all.
    std::fs::remove_file(&file).unwrap();
    refused("No such file");
    assert_eq!(scene.secondo.log().matches("cannot be shown, so that those of before are").count(), 3);
    std::fs::write(&file, whole).unwrap();
    scene.is_shown_to_be(&second);
    assert_eq!(scene.warnings(), "[]");
}

#[test]
fn a_certificate_that_has_ended_is_shown_and_said() {
    let authority = Authority::new();
    let scene = Scene::showing(&authority.expired_server(&[NAME]));
    assert!(scene.connect(&authority).unwrap_err().contains("expired"));
    assert!(scene.warnings().contains("has ended"), "{}", scene.warnings());
    assert_eq!(scene.secondo.json(&["status"])["certificate"]["ends_at"], "2001-12-31T00:00:00.000Z");
    assert!(scene.secondo.expect(&["status"]).contains("until 2001-12-31"));
    assert!(scene.secondo.log().contains("has ended"));
    scene.renew(&authority.server(&[NAME]));
    scene.secondo.hang_up();
    scene.is_shown_to_be(&authority);
    assert_eq!(scene.warnings(), "[]");
}

#[test]
fn primaries_are_shown_the_new_certificate_too() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let setup =
        Setup::zone(ZONE, zone_text::small(1)).over_tls(authority.server(&[NAME])).only_for_clients_of(&clients);
    let peer = Peer::start(Software::Bind, setup);
    let secondo = secondo();
    let directory: PathBuf = secondo.data().parent().unwrap().into();
    let (certificate, key) = Authority::new().client("secondary.test").write_files(&directory, "ours");
    let trusted = secondo.scratch_file("authority.pem", authority.pem());
    let configuration = format!(
        "[tls]\nauthorities = [\"{trusted}\"]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let secondo = secondo.configured(&configuration).started();
    let primary = format!("{},tls={NAME}", peer.tls_address());
    secondo.expect(&["zone", "add", ZONE, "--primary", &primary]);
    let reason: Value = failure(&secondo, ZONE);
    assert!(["tls_our_certificate", "connection_closed"].contains(&reason["code"].as_str().unwrap()), "{reason}");
    clients.client("secondary.test").write_files(&directory, "ours");
    secondo.hang_up();
    eventually(SOON, "the certificate to be taken", || {
        let refreshed = secondo.client(&["zone", "refresh", ZONE]);
        if refreshed.code == Some(0) { Ok(()) } else { Err(refreshed.words()) }
    });
    serves(&secondo, ZONE, 1);
}

#[test]
fn who_hangs_up_on_a_server_without_a_certificate_does_not_end_it() {
    let secondo = secondo().started();
    secondo.hang_up();
    eventually(SOON, "the signal to be heard", || {
        if secondo.log().contains("SIGHUP") { Ok(()) } else { Err(secondo.log()) }
    });
    assert!(secondo.json(&["status"])["certificate"].is_null());
}
