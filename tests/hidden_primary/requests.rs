//! Everything that somebody may send: questions of every kind, with every option, and what is no question.

use dns::edns::option;
use dns::writer::{CompressionTable, MessageWriter};
use dns::{CLASS_IN, Header, Name, NameBuf, NameRef, Opcode, Question, RecordRef, Section, Type, text};

const CLASS_CHAOS: u16 = 3;
/// What no answer is longer than on its way to us.
const UDP_OCTETS: u16 = 4_096;

/// A message, and what it is called when something is wrong.
pub(super) struct Request {
    pub(super) what: String,
    pub(super) octets: Vec<u8>,
}

/// Names in a zone of [`small`](testing::zone_text::small), one for each kind of answer.
const NAMES: [&str; 9] = ["", "www.", "nothing.", "alias.", "x.wild.", "deep.below.", "child.", "x.child.", "odd."];
const TYPES: [Type; 9] =
    [Type::SOA, Type::NS, Type::A, Type::TXT, Type::DS, Type::DNSKEY, Type::NSEC3PARAM, Type::RRSIG, Type::ANY];
/// Those that somebody has given a meaning (RFC 9432, RFC 4892 and custom).
const CHAOS_NAMES: [&str; 8] = [
    "id.server",
    "hostname.bind",
    "version.bind",
    "version.server",
    "authors.bind",
    "trustanchor.unbound",
    "primary.server",
    "nothing.bind",
];

/// Those that are answered once each, about a zone.
pub(super) fn about(zone: &str) -> Vec<Request> {
    let apex = || Query::new(zone, Type::SOA);
    let mut requests = Vec::new();
    for name in NAMES {
        for qtype in TYPES {
            let query = Query::new(&format!("{name}{zone}"), qtype);
            requests.push(query.clone().without_edns().request());
            requests.push(query.with_everything().request());
        }
    }
    for (code, data) in options() {
        requests.push(apex().with(code, &data).request());
    }
    for code in [0, 1, 2, 4, 5, 6, 7, 13, 14, 16, 17, 20, 4_660, 65_001, 65_535] {
        requests.push(apex().with(code, b"").request());
        requests.push(apex().with(code, b"12345678").request());
    }
    requests.push(apex().of_class(CLASS_CHAOS).request());
    requests.push(apex().of_class(254).request());
    requests.push(apex().of_class(255).request());
    requests.push(apex().of_edns_version_1().request());
    for opcode in [1, 2, 3, 5, 6, 15] {
        requests.push(apex().of_opcode(Opcode(opcode)).request());
    }
    requests.push(apex().of_opcode(Opcode::NOTIFY).request());
    requests.push(apex().of_opcode(Opcode::NOTIFY).with_everything().request());
    requests
}

/// Those whose answers may be many messages, or none over UDP.
pub(super) fn for_copies_of(zone: &str) -> Vec<Request> {
    let ixfr = |serial: u32| Query { serial: Some(serial), ..Query::new(zone, Type::IXFR) };
    vec![
        Query::new(zone, Type::AXFR).request(),
        Query::new(zone, Type::AXFR).with_everything().request(),
        ixfr(1).request(),
        ixfr(1).with_everything().request(),
        ixfr(2).request(),
        ixfr(4_000_000_000).request(),
    ]
}

/// Names that are nobody's, and what is asked of the server itself.
pub(super) fn about_nothing() -> Vec<Request> {
    let mut requests = vec![
        Query::new("elsewhere.invalid", Type::A).request(),
        Query::new("elsewhere.invalid", Type::A).with_everything().request(),
        Query::new("elsewhere.invalid", Type::AXFR).request(),
        Query::new("", Type::NS).request(),
        Query::new("1.0.0.127.in-addr.arpa", Type::PTR).with_everything().request(),
        Query::new("elsewhere.invalid", Type::SOA).of_opcode(Opcode::NOTIFY).request(),
    ];
    for name in CHAOS_NAMES {
        for qtype in [Type::TXT, Type::ANY, Type::A] {
            let query = Query::new(name, qtype).of_class(CLASS_CHAOS);
            requests.push(query.clone().without_edns().request());
            requests.push(query.with_everything().request());
        }
    }
    requests
}

/// What is no request: perhaps nobody answers.
pub(super) fn malformed(zone: &str) -> Vec<Request> {
    let whole = Query::new(zone, Type::SOA).with_everything().request().octets;
    let mut broken: Vec<Vec<u8>> = (1..whole.len()).step_by(7).map(|length| whole[..length].to_vec()).collect();
    let mut changed = |at: usize, octets: &[u8]| {
        let mut message = whole.clone();
        message[at..at + octets.len()].copy_from_slice(octets);
        broken.push(message);
    };
    // Many questions, records that are not there, a name that points at itself, an answer in place of a question.
    changed(4, &[0, 2]);
    changed(4, &[0xff, 0xff]);
    changed(6, &[0, 9]);
    changed(10, &[0, 0]);
    changed(10, &[0, 9]);
    changed(12, &[0xc0, 12]);
    changed(2, &[0x84, 0]);
    broken.push([&whole[..], b"tail"].concat());
    let what = |octets: &[u8]| format!("{} octets that are no request", octets.len());
    broken.into_iter().map(|octets| Request { what: what(&octets), octets }).collect()
}

