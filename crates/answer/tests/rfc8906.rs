//! The checks of RFC 8906 §8, which tell servers that answer everything from those that leave clients waiting.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use answer::{Asker, Contents, Cookies, Persona, Scratch, ServedZone, Transport, ZoneTable, answer};
use dns::edns::Edns;
use dns::text::zone_from_text;
use dns::{Header, MessageReader, Name, Rcode, Section, Type};
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId, advance};

const RD: u16 = Header::RD;
/// The one bit of the header that has no meaning (RFC 1035 §4.1.1).
const Z: u16 = 0x0040;

fn zones() -> ZoneTable {
    let apex: Name = "example.".parse().unwrap();
    let mut text = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n".to_owned();
    (0..40).for_each(|number| text += &format!("@ 60 TXT \"{number:060}\"\n"));
    let records = zone_from_text("example.", &text).unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image;
    let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image }));
    ZoneTable::new([Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex, contents))])
}

/// `dig`'s words for a query.
struct Query {
    flags: u16,
    opcode: u8,
    qtype: Type,
    /// Version, flags, options.
    edns: Option<(u8, u16, Vec<u8>)>,
}

const SOA: Query = Query { flags: RD, opcode: 0, qtype: Type::SOA, edns: None };

fn edns(version: u8, flags: u16, options: &[u8]) -> Query {
    Query { edns: Some((version, flags, options.to_vec())), ..SOA }
}

#[derive(Debug)]
struct Response {
    rcode: Rcode,
    flags: u16,
    /// Records of type SOA in the answer.
    soas: usize,
    records: usize,
    /// Version, flags, options.
    edns: Option<(u8, u16, Options)>,
}

type Options = Vec<(u16, Vec<u8>)>;

fn ask(query: &Query, transport: Transport) -> Response {
    let flags = query.flags | u16::from(query.opcode) << 11;
    let mut message = Header { id: 77, flags, counts: [1, 0, 0, query.edns.is_some().into()] }.to_octets().to_vec();
    message.extend(b"\x07example\0");
    message.extend([query.qtype.0.to_be_bytes(), [0, 1]].concat());
    if let Some((version, flags, options)) = &query.edns {
        message.extend([0, 0, 41, 2, 0, 0, *version]);
        message.extend([flags.to_be_bytes(), (options.len() as u16).to_be_bytes()].concat());
        message.extend(options);
    }
    let persona = Persona { cookies: Cookies::new(vec![[7; 16]]), ..Persona::default() };
    let asker = Asker::plain(transport, "192.0.2.7".parse().unwrap());
    let mut out = vec![0xaa; 65_535];
    let outcome = answer(&message, &zones(), &asker, &persona, || 0, &mut Scratch::new(), &mut out);
    let mut reader = MessageReader::new(&out[..outcome.length]).unwrap();
    let header = reader.header();
    assert!(header.is_response() && header.id == 77);
    let mut response = Response { rcode: outcome.rcode, flags: header.flags, soas: 0, records: 0, edns: None };
    while let Some(record) = reader.record().unwrap() {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            let options = edns.options().map(|(code, data)| (code, data.to_vec())).collect();
            response.edns = Some((edns.version, record.ttl as u16, options));
            continue;
        }
        response.records += 1;
        response.soas += usize::from(record.rtype == Type::SOA && record.section == Section::Answer);
    }
    reader.finish().unwrap();
    response
}

#[test]
fn ordinary_queries_over_udp_and_tcp() {
    // §8.1.1, §8.1.5.
    for transport in [Transport::Udp, Transport::Tcp] {
        let response = ask(&SOA, transport);
        assert_eq!((response.rcode, response.soas, response.edns.is_some()), (Rcode::NOERROR, 1, false));
        assert_ne!(response.flags & Header::AA, 0);
    }
}

