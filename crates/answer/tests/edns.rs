//! What an answer's options say (RFC 6891), and class CHAOS.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use answer::{
    Asker, Contents, CookieShown, Cookies, Kind, Outcome, Persona, PersonaText, Scratch, ServedZone, Transport,
    ZoneTable, answer,
};
use dns::edns::{Edns, option};
use dns::text::zone_from_text;
use dns::writer::CompressionTable;
use dns::{CLASS_CH, CLASS_IN, Header, MessageReader, MessageWriter, Name, Question, Rcode, Type};
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId, advance};

const ZONE: &str = "@ 60 SOA ns host 4294967295 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nsub 60 NS ns\n";
const NOW_MS: u64 = 1_559_731_985_000;
const CLIENT_COOKIE: [u8; 8] = [0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];

fn zones() -> ZoneTable {
    let apex: Name = "a.example.".parse().unwrap();
    let records = zone_from_text("a.example.", ZONE).unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image;
    let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image }));
    let absent = ServedZone::new(ZoneId(2), TenantId::DEFAULT, "absent.".parse().unwrap(), Contents::Absent);
    ZoneTable::new([Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex, contents)), Arc::new(absent)])
}

fn talkative() -> Persona {
    Persona {
        name: PersonaText::new("ams1"),
        version: PersonaText::new("Secondo"),
        cookies: Cookies::new(vec![[7; 16]]),
        report_agent: Some("agent.test.".parse().unwrap()),
    }
}

/// The options of one OPT record, in wire form.
fn options(options: &[(u16, &[u8])]) -> Vec<u8> {
    let head = |code: u16, data: &[u8]| [code.to_be_bytes(), (data.len() as u16).to_be_bytes()].concat();
    options.iter().flat_map(|(code, data)| [&head(*code, data), *data].concat()).collect()
}

struct Asked<'a> {
    name: &'a str,
    qtype: Type,
    qclass: u16,
    options: Option<Vec<u8>>,
}

fn ask<'a>(name: &'a str, asked: &[(u16, &[u8])]) -> Asked<'a> {
    Asked { name, qtype: Type::A, qclass: CLASS_IN, options: Some(options(asked)) }
}

fn query(asked: &Asked<'_>) -> Vec<u8> {
    let name: Name = asked.name.parse().unwrap();
    let mut out = vec![0; 1024];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 1024, &mut table, 0x1234, Header::RD);
    let (qtype, qclass) = (asked.qtype, asked.qclass);
    writer.question(&Question { name: name.borrow().into(), qtype, qclass }).unwrap();
    if let Some(options) = &asked.options {
        writer.opt(1232, Rcode::NOERROR, false, options).unwrap();
    }
    let length = writer.finish();
    out.truncate(length);
    out
}

/// What came of it, and the answer's options, sorted.
struct Answered {
    outcome: Outcome,
    message: Vec<u8>,
    options: Vec<(u16, Vec<u8>)>,
}

fn send(message: &[u8], asker: &Asker, persona: &Persona) -> Answered {
    let mut out = vec![0xaa; 65_535];
    let outcome = answer(message, &zones(), asker, persona, || NOW_MS, &mut Scratch::new(), &mut out);
    out.truncate(outcome.length);
    let mut reader = MessageReader::new(&out).unwrap();
    let mut options = Vec::new();
    while let Some(record) = reader.record().unwrap() {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            options.extend(edns.options().map(|(code, data)| (code, data.to_vec())));
        }
    }
    options.sort();
    Answered { outcome, message: out, options }
}

fn over(transport: Transport) -> Asker {
    Asker::plain(transport, "198.51.100.100".parse::<IpAddr>().unwrap())
}

fn respond(asked: &Asked<'_>, persona: &Persona) -> Answered {
    send(&query(asked), &over(Transport::Udp), persona)
}

/// Their data under one code.
fn option_of(answered: &Answered, code: u16) -> Option<&[u8]> {
    answered.options.iter().find(|(found, _)| *found == code).map(|(_, data)| &data[..])
}

