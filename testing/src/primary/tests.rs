//! The scripted primary misbehaves as it says, so that what is judged by it is judged by what it claims to be.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use dns::{Opcode, Type};
use rustls::ProtocolVersion;

use super::{Behaviour, InPlaceOfTls, Kind, Order, Primary};
use crate::certificate::{Authority, Certificate};
use crate::query;
use crate::tls::{Client, Connection};
use crate::zone_text;

const ZONE: &str = "example.test";
const NAME: &str = "primary.test";
const ADDRESS: &str = "127.0.0.1";

struct Scene {
    authority: Authority,
    primary: Primary,
}

impl Scene {
    fn behaving(behaviours: &[Behaviour]) -> Self {
        let authority = Authority::new();
        let primary = Primary::over_tls(&authority.server(&[NAME, ADDRESS]));
        primary.publish(ZONE, &zone_text::small(1));
        behaviours.iter().for_each(|behaviour| primary.behave(behaviour.clone()));
        Self { authority, primary }
    }

    fn client(&self) -> Client {
        Client::trusting(&self.authority)
    }

    fn connect(&self) -> Result<Connection, String> {
        self.client().connect(self.primary.tls_address(), NAME)
    }
}

/// The serial that a connection answers with.
fn serial(mut connection: Connection) -> Result<u32, String> {
    query::send(&mut connection, &query::request(Opcode::QUERY, ZONE, Type::SOA, None))?;
    let reply = query::read_reply(&query::receive(&mut connection)?).map_err(|error| error.to_string())?;
    Ok(reply.serial.ok_or("no SOA")?.0)
}

