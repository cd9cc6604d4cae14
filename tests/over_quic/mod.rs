//! DNS over QUIC (RFC 9250), asked by a client that is not ours: dnspython with aioquic. (Debian 12 builds kdig without QUIC.)

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use testing::certificate::Authority;
use testing::peer::{Peer, Setup, Software};
use testing::process::run;
use testing::secondo::Secondo;
use testing::{port, python, zone_text};

use crate::scene::{ZONE, add, secondo, serves};

const NAME: &str = "dns.example";

/// Secondo that speaks QUIC, where, and the file with who vouches for it.
struct Scene {
    secondo: Secondo,
    over_quic: SocketAddr,
    authority: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let (secondo, over_quic, authority) = (secondo(), port::free(), Authority::new());
        let directory: PathBuf = secondo.data().parent().unwrap().into();
        let (chain, key) = authority.server(&[NAME]).write_files(&directory, "ours");
        let configuration = format!(
            "[dns]\nquic_listen = [\"{over_quic}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            chain.display(),
            key.display()
        );
        let secondo = secondo.configured(&configuration).started();
        Self { secondo, over_quic, authority: authority.write_file(&directory) }
    }

    /// The same beside a primary whose zone it has.
    fn beside_a_primary() -> (Self, Peer) {
        let scene = Self::new();
        let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::of_hosts(1, 5_000)));
        add(&scene.secondo, ZONE, peer.address());
        serves(&scene.secondo, ZONE, 1);
        (scene, peer)
    }
}

#[test]
fn dnspython_asks_notifies_and_takes_the_zone_over_quic() {
    let (scene, mut peer) = Scene::beside_a_primary();
    peer.replace(ZONE, &zone_text::of_hosts(2, 5_000));
    let mut client = python::program(include_str!("ask.py"));
    client.arg(scene.over_quic.port().to_string()).arg(&scene.authority).args([ZONE, "2"]);
    let printed = run(&mut client);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..3], ["answered with serial 1", "answered 200", "notified NOERROR"], "{printed}");
    let transferred: usize = lines[3].rsplit(' ').next().unwrap().parse().unwrap();
    assert!(transferred > 5_000, "{printed}");
    serves(&scene.secondo, ZONE, 2);
    let notifies = scene.secondo.json(&["zone", "notifies", ZONE]);
    assert_eq!(notifies[0]["transport"], "quic", "{notifies}");
    let status: Value = scene.secondo.json(&["status"]);
    assert_eq!(status["dns_over_quic"][0], scene.over_quic.to_string());
    assert_eq!(status["queries"]["quic"], 203, "{status}");
}

#[test]
fn an_address_for_quic_that_is_for_plain_dns_already_is_named() {
    let (secondo, directory) = (secondo(), tempfile::tempdir().unwrap());
    let (chain, key) = Authority::new().server(&[NAME]).write_files(directory.path(), "ours");
    let configuration = format!(
        "[dns]\nquic_listen = [\"{}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        secondo.dns(),
        chain.display(),
        key.display()
    );
    let address = secondo.dns().to_string();
    secondo.configured(&configuration).serve_in_vain().must_fail(&[&address, "give QUIC a port of its own"]);
}
