//! Requests read from octets, and answers written to them.

use dns::writer::{CompressionTable, MessageWriter};
use dns::{Header, MessageReader, Question, Rcode, Records, Section, Serial, Soa, Type};

use super::behaviour::{Behaviour, Kind};
use super::state::State;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// How a request came.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) transport: Transport,
    /// The first request on a connection is 1.
    pub(super) number: usize,
}

/// A request, read.
pub(super) struct Request {
    pub(super) transport: Transport,
    pub(super) kind: Kind,
    pub(super) id: u16,
    pub(super) question: Question,
    pub(super) has_edns: bool,
    /// The serial in the authority section of an IXFR request.
    pub(super) serial: Option<Serial>,
}

/// Messages of transfers hold at most so many octets, without their signature.
const MESSAGE_OCTETS: usize = 16_384;
/// Answers to SOA queries are no longer.
const SOA_OCTETS: usize = 1_024;

pub(super) fn read(query: &[u8], transport: Transport) -> Option<Request> {
    let mut reader = MessageReader::new(query).ok()?;
    let question = reader.question().ok()??;
    let kind = match (question.qtype, transport) {
        (Type::SOA, Transport::Udp) => Kind::SoaOverUdp,
        (Type::SOA, Transport::Tcp) => Kind::SoaOverTcp,
        (Type::SOA, Transport::Tls) => Kind::SoaOverTls,
        (Type::AXFR, Transport::Tcp | Transport::Tls) => Kind::Axfr,
        (Type::IXFR, Transport::Tcp | Transport::Tls) => Kind::Ixfr,
        _ => Kind::Other,
    };
    let mut request = Request { transport, kind, id: reader.header().id, question, has_edns: false, serial: None };
    while let Some(record) = reader.record().ok()? {
        if record.rtype == Type::OPT {
            request.has_edns = true;
        }
        if record.section == Section::Authority && record.rtype == Type::SOA {
            request.serial = Soa::parse(reader.raw_rdata(&record)).map(|soa| soa.serial);
        }
    }
    Some(request)
}

/// The records in as many messages as they need.
pub(super) fn split(state: &State, request: &Request, records: &Records) -> Vec<Vec<u8>> {
    let one_each = state.behaves(&Behaviour::OneRecordPerMessage) || state.behaves(&Behaviour::Endless);
    let mut messages = Vec::new();
    let mut rest = records.iter().peekable();
    let (most, mut table) = match request.kind.is_transfer() {
        true => (MESSAGE_OCTETS, CompressionTable::large()),
        false => (SOA_OCTETS, CompressionTable::small()),
    };
    let mut out = vec![0; most];
    loop {
        let flags = flags(state, request.kind);
        let mut writer = MessageWriter::new(&mut out, most, &mut table, request.id, flags);
        if messages.is_empty() {
            writer.question(&request.question).expect("a question fits");
        }
        while let Some(record) = rest.peek() {
            let full = one_each && writer.count(Section::Answer) > 0;
            if full || writer.record(Section::Answer, *record).is_err() {
                break;
            }
            rest.next();
        }
        if request.has_edns {
            writer.opt(1232, Rcode::NOERROR, false, &[]).expect("an OPT record fits");
        }
        let length = writer.finish();
        messages.push(out[..length].to_vec());
        if rest.peek().is_none() {
            return messages;
        }
    }
}

fn flags(state: &State, kind: Kind) -> u16 {
    let truncated = match kind {
        Kind::SoaOverUdp => state.behaves(&Behaviour::TruncateUdp),
        kind => kind.is_transfer() && state.behaves(&Behaviour::TruncateTcp),
    };
    let without = state.behaves(&Behaviour::NotAuthoritative)
        || kind.is_transfer() && state.behaves(&Behaviour::TransfersWithoutAa);
    let authoritative = if without { 0 } else { Header::AA };
    Header::QR | authoritative | if truncated { Header::TC } else { 0 }
}

pub(super) fn error(state: &State, request: &Request, rcode: Rcode) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, request.id, Header::QR | rcode.0 & 0xf);
    if rcode != Rcode::FORMERR || !state.behaves(&Behaviour::FormErrAsHeaderAlone) {
        writer.question(&request.question).expect("a question fits");
    }
    let length = writer.finish();
    out.truncate(length);
    out
}
