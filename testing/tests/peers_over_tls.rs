//! The real primaries over TLS, and how far each of them lets a connection be used again: what our own client is built
//! on, and what must be looked at anew when a server's version changes.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use dns::{Header, Opcode, Rcode, Type};
use rustls::ProtocolVersion;
use testing::certificate::{Authority, Certificate};
use testing::peer::{Peer, Setup, Software};
use testing::tls::Client;
use testing::{query, zone_text};

const ZONE: &str = "example.test";
const NAME: &str = "primary.test";

fn over_tls() -> impl Iterator<Item = Software> {
    Software::ALL.into_iter().filter(|software| software.speaks_tls())
}

fn certified(authority: &Authority) -> (Certificate, Setup) {
    let certificate = authority.server(&[NAME, "127.0.0.1"]);
    (certificate.clone(), Setup::zone(ZONE, zone_text::small(1)).over_tls(certificate))
}

/// What `kdig` prints for a question over TLS; nothing when it does not trust the server.
fn kdig(server: SocketAddr, trust: &str, question: &str) -> String {
    let output = Command::new("kdig")
        .args(["@127.0.0.1", "-p", &server.port().to_string(), "+noall", "+answer", trust, ZONE, question])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_answers_and_transfers_to_whoever_trusts_its_authority_or_its_key() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let authority_file = authority.write_file(directory.path());
    for software in over_tls() {
        let (certificate, setup) = certified(&authority);
        let mut peer = Peer::start(software, setup);
        peer.replace(ZONE, &zone_text::small(2));
        let server = peer.tls_address();
        let by_name = format!("+tls-ca={}", authority_file.display());
        for (trust, trusted) in [
            (by_name, true),
            (format!("+tls-pin={}", certificate.pin()), true),
            (format!("+tls-pin={}", authority.server(&[NAME]).pin()), false),
        ] {
            for (question, soas) in [("SOA", 1), ("AXFR", 2), ("IXFR=1", 4)] {
                let printed = kdig(server, &trust, question);
                let wanted = if trusted { soas } else { 0 };
                assert_eq!(printed.matches("SOA").count(), wanted, "{software:?} {trust} {question}\n{printed}");
            }
        }
    }
}

#[test]
fn bind_selects_dot_and_nsd_nothing() {
    let authority = Authority::new();
    for software in over_tls() {
        let peer = Peer::start(software, certified(&authority).1);
        let connection = Client::trusting(&authority).connect(peer.tls_address(), NAME).unwrap();
        assert_eq!(connection.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3), "{software:?}");
        let selected = if software == Software::Bind { Some(&b"dot"[..]) } else { None };
        assert_eq!(connection.conn.alpn_protocol(), selected, "{software:?}");
    }
}

#[test]
fn without_alpn_bind_answers_but_transfers_nothing() {
    let authority = Authority::new();
    let peer = Peer::start(Software::Bind, certified(&authority).1);
    let client = Client::trusting(&authority).offering(&[]);
    let mut connection = client.connect(peer.tls_address(), NAME).unwrap();
    assert_eq!(exchange(&mut connection, Type::SOA).rcode(), Rcode::NOERROR);
    assert_eq!(exchange(&mut connection, Type::AXFR).rcode(), Rcode::SERVFAIL);
}

#[test]
fn where_clients_are_checked_only_known_ones_are_answered() {
    let authority = Authority::new();
    let clients = Authority::new();
    for software in over_tls().filter(|software| software.checks_clients()) {
        let peer = Peer::start(software, certified(&authority).1.only_for_clients_of(&clients));
        let ask = |client: Client| {
            let mut connection = client.connect(peer.tls_address(), NAME)?;
            query::send(&mut connection, &query::request(Opcode::QUERY, ZONE, Type::AXFR, None))?;
            query::receive(&mut connection)
        };
        let client = || Client::trusting(&authority);
        assert!(ask(client().showing(clients.client("secondary.test"))).is_ok(), "{software:?}");
        assert!(ask(client()).is_err(), "{software:?}");
        assert!(ask(client().showing(authority.client("secondary.test"))).is_err(), "{software:?}");
    }
}

#[test]
fn each_takes_one_question_after_the_other_on_a_connection_and_several_at_once() {
    let authority = Authority::new();
    for software in Software::ALL {
        let setup =
            if software.speaks_tls() { certified(&authority).1 } else { Setup::zone(ZONE, zone_text::small(1)) };
        let peer = Peer::start(software, setup);
        let mut plain = TcpStream::connect(peer.address()).unwrap();
        plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        use_again(software, &mut plain);
        if software.speaks_tls() {
            use_again(software, &mut Client::trusting(&authority).connect(peer.tls_address(), NAME).unwrap());
        }
    }
}

fn use_again(software: Software, stream: &mut (impl Read + Write)) {
    for question in [Type::SOA, Type::AXFR, Type::SOA, Type::AXFR] {
        send(stream, 1, question);
        assert_eq!(ids_of_answers(stream, 1), [1], "{software:?} {question:?}");
    }
    for id in 1..=5 {
        send(stream, id, Type::AXFR);
    }
    // In order or not: RFC 7766 §7 leaves it to the server.
    let mut answered = ids_of_answers(stream, 5);
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3, 4, 5], "{software:?}");
}

fn send(stream: &mut impl Write, id: u16, question: Type) {
    let mut request = query::request(Opcode::QUERY, ZONE, question, None);
    request[..2].copy_from_slice(&id.to_be_bytes());
    query::send(stream, &request).unwrap();
}

/// Reads whole answers, and gives their IDs in the order in which they came to an end: SOA queries' with their one
/// record, transfers' with their second SOA.
fn ids_of_answers(stream: &mut impl Read, count: usize) -> Vec<u16> {
    let mut ended = Vec::new();
    let mut soas = [0; 8];
    while ended.len() < count {
        let message = query::receive(stream).unwrap();
        let mut reader = dns::MessageReader::new(&message).unwrap();
        let id = reader.header().id;
        let question = reader.question().unwrap();
        let wanted = if question.is_some_and(|question| question.qtype == Type::SOA) { 1 } else { 2 };
        while let Some(record) = reader.record().unwrap() {
            soas[usize::from(id)] += usize::from(record.rtype == Type::SOA);
        }
        if soas[usize::from(id)] == wanted {
            ended.push(id);
        }
    }
    ended
}

fn exchange(stream: &mut (impl Read + Write), question: Type) -> Header {
    query::send(stream, &query::request(Opcode::QUERY, ZONE, question, None)).unwrap();
    Header::parse(&query::receive(stream).unwrap()).unwrap()
}
