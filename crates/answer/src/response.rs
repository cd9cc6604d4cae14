//! Writing the response: flags, limits, RRsets with their RRSIGs, truncation, EDNS.

use dns::edns::{EXPIRE_OPTION_OCTETS, expire_option, extended_error, option};
use dns::writer::CompressionTable;
use dns::{Full, Header, MessageWriter, NameRef, Rcode, RecordRef, Section};
use zone::ZoneId;
use zone::image::{Rrset, RrsetRecords};

use crate::query::Query;
use crate::{Kind, Outcome, PLAIN_UDP_OCTETS_MAX, Transport, UDP_OCTETS_MAX};

/// An OPT record without options.
const OPT_OCTETS: usize = 11;
/// An extended error without text (RFC 8914 §2).
const EXTENDED_ERROR_OCTETS: usize = 6;
/// The OPT record with all the options that an answer may have.
const OPT_OCTETS_MAX: usize = OPT_OCTETS + EXTENDED_ERROR_OCTETS + EXPIRE_OPTION_OCTETS;

/// Why what has been written must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Full,
    /// A proof would take more hashing than a zone may want (RFC 9276 §3.2).
    TooDear,
}

impl From<Full> for Trouble {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

pub(crate) struct Response<'a> {
    writer: MessageWriter<'a>,
    transport: Transport,
    has_edns: bool,
    dnssec_ok: bool,
    expires_in_secs: Option<u32>,
    kind: Kind,
    rcode: Rcode,
}