#[test]
fn who_answers_is_said_to_who_asks_if_it_is_to_be_known() {
    // RFC 5001 §2.1, §2.2.
    let asked = ask("ns.a.example.", &[(option::NSID, &[])]);
    assert_eq!(option_of(&respond(&asked, &talkative()), option::NSID), Some(&b"ams1"[..]));
    assert_eq!(option_of(&respond(&ask("ns.a.example.", &[]), &talkative()), option::NSID), None);
    assert_eq!(option_of(&respond(&asked, &Persona::default()), option::NSID), None);
    let not_ours = ask("other.", &[(option::NSID, &[])]);
    assert_eq!(option_of(&respond(&not_ours, &talkative()), option::NSID), Some(&b"ams1"[..]), "also with a refusal");
}

#[test]
fn the_version_of_the_zone_is_said_to_who_asks() {
    // RFC 9660 §2: labels of the zone, type 0, the serial.
    let version = Some(&[2, 0, 0xff, 0xff, 0xff, 0xff][..]);
    for name in ["ns.a.example.", "nothing.a.example.", "a.example.", "x.sub.a.example."] {
        let answered = respond(&ask(name, &[(option::ZONE_VERSION, &[])]), &Persona::default());
        assert_eq!(option_of(&answered, option::ZONE_VERSION), version, "{name}");
    }
    for name in ["other.", "absent."] {
        let answered = respond(&ask(name, &[(option::ZONE_VERSION, &[])]), &Persona::default());
        assert_eq!(option_of(&answered, option::ZONE_VERSION), None, "{name}");
    }
    assert_eq!(option_of(&respond(&ask("a.example.", &[]), &Persona::default()), option::ZONE_VERSION), None);
    let with_data = respond(&ask("a.example.", &[(option::ZONE_VERSION, &[0])]), &Persona::default());
    assert_eq!(with_data.outcome.rcode, Rcode::FORMERR);
}

#[test]
fn how_long_a_connection_may_be_idle_is_said_on_connections() {
    // RFC 7828 §3.3.2.
    let message = query(&ask("a.example.", &[(option::KEEPALIVE, &[])]));
    let on_connection = Asker { keepalive: Some(100), ..over(Transport::Tcp) };
    let said = send(&message, &on_connection, &Persona::default());
    assert_eq!(option_of(&said, option::KEEPALIVE), Some(&[0, 100][..]));
    let over_udp = send(&message, &over(Transport::Udp), &Persona::default());
    assert_eq!(option_of(&over_udp, option::KEEPALIVE), None);
    let unasked = send(&query(&ask("a.example.", &[])), &on_connection, &Persona::default());
    assert_eq!(option_of(&unasked, option::KEEPALIVE), None);
}

#[test]
fn answers_are_padded_to_whole_blocks_where_that_is_asked_for_and_hides_something() {
    // RFC 8467 §4.1.
    let encrypted = Asker { padding: NonZero::new(468), ..over(Transport::Tcp) };
    for persona in [Persona::default(), talkative()] {
        for name in ["a.example.", "ns.a.example.", "nothing.a.example.", "other."] {
            let padded = send(&query(&ask(name, &[(option::PADDING, &[0; 20])])), &encrypted, &persona);
            assert_eq!(padded.message.len(), 468, "{name}");
            assert!(option_of(&padded, option::PADDING).unwrap().iter().all(|octet| *octet == 0));
            assert_ne!(send(&query(&ask(name, &[])), &encrypted, &persona).message.len(), 468, "{name}");
        }
    }
    let over_udp = respond(&ask("a.example.", &[(option::PADDING, &[])]), &Persona::default());
    assert_eq!(option_of(&over_udp, option::PADDING), None);
}

#[test]
fn the_agent_that_wants_reports_is_in_every_answer_with_edns_if_there_is_one() {
    // RFC 9567 §6.2.
    let agent = Some(&b"\x05agent\x04test\0"[..]);
    assert_eq!(option_of(&respond(&ask("ns.a.example.", &[]), &talkative()), option::REPORT_CHANNEL), agent);
    assert_eq!(option_of(&respond(&ask("ns.a.example.", &[]), &Persona::default()), option::REPORT_CHANNEL), None);
    let without_edns = Asked { options: None, ..ask("ns.a.example.", &[]) };
    assert!(respond(&without_edns, &talkative()).options.is_empty());
}