#[test]
fn unknown_types_are_no_data() {
    // §8.1.2.
    let response = ask(&Query { qtype: Type(1000), ..SOA }, Transport::Udp);
    assert_eq!((response.rcode, response.soas, response.records), (Rcode::NOERROR, 0, 1));
}

#[test]
fn header_bits_that_do_not_concern_us_change_nothing() {
    // §8.1.3.1 to §8.1.3.5: and what is not ours to say is not said.
    for flags in [0, RD, Header::CD, Header::AD, Z, RD | Header::CD | Header::AD | Z] {
        let response = ask(&Query { flags, ..SOA }, Transport::Udp);
        assert_eq!((response.rcode, response.soas), (Rcode::NOERROR, 1), "{flags:#x}");
        // CD is no authority's either (RFC 4035 §3.1.6).
        assert_eq!(response.flags & (Header::AD | Header::CD | Z | Header::RA), 0, "{flags:#x}");
        assert_eq!(response.flags & RD, flags & RD, "{flags:#x}");
    }
}

#[test]
fn unknown_opcodes_are_not_implemented() {
    // §8.1.4.
    for opcode in [1, 2, 3, 6, 7, 15] {
        let response = ask(&Query { opcode, ..SOA }, Transport::Udp);
        assert_eq!((response.rcode, response.records), (Rcode::NOTIMP, 0), "opcode {opcode}");
        assert_eq!(response.flags >> 11 & 0xf, u16::from(opcode));
    }
}

#[test]
fn edns_is_answered_with_edns() {
    // §8.2.1, §8.2.8.
    for (flags, shown) in [(0, 0), (0x8000, 0x8000)] {
        let response = ask(&edns(0, flags, &[]), Transport::Udp);
        assert_eq!((response.rcode, response.soas), (Rcode::NOERROR, 1));
        assert_eq!(response.edns, Some((0, shown, Vec::new())));
    }
}

#[test]
fn other_versions_are_badvers_whatever_comes_with_them() {
    // §8.2.2, §8.2.5, §8.2.6, §8.2.9. The option is a cookie of a length that version 0 would not take.
    for (flags, options) in [(0, &[][..]), (0x40, &[]), (0, &[0, 100, 0, 0]), (0x8000, &[]), (0, &[0, 10, 0, 1, 7])] {
        let response = ask(&edns(1, flags, options), Transport::Udp);
        assert_eq!((response.rcode, response.soas), (Rcode::BADVERS, 0));
        assert_eq!(response.edns, Some((0, flags & 0x8000, Vec::new())));
    }
}

#[test]
fn unknown_options_and_flags_are_ignored_and_not_sent_back() {
    // §8.2.3, §8.2.4.
    for (flags, options) in [(0, &[0, 100, 0, 0][..]), (0x40, &[]), (0x7fff, &[0, 100, 0, 2, 1, 2])] {
        let response = ask(&edns(0, flags, options), Transport::Udp);
        assert_eq!((response.rcode, response.soas), (Rcode::NOERROR, 1));
        assert_eq!(response.edns, Some((0, 0, Vec::new())));
    }
}

#[test]
fn a_truncated_answer_has_edns_too() {
    // §8.2.7.
    let response = ask(&Query { qtype: Type::TXT, ..edns(0, 0x8000, &[]) }, Transport::Udp);
    assert_ne!(response.flags & Header::TC, 0);
    assert_eq!(response.edns, Some((0, 0x8000, Vec::new())));
}

#[test]
fn several_known_options_at_once_are_answered() {
    // §8.2.10: NSID, a cookie, a client's subnet (which is not for us), EXPIRE.
    let mut options = vec![0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    options.extend([0, 8, 0, 4, 0, 1, 0, 0]);
    options.extend([0, 9, 0, 0]);
    let response = ask(&edns(0, 0, &options), Transport::Udp);
    assert_eq!((response.rcode, response.soas), (Rcode::NOERROR, 1));
    let (_, _, options) = response.edns.unwrap();
    assert_eq!(options.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [10]);
}
