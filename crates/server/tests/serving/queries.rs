//! Ordinary queries over UDP and TCP.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use dns::{Header, Opcode, Rcode, Type};
use server::{Access, AskedFor, CameOf, Event};
use xfr::tsig::{Algorithm, Signature, sign_request};
use zone::{TenantId, ZoneId};

use crate::support::{
    Server, Setup, TcpClient, ZONE, absent, framed, header, key, live, message, now_secs, query, rcode, types,
    with_edns,
};

#[test]
fn udp_and_tcp_give_the_same_answer() {
    let server = Setup::default().start();
    let over_udp = server.udp().ask(&query("www.EXAMPLE.", Type::A));
    let over_tcp = server.tcp().ask(&query("www.EXAMPLE.", Type::A));
    assert_eq!(over_udp, over_tcp);
    assert!(header(&over_udp).has(Header::AA));
    assert_eq!(types(&over_udp)[0], Type::A);
    let tally = server.stop();
    assert_eq!((tally.of(Event::UdpMessage), tally.of(Event::TcpMessage)), (1, 1));
    assert_eq!((tally.replies(), tally.replies_with(Rcode::NOERROR)), (2, 2));
}

#[test]
fn each_query_is_counted_for_its_zone_by_type_and_result() {
    let key = key("some-key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let zones = vec![
        live(1, "example.", &format!("{ZONE}sub 60 NS ns.sub\nns.sub 60 A 192.0.2.2\n")),
        live(2, "other.example.", ZONE),
        absent(3, "empty."),
    ];
    let server = Setup { access, zones, ..Setup::default() }.start();
    let (udp, mut tcp) = (server.udp(), server.tcp());
    for (name, qtype) in [
        ("www.example.", Type::A),
        ("WWW.example.", Type::AAAA),
        ("none.example.", Type::MX),
        ("a.sub.example.", Type::TXT),
        ("example.", Type::SOA),
        ("empty.", Type::NS),
        ("example.", Type::DNSKEY),
        ("www.other.example.", Type(65)),
        ("nowhere.test.", Type::A),
    ] {
        udp.ask(&query(name, qtype));
        tcp.ask(&query(name, qtype));
    }
    let mut signed = query("www.example.", Type::A);
    sign_request(&mut signed, key, now_secs());
    udp.ask(&signed);
    // Refused, and no query.
    tcp.ask(&query("example.", Type::AXFR));
    let taken = server.queries.take();
    let numbers = |zone: u64| {
        let counts = &taken.zones[&ZoneId(zone)];
        (
            AskedFor::ALL.map(|asked_for| counts.for_type(asked_for)),
            CameOf::ALL.map(|came_of| counts.with_result(came_of)),
        )
    };
    assert_eq!(numbers(1), ([3, 2, 0, 2, 2, 2, 0, 2], [5, 4, 2, 2, 0]));
    assert_eq!(numbers(2), ([0, 0, 0, 0, 0, 0, 2, 0], [0, 2, 0, 0, 0]));
    assert_eq!(numbers(3), ([0, 0, 2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 2]));
    assert_eq!(taken.zones.len(), 3);
    assert!(server.queries.take().zones.is_empty(), "each is taken once");
}

#[test]
fn one_query_in_a_thousand_gives_its_name() {
    const ASKED: u64 = 40_000;
    let server = Setup::default().start();
    let client = server.udp();
    for _ in 0..ASKED {
        client.ask(&query("wWw.example.", Type::A));
    }
    let taken = server.queries.take();
    assert_eq!(taken.zones[&ZoneId(1)].total(), ASKED);
    let www = taken.names[&(ZoneId(1), "www.example.".parse().unwrap())];
    // Forty samples, give or take a few.
    assert!((ASKED / 2..ASKED * 2).contains(&www), "{www}");
    assert_eq!(taken.names.len(), 1);
}

#[test]
fn many_clients_at_once_each_get_their_own_answer() {
    let server = Setup::default().start();
    let clients: Vec<_> = (0..200_u16).map(|id| (id, server.udp())).collect();
    for (id, client) in &clients {
        let mut asked = query("www.example.", Type::A);
        asked[..2].copy_from_slice(&id.to_be_bytes());
        client.send(&asked);
    }
    for (id, client) in &clients {
        assert_eq!(header(&client.receive()).id, *id);
    }
}