#[test]
fn over_tls_it_answers_as_over_tcp() {
    let scene = Scene::behaving(&[]);
    for name in [NAME, ADDRESS] {
        let connection = scene.client().connect(scene.primary.tls_address(), name).unwrap();
        assert_eq!(connection.conn.alpn_protocol(), Some(&b"dot"[..]));
        assert_eq!(connection.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(serial(connection), Ok(1));
    }
    assert_eq!(scene.primary.count(Kind::SoaOverTls), 2);
    assert_eq!((scene.primary.connections_over_tcp(), scene.primary.connections_over_tls()), (0, 2));
    assert_eq!(scene.primary.handshakes(), [None, None]);
    let names: Vec<_> = scene.primary.hellos().into_iter().map(|hello| hello.server_name).collect();
    assert_eq!(names, [Some(NAME.to_owned()), None], "an address is no server name");
}

#[test]
fn alpn_and_version_are_as_told() {
    let chosen = |behaviour: Behaviour| {
        let connection = Scene::behaving(&[behaviour]).connect();
        connection.map(|connection| {
            (connection.conn.alpn_protocol().map(<[u8]>::to_vec), connection.conn.protocol_version())
        })
    };
    assert_eq!(chosen(Behaviour::NoAlpn), Ok((None, Some(ProtocolVersion::TLSv1_3))));
    assert_eq!(chosen(Behaviour::OldTls), Ok((Some(b"dot".to_vec()), Some(ProtocolVersion::TLSv1_2))));
    assert!(chosen(Behaviour::OtherAlpn).unwrap_err().contains("NoApplicationProtocol"));
    let scene = Scene::behaving(&[Behaviour::OtherAlpn]);
    let offering = scene.client().offering(&["dot", "http/1.1"]);
    let connection = offering.connect(scene.primary.tls_address(), NAME).unwrap();
    assert_eq!(connection.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn wrong_certificates_are_wrong() {
    let scene = Scene::behaving(&[]);
    let names = [NAME, ADDRESS];
    for (shown, reason) in [
        (scene.authority.expired_server(&names), "Expired"),
        (scene.authority.server(&["other.test", "127.0.0.2"]), "not valid for name"),
        (scene.authority.client(NAME), "extended key usage"),
        (Authority::new().server(&names), "UnknownIssuer"),
        (Certificate::alone(&names), "UnknownIssuer"),
    ] {
        scene.primary.behave_well();
        scene.primary.behave(Behaviour::Shows(shown));
        let refused = scene.connect().expect_err("the certificate is wrong").to_lowercase();
        assert!(refused.contains(&reason.to_lowercase()), "{refused} in place of {reason}");
    }
}

#[test]
fn it_speaks_only_with_clients_that_it_knows() {
    let clients = Authority::new();
    let scene = Scene::behaving(&[Behaviour::WantsClientOf(clients.root())]);
    let known = clients.client("secondary.test");
    let connection = scene.client().showing(known.clone()).connect(scene.primary.tls_address(), NAME).unwrap();
    assert_eq!(serial(connection), Ok(1));
    assert_eq!(scene.primary.handshakes(), [known.chain().pop()]);

    // RFC 8446 §4.4.2.4: in TLS 1.3 a client learns of it only after its own handshake has ended.
    let refused = scene.connect().and_then(serial).unwrap_err();
    assert!(refused.contains("CertificateRequired"), "{refused}");
    let stranger = Authority::new().client("secondary.test");
    let connection = scene.client().showing(stranger).connect(scene.primary.tls_address(), NAME);
    assert!(connection.and_then(serial).is_err());
    assert_eq!(scene.primary.handshakes().len(), 1);
}

#[test]
fn what_stands_in_place_of_tls_is_no_tls() {
    for what in [InPlaceOfTls::Dns, InPlaceOfTls::Garbage, InPlaceOfTls::Silence, InPlaceOfTls::Close] {
        let scene = Scene::behaving(&[Behaviour::InPlaceOfTls(what)]);
        let client = scene.client().waiting(Duration::from_millis(500));
        assert!(client.connect(scene.primary.tls_address(), NAME).is_err(), "{what:?}");
        assert_eq!(scene.primary.hellos(), [], "{what:?}");
    }
}

#[test]
fn after_the_handshake_it_closes_or_is_mute() {
    for (behaviour, reason) in
        [(Behaviour::CloseAfterHandshake, "failed to fill"), (Behaviour::MuteAfterHandshake, "unavailable")]
    {
        let scene = Scene::behaving(std::slice::from_ref(&behaviour));
        let client = scene.client().waiting(Duration::from_secs(2));
        let refused = client.connect(scene.primary.tls_address(), NAME).and_then(serial).unwrap_err();
        assert!(refused.contains(reason), "{behaviour:?}: {refused}");
        assert_eq!(scene.primary.handshakes().len(), 1);
    }
}

#[test]
fn a_transfer_that_is_cut_ends_without_close_notify() {
    for (behaviour, reason) in
        [(Behaviour::CloseHalfWay, "failed to fill"), (Behaviour::CutHalfWay, "without sending TLS close_notify")]
    {
        let scene = Scene::behaving(std::slice::from_ref(&behaviour));
        let mut connection = scene.connect().unwrap();
        query::send(&mut connection, &query::request(Opcode::QUERY, ZONE, Type::AXFR, None)).unwrap();
        query::receive(&mut connection).unwrap();
        let ended = query::receive(&mut connection).unwrap_err();
        assert!(ended.contains(reason), "{behaviour:?}: {ended}");
    }
}

/// The message IDs and answer counts of all that comes back on one TCP connection for these questions, sent at once.
fn answers_on_a_connection(primary: &Primary, questions: &[Type]) -> Vec<(u16, u16)> {
    let mut stream = TcpStream::connect(primary.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut octets = Vec::new();
    for (id, qtype) in (1..).zip(questions) {
        let mut request = query::request(Opcode::QUERY, ZONE, *qtype, None);
        request[..2].copy_from_slice(&u16::to_be_bytes(id));
        octets.extend((request.len() as u16).to_be_bytes());
        octets.extend(request);
    }
    stream.write_all(&octets).unwrap();
    // A mute server waits until its client has nothing more to say; one that closes may be gone by now.
    let _ = stream.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    while let Ok(message) = query::receive(&mut stream) {
        let header = dns::Header::parse(&message).unwrap();
        answers.push((header.id, header.counts[1]));
    }
    answers
}

#[test]
fn a_connection_is_used_again_as_far_as_it_is_told() {
    let soa = Type::SOA;
    for (behaviours, questions, answered) in [
        (vec![], vec![soa, soa, soa], 3),
        (vec![Behaviour::CloseAfterRequests(1)], vec![soa, soa], 1),
        (vec![Behaviour::MuteAfterRequests(2)], vec![soa, soa, soa], 2),
        (vec![Behaviour::CloseAfter(Kind::SoaOverTcp)], vec![soa, Type::AXFR], 1),
        (vec![Behaviour::MuteAfter(Kind::Axfr)], vec![soa, Type::AXFR, soa], 2),
    ] {
        let scene = Scene::behaving(&behaviours);
        let ids: Vec<u16> = answers_on_a_connection(&scene.primary, &questions).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, (1..=answered).collect::<Vec<_>>(), "{behaviours:?}");
        assert_eq!(scene.primary.connections_over_tcp(), 1);
    }
}

#[test]
fn requests_that_wait_together_are_answered_in_another_order() {
    let gather = |order| Behaviour::Gather { requests: 2, order };
    let axfr = [Type::AXFR, Type::AXFR];
    let scene = Scene::behaving(&[gather(Order::Reversed)]);
    let ids: Vec<u16> = answers_on_a_connection(&scene.primary, &axfr).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [2, 1]);
    assert_eq!(scene.primary.most_requests_on_a_connection(), 2);

    let scene = Scene::behaving(&[gather(Order::Interleaved), Behaviour::OneRecordPerMessage]);
    let answers = answers_on_a_connection(&scene.primary, &axfr);
    assert!(answers.len() > 20 && answers.chunks(2).all(|pair| pair == [(1, 1), (2, 1)]), "{answers:?}");
}
