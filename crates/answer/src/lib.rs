//! From the octets of a query and the zones to the octets of the answer.
//!
//! Total: any octets in, never a panic. No allocation, no lock, no clock of its own, no I/O. A query sees one snapshot of one
//! zone from beginning to end, and of each zone that an alias leads to.
//!
//! The way through: [`query`] reads what is asked, [`table`] finds the zone, [`resolve`] walks its contents as
//! RFC 1034 §4.3.2 does, [`denial`] proves what is not there, [`additional`] adds addresses, [`response`] writes. What
//! is not a plain query (NOTIFY, transfers, TSIG) has been taken out before by the server.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod additional;
mod denial;
#[doc(hidden)]
pub mod fuzzing;
mod query;
mod resolve;
mod response;
mod table;
mod view;

use dns::edns::extended_error;
use dns::writer::CompressionTable;
use dns::{Header, Opcode, Rcode, Type};
use zone::ZoneId;

use query::{Query, Unanswerable};
use response::Response;
use view::View;

pub use table::{Contents, ServedZone, ZoneTable};

/// The largest answer over UDP that we send, in octets, whatever the client allows.
pub const UDP_OCTETS_MAX: usize = dns::edns::UDP_OCTETS as usize;
/// The largest answer over UDP to a client without EDNS (RFC 1035 §4.2.1).
pub const PLAIN_UDP_OCTETS_MAX: usize = 512;

/// How the query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Memory that answering needs: one for each thread.
pub struct Scratch {
    table: CompressionTable,
}

impl Scratch {
    pub fn new() -> Self {
        Self { table: CompressionTable::small() }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// What came of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Octets of the answer; 0 when nothing must be sent.
    pub length: usize,
    pub rcode: Rcode,
    pub kind: Kind,
    /// The zone that the question fell into.
    pub zone: Option<ZoneId>,
}

/// What sort of answer it is, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Answer,
    NoData,
    NameError,
    Referral,
    /// Refused, malformed, not implemented, or a zone that cannot be answered from.
    Failure,
    /// Nothing is sent: not a query at all.
    Ignored,
}

/// Answers `query` from `zones` into `out`, which must hold at least 512 octets (65,535 for TCP).
///
/// `now_ms` gives the time in Unix milliseconds, for the few answers that depend on it.
pub fn answer(
    query: &[u8],
    zones: &ZoneTable,
    transport: Transport,
    now_ms: impl FnOnce() -> u64,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Outcome {
    let ignored = Outcome { length: 0, rcode: Rcode::NOERROR, kind: Kind::Ignored, zone: None };
    let Some(header) = Header::parse(query) else {
        return ignored;
    };
    // An answer to an answer would let two servers talk for ever.
    if header.is_response() {
        return ignored;
    }
    match header.opcode() {
        Opcode::QUERY => {}
        // Records change only at the primary: dynamic update (RFC 2136) is not for us.
        Opcode::UPDATE => return Response::bare(header, Rcode::REFUSED, &mut scratch.table, out),
        _ => return Response::bare(header, Rcode::NOTIMP, &mut scratch.table, out),
    }
    let query = match Query::parse(query) {
        Ok(query) => query,
        Err(Unanswerable::Malformed) => return Response::bare(header, Rcode::FORMERR, &mut scratch.table, out),
    };
    let mut response = Response::new(&query, transport, &mut scratch.table, out);
    if query.edns.is_some_and(|edns| edns.version > dns::edns::VERSION) {
        return response.fail(Rcode::BADVERS, None, None);
    }
    if let Some(rcode) = not_for_us(&query) {
        return response.fail(rcode, None, None);
    }
    let qname = query.question.name.borrow();
    let found = match query.question.qtype {
        Type::DS => zones.find_for_ds(qname),
        _ => zones.find(qname),
    };
    let Some(zone) = found else {
        return response.fail(Rcode::REFUSED, Some(extended_error::NOT_AUTHORITATIVE), None);
    };
    let contents = zone.contents();
    match &**contents {
        Contents::Absent => response.fail(Rcode::SERVFAIL, Some(extended_error::NOT_READY), Some(zone.id)),
        Contents::Expired => response.fail(Rcode::SERVFAIL, Some(extended_error::INVALID_DATA), Some(zone.id)),
        Contents::Live(snapshot) => {
            // RFC 7314 §3: said to who asks for the SOA of the zone.
            let asks = || query.edns.is_some_and(|edns| edns.asks_expire());
            if query.question.qtype == Type::SOA && qname == zone.apex.borrow() && asks() {
                response.expires_in(zone.expires_in_secs(now_ms()));
            }
            let view = View { zones, zone, image: &snapshot.image };
            let result = resolve::resolve(view, query.question.name, query.question.qtype, &mut response);
            response.finish(result, zone.id)
        }
    }
}

/// The refusal of what no zone's contents could answer.
fn not_for_us(query: &Query<'_>) -> Option<Rcode> {
    match (query.question.qclass, query.question.qtype) {
        (dns::CLASS_IN, Type::ANY) => None,
        // Transfers that get here were not allowed.
        (dns::CLASS_IN, Type::AXFR | Type::IXFR) => Some(Rcode::REFUSED),
        (dns::CLASS_IN, Type::OPT) => Some(Rcode::FORMERR),
        (dns::CLASS_IN, qtype) if qtype.is_meta() => Some(Rcode::NOTIMP),
        (dns::CLASS_IN, _) => None,
        _ => Some(Rcode::REFUSED),
    }
}