#[test]
fn a_wildcard_socket_answers_from_the_address_asked() {
    let server = Setup { listen: "0.0.0.0:0", ..Setup::default() }.start();
    for asked in ["127.0.0.1", "127.0.0.2", "127.1.2.3"] {
        let address = SocketAddr::new(asked.parse().unwrap(), server.address.port());
        // The client's socket is connected: the kernel drops what comes from elsewhere.
        assert_eq!(rcode(&server.udp_at(address).ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    }
}

/// Over UDP from the very address asked, and over TCP.
fn is_answered_at(server: &Server, address: SocketAddr) {
    let asked = query("www.example.", Type::A);
    assert_eq!(rcode(&server.udp_at(address).ask(&asked)), Rcode::NOERROR, "{address}");
    let mut client = TcpClient(TcpStream::connect(address).unwrap());
    assert_eq!(rcode(&client.ask(&asked)), Rcode::NOERROR, "{address}");
}

#[test]
fn every_address_of_several_is_answered_from_itself() {
    let port = testing::port::free().port();
    let addresses = ["127.0.0.2", "127.0.0.3", "::1"].map(|address| SocketAddr::new(address.parse().unwrap(), port));
    let server = Setup { listen_too: addresses.to_vec(), ..Setup::default() }.start();
    addresses.iter().for_each(|address| is_answered_at(&server, *address));
    is_answered_at(&server, server.address);
    // What is not among them is not answered.
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.connect(("127.0.0.4", port)).unwrap();
    elsewhere.send(&query("www.example.", Type::A)).unwrap();
    assert_eq!(elsewhere.recv(&mut [0; 512]).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_wildcard_is_for_one_family_and_both_stand_side_by_side() {
    let at = |address: &str, port| SocketAddr::new(address.parse().unwrap(), port);
    let port = testing::port::free().port();
    let both = vec![at("0.0.0.0", port), at("::", port)];
    let server = Setup { listen_too: both, ..Setup::default() }.start();
    for address in ["127.0.0.1", "127.0.0.2", "::1"] {
        is_answered_at(&server, at(address, port));
    }
    // IPv6 alone: IPv4 does not come in as ::ffff:127.0.0.1.
    let port = testing::port::free().port();
    let server = Setup { listen_too: vec![at("::", port)], ..Setup::default() }.start();
    is_answered_at(&server, at("::1", port));
    assert_eq!(TcpStream::connect(at("127.0.0.1", port)).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn pipelined_queries_are_answered_in_their_order() {
    let server = Setup::default().start();
    let mut client = server.tcp();
    let mut burst = Vec::new();
    for id in 0..1000_u16 {
        let mut asked = query("www.example.", Type::A);
        asked[..2].copy_from_slice(&id.to_be_bytes());
        burst.extend(framed(&asked));
    }
    client.0.write_all(&burst).unwrap();
    for id in 0..1000_u16 {
        assert_eq!(header(&client.receive().unwrap()).id, id);
    }
}

#[test]
fn a_query_in_pieces_is_put_together() {
    // PDNS #13186: even the two octets of the length may come one by one.
    let server = Setup::default().start();
    let mut client = server.tcp();
    client.0.set_nodelay(true).unwrap();
    for octet in framed(&query("www.example.", Type::A)) {
        client.0.write_all(&[octet]).unwrap();
    }
    assert_eq!(rcode(&client.receive().unwrap()), Rcode::NOERROR);
}

#[test]
fn what_does_not_fit_over_udp_comes_over_tcp() {
    let texts: String = (0..100).map(|n| format!("big 60 TXT \"{n:0100}\"\n")).collect();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let server = Setup { zones, ..Setup::default() }.start();
    let cut = server.udp().ask(&with_edns(query("big.example.", Type::TXT), 4096));
    assert!(header(&cut).has(Header::TC) && cut.len() <= 1232);
    let whole = server.tcp().ask(&query("big.example.", Type::TXT));
    assert_eq!(header(&whole).counts[1], 100);
    assert_eq!(server.stop().of(Event::Truncated), 1);
}

#[test]
fn dynamic_update_is_refused_and_unknown_opcodes_are_not_implemented() {
    let server = Setup::default().start();
    let update = message(Opcode::UPDATE, "example.", Type::SOA, None);
    assert_eq!(rcode(&server.udp().ask(&update)), Rcode::REFUSED);
    assert_eq!(rcode(&server.udp().ask(&message(Opcode(2), "example.", Type::SOA, None))), Rcode::NOTIMP);
    assert_eq!(rcode(&server.udp().ask(&query("elsewhere.", Type::A))), Rcode::REFUSED);
}

#[test]
fn a_signed_query_gets_a_signed_answer() {
    for algorithm in Algorithm::ALL {
        let key = key("Some-Key.", algorithm);
        let mut access = Access::default();
        access.keys.add(TenantId::DEFAULT, key.clone());
        let server = Setup { access, ..Setup::default() }.start();
        let mut asked = query("www.example.", Type::A);
        let mut verifier = sign_request(&mut asked, key, now_secs());
        let answer = server.udp().ask(&asked);
        assert_eq!(types(&answer)[0], Type::A);
        assert_eq!(verifier.verify(&answer, now_secs()).unwrap(), Signature::Verified, "{algorithm}");
    }
}

#[test]
fn a_signature_on_a_connection_means_nothing_for_the_next_query() {
    // PDNS #6738.
    let keys = [("one.", Algorithm::HmacSha256), ("two.", Algorithm::HmacSha512)].map(|(name, how)| key(name, how));
    let mut access = Access::default();
    keys.iter().for_each(|key| access.keys.add(TenantId::DEFAULT, key.clone()));
    let server = Setup { access, ..Setup::default() }.start();
    let mut client = server.tcp();
    for key in [Some(&keys[0]), None, Some(&keys[1]), Some(&keys[0]), None] {
        let mut asked = query("www.example.", Type::A);
        let Some(key) = key else {
            assert_eq!(types(&client.ask(&asked)), [Type::A]);
            continue;
        };
        let mut verifier = sign_request(&mut asked, key.clone(), now_secs());
        assert_eq!(verifier.verify(&client.ask(&asked), now_secs()), Ok(Signature::Verified));
        let last = asked.len() - 10;
        asked[last] ^= 1;
        assert_eq!(rcode(&client.ask(&asked)), Rcode::NOTAUTH);
    }
}

#[test]
fn an_answer_that_its_signature_makes_too_long_is_question_and_signature() {
    // RFC 8945 §5.3.
    let zones = vec![live(1, "example.", &format!("{ZONE}big 60 TXT{}\n", " \"0123456789\"".repeat(40)))];
    let key = key("some-key.", Algorithm::HmacSha512);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let server = Setup { zones, access, ..Setup::default() }.start();
    assert!(!header(&server.udp().ask(&query("big.example.", Type::TXT))).has(Header::TC), "unsigned, it fits");
    let mut asked = query("big.example.", Type::TXT);
    let mut verifier = sign_request(&mut asked, key, now_secs());
    let cut = server.udp().ask(&asked);
    assert!(header(&cut).has(Header::TC) && cut.len() <= 512);
    assert_eq!(types(&cut), [Type::TSIG]);
    assert_eq!(verifier.verify(&cut, now_secs()).unwrap(), Signature::Verified);
}

#[test]
fn a_wrong_signature_is_answered_as_rfc_8945_says() {
    let known = key("known.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, known.clone());
    let server = Setup { access, ..Setup::default() }.start();
    let ask = |with, now_secs: u64, damage: usize| {
        let mut asked = query("www.example.", Type::A);
        let mut verifier = sign_request(&mut asked, with, now_secs);
        asked[damage] ^= 1;
        let answer = server.udp().ask(&asked);
        assert_eq!((rcode(&answer), types(&answer)), (Rcode::NOTAUTH, vec![Type::TSIG]));
        verifier.verify(&answer, now_secs).unwrap_err().code()
    };
    assert_eq!(ask(key("unknown.", Algorithm::HmacSha256), now_secs(), 3), "tsig_bad_key");
    assert_eq!(ask(known.clone(), now_secs(), 3), "tsig_bad_sig");
    // Bit 0 of octet 2 is RD, which the signature covers; nothing is damaged when the clock alone is wrong.
    let mut asked = query("www.example.", Type::A);
    let then = now_secs() - 4000;
    let mut verifier = sign_request(&mut asked, known, then);
    let answer = server.udp().ask(&asked);
    assert_eq!(rcode(&answer), Rcode::NOTAUTH);
    assert_eq!(verifier.verify(&answer, then).unwrap_err().code(), "tsig_bad_time");
    let tally = server.stop();
    assert_eq!(tally.of(Event::TsigFailed), 3);
}
