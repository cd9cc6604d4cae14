//! What is no ordinary query: everything signed, NOTIFY, requests for transfers.
//!
//! The order is always the same: the signature first (RFC 8945 §5.2: nothing of a message is believed before), then
//! what is asked, then the signature under the reply. A signature that cannot be verified is answered as an error
//! even if the same request would pass without one (RFC 8945 §5.2): a NOTIFY signed with a key that we do not know
//! gets BADKEY.
//!
//! This path allocates and calculates HMACs, but never waits.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use answer::{Contents, PLAIN_UDP_OCTETS_MAX, Transport, UDP_OCTETS_MAX, ZoneTable};
use dns::edns::Edns;
use dns::message::MESSAGE_OCTETS_MAX;
use dns::writer::CompressionTable;
use dns::{
    CLASS_IN, Header, Malformed, MessageReader, MessageWriter, Opcode, Question, Rcode, RecordRef, Section, Serial,
    Soa, Type,
};
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use xfr::notify::{self, Judgement};
use xfr::tsig::{SignedRequest, TsigError, Verified, verify_request};
use zone::Snapshot;

use crate::access::Access;
use crate::counters::Event;
use crate::front::{Bench, Reply, Sender};
use crate::transfer_out::Transfer;
use crate::{Notified, Shared};

/// The flags that a reply takes over from its request.
const COPIED_FLAGS: u16 = 0x7800 | Header::RD;

pub(crate) struct Desk {
    shared: Shared,
    notifies: mpsc::Sender<Notified>,
    transfers: Arc<Semaphore>,
}

/// A request whose signature, if it has one, was right and has been taken off.
struct Request<'a> {
    message: &'a [u8],
    header: Header,
    sender: Sender,
    signed: Option<&'a SignedRequest>,
    question: Question,
    /// Where the question ends.
    question_end: usize,
    /// The serial that an IXFR request has (RFC 1995 §3).
    serial: Option<Serial>,
    edns: Option<Options>,
}

/// What of a request's OPT record matters here.
#[derive(Clone, Copy)]
struct Options {
    udp_octets: u16,
    version: u8,
}

/// A reply that is still to be signed.
enum Draft {
    Silence,
    Message(Vec<u8>, Rcode),
    Transfer(Box<Transfer>),
}

impl Desk {
    pub(crate) fn new(shared: Shared, notifies: mpsc::Sender<Notified>, transfers: usize) -> Self {
        Self { shared, notifies, transfers: Arc::new(Semaphore::new(transfers)) }
    }

    /// Answers `message` into `out`.
    pub(crate) fn reply(
        &self,
        message: &[u8],
        sender: Sender,
        zones: &ZoneTable,
        bench: &mut Bench,
        out: &mut [u8],
    ) -> Reply {
        let access = self.shared.access.load();
        let now_secs = wall_clock_secs();
        let (unsigned, signed) = match verify_request(message, |name| access.key(name), now_secs) {
            Ok(Verified::Unsigned) => (Cow::Borrowed(message), None),
            Ok(Verified::Signed(signed)) => (without_signature(message, signed.message_octets()), Some(signed)),
            Err(failure) => {
                if failure.error() != TsigError::FormErr {
                    bench.tally.count(Event::TsigFailed);
                    let error = failure.error();
                    tracing::debug!(from = %sender.address, ?error, "a request's signature is wrong");
                }
                let mut reply = bare(message, failure.rcode());
                failure.append_to(&mut reply);
                return hand_over(&reply, failure.rcode(), bench, out);
            }
        };
        let Ok(request) = Request::read(&unsigned, sender, signed.as_ref()) else {
            let mut reply = bare(&unsigned, Rcode::FORMERR);
            if let Some(signed) = &signed {
                signed.signer().sign(&mut reply, now_secs);
            }
            return hand_over(&reply, Rcode::FORMERR, bench, out);
        };
        let draft = match (request.header.opcode(), request.question.qtype) {
            (Opcode::NOTIFY, _) => self.notify(&request, &access, bench),
            (Opcode::QUERY, Type::AXFR | Type::IXFR) => self.transfer(&request, &access, zones, bench),
            _ => {
                let outcome = answer::answer(&unsigned, zones, sender.transport, &mut bench.scratch, out);
                Draft::Message(out[..outcome.length].to_vec(), outcome.rcode)
            }
        };
        match draft {
            Draft::Silence => Reply::Nothing,
            Draft::Transfer(transfer) => Reply::Transfer(transfer),
            Draft::Message(reply, rcode) => match &signed {
                None => hand_over(&reply, rcode, bench, out),
                Some(signed) => {
                    let (reply, rcode) = request.sign(reply, rcode, signed, now_secs);
                    hand_over(&reply, rcode, bench, out)
                }
            },
        }
    }