#[test]
fn clients_are_given_cookies_and_known_by_them() {
    let first = respond(&ask("ns.a.example.", &[(option::COOKIE, &CLIENT_COOKIE)]), &talkative());
    let cookie = option_of(&first, option::COOKIE).unwrap().to_vec();
    assert_eq!((cookie.len(), &cookie[..8], first.outcome.cookie), (24, &CLIENT_COOKIE[..], CookieShown::Client));
    let second = respond(&ask("ns.a.example.", &[(option::COOKIE, &cookie)]), &talkative());
    assert_eq!((option_of(&second, option::COOKIE), second.outcome.cookie), (Some(&cookie[..]), CookieShown::Ours));
    let elsewhere = Asker::plain(Transport::Udp, "192.0.2.1".parse().unwrap());
    let stolen = send(&query(&ask("ns.a.example.", &[(option::COOKIE, &cookie)])), &elsewhere, &talkative());
    assert_eq!((stolen.outcome.cookie, stolen.outcome.rcode), (CookieShown::Client, Rcode::NOERROR));
    // RFC 7873 §5.2.2: other lengths are malformed.
    let misshapen = respond(&ask("ns.a.example.", &[(option::COOKIE, &CLIENT_COOKIE[1..])]), &talkative());
    assert_eq!(misshapen.outcome.rcode, Rcode::FORMERR);
    // Without secrets the option is one that nobody knows.
    let ignored = respond(&ask("ns.a.example.", &[(option::COOKIE, &CLIENT_COOKIE)]), &Persona::default());
    assert_eq!((ignored.outcome.rcode, ignored.outcome.cookie), (Rcode::NOERROR, CookieShown::None));
}

#[test]
fn a_cookie_can_be_had_without_a_question() {
    // RFC 7873 §5.4.
    let mut message = Header { id: 7, flags: 0, counts: [0, 0, 0, 1] }.to_octets().to_vec();
    let option = options(&[(option::COOKIE, &CLIENT_COOKIE)]);
    message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, option.len() as u8]);
    let bare = message.len();
    message.extend(&option);
    let answered = send(&message, &over(Transport::Udp), &talkative());
    assert_eq!(answered.outcome.rcode, Rcode::NOERROR);
    assert_eq!(option_of(&answered, option::COOKIE).unwrap()[..8], CLIENT_COOKIE);
    assert_eq!(Header::parse(&answered.message).unwrap().counts, [0, 0, 0, 1]);
    // Without a question and without a cookie there is nothing to answer.
    message.truncate(bare);
    message[bare - 1] = 0;
    assert_eq!(send(&message, &over(Transport::Udp), &talkative()).outcome.rcode, Rcode::FORMERR);
}

#[test]
fn all_options_at_once_leave_room_for_a_truncated_answer() {
    let label = "x".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}.a.example.", "y".repeat(50));
    let all: [(u16, &[u8]); 6] = [
        (option::NSID, &[]),
        (option::EXPIRE, &[]),
        (option::ZONE_VERSION, &[]),
        (option::KEEPALIVE, &[]),
        (option::PADDING, &[]),
        (option::COOKIE, &CLIENT_COOKIE),
    ];
    let mut message = query(&Asked { qtype: Type::SOA, ..ask(&longest, &all) });
    // 512 octets are all that the client takes.
    let opt = message.windows(3).rposition(|octets| octets == [0, 0, 41]).unwrap();
    message[opt + 3..opt + 5].copy_from_slice(&512_u16.to_be_bytes());
    let persona = Persona { name: PersonaText::new(&"n".repeat(64)), ..talkative() };
    let answered = send(&message, &over(Transport::Udp), &persona);
    assert!(answered.message.len() <= 512, "{} octets", answered.message.len());
    assert!(option_of(&answered, option::NSID).is_some() && option_of(&answered, option::COOKIE).is_some());
}

