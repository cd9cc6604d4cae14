//! How often one network gets the same answer over UDP.

use answer::{Cookies, Persona};
use dns::edns::{Edns, option};
use dns::{Header, MessageReader, Rcode, Type};
use server::{Event, Limits, RateLimit};

use crate::support::{Server, Setup, ZONE, header, live, query, rcode, types};

const CLIENT_COOKIE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// A server that sends five a second, to this machine too.
fn limited() -> Server {
    let rate = RateLimit { responses_per_second: 5, all_per_second: 1000, exempt: Vec::new() };
    let persona = Persona { cookies: Cookies::new(vec![[7; 16]]), ..Persona::default() };
    Setup { limits: Limits { rate: Some(rate), ..Limits::default() }, persona, ..Setup::default() }.start()
}

fn with_cookie(mut message: Vec<u8>, cookie: &[u8]) -> Vec<u8> {
    message[11] += 1;
    message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, cookie.len() as u8 + 4, 0, 10, 0, cookie.len() as u8]);
    message.extend(cookie);
    message
}

fn numbered(id: u16, mut message: Vec<u8>) -> Vec<u8> {
    message[..2].copy_from_slice(&id.to_be_bytes());
    message
}

/// The response code with its upper bits, and the cookie.
fn edns_of(message: &[u8]) -> (Rcode, Vec<u8>) {
    let mut reader = MessageReader::new(message).unwrap();
    let low = reader.header().flags & 0xf;
    while let Some(record) = reader.record().unwrap() {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            let cookie = edns.options().find(|(code, _)| *code == option::COOKIE);
            return (Rcode(u16::from(edns.rcode_high) << 4 | low), cookie.unwrap().1.to_vec());
        }
    }
    panic!("there is EDNS in the answer");
}

#[test]
fn beyond_the_limit_answers_are_cut_or_left_out_and_tcp_or_a_cookie_is_the_way_out() {
    let server = limited();
    let client = server.udp();
    // One socket, one worker: whoever has the last reply has all that were sent before it.
    let first = client.ask(&with_cookie(query("example.", Type::SOA), &CLIENT_COOKIE));
    let (_, cookie) = edns_of(&first);
    for id in 0..45 {
        client.send(&numbered(id, query("www.example.", Type::A)));
    }
    client.send(&numbered(99, with_cookie(query("www.example.", Type::A), &cookie)));
    let (mut whole, mut cut) = (0, 0);
    let last = loop {
        let reply = client.receive();
        match header(&reply) {
            Header { id: 99, .. } => break reply,
            shown if shown.has(Header::TC) => cut += 1,
            shown => whole += usize::from(shown.counts[1] > 0),
        }
    };
    assert!(header(&last).counts[1] > 0, "who shows our cookie is answered");
    // Sending takes time, in which some are paid off.
    assert!((5..=15).contains(&whole), "{whole} of 45 were sent whole");
    assert!((cut - (45 - whole as i32) / 2).abs() <= 1, "{cut} were cut, {whole} whole");
    let over_tcp = server.tcp().ask(&query("www.example.", Type::A));
    assert!(header(&over_tcp).counts[1] > 0);
    let tally = server.stop();
    assert_eq!(tally.of(Event::RateSlipped), cut as u64);
    assert_eq!(tally.of(Event::RateSlipped) + tally.of(Event::RateDropped) + whole as u64, 45);
}

#[test]
fn who_knows_of_cookies_is_told_to_come_again_with_one() {
    let server = limited();
    let client = server.udp();
    for id in 0..40 {
        client.send(&numbered(id, with_cookie(query("nothing.example.", Type::A), &CLIENT_COOKIE)));
    }
    let told = loop {
        let (rcode, cookie) = edns_of(&client.receive());
        if rcode == Rcode::BADCOOKIE {
            break cookie;
        }
    };
    let again = with_cookie(query("nothing.example.", Type::A), &told);
    client.send(&numbered(99, again));
    let answer = loop {
        let reply = client.receive();
        if header(&reply).id == 99 {
            break reply;
        }
    };
    assert_eq!(edns_of(&answer).0, Rcode::NXDOMAIN);
}

#[test]
fn what_is_cut_of_a_catalogs_soa_is_a_message_too() {
    let rate = RateLimit { responses_per_second: 1, all_per_second: 1000, exempt: Vec::new() };
    let server = Setup {
        catalogs: vec![live(9, "catalog.", ZONE)],
        limits: Limits { rate: Some(rate), ..Limits::default() },
        persona: Persona { cookies: Cookies::new(vec![[7; 16]]), ..Persona::default() },
        ..Setup::default()
    }
    .start();
    let client = server.udp();
    for id in 0..20 {
        client.send(&numbered(id, with_cookie(query("catalog.", Type::SOA), &CLIENT_COOKIE)));
    }
    let cut = loop {
        let reply = client.receive();
        if header(&reply).has(Header::TC) {
            break reply;
        }
        assert_eq!(types(&reply)[0], Type::SOA);
    };
    assert_eq!((rcode(&cut), types(&cut)), (Rcode::NOERROR, vec![]));
}

#[test]
fn this_machine_is_not_limited_unless_that_is_wanted() {
    let rate = RateLimit { responses_per_second: 1, all_per_second: 1, exempt: RateLimit::exempt_by_default() };
    let server = Setup { limits: Limits { rate: Some(rate), ..Limits::default() }, ..Setup::default() }.start();
    let client = server.udp();
    for _ in 0..20 {
        assert!(header(&client.ask(&query("www.example.", Type::A))).counts[1] > 0);
    }
}
