//! The same over TLS.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use dns::{Opcode, Rcode, Section, Serial, Type};
use server::{Access, BindError, Event, Limits, TlsServer, Who, bind};
use testing::certificate::{Authority, Certificate};
use testing::query::{receive, send};
use testing::tls::{Client, Connection};
use xfr::notify::Channel;
use zone::ZoneId;

use crate::support::{Server, Setup, ZONE, framed, header, live, message, notified_from_here, query, rcode, types};

const NAME: &str = "dns.example";

/// Who vouches for the server's certificate, and a setup that shows it.
fn with_tls() -> (Authority, Setup) {
    let authority = Authority::new();
    let certificate = authority.server(&[NAME, "127.0.0.1"]);
    (authority, Setup { certificate: Some(certificate), ..Setup::default() })
}

fn connect(client: Client, server: &Server) -> Result<Connection, String> {
    client.connect(server.tls_address.unwrap(), NAME)
}

fn ask(connection: &mut Connection, message: &[u8]) -> Vec<u8> {
    send(connection, message).unwrap();
    receive(connection).unwrap()
}

fn assert_answers(authority: &Authority, server: &Server) {
    let mut connection = connect(Client::trusting(authority), server).unwrap();
    assert_eq!(rcode(&ask(&mut connection, &query("www.example.", Type::A))), Rcode::NOERROR);
}

#[test]
fn queries_are_answered_over_tls_as_over_tcp() {
    let (authority, setup) = with_tls();
    let server = setup.start();
    let mut connection = connect(Client::trusting(&authority), &server).unwrap();
    assert_eq!(connection.conn.alpn_protocol(), Some(&b"dot"[..]));
    let asked = query("www.example.", Type::A);
    assert_eq!(ask(&mut connection, &asked), server.tcp().ask(&asked));
    // Several in one record, answered in their order.
    let names = ["www.example.", "none.example.", "ns1.example."];
    let pipelined: Vec<u8> = names.iter().flat_map(|name| framed(&query(name, Type::A))).collect();
    connection.write_all(&pipelined).unwrap();
    let rcodes: Vec<Rcode> = names.iter().map(|_| rcode(&receive(&mut connection).unwrap())).collect();
    assert_eq!(rcodes, [Rcode::NOERROR, Rcode::NXDOMAIN, Rcode::NOERROR]);
    drop(connection);
    assert_eq!(server.queries.take().zones[&ZoneId(1)].total(), 5);
    let tally = server.stop();
    assert_eq!((tally.of(Event::TlsAccepted), tally.of(Event::TlsMessage), tally.of(Event::TcpMessage)), (1, 4, 1));
}

#[test]
fn a_client_that_names_no_protocol_is_served_and_one_that_names_only_others_is_not() {
    let (authority, setup) = with_tls();
    let server = setup.start();
    let mut connection = connect(Client::trusting(&authority).offering(&[]), &server).unwrap();
    assert_eq!(connection.conn.alpn_protocol(), None);
    assert_eq!(rcode(&ask(&mut connection, &query("www.example.", Type::A))), Rcode::NOERROR);
    let mut connection = connect(Client::trusting(&authority).offering(&["h2", "dot"]), &server).unwrap();
    assert_eq!(rcode(&ask(&mut connection, &query("www.example.", Type::A))), Rcode::NOERROR);
    let refused = connect(Client::trusting(&authority).offering(&["h2"]), &server);
    assert!(refused.unwrap_err().contains("NoApplicationProtocol"));
    assert_eq!(server.stop().of(Event::TlsFailed), 1);
}

#[test]
fn tls_1_2_is_refused() {
    // RFC 9103 §7.1.
    let (authority, setup) = with_tls();
    let server = setup.start();
    let refused = connect(Client::trusting(&authority).of_old(), &server);
    assert!(refused.unwrap_err().contains("ProtocolVersion"));
    assert_answers(&authority, &server);
}

