//! From the octets of a query and the zones to the octets of the answer.
//!
//! Total: any octets in, never a panic. No allocation, no lock, no clock of its own, no I/O. A query sees one snapshot of one
//! zone from beginning to end, and of each zone that an alias leads to.
//!
//! The way through: [`query`] reads what is asked, [`table`] finds the zone, [`resolve`] walks its contents as
//! RFC 1034 §4.3.2 does, [`denial`] proves what is not there, [`additional`] adds addresses, [`response`] writes. What
//! is not a plain query (NOTIFY, transfers, TSIG) has been taken out before by the server. [`persona`] and [`chaos`] say who
//! answers, [`cookie`] knows clients again, [`shorten`] takes back what is not to be sent whole. [`ahead`] fetches what many
//! queries will need at once.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod additional;
mod ahead;
mod chaos;
mod cookie;
mod denial;
#[doc(hidden)]
pub mod fuzzing;
mod persona;
mod places;
mod query;
mod resolve;
mod response;
mod shorten;
mod table;
mod view;

use std::net::IpAddr;
use std::num::NonZero;

use dns::edns::extended_error;
use dns::writer::CompressionTable;
use dns::{Header, Opcode, QuestionRef, Rcode, Type};
use zone::ZoneId;

use query::Query;
use response::{OPTIONS_OCTETS, Response};
use view::View;

pub use ahead::{AHEAD_MAX, look_ahead};
pub use cookie::{CookieSecret, CookieShown, Cookies};
pub use persona::{PERSONA_TEXT_OCTETS_MAX, Persona, PersonaText};
pub use shorten::shorten;
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

/// Who asks, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub transport: Transport,
    pub address: IpAddr,
    /// For how long its connection may be idle, in tenths of a second, if it is one that clients may keep open (RFC 7828).
    pub keepalive: Option<u16>,
    /// Where nobody on the way sees more than lengths: of what answers get a multiple, in octets, if that is asked for
    /// (RFC 8467 §4.1).
    pub padding: Option<NonZero<u16>>,
}

impl Asker {
    /// Who asks over a transport about which there is nothing else to say.
    pub fn plain(transport: Transport, address: IpAddr) -> Self {
        Self { transport, address, keepalive: None, padding: None }
    }
}

/// Memory that answering needs: one for each thread.
pub struct Scratch {
    table: CompressionTable,
    options: Box<[u8; OPTIONS_OCTETS]>,
}

impl Scratch {
    pub fn new() -> Self {
        Self { table: CompressionTable::small(), options: Box::new([0; OPTIONS_OCTETS]) }
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
    /// What was asked for; always there with a zone.
    pub qtype: Option<Type>,
    /// With kind and zone: answers that differ in it differ in more than the name that was asked for.
    pub about: u32,
    pub cookie: CookieShown,
    /// Octets of the OPT record, which is the last one; 0 when there is none.
    pub opt_octets: usize,
}

impl Outcome {
    const IGNORED: Self = Self {
        length: 0,
        rcode: Rcode::NOERROR,
        kind: Kind::Ignored,
        zone: None,
        qtype: None,
        about: 0,
        cookie: CookieShown::None,
        opt_octets: 0,
    };
}

/// What sort of answer it is, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    asker: &Asker,
    persona: &Persona,
    now_ms: impl Fn() -> u64,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Outcome {
    let Some(header) = Header::parse(query) else {
        return Outcome::IGNORED;
    };
    // An answer to an answer would let two servers talk for ever.
    if header.is_response() {
        return Outcome::IGNORED;
    }
    match header.opcode() {
        Opcode::QUERY => {}
        // Records change only at the primary: dynamic update (RFC 2136) is not for us.
        Opcode::UPDATE => return Response::bare(header, Rcode::REFUSED, &mut scratch.table, out),
        _ => return Response::bare(header, Rcode::NOTIMP, &mut scratch.table, out),
    }
    let Ok(query) = Query::parse(query) else {
        return Response::bare(header, Rcode::FORMERR, &mut scratch.table, out);
    };
    let mut response = begin(&query, asker, persona, &now_ms, scratch, out);
    if query.edns.is_some_and(|edns| edns.version > dns::edns::VERSION) {
        return response.fail(Rcode::BADVERS, None, None);
    }
    let Some(question) = query.question else {
        return response.fail(Rcode::NOERROR, None, None);
    };
    if question.qclass == dns::CLASS_CH {
        let result = chaos::tell(question, persona, &mut response);
        return response.finish(result, None);
    }
    if let Some(rcode) = not_for_us(question) {
        return response.fail(rcode, None, None);
    }
    let qname = question.name;
    let Some(zone) = zones.find_for(qname, question.qtype) else {
        return response.fail(Rcode::REFUSED, Some(extended_error::NOT_AUTHORITATIVE), None);
    };
    let lent = zone.lent();
    let Some(snapshot) = &*lent else {
        let why = if zone.has_expired() { extended_error::INVALID_DATA } else { extended_error::NOT_READY };
        return response.fail(Rcode::SERVFAIL, Some(why), Some(zone.id));
    };
    // RFC 7314 §3: said to who asks for the SOA of the zone.
    if query.wants.expire && question.qtype == Type::SOA && qname == zone.apex.borrow() {
        response.expires_in(zone.expires_in_secs(now_ms()));
    }
    if query.wants.zone_version {
        response.version(&snapshot.image);
    }
    let view = View { zones, zone, image: &snapshot.image };
    let result = resolve::resolve(view, question.name, question.qtype, &mut response);
    response.finish(result, Some(zone.id))
}

/// The response with what it has before anything is looked for.
fn begin<'a>(
    query: &Query<'_>,
    asker: &Asker,
    persona: &'a Persona,
    now_ms: &impl Fn() -> u64,
    scratch: &'a mut Scratch,
    out: &'a mut [u8],
) -> Response<'a> {
    let mut response = Response::new(query, asker, persona, scratch, out);
    if let (Some(cookie), Some(cookies)) = (query.wants.cookie, &persona.cookies) {
        let (shown, cookie) = cookies.answer(cookie, asker.address, now_ms() / 1000);
        response.cookie(shown, cookie);
    }
    response
}

/// The refusal of what no zone's contents could answer.
fn not_for_us(question: QuestionRef<'_>) -> Option<Rcode> {
    match (question.qclass, question.qtype) {
        (dns::CLASS_IN, Type::ANY) => None,
        // Transfers that get here were not allowed.
        (dns::CLASS_IN, Type::AXFR | Type::IXFR) => Some(Rcode::REFUSED),
        (dns::CLASS_IN, Type::OPT) => Some(Rcode::FORMERR),
        (dns::CLASS_IN, qtype) if qtype.is_meta() => Some(Rcode::NOTIMP),
        (dns::CLASS_IN, _) => None,
        _ => Some(Rcode::REFUSED),
    }
}
