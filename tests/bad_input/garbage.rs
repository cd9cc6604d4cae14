//! Primaries that answer, but nothing of sense. (The many ways of misbehaving have their cases in `transfer` and
//! `xfr`, against a scripted primary; here the whole program meets a few.)

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use testing::peer::{Peer, Setup, Software};
use testing::{port, query, zone_text};

use crate::scene::{FAST_TIMERS, ZONE, add, failure_within, has_nothing_to_serve, secondo, serves};

/// How long an attempt may take that hears nothing of sense: it asks over UDP twice, then over TCP, and waits each time.
const IN_VAIN: Duration = Duration::from_secs(60);

/// Answers every datagram and every message over TCP with what `answer` makes of it, until the test ends.
fn babbler(answer: fn(&[u8]) -> Vec<u8>) -> SocketAddr {
    let address = port::free();
    let udp = UdpSocket::bind(address).unwrap();
    let tcp = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        let mut message = [0; 65_535];
        while let Ok((length, from)) = udp.recv_from(&mut message) {
            let _ = udp.send_to(&answer(&message[..length]), from);
        }
    });
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = tcp.accept() {
            std::thread::spawn(move || {
                let mut prefix = [0; 2];
                while stream.read_exact(&mut prefix).is_ok() {
                    let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
                    if stream.read_exact(&mut message).is_err() {
                        return;
                    }
                    let reply = answer(&message);
                    let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
                    let _ = stream.write_all(&[&length[..], &reply].concat());
                }
            });
        }
    });
    address
}

/// The request's ID, then octets that are no message.
fn noise(request: &[u8]) -> Vec<u8> {
    [&request[..2], &[0x84, 0x00, 0, 1, 0, 200, 0, 0, 0, 0, 0xc0, 0xff, 0x3f, 1, 2, 3]].concat()
}

/// The request itself, as an echo service does.
fn echo(request: &[u8]) -> Vec<u8> {
    request.to_vec()
}

/// A well-formed, authoritative answer without any record.
fn nothing(request: &[u8]) -> Vec<u8> {
    let mut reply = request.to_vec();
    reply[2] |= 0x84;
    reply
}

#[test]
fn a_primary_that_answers_garbage_is_blamed_and_nothing_is_installed() {
    for answer in [noise, echo, nothing] {
        let secondo = secondo().started();
        add(&secondo, ZONE, babbler(answer));
        let reason = failure_within(IN_VAIN, &secondo, ZONE);
        assert!(["primary", "network", "configuration"].contains(&reason["fault"].as_str().unwrap()), "{reason}");
        has_nothing_to_serve(&secondo, ZONE);
    }
}

#[test]
fn garbage_in_place_of_the_primary_does_not_harm_the_copy() {
    let text = |serial| zone_text::with_timers(serial, zone_text::Timers::SECONDS);
    let mut peer = Peer::start(Software::Knot, Setup::zone(ZONE, text(1)));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    peer.switch_off();
    let udp = UdpSocket::bind(peer.address()).unwrap();
    let tcp = TcpListener::bind(peer.address()).unwrap();
    let mut message = [0; 65_535];
    udp.set_read_timeout(Some(IN_VAIN)).unwrap();
    for _ in 0..2 {
        let (length, from) = udp.recv_from(&mut message).unwrap();
        udp.send_to(&noise(&message[..length]), from).unwrap();
    }
    failure_within(IN_VAIN, &secondo, ZONE);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    drop((udp, tcp));
    peer.switch_on();
    peer.replace(ZONE, &text(2));
    serves(&secondo, ZONE, 2);
}
