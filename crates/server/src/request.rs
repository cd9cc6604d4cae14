//! What is asked at the desk, and the replies that need no zone: header, question, OPT record, signature.

use answer::{PLAIN_UDP_OCTETS_MAX, Transport, UDP_OCTETS_MAX};
use dns::edns::{Edns, expire_option, extended_error, option};
use dns::message::{HEADER_OCTETS, MESSAGE_OCTETS_MAX};
use dns::writer::CompressionTable;
use dns::{Header, Malformed, MessageReader, MessageWriter, Question, Rcode, RecordRef, Section, Serial, Soa, Type};
use xfr::notify::SignedBy;
use xfr::tsig::{SignedRequest, TSIG_OCTETS_MAX};
use zone::TenantId;

use crate::front::Sender;

/// The flags that a reply takes over from its request: opcode and RD.
const COPIED_FLAGS: u16 = 0x7800 | Header::RD;

/// A signature that was right.
pub(crate) struct Signed {
    pub(crate) request: SignedRequest,
    /// Whose key it was made with.
    pub(crate) tenant: TenantId,
}

/// A request whose signature, if it has one, was right and has been taken off.
pub(crate) struct Request<'a> {
    pub(crate) message: &'a [u8],
    pub(crate) header: Header,
    pub(crate) sender: Sender,
    pub(crate) signed: Option<&'a Signed>,
    pub(crate) question: Question,
    /// Where the question ends.
    question_end: usize,
    /// The serial that an IXFR request has (RFC 1995 §3).
    pub(crate) serial: Option<Serial>,
    pub(crate) edns: Option<Options>,
}

/// What of a request's OPT record matters here.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    udp_octets: u16,
    pub(crate) version: u8,
    asks_expire: bool,
}

impl Options {
    /// The options of an answer about the zone's contents, of which this copy expires in so many seconds
    /// (RFC 7314 §3).
    pub(crate) fn answered(&self, expires_in_secs: Option<u32>) -> Vec<u8> {
        let expire = expires_in_secs.filter(|_| self.asks_expire).map(expire_option);
        expire.map_or(Vec::new(), |option| option.to_vec())
    }
}

impl<'a> Request<'a> {
    pub(crate) fn read(message: &'a [u8], sender: Sender, signed: Option<&'a Signed>) -> Result<Self, Malformed> {
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
                edns = Some(Options {
                    udp_octets: opt.udp_octets,
                    version: opt.version,
                    asks_expire: opt.asks_expire(),
                });
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

    pub(crate) fn signed_by(&self) -> Option<SignedBy<'_>> {
        self.signed.map(|signed| SignedBy { tenant: signed.tenant, key: signed.request.key().name() })
    }