/// What `kdig` prints.
fn kdig(server: SocketAddr, authority: &Authority, words: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let root = authority.write_file(directory.path());
    let output = Command::new("kdig")
        .args([&format!("@{}", server.ip()), "-p", &server.port().to_string(), "+tls"])
        .args([&format!("+tls-ca={}", root.display()), &format!("+tls-hostname={NAME}"), "+time=10", "+retry=0"])
        .args(words)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[test]
fn kdig_asks_takes_the_zone_and_notifies_over_tls() {
    let (authority, setup) = with_tls();
    let texts: String = (0..5_000).map(|n| format!("host{n} 60 TXT \"{n:0100}\"\n")).collect();
    let access = notified_from_here();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let mut server = Setup { zones, access, ..setup }.start();
    let address = server.tls_address.unwrap();
    assert_eq!(kdig(address, &authority, &["www.example.", "A", "+short"]).trim(), "192.0.2.80");
    let transferred = kdig(address, &authority, &["example.", "AXFR"]);
    // Many messages, of which each is more than one TLS record.
    assert_eq!(transferred.lines().filter(|line| line.starts_with("host")).count(), 5_000);
    let notified = kdig(address, &authority, &["example.", "NOTIFY=2026"]);
    assert!(notified.contains("NOERROR"), "{notified}");
    assert_eq!(server.notifies.blocking_recv().unwrap().serial, Some(Serial(2026)));
    assert_eq!(server.stop().of(Event::TransferSent), 1);
}

#[test]
fn a_notify_over_tls_wakes_the_zone_and_is_told_as_such() {
    let (authority, setup) = with_tls();
    let access = notified_from_here();
    let mut server = Setup { access, ..setup }.start();
    let mut connection = connect(Client::trusting(&authority), &server).unwrap();
    let notify = message(Opcode::NOTIFY, "example.", Type::SOA, Some((Section::Answer, 7)));
    let reply = ask(&mut connection, &notify);
    assert_eq!((header(&reply).opcode(), rcode(&reply)), (Opcode::NOTIFY, Rcode::NOERROR));
    assert_eq!(server.notifies.blocking_recv().unwrap().zone, ZoneId(1));
    let heard = server.heard.take();
    assert!(matches!(heard[0].who, Who::Known { channel: Channel::Tls, declined: None, .. }), "{heard:?}");
}

#[test]
fn transfers_over_tls_have_the_access_of_those_over_tcp() {
    let (authority, setup) = with_tls();
    let access = Access {
        transfer_out: server::TransferOut { default: Vec::new(), ..server::TransferOut::default() },
        ..Access::default()
    };
    let server = Setup { access, ..setup }.start();
    let mut connection = connect(Client::trusting(&authority), &server).unwrap();
    let refused = ask(&mut connection, &query("example.", Type::AXFR));
    assert_eq!((rcode(&refused), types(&refused)), (Rcode::REFUSED, vec![]));
}

#[test]
fn half_and_slow_handshakes_are_cut_off_and_give_their_places_back() {
    let (authority, setup) = with_tls();
    let limits = Limits {
        connections: 4,
        connections_per_client: 4,
        handshake: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Setup { limits, ..setup }.start();
    // The beginning of a ClientHello, as much as there is of it: a record of 512 octets of which some come.
    let beginning = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0; 40]].concat();
    let mut halves: Vec<_> = [0, 1, 5, beginning.len()]
        .map(|octets| {
            let mut client = server.at_tls();
            client.0.write_all(&beginning[..octets]).unwrap();
            client
        })
        .into();
    // They hold all places now.
    halves.iter_mut().for_each(|half| assert_eq!(half.receive(), None));
    assert_answers(&authority, &server);
    assert_eq!(server.stop().of(Event::TlsTimedOut), 4);
}

#[test]
fn what_is_no_handshake_ends_the_connection_and_is_counted() {
    let (authority, setup) = with_tls();
    let server = setup.start();
    // Plain DNS at the port for TLS, HTTP, and a record that promises more than any may have.
    let plain = framed(&query("www.example.", Type::A));
    for garbage in [&plain[..], b"GET / HTTP/1.1\r\nHost: dns.example\r\n\r\n", &[0x16, 3, 1, 0xff, 0xff, 0]] {
        let mut client = server.at_tls();
        client.0.write_all(garbage).unwrap();
        // An alert, or nothing at all; never an answer.
        let mut octets = Vec::new();
        let read = std::io::Read::read_to_end(&mut client.0, &mut octets);
        assert!(octets.is_empty() || octets[0] == 0x15, "{read:?} {octets:?}");
    }
    assert_answers(&authority, &server);
    let tally = server.stop();
    assert_eq!((tally.of(Event::TlsFailed), tally.of(Event::TlsMessage)), (3, 1));
}

#[test]
fn a_silent_connection_is_closed_with_a_word() {
    // RFC 8446 §6.1: what ends without close_notify may have been cut off by anybody.
    let (authority, setup) = with_tls();
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let mut connection = connect(Client::trusting(&authority), &server).unwrap();
    let mut octet = [0];
    let end = std::io::Read::read(&mut connection, &mut octet);
    assert!(matches!(end, Ok(0)), "{end:?}");
    assert_eq!(server.stop().of(Event::TcpTimedOut), 1);
}

#[test]
fn a_transfer_that_breaks_off_does_not_look_whole() {
    let (authority, setup) = with_tls();
    let texts: String = (0..60_000).map(|n| format!("host{n} 60 TXT \"{n:0200}\"\n")).collect();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let limits = Limits { write: Duration::from_millis(200), ..Limits::default() };
    let server = Setup { zones, limits, ..setup }.start();
    let mut connection = connect(Client::trusting(&authority), &server).unwrap();
    send(&mut connection, &query("example.", Type::AXFR)).unwrap();
    // Nobody reads until the server has given up.
    testing::eventually(Duration::from_secs(20), "the transfer to be cut off", || {
        match server.counters.read().of(Event::TransferFailed) {
            1 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    let end = std::io::copy(&mut connection, &mut std::io::sink());
    let kind = end.unwrap_err().kind();
    assert!([ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&kind), "{kind:?}");
}

#[test]
fn a_port_is_for_plain_dns_or_for_tls() {
    let tls = || {
        let certificate = Certificate::of_nobody();
        TlsServer::new(certificate.chain(), certificate.key()).unwrap()
    };
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let sockets = bind(&[any], 1).unwrap();
    let plain = sockets.addresses()[0];
    assert!(
        matches!(sockets.with_tls(&[plain], tls()), Err(BindError::PlainToo { address, .. }) if address == plain)
    );
    let wildcard = bind(&["0.0.0.0:0".parse().unwrap()], 1).unwrap();
    let covered = SocketAddr::new([127, 0, 0, 1].into(), wildcard.addresses()[0].port());
    assert!(
        matches!(wildcard.with_tls(&[covered], tls()), Err(BindError::Overlapping { address, .. }) if address == covered)
    );
    let sockets = bind(&[any], 1).unwrap().with_tls(&[any], tls()).unwrap();
    let taken = sockets.tls_addresses()[0];
    let error = bind(&[any], 1).unwrap().with_tls(&[taken], tls()).unwrap_err();
    assert!(matches!(error, BindError::Taken { .. }), "{error}");
    let (one, other) = (Certificate::of_nobody(), Certificate::of_nobody());
    assert!(TlsServer::new(one.chain(), other.key()).is_err(), "a key of another certificate");
}