    fn notify(&self, request: &Request<'_>, access: &Access, bench: &mut Bench) -> Draft {
        let from = request.sender.address;
        let signed_by = request.signed.map(|signed| signed.key().name());
        let rcode = match notify::judge(request.message, from.ip(), signed_by, |zone| access.notify_rules(zone)) {
            Judgement::Ignore => return Draft::Silence,
            Judgement::Decline(rcode) => {
                bench.tally.count(Event::NotifyRefused);
                tracing::debug!(zone = %request.question.name, %from, %rcode, "a NOTIFY was not taken");
                rcode
            }
            Judgement::Accept { zones, serial } => {
                let mut overflow = false;
                for zone in zones {
                    let notified = Notified { zone, from, serial, signed_by: signed_by.cloned() };
                    overflow |= self.notifies.try_send(notified).is_err();
                }
                match (overflow, request.sender.transport) {
                    (false, _) => {
                        bench.tally.count(Event::NotifyAccepted);
                        Rcode::NOERROR
                    }
                    // To silence every primary answers by sending again (RFC 1996 §3.6); some take any reply,
                    // whatever it says, for the end of the matter.
                    (true, Transport::Udp) => {
                        bench.tally.count(Event::NotifyOverflow);
                        return Draft::Silence;
                    }
                    (true, Transport::Tcp) => {
                        bench.tally.count(Event::NotifyOverflow);
                        Rcode::SERVFAIL
                    }
                }
            }
        };
        let mut reply = notify::response(request.message, rcode);
        request.append_options(&mut reply, rcode);
        Draft::Message(reply, rcode)
    }

    /// Refuses a transfer, answers with the SOA alone, or lets the transfer begin.
    fn transfer(&self, request: &Request<'_>, access: &Access, zones: &ZoneTable, bench: &mut Bench) -> Draft {
        let mut refuse = |rcode| {
            bench.tally.count(Event::TransferRefused);
            tracing::debug!(zone = %request.question.name, to = %request.sender.address, %rcode, "no transfer out");
            request.without_records(rcode)
        };
        if request.edns.is_some_and(|edns| edns.version > dns::edns::VERSION) {
            return refuse(Rcode::BADVERS);
        }
        // Before anything else, so that others learn nothing and take no place (RFC 5936 §5).
        if !access.transfer_out.allows(request.sender.address.ip()) {
            return refuse(Rcode::REFUSED);
        }
        let is_ixfr = request.question.qtype == Type::IXFR;
        // RFC 5936 §4.2 defines no AXFR over UDP; RFC 1995 §3 wants the client's SOA in an IXFR.
        if (request.sender.transport == Transport::Udp && !is_ixfr) || (is_ixfr && request.serial.is_none()) {
            return refuse(Rcode::FORMERR);
        }
        let name = request.question.name.borrow();
        let Some(zone) = zones.get(name).filter(|_| request.question.qclass == CLASS_IN) else {
            return refuse(Rcode::NOTAUTH);
        };
        let Contents::Live(Snapshot { image, .. }) = (**zone.contents()).clone() else {
            return refuse(Rcode::SERVFAIL);
        };
        let ours = image.serial();
        let is_current = |theirs: Serial| theirs == ours || theirs.is_newer_than(ours);
        // RFC 1995 §2: over UDP, and to those who have this version or a newer one, the SOA alone.
        if request.sender.transport == Transport::Udp || request.serial.is_some_and(is_current) {
            return request.with_soa(image.soa_record());
        }
        let Ok(place) = self.transfers.clone().try_acquire_owned() else {
            return refuse(Rcode::SERVFAIL);
        };
        Draft::Transfer(Box::new(Transfer {
            image,
            id: request.header.id,
            flags: Header::QR | Header::AA | request.header.flags & COPIED_FLAGS,
            question: request.question,
            with_options: request.edns.is_some(),
            signer: request.signed.map(SignedRequest::signer),
            _place: place,
        }))
    }
}