impl<'a> Response<'a> {
    pub(crate) fn new(
        query: &Query<'_>,
        transport: Transport,
        table: &'a mut CompressionTable,
        out: &'a mut [u8],
    ) -> Self {
        let limit = match (transport, query.edns) {
            (Transport::Tcp, _) => dns::message::MESSAGE_OCTETS_MAX,
            (Transport::Udp, None) => PLAIN_UDP_OCTETS_MAX,
            // RFC 6891 §6.2.3: less than 512 means 512.
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_octets).clamp(PLAIN_UDP_OCTETS_MAX, UDP_OCTETS_MAX),
        };
        let flags = Header::QR | (query.header.flags & (Header::RD | Header::CD));
        let mut writer = MessageWriter::new(out, limit, table, query.header.id, flags);
        let has_edns = query.edns.is_some();
        if has_edns {
            writer.reserve(OPT_OCTETS_MAX);
        }
        writer.question(&query.question).expect("a question fits into 512 octets beside header and OPT");
        let dnssec_ok = query.dnssec_ok();
        let (kind, rcode) = (Kind::Failure, Rcode::NOERROR);
        Self { writer, transport, has_edns, dnssec_ok, expires_in_secs: None, kind, rcode }
    }

    /// A header and nothing else: for what could not be read (RFC 8906 §3.1.4 wants an answer all the same).
    pub(crate) fn bare(header: Header, rcode: Rcode, table: &mut CompressionTable, out: &mut [u8]) -> Outcome {
        let flags = Header::QR | header.flags & Header::RD | Header::request_flags(header.opcode());
        let mut writer = MessageWriter::new(out, PLAIN_UDP_OCTETS_MAX, table, header.id, flags);
        writer.set_rcode(rcode);
        Outcome { length: writer.finish(), rcode, kind: Kind::Failure, zone: None }
    }

    /// Ends with an error and no records.
    pub(crate) fn fail(mut self, rcode: Rcode, extended_error: Option<u16>, zone: Option<ZoneId>) -> Outcome {
        self.rcode = rcode;
        self.end(Kind::Failure, extended_error, zone)
    }

    pub(crate) fn finish(mut self, result: Result<(), Trouble>, zone: ZoneId) -> Outcome {
        let kind = self.kind;
        match (result, self.transport) {
            (Ok(()), _) => self.end(kind, None, Some(zone)),
            (Err(Trouble::Full), Transport::Udp) => {
                self.writer.clear_records();
                self.writer.set_flag(Header::TC);
                self.end(kind, None, Some(zone))
            }
            // More than a message can hold: no transport could carry it.
            (Err(Trouble::Full), Transport::Tcp) => self.give_up(extended_error::OTHER, zone),
            (Err(Trouble::TooDear), _) => self.give_up(extended_error::UNSUPPORTED_NSEC3_ITERATIONS, zone),
        }
    }

    fn give_up(mut self, extended_error: u16, zone: ZoneId) -> Outcome {
        self.writer.clear_records();
        self.writer.clear_flag(Header::AA);
        self.fail(Rcode::SERVFAIL, Some(extended_error), Some(zone))
    }

    fn end(mut self, kind: Kind, extended_error: Option<u16>, zone: Option<ZoneId>) -> Outcome {
        self.writer.set_rcode(self.rcode);
        if self.has_edns {
            self.writer.release(OPT_OCTETS_MAX);
            let mut options = Options::default();
            if let Some(code) = extended_error {
                let [high, low] = code.to_be_bytes();
                let [code_high, code_low] = option::EXTENDED_ERROR.to_be_bytes();
                options.push(&[code_high, code_low, 0, 2, high, low]);
            }
            if let Some(secs) = self.expires_in_secs {
                options.push(&expire_option(secs));
            }
            self.writer
                .opt(UDP_OCTETS_MAX as u16, self.rcode, self.dnssec_ok, options.octets())
                .expect("room for the OPT record has been kept free");
        }
        Outcome { rcode: self.rcode, kind, zone, length: self.writer.finish() }
    }

    /// Has it said in how many seconds the zone expires, if that is known.
    pub(crate) fn expires_in(&mut self, secs: Option<u32>) {
        self.expires_in_secs = secs;
    }

    pub(crate) fn dnssec_ok(&self) -> bool {
        self.dnssec_ok
    }

    pub(crate) fn authoritative(&mut self) {
        self.writer.set_flag(Header::AA);
    }

    pub(crate) fn conclude(&mut self, kind: Kind, rcode: Rcode) {
        self.kind = kind;
        self.rcode = rcode;
    }

    pub(crate) fn answer_count(&self) -> u16 {
        self.writer.count(Section::Answer)
    }

    /// Adds an RRset, and its RRSIGs when they are wanted, under its own owner.
    pub(crate) fn rrset(&mut self, section: Section, rrset: Rrset<'_>) -> Result<(), Full> {
        rrset.records().try_for_each(|record| self.writer.record(section, record))?;
        self.signatures(section, rrset)
    }

    /// Adds an RRset under the name that matched it: the name asked for, or what a wildcard stands for.
    pub(crate) fn rrset_as(&mut self, section: Section, rrset: Rrset<'_>, owner: NameRef<'_>) -> Result<(), Full> {
        self.records_as(section, rrset.records(), owner)?;
        if self.dnssec_ok { self.records_as(section, rrset.signatures(), owner) } else { Ok(()) }
    }

    pub(crate) fn records_as(
        &mut self,
        section: Section,
        mut records: RrsetRecords<'_>,
        owner: NameRef<'_>,
    ) -> Result<(), Full> {
        records.try_for_each(|record| self.writer.record(section, RecordRef { owner, ..record }))
    }

    /// Adds an RRset with a lower TTL: an SOA as a negative answer's (RFC 2308 §3).
    pub(crate) fn rrset_with_ttl(&mut self, section: Section, rrset: Rrset<'_>, ttl: u32) -> Result<(), Full> {
        let signatures = rrset.signatures().filter(|_| self.dnssec_ok);
        rrset
            .records()
            .chain(signatures)
            .try_for_each(|record| self.writer.record(section, RecordRef { ttl: record.ttl.min(ttl), ..record }))
    }

    pub(crate) fn record(&mut self, section: Section, record: RecordRef<'_>) -> Result<(), Full> {
        self.writer.record(section, record)
    }

    /// Adds an RRset if all of it fits, and says nothing if not.
    pub(crate) fn rrset_if_it_fits(&mut self, section: Section, rrset: Rrset<'_>) {
        let mark = self.writer.mark();
        if self.rrset(section, rrset).is_err() {
            self.writer.rollback(mark);
        }
    }

    fn signatures(&mut self, section: Section, rrset: Rrset<'_>) -> Result<(), Full> {
        if !self.dnssec_ok {
            return Ok(());
        }
        rrset.signatures().try_for_each(|record| self.writer.record(section, record))
    }
}

/// The options of an answer, one after the other.
#[derive(Default)]
struct Options {
    octets: [u8; OPT_OCTETS_MAX - OPT_OCTETS],
    length: usize,
}

impl Options {
    fn push(&mut self, option: &[u8]) {
        let end = self.length + option.len();
        self.octets[self.length..end].copy_from_slice(option);
        self.length = end;
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}