    /// Octets that the sender takes in one message.
    fn octets_max(&self) -> usize {
        match (self.sender.transport(), self.edns) {
            (Transport::Tcp, _) => MESSAGE_OCTETS_MAX,
            (Transport::Udp, None) => PLAIN_UDP_OCTETS_MAX,
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_octets).clamp(PLAIN_UDP_OCTETS_MAX, UDP_OCTETS_MAX),
        }
    }

    pub(crate) fn without_records(&self, rcode: Rcode) -> Vec<u8> {
        let mut reply = bare(self.message, rcode);
        self.append_options(&mut reply, rcode);
        reply
    }

    /// All of the records, if one message carries them and the signature.
    pub(crate) fn with_records<'r>(
        &self,
        mut records: impl Iterator<Item = RecordRef<'r>>,
        expires_in_secs: Option<u32>,
    ) -> Option<Vec<u8>> {
        let mut out = vec![0; self.octets_max()];
        let mut table = CompressionTable::small();
        let mut writer =
            MessageWriter::new(&mut out, usize::MAX, &mut table, self.header.id, self.authoritative_flags());
        writer.reserve(if self.signed.is_some() { TSIG_OCTETS_MAX } else { 0 });
        writer.question(&self.question).ok()?;
        records.try_for_each(|record| writer.record(Section::Answer, record)).ok()?;
        if let Some(edns) = self.edns {
            writer.opt(dns::edns::UDP_OCTETS, Rcode::NOERROR, false, &edns.answered(expires_in_secs)).ok()?;
        }
        let length = writer.finish();
        out.truncate(length);
        Some(out)
    }

    pub(crate) fn with_soa(&self, soa: RecordRef<'_>, expires_in_secs: Option<u32>) -> Vec<u8> {
        let mut out = vec![0; self.octets_max()];
        let mut table = CompressionTable::small();
        let mut writer =
            MessageWriter::new(&mut out, usize::MAX, &mut table, self.header.id, self.authoritative_flags());
        if writer.question(&self.question).and_then(|()| writer.record(Section::Answer, soa)).is_err() {
            writer.set_flag(Header::TC);
        }
        if let Some(edns) = self.edns {
            let options = edns.answered(expires_in_secs);
            if writer.opt(dns::edns::UDP_OCTETS, Rcode::NOERROR, false, &options).is_err() {
                writer.set_flag(Header::TC);
            }
        }
        let length = writer.finish();
        out.truncate(length);
        out
    }

    /// The signed reply to a request for a transfer that there is no place for: SERVFAIL, and to those who understand it
    /// why (RFC 8914 §4.1).
    pub(crate) fn turned_away(&self, now_secs: u64) -> Vec<u8> {
        const WHY: &str = "too many zone transfers at a time";
        let mut reply = bare(self.message, Rcode::SERVFAIL);
        let option = [option::EXTENDED_ERROR, 2 + WHY.len() as u16, extended_error::OTHER].map(u16::to_be_bytes);
        self.append_opt(&mut reply, Rcode::SERVFAIL, &[option.as_flattened(), WHY.as_bytes()].concat());
        self.sign(reply, Rcode::SERVFAIL, now_secs).0
    }

    /// Appends an OPT record without options if the request has one (RFC 6891 §6.1.1).
    pub(crate) fn append_options(&self, reply: &mut Vec<u8>, rcode: Rcode) {
        self.append_opt(reply, rcode, &[]);
    }

    fn append_opt(&self, reply: &mut Vec<u8>, rcode: Rcode, options: &[u8]) {
        let Some(mut header) = Header::parse(reply).filter(|_| self.edns.is_some()) else { return };
        header.counts[Section::Additional as usize] += 1;
        reply[..HEADER_OCTETS].copy_from_slice(&header.to_octets());
        reply.extend(dns::edns::opt_record((rcode.0 >> 4) as u8, dns::edns::VERSION, options));
    }

    /// The flags of a reply that holds the zone's own records.
    pub(crate) fn authoritative_flags(&self) -> u16 {
        Header::QR | Header::AA | self.header.flags & COPIED_FLAGS
    }

    /// Signs the reply if the request was signed. If that makes it too long for the sender, the reply becomes the
    /// question and the signature, without an OPT record (RFC 8945 §5.3: "only"), and its response code another.
    pub(crate) fn sign(&self, mut reply: Vec<u8>, rcode: Rcode, now_secs: u64) -> (Vec<u8>, Rcode) {
        let Some(signed) = self.signed.filter(|_| !reply.is_empty()) else { return (reply, rcode) };
        signed.request.signer().sign(&mut reply, now_secs);
        if reply.len() <= self.octets_max() {
            return (reply, rcode);
        }
        let (rcode, flag) = match self.sender.transport() {
            Transport::Udp => (Rcode::NOERROR, Header::TC),
            // There is no larger transport to turn to.
            Transport::Tcp => (Rcode::SERVFAIL, 0),
        };
        let mut reply = bare(&self.message[..self.question_end], rcode);
        reply[2] |= (flag >> 8) as u8;
        signed.request.signer().sign(&mut reply, now_secs);
        (reply, rcode)
    }
}

/// The message without its last record, which was its signature.
pub(crate) fn without_signature(message: &[u8], octets: usize) -> Vec<u8> {
    let mut unsigned = message[..octets].to_vec();
    if let Some(mut header) = Header::parse(&unsigned) {
        let additional = &mut header.counts[Section::Additional as usize];
        *additional = additional.saturating_sub(1);
        unsigned[..HEADER_OCTETS].copy_from_slice(&header.to_octets());
    }
    unsigned
}

/// A reply of header and question, if there is one to be read. Needs a header.
pub(crate) fn bare(message: &[u8], rcode: Rcode) -> Vec<u8> {
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