/// Each option that we may know, with what belongs into it.
fn options() -> Vec<(u16, Vec<u8>)> {
    vec![
        (option::NSID, vec![]),
        (option::EXPIRE, vec![]),
        (option::COOKIE, b"client-8".to_vec()),
        (option::COOKIE, b"client-8and a server cookie".to_vec()),
        (option::KEEPALIVE, vec![]),
        (option::PADDING, vec![0; 9]),
        (option::EXTENDED_ERROR, vec![0, 0, b'?']),
        (option::REPORT_CHANNEL, vec![]),
        (option::ZONE_VERSION, vec![]),
        // Client subnet (RFC 7871): 192.0.2.0/24.
        (8, vec![0, 1, 24, 0, 192, 0, 2]),
        // Chain (RFC 7901): from the root on.
        (13, vec![0]),
    ]
}

#[derive(Clone)]
struct Query {
    name: String,
    qtype: Type,
    class: u16,
    opcode: Opcode,
    /// Whose differences are asked for.
    serial: Option<u32>,
    edns: Option<Edns>,
}

#[derive(Clone, Default)]
struct Edns {
    is_of_version_1: bool,
    dnssec_ok: bool,
    options: Vec<u8>,
}

impl Query {
    fn new(name: &str, qtype: Type) -> Self {
        let name = if name.is_empty() { ".".into() } else { name.to_owned() };
        Self { name, qtype, class: CLASS_IN, opcode: Opcode::QUERY, serial: None, edns: Some(Edns::default()) }
    }

    fn without_edns(self) -> Self {
        Self { edns: None, ..self }
    }

    fn with(mut self, code: u16, data: &[u8]) -> Self {
        let edns = self.edns.get_or_insert_default();
        edns.options.extend(code.to_be_bytes());
        edns.options.extend((data.len() as u16).to_be_bytes());
        edns.options.extend(data);
        self
    }

    /// DNSSEC, and every option at once; of two cookies, the one that any server takes.
    fn with_everything(mut self) -> Self {
        self.edns.get_or_insert_default().dnssec_ok = true;
        let mut options = options();
        options.retain(|(code, data)| *code != option::COOKIE || data.len() == 8);
        options.iter().fold(self, |query, (code, data)| query.with(*code, data))
    }

    fn of_class(self, class: u16) -> Self {
        Self { class, ..self }
    }

    fn of_opcode(self, opcode: Opcode) -> Self {
        Self { opcode, ..self }
    }

    fn of_edns_version_1(mut self) -> Self {
        self.edns.get_or_insert_default().is_of_version_1 = true;
        self
    }

    fn request(&self) -> Request {
        let Self { name, qtype, class, opcode, .. } = self;
        let what = format!("opcode {}, class {class}, {name} {qtype}, serial {:?}", opcode.0, self.serial);
        let what = match &self.edns {
            None => format!("{what}, without EDNS"),
            Some(Edns { options, .. }) => format!("{what}, EDNS options {options:02x?}"),
        };
        Request { what, octets: self.octets() }
    }

    fn octets(&self) -> Vec<u8> {
        let mut out = vec![0; 1_232];
        let mut table = CompressionTable::small();
        let name: Name = self.name.parse().unwrap();
        // Whoever asks over a connection tells answers apart by what is asked last.
        let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, 7, Header::request_flags(self.opcode));
        writer
            .question(&Question { name: NameBuf::from(name.borrow()), qtype: self.qtype, qclass: self.class })
            .unwrap();
        if let Some(serial) = self.serial {
            let rdata = text::rdata_from_text(Type::SOA, &format!("ns. host. {serial} 1 1 1 1")).unwrap();
            let record = RecordRef { owner: name.borrow(), rtype: Type::SOA, ttl: 0, rdata: &rdata };
            writer.record(Section::Authority, record).unwrap();
        }
        if let Some(Edns { is_of_version_1, dnssec_ok, options }) = &self.edns {
            let ttl = dns::edns::Edns::ttl(0, u8::from(*is_of_version_1), *dnssec_ok);
            let record = RecordRef { owner: NameRef::ROOT, rtype: Type::OPT, ttl, rdata: options };
            writer.record_of_class(Section::Additional, record, UDP_OCTETS).unwrap();
        }
        let length = writer.finish();
        out.truncate(length);
        out
    }
}