impl<'a> Request<'a> {
    fn read(message: &'a [u8], sender: Sender, signed: Option<&'a SignedRequest>) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new(message)?;
        let header = reader.header();
        let question = reader.question()?.ok_or(Malformed::Truncated)?;
        let question_end = reader.offset();
        let mut edns = None;
        let mut serial = None;
        let mut rdata = Vec::new();
        while let Some(record) = reader.record()? {
            if record.rtype == Type::OPT && record.section == Section::Additional {
                let opt = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record))?;
                edns = Some(Options { udp_octets: opt.udp_octets, version: opt.version });
            }
            if record.rtype == Type::SOA && record.section == Section::Authority {
                rdata.clear();
                reader.rdata(&record, &mut rdata)?;
                serial = Soa::parse(&rdata).map(|soa| soa.serial);
            }
        }
        reader.finish()?;
        Ok(Self { message, header, sender, signed, question, question_end, serial, edns })
    }

    /// Octets that the sender takes in one message.
    fn octets_max(&self) -> usize {
        match (self.sender.transport, self.edns) {
            (Transport::Tcp, _) => MESSAGE_OCTETS_MAX,
            (Transport::Udp, None) => PLAIN_UDP_OCTETS_MAX,
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_octets).clamp(PLAIN_UDP_OCTETS_MAX, UDP_OCTETS_MAX),
        }
    }

    fn without_records(&self, rcode: Rcode) -> Draft {
        let mut reply = bare(self.message, rcode);
        self.append_options(&mut reply, rcode);
        Draft::Message(reply, rcode)
    }

    fn with_soa(&self, soa: RecordRef<'_>) -> Draft {
        let flags = Header::QR | Header::AA | self.header.flags & COPIED_FLAGS;
        let mut out = vec![0; self.octets_max()];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, self.header.id, flags);
        if writer.question(&self.question).and_then(|()| writer.record(Section::Answer, soa)).is_err() {
            writer.set_flag(Header::TC);
        }
        if self.edns.is_some() && writer.opt(UDP_OCTETS_MAX as u16, Rcode::NOERROR, false, &[]).is_err() {
            writer.set_flag(Header::TC);
        }
        let length = writer.finish();
        out.truncate(length);
        Draft::Message(out, Rcode::NOERROR)
    }

    /// Appends an OPT record if the request has one (RFC 6891 §6.1.1).
    fn append_options(&self, reply: &mut Vec<u8>, rcode: Rcode) {
        let Some(mut header) = Header::parse(reply).filter(|_| self.edns.is_some()) else { return };
        header.counts[Section::Additional as usize] += 1;
        reply[..dns::message::HEADER_OCTETS].copy_from_slice(&header.to_octets());
        reply.push(0);
        reply.extend(Type::OPT.0.to_be_bytes());
        reply.extend((UDP_OCTETS_MAX as u16).to_be_bytes());
        reply.extend(Edns::ttl((rcode.0 >> 4) as u8, dns::edns::VERSION, false).to_be_bytes());
        reply.extend([0, 0]);
    }

    /// The signed reply, and its response code. If the signature makes it too long for the sender, the reply is the
    /// question and the signature (RFC 8945 §5.3).
    fn sign(&self, mut reply: Vec<u8>, rcode: Rcode, signed: &SignedRequest, now_secs: u64) -> (Vec<u8>, Rcode) {
        if Header::parse(&reply).is_none() {
            return (reply, rcode);
        }
        signed.signer().sign(&mut reply, now_secs);
        if reply.len() <= self.octets_max() {
            return (reply, rcode);
        }
        let (rcode, flag) = match self.sender.transport {
            Transport::Udp => (Rcode::NOERROR, Header::TC),
            // There is no larger transport to turn to.
            Transport::Tcp => (Rcode::SERVFAIL, 0),
        };
        let mut reply = bare(&self.message[..self.question_end], rcode);
        reply[2] |= (flag >> 8) as u8;
        signed.signer().sign(&mut reply, now_secs);
        (reply, rcode)
    }
}

/// The message without its last record, which was its signature.
fn without_signature(message: &[u8], octets: usize) -> Cow<'_, [u8]> {
    let mut unsigned = message[..octets].to_vec();
    if let Some(mut header) = Header::parse(&unsigned) {
        let additional = &mut header.counts[Section::Additional as usize];
        *additional = additional.saturating_sub(1);
        unsigned[..dns::message::HEADER_OCTETS].copy_from_slice(&header.to_octets());
    }
    Cow::Owned(unsigned)
}

/// A reply of header and question, if there is one to be read. Needs a header.
fn bare(message: &[u8], rcode: Rcode) -> Vec<u8> {
    let Some(header) = Header::parse(message) else { return Vec::new() };
    let question = MessageReader::new(message).and_then(|mut reader| reader.question()).ok().flatten();
    let flags = Header::QR | header.flags & COPIED_FLAGS | rcode.0 & 0xf;
    let counts = [u16::from(question.is_some()), 0, 0, 0];
    let mut reply = Header { id: header.id, flags, counts }.to_octets().to_vec();
    if let Some(Question { name, qtype, qclass }) = question {
        reply.extend(name.borrow().as_wire());
        reply.extend(qtype.0.to_be_bytes());
        reply.extend(qclass.to_be_bytes());
    }
    reply
}

/// What TSIG goes by, and nothing else here: seconds since the Unix epoch.
pub(crate) fn wall_clock_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn hand_over(reply: &[u8], rcode: Rcode, bench: &mut Bench, out: &mut [u8]) -> Reply {
    // Only a name of the greatest length beside a key of the greatest length could get here.
    let Some(place) = out.get_mut(..reply.len()).filter(|place| !place.is_empty()) else { return Reply::Nothing };
    place.copy_from_slice(reply);
    bench.tally.count_reply(rcode);
    Reply::Message(reply.len())
}
