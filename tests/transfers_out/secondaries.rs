//! Other servers as our secondaries: they are told, and copy what has changed.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use testing::certificate::Authority;
use testing::peer::{Follows, Peer, Setup, Software, TsigKey};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::zone_text::of_hosts;
use testing::{eventually, port, query};

use crate::scene::{ZONE, secondo, serves, with_each_primary};

/// NSD waits for up to ten seconds before it first asks.
const LONG: Duration = Duration::from_secs(60);
const NAME: &str = "secondo.test";

fn configured(key: &TsigKey, more: &str) -> String {
    let TsigKey { name, algorithm, secret } = key;
    format!(
        "[transfer_out]\nallow = [\"127.0.0.0/8,key={name}\"]\n{more}\n\
         [[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n"
    )
}

#[track_caller]
fn follows(peer: &Peer, zone: &str, serial: u32) {
    let what = format!("{:?} to serve {zone} with serial {serial}", peer.software());
    eventually(LONG, &what, || {
        query::has_serial(peer.address(), zone, serial).map_err(|seen| format!("{seen}\n{}", peer.log()))
    });
}

#[track_caller]
fn status(secondo: &Secondo, what: &str, wanted: impl Fn(&Value) -> bool) {
    eventually(LONG, what, || {
        let status = secondo.json(&["status"]);
        if wanted(&status) { Ok(()) } else { Err(status.to_string()) }
    });
}

fn publish(secondo: &Secondo, primary: &Primary, serial: u32) {
    primary.publish(ZONE, &of_hosts(serial, 100));
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(secondo, ZONE, serial);
}

/// The zone's timers are hours, so that only NOTIFYs can bring anything.
fn is_followed_by_differences(secondo: &Secondo, primary: &Primary, peer: &Peer, key: &TsigKey) {
    follows(peer, ZONE, 1);
    let target = format!("notify_to={},key={}", peer.address(), key.name);
    secondo.expect(&["zone", "set", ZONE, &target]);
    for serial in 2..=3 {
        publish(secondo, primary, serial);
        follows(peer, ZONE, serial);
    }
    let ours = query::transfer(secondo.dns(), ZONE);
    assert!(ours.is_err(), "only with the key");
    status(secondo, "differences to be sent and NOTIFYs to be answered", |status| {
        let (out, told) = (&status["transfers_out"], &status["announced"]);
        // The first of three may have been overtaken by the second.
        let answered = told["answered"].as_u64().unwrap();
        out["differences"] == 2 && out["whole"] == 1 && answered >= 2 && told["unanswered"] == 0
    });
    peer.settle(ZONE);
    eventually(LONG, "the news to be answered", || {
        let www = query::ask(peer.address(), "www.example.test", dns::Type::A)?;
        if www.answer == ["www.example.test. 300 IN A 192.0.2.4"] { Ok(()) } else { Err(format!("{www:?}")) }
    });
}

#[test]
fn each_copies_from_us_is_told_and_takes_differences_all_signed() {
    with_each_primary(|software| {
        let key = TsigKey::of("hmac-sha256");
        let primary = Primary::with_zone(ZONE, &of_hosts(1, 100));
        let secondo = secondo().configured(&configured(&key, "")).with_zone(ZONE, primary.address()).started();
        serves(&secondo, ZONE, 1);
        let setup = Setup::default().key(key.clone()).following(Follows::zones(secondo.dns(), &[ZONE]));
        let peer = Peer::start(software, setup);
        is_followed_by_differences(&secondo, &primary, &peer, &key);
    });
}

#[test]
fn bind_and_nsd_copy_from_us_over_tls() {
    for software in Software::ALL.into_iter().filter(|software| software.follows_over_tls()) {
        let (key, authority) = (TsigKey::of("hmac-sha256"), Authority::new());
        let primary = Primary::with_zone(ZONE, &of_hosts(1, 100));
        let mut secondo = secondo().with_zone(ZONE, primary.address());
        let over_tls = port::free();
        let directory = secondo.data().parent().unwrap().to_owned();
        let (certificate, private) = authority.server(&[NAME]).write_files(&directory, "ours");
        let mut text = configured(&key, "");
        write!(
            text,
            "[dns]\ntls_listen = [\"{over_tls}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            certificate.display(),
            private.display()
        )
        .unwrap();
        secondo.configure(&text);
        secondo.start();
        serves(&secondo, ZONE, 1);
        let copied = Follows::zones(over_tls, &[ZONE]).over_tls(NAME, &authority);
        let peer = Peer::start(software, Setup::default().key(key.clone()).following(copied));
        is_followed_by_differences(&secondo, &primary, &peer, &key);
        assert!(secondo.json(&["status"])["queries"]["tls"].as_u64().unwrap() >= 3);
    }
}

#[test]
fn who_does_not_answer_is_given_up_and_keeps_nobody_from_being_told() {
    let primary = Primary::with_zone(ZONE, &of_hosts(1, 100));
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let secondo = secondo().with_zone(ZONE, primary.address()).started();
    serves(&secondo, ZONE, 1);
    let peer = Peer::start(Software::Knot, Setup::default().following(Follows::zones(secondo.dns(), &[ZONE])));
    follows(&peer, ZONE, 1);
    let targets = format!("notify_to={} {}", mute.local_addr().unwrap(), peer.address());
    secondo.expect(&["zone", "set", ZONE, &targets]);
    publish(&secondo, &primary, 2);
    follows(&peer, ZONE, 2);
    status(&secondo, "the mute one to be given up", |status| status["announced"]["unanswered"] == 1);
    let said = secondo.log().lines().filter(|line| line.contains("does not answer NOTIFYs")).count();
    assert_eq!((said, &secondo.json(&["status"])["announced"]["pending"]), (1, &0.into()), "{}", secondo.log());
    let mut datagrams = 0;
    mute.set_nonblocking(true).unwrap();
    while mute.recv(&mut [0; 1500]).is_ok() {
        datagrams += 1;
    }
    assert!((5..=6).contains(&datagrams), "five of the newest version, and maybe one of that before: {datagrams}");
}

#[test]
fn nobody_is_told_of_what_came_from_there_and_all_are_told_once_after_a_start() {
    let primary = Peer::start(Software::Knot, Setup::zone(ZONE, of_hosts(1, 100)));
    let other = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let targets =
        format!("[transfer_out]\nnotify = [\"{}\", \"{}\"]\n", primary.address(), other.local_addr().unwrap());
    let mut secondo = secondo().configured(&targets).with_zone(ZONE, primary.address()).started();
    other.set_read_timeout(Some(LONG)).unwrap();
    let told = || {
        let mut message = [0; 1500];
        let (length, from) = other.recv_from(&mut message).unwrap();
        let reply = xfr_response(&message[..length]);
        other.send_to(&reply, from).unwrap();
    };
    told();
    status(&secondo, "one to be told", |status| status["announced"]["answered"] == 1);
    secondo.kill_and_restart();
    told();
    status(&secondo, "one to be told", |status| {
        let told = &status["announced"];
        ["declined", "unanswered", "pending"].iter().all(|count| told[*count] == 0) && told["answered"] == 1
    });
}

/// The message as a reply to it: QR set, and nothing but the question.
fn xfr_response(message: &[u8]) -> Vec<u8> {
    let end = 12 + message[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = message[..end].to_vec();
    reply[2] |= 0x80;
    reply[6..12].fill(0);
    reply
}