#[test]
fn chaos_tells_what_is_configured_and_refuses_the_rest() {
    // RFC 4892 §3.
    let txt = |name: &str, persona: &Persona| {
        let answered =
            respond(&Asked { qtype: Type::TXT, qclass: CLASS_CH, options: None, ..ask(name, &[]) }, persona);
        let mut reader = MessageReader::new(&answered.message).unwrap();
        let record = reader.record().unwrap();
        let text = record.map(|record| {
            assert_eq!((record.class, record.ttl), (CLASS_CH, 0));
            String::from_utf8_lossy(&reader.raw_rdata(&record)[1..]).into_owned()
        });
        (answered.outcome.rcode, text)
    };
    for (name, text) in [
        ("id.server.", "ams1"),
        ("HOSTNAME.bind.", "ams1"),
        ("version.server.", "Secondo"),
        ("Version.Bind.", "Secondo"),
    ] {
        assert_eq!(txt(name, &talkative()), (Rcode::NOERROR, Some(text.into())), "{name}");
        assert_eq!(txt(name, &Persona::default()), (Rcode::REFUSED, None), "{name}");
    }
    assert_eq!(txt("authors.bind.", &talkative()), (Rcode::REFUSED, None));
    assert_eq!(txt("a.example.", &talkative()), (Rcode::REFUSED, None));
    let another = respond(&Asked { qtype: Type::A, qclass: CLASS_CH, ..ask("id.server.", &[]) }, &talkative());
    assert_eq!(another.outcome.rcode, Rcode::REFUSED);
}

#[test]
fn answers_about_one_thing_are_known_as_such_whatever_name_was_asked_for() {
    let about = |name: &str| {
        let Outcome { kind, zone, about, .. } = respond(&ask(name, &[]), &Persona::default()).outcome;
        (kind, zone, about)
    };
    assert_eq!(about("x.sub.a.example."), about("y.z.sub.a.example."));
    assert_eq!(about("x.a.example."), about("y.a.example."));
    assert_ne!(about("x.a.example."), about("ns.a.example."));
    assert_ne!(about("a.example."), about("ns.a.example."));
    assert_eq!(about("other.").0, Kind::Failure);
}

#[test]
fn an_answer_is_shortened_to_what_brings_the_client_back() {
    let shortened = |asked: &Asked<'_>| {
        let mut answered = respond(asked, &talkative());
        let outcome = answer::shorten(&answered.outcome, &mut answered.message);
        answered.message.truncate(outcome.length);
        let mut reader = MessageReader::new(&answered.message).unwrap();
        let question = reader.question().unwrap().unwrap();
        assert_eq!((question.name.to_string(), question.qtype), ("ns.a.example.".into(), Type::A));
        let mut edns = None;
        while let Some(record) = reader.record().unwrap() {
            assert_eq!(record.rtype, Type::OPT);
            let opt = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            edns = Some((opt.rcode_high, opt.options().map(|(code, data)| (code, data.len())).collect::<Vec<_>>()));
        }
        reader.finish().unwrap();
        (outcome.rcode, reader.header().flags & (Header::TC | Header::AA | 0xf), edns)
    };
    let agent = (option::REPORT_CHANNEL, 12);
    let without_edns = Asked { options: None, ..ask("ns.a.example.", &[]) };
    assert_eq!(shortened(&without_edns), (Rcode::NOERROR, Header::TC, None));
    assert_eq!(shortened(&ask("ns.a.example.", &[])), (Rcode::NOERROR, Header::TC, Some((0, vec![agent]))));
    // RFC 7873 §5.2.3: with the cookie that it must come again with. 23 is 1 and 7.
    let with_cookie = ask("ns.a.example.", &[(option::COOKIE, &CLIENT_COOKIE)]);
    assert_eq!(shortened(&with_cookie), (Rcode::BADCOOKIE, 7, Some((1, vec![(option::COOKIE, 24), agent]))));
}
