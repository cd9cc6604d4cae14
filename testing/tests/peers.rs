//! The real primaries do what the tests ask of them, before anything of ours is judged by them.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::{port, process, query, zone_text};

const ZONE: &str = "example.test";

fn for_each_software(check: impl Fn(Software) + Sync) {
    std::thread::scope(|scope| {
        for software in Software::ALL {
            let check = &check;
            scope.spawn(move || check(software));
        }
    });
}

#[test]
fn each_serves_and_transfers_what_it_was_given() {
    for_each_software(|software| {
        let peer = Peer::start(
            software,
            Setup::zone(ZONE, zone_text::small(1)).and_zone(".", zone_text::root(zone_text::ROOT_BEFORE)),
        );
        assert_eq!(query::serial(peer.address(), ZONE), Ok(1));
        assert_eq!(query::serial(peer.address(), "."), Ok(zone_text::ROOT_BEFORE));
        let lines = query::transfer(peer.address(), ZONE).unwrap();
        assert!(lines.iter().any(|line| line.ends_with("IN A 192.0.2.2")), "{software:?}: {lines:?}");
        assert!(query::transfer(peer.address(), ".").unwrap().len() > 20_000, "{software:?}");
    });
}

#[test]
fn a_replaced_zone_is_sent_as_differences_where_the_software_can() {
    for_each_software(|software| {
        let mut peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)));
        peer.replace(ZONE, &zone_text::small(2));
        let port = peer.address().port().to_string();
        let printed = process::run(Command::new("dig").args([
            "@127.0.0.1",
            "-p",
            &port,
            "+noall",
            "+answer",
            "+tcp",
            ZONE,
            "ixfr=1",
        ]));
        let serials = printed.matches("SOA").count();
        if software.sends_differences() {
            assert_eq!((serials, peer.differences_sent(ZONE)), (4, 1), "{software:?}\n{printed}\n{}", peer.log());
        } else {
            assert_eq!((serials, peer.differences_sent(ZONE)), (2, 0), "{software:?}\n{printed}");
        }
    });
}

#[test]
fn each_sends_notify_signed_where_there_is_a_key() {
    for_each_software(|software| {
        let secondary = Secondary::listen();
        let setup = Setup::zone(ZONE, zone_text::small(1)).key(TsigKey::of("hmac-sha256"));
        let mut peer = Peer::start(software, setup.notifying(secondary.address));
        peer.replace(ZONE, &zone_text::small(2));
        loop {
            let Some((message, transport)) = secondary.next() else {
                panic!("{software:?} sends no NOTIFY\n{}", peer.log());
            };
            let (serial, signed) = read_notify(&message);
            assert!(signed, "{software:?} does not sign");
            // Knot uses TCP only, the others UDP.
            assert_eq!(transport == "TCP", software == Software::Knot, "{software:?}");
            // PowerDNS does not say which serial; the others may still speak of the one that they started with.
            assert_eq!(serial.is_none(), software == Software::PowerDns, "{software:?}");
            if serial.is_none_or(|serial| serial == 2) {
                break;
            }
        }
    });
}

/// Listens for NOTIFYs on both transports and answers them.
struct Secondary {
    address: SocketAddr,
    received: mpsc::Receiver<(Vec<u8>, &'static str)>,
}

impl Secondary {
    fn listen() -> Self {
        let address = port::free();
        let (sender, received) = mpsc::channel();
        let udp = UdpSocket::bind(address).unwrap();
        let tcp = TcpListener::bind(address).unwrap();
        let by_udp = sender.clone();
        std::thread::spawn(move || {
            let mut message = [0; 1_500];
            while let Ok((length, from)) = udp.recv_from(&mut message) {
                let notify = message[..length].to_vec();
                message[2] |= 0x80;
                udp.send_to(&message[..length], from).unwrap();
                if by_udp.send((notify, "UDP")).is_err() {
                    return;
                }
            }
        });
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = tcp.accept() {
                let mut prefix = [0; 2];
                while stream.read_exact(&mut prefix).is_ok() {
                    let mut notify = vec![0; usize::from(u16::from_be_bytes(prefix))];
                    stream.read_exact(&mut notify).unwrap();
                    if sender.send((notify.clone(), "TCP")).is_err() {
                        return;
                    }
                    notify[2] |= 0x80;
                    let _ = stream.write_all(&[&prefix[..], &notify].concat());
                }
            }
        });
        Self { address, received }
    }

    fn next(&self) -> Option<(Vec<u8>, &'static str)> {
        self.received.recv_timeout(Duration::from_secs(20)).ok()
    }
}

/// The serial in a NOTIFY, and whether it is signed.
fn read_notify(message: &[u8]) -> (Option<u32>, bool) {
    let mut reader = dns::MessageReader::new(message).unwrap();
    assert_eq!(reader.header().opcode(), dns::Opcode::NOTIFY);
    let (mut serial, mut signed) = (None, false);
    while let Some(record) = reader.record().unwrap() {
        signed |= record.rtype == dns::Type::TSIG;
        if record.rtype == dns::Type::SOA {
            let mut rdata = Vec::new();
            reader.rdata(&record, &mut rdata).unwrap();
            serial = dns::Soa::parse(&rdata).map(|soa| soa.serial.0);
        }
    }
    (serial, signed)
}

#[test]
fn each_transfers_with_every_algorithm_and_refuses_without() {
    for_each_software(|software| {
        for algorithm in TsigKey::ALGORITHMS {
            let key = TsigKey::of(algorithm);
            let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
            assert!(query::transfer(peer.address(), ZONE).is_err(), "{software:?} gives the zone to anybody");
            let port = peer.address().port().to_string();
            let secret = format!("{algorithm}:{}:{}", key.name, key.secret);
            let printed =
                process::run(Command::new("dig").args(["@127.0.0.1", "-p", &port, "-y", &secret, ZONE, "AXFR"]));
            assert!(printed.contains("XFR size"), "{software:?} {algorithm}: {printed}");
        }
    });
}

#[test]
fn each_comes_back_where_it_was() {
    for_each_software(|software| {
        let mut peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)));
        peer.replace(ZONE, &zone_text::small(2));
        let address = peer.address();
        peer.switch_off();
        assert!(query::serial(address, ZONE).is_err(), "{software:?}");
        peer.switch_on();
        assert_eq!(query::serial(address, ZONE), Ok(2), "{software:?}");
    });
}
