//! Writing the response: flags, limits, RRsets with their RRSIGs, truncation, EDNS.

use std::num::NonZero;

use dns::edns::{OPT_HEAD_OCTETS, expire_option, extended_error, option};
use dns::writer::CompressionTable;
use dns::{Full, Header, MessageWriter, Name, NameRef, Rcode, RecordRef, Section, Type};
use zone::ZoneId;
use zone::image::{Image, Owner, Rrset, RrsetRecords};

use crate::cookie::{COOKIE_OCTETS, CookieShown};
use crate::persona::{Persona, PersonaText};
use crate::query::Query;
use crate::{Asker, Kind, Outcome, PLAIN_UDP_OCTETS_MAX, Scratch, Transport, UDP_OCTETS_MAX};

/// Code and length of an option.
const OPTION_HEAD_OCTETS: usize = 4;
/// ZONEVERSION's data with a serial (RFC 9660 §2).
const ZONE_VERSION_OCTETS: usize = 6;
/// Its type that says that the version is the SOA's serial (RFC 9660 §3.1).
const SOA_SERIAL: u8 = 0;
/// Room for all options, and padding up to a block of the usual length.
pub(crate) const OPTIONS_OCTETS: usize = 1024;

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
    /// Octets that are kept free for the OPT record.
    reserved: usize,
    dnssec_ok: bool,
    qtype: Option<Type>,
    options: Options<'a>,
    told: Told<'a>,
    kind: Kind,
    rcode: Rcode,
    about: u32,
}

/// What the answer's options say.
#[derive(Default)]
struct Told<'a> {
    name: Option<&'a [u8]>,
    expires_in_secs: Option<u32>,
    zone_version: Option<[u8; ZONE_VERSION_OCTETS]>,
    keepalive: Option<u16>,
    cookie: Option<[u8; COOKIE_OCTETS]>,
    shown: CookieShown,
    report_agent: Option<&'a [u8]>,
    padding: Option<NonZero<u16>>,
}

impl<'a> Response<'a> {
    pub(crate) fn new(
        query: &Query<'_>,
        asker: &Asker,
        persona: &'a Persona,
        scratch: &'a mut Scratch,
        out: &'a mut [u8],
    ) -> Self {
        let limit = match (asker.transport, query.edns) {
            (Transport::Tcp, _) => dns::message::MESSAGE_OCTETS_MAX,
            (Transport::Udp, None) => PLAIN_UDP_OCTETS_MAX,
            // RFC 6891 §6.2.3: less than 512 means 512.
            (Transport::Udp, Some(edns)) => usize::from(edns.udp_octets).clamp(PLAIN_UDP_OCTETS_MAX, UDP_OCTETS_MAX),
        };
        // RFC 4035 §3.1.6: CD is between resolvers, and cleared.
        let flags = Header::QR | query.header.flags & Header::RD;
        let mut writer = MessageWriter::new(out, limit, &mut scratch.table, query.header.id, flags);
        let has_edns = query.edns.is_some();
        let reserved = if has_edns { opt_octets(query, asker, persona) } else { 0 };
        writer.reserve(reserved);
        if let Some(question) = query.question {
            writer.question_ref(question).expect("a question fits into 512 octets beside header and OPT");
        }
        let told = Told {
            name: persona.name.as_ref().filter(|_| query.wants.name).map(PersonaText::as_bytes),
            keepalive: asker.keepalive.filter(|_| query.wants.keepalive),
            report_agent: persona.report_agent.as_ref().map(Name::as_wire),
            padding: asker.padding.filter(|_| query.wants.padding),
            ..Told::default()
        };
        Self {
            writer,
            transport: asker.transport,
            has_edns,
            reserved,
            dnssec_ok: query.dnssec_ok(),
            qtype: query.question.map(|question| question.qtype),
            options: Options { octets: &mut scratch.options, length: 0 },
            told,
            kind: Kind::Failure,
            rcode: Rcode::NOERROR,
            about: 0,
        }
    }

    /// A header and nothing else: for what could not be read (RFC 8906 §3.1.4 wants an answer all the same).
    pub(crate) fn bare(header: Header, rcode: Rcode, table: &mut CompressionTable, out: &mut [u8]) -> Outcome {
        let flags = Header::QR | header.flags & Header::RD | Header::request_flags(header.opcode());
        let mut writer = MessageWriter::new(out, PLAIN_UDP_OCTETS_MAX, table, header.id, flags);
        writer.set_rcode(rcode);
        Outcome { length: writer.finish(), rcode, kind: Kind::Failure, ..Outcome::IGNORED }
    }

    /// Ends with an error and no records.
    pub(crate) fn fail(&mut self, rcode: Rcode, extended_error: Option<u16>, zone: Option<ZoneId>) -> Outcome {
        self.rcode = rcode;
        self.end(Kind::Failure, extended_error, zone)
    }

    pub(crate) fn finish(&mut self, result: Result<(), Trouble>, zone: Option<ZoneId>) -> Outcome {
        let kind = self.kind;
        match (result, self.transport) {
            (Ok(()), _) => self.end(kind, None, zone),
            (Err(Trouble::Full), Transport::Udp) => {
                self.writer.clear_records();
                self.writer.set_flag(Header::TC);
                self.end(kind, None, zone)
            }
            // More than a message can hold: no transport could carry it.
            (Err(Trouble::Full), Transport::Tcp) => self.give_up(extended_error::OTHER, zone),
            (Err(Trouble::TooDear), _) => self.give_up(extended_error::UNSUPPORTED_NSEC3_ITERATIONS, zone),
        }
    }

    fn give_up(&mut self, extended_error: u16, zone: Option<ZoneId>) -> Outcome {
        self.writer.clear_records();
        self.writer.clear_flag(Header::AA);
        self.told.zone_version = None;
        self.fail(Rcode::SERVFAIL, Some(extended_error), zone)
    }

    fn end(&mut self, kind: Kind, extended_error: Option<u16>, zone: Option<ZoneId>) -> Outcome {
        self.writer.set_rcode(self.rcode);
        let opt_at = self.writer.len();
        if self.has_edns {
            self.writer.release(self.reserved);
            self.write_options(extended_error);
            self.writer
                .opt(UDP_OCTETS_MAX as u16, self.rcode, self.dnssec_ok, self.options.octets())
                .expect("room for the OPT record has been kept free");
        }
        let Self { rcode, qtype, about, .. } = *self;
        let length = self.writer.finish();
        Outcome { length, opt_octets: length - opt_at, rcode, kind, zone, qtype, about, cookie: self.told.shown }
    }

    fn write_options(&mut self, extended_error: Option<u16>) {
        let options = &mut self.options;
        let told = &self.told;
        if let Some(code) = extended_error {
            options.push(option::EXTENDED_ERROR, &code.to_be_bytes());
        }
        if let Some(secs) = told.expires_in_secs {
            options.extend(&expire_option(secs));
        }
        if let Some(version) = told.zone_version {
            options.push(option::ZONE_VERSION, &version);
        }
        if let Some(keepalive) = told.keepalive {
            options.push(option::KEEPALIVE, &keepalive.to_be_bytes());
        }
        if let Some(cookie) = told.cookie {
            options.push(option::COOKIE, &cookie);
        }
        if let Some(name) = told.name {
            options.push(option::NSID, name);
        }
        let room = self.writer.room().saturating_sub(OPT_HEAD_OCTETS);
        if let Some(agent) =
            told.report_agent.filter(|agent| options.length + OPTION_HEAD_OCTETS + agent.len() <= room)
        {
            options.push(option::REPORT_CHANNEL, agent);
        }
        if let Some(block) = told.padding {
            let octets = self.writer.len() + OPT_HEAD_OCTETS + options.length + OPTION_HEAD_OCTETS;
            let missing = octets.next_multiple_of(usize::from(block.get())) - octets;
            if options.length + OPTION_HEAD_OCTETS + missing <= room.min(OPTIONS_OCTETS) {
                options.pad(missing);
            }
        }
    }

    /// Has it said in how many seconds the zone expires, if that is known.
    pub(crate) fn expires_in(&mut self, secs: Option<u32>) {
        self.told.expires_in_secs = secs;
    }

    /// Has it said which version of the zone answers (RFC 9660).
    pub(crate) fn version(&mut self, image: &Image) {
        let [a, b, c, d] = image.serial().0.to_be_bytes();
        self.told.zone_version = Some([image.apex().label_count() as u8, SOA_SERIAL, a, b, c, d]);
    }

    /// Has the client given a cookie.
    pub(crate) fn cookie(&mut self, shown: CookieShown, cookie: [u8; COOKIE_OCTETS]) {
        self.told.shown = shown;
        self.told.cookie = Some(cookie);
    }

    /// Notes what the answer is about, so that equal ones can be told from others: an owner of the zone, which stands for
    /// all names that it answers for.
    pub(crate) fn is_about(&mut self, owner: Owner<'_>) {
        self.about = owner.number();
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
        let mut records = rrset.records();
        records.try_for_each(|record| self.writer.record(section, record))?;
        if !self.dnssec_ok {
            return Ok(());
        }
        rrset.signatures_behind(records).try_for_each(|record| self.writer.record(section, record))
    }

    /// Adds an RRset under the name that matched it: the name asked for, or what a wildcard stands for.
    pub(crate) fn rrset_as(&mut self, section: Section, rrset: Rrset<'_>, owner: NameRef<'_>) -> Result<(), Full> {
        let mut records = rrset.records();
        self.records_as(section, &mut records, owner)?;
        if !self.dnssec_ok {
            return Ok(());
        }
        self.records_as(section, &mut rrset.signatures_behind(records), owner)
    }

    pub(crate) fn records_as(
        &mut self,
        section: Section,
        records: &mut RrsetRecords<'_>,
        owner: NameRef<'_>,
    ) -> Result<(), Full> {
        records.try_for_each(|record| self.writer.record(section, RecordRef { owner, ..record }))
    }

    /// Adds an RRset with a lower TTL: an SOA as a negative answer's (RFC 2308 §3).
    pub(crate) fn rrset_with_ttl(&mut self, section: Section, rrset: Rrset<'_>, ttl: u32) -> Result<(), Full> {
        let mut add =
            |record: RecordRef<'_>| self.writer.record(section, RecordRef { ttl: record.ttl.min(ttl), ..record });
        let mut records = rrset.records();
        records.try_for_each(&mut add)?;
        if !self.dnssec_ok {
            return Ok(());
        }
        rrset.signatures_behind(records).try_for_each(add)
    }

    pub(crate) fn record(&mut self, section: Section, record: RecordRef<'_>) -> Result<(), Full> {
        self.writer.record(section, record)
    }

    pub(crate) fn record_of_class(
        &mut self,
        section: Section,
        record: RecordRef<'_>,
        class: u16,
    ) -> Result<(), Trouble> {
        Ok(self.writer.record_of_class(section, record, class)?)
    }

    /// Adds an RRset if all of it fits, and says nothing if not.
    pub(crate) fn rrset_if_it_fits(&mut self, section: Section, rrset: Rrset<'_>) {
        let mark = self.writer.mark();
        if self.rrset(section, rrset).is_err() {
            self.writer.rollback(mark);
        }
    }
}

/// Octets of an OPT record with all that the query wants to be told. Beside a question of the greatest length it fits into
/// 512 octets. Extended errors stand in answers without records, where there is room.
fn opt_octets(query: &Query<'_>, asker: &Asker, persona: &Persona) -> usize {
    let wants = &query.wants;
    let options = [
        (wants.expire, 4),
        (wants.zone_version, ZONE_VERSION_OCTETS),
        (wants.keepalive && asker.keepalive.is_some(), 2),
        (wants.cookie.is_some() && persona.cookies.is_some(), COOKIE_OCTETS),
        (wants.name, persona.name.as_ref().map_or(0, |name| name.as_bytes().len())),
    ];
    let wanted = options.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, octets)| OPTION_HEAD_OCTETS + octets);
    OPT_HEAD_OCTETS + wanted.sum::<usize>()
}

/// The options of an answer, one after the other, in memory that answers use in turn.
struct Options<'a> {
    octets: &'a mut [u8; OPTIONS_OCTETS],
    length: usize,
}

impl Options<'_> {
    fn push(&mut self, code: u16, data: &[u8]) {
        self.extend(&code.to_be_bytes());
        self.extend(&(data.len() as u16).to_be_bytes());
        self.extend(data);
    }

    fn extend(&mut self, octets: &[u8]) {
        let end = self.length + octets.len();
        self.octets[self.length..end].copy_from_slice(octets);
        self.length = end;
    }

    /// RFC 7830 §3: padding is zeros.
    fn pad(&mut self, octets: usize) {
        self.push(option::PADDING, &[]);
        let length_at = self.length - 2;
        self.octets[length_at..self.length].copy_from_slice(&(octets as u16).to_be_bytes());
        self.octets[self.length..self.length + octets].fill(0);
        self.length += octets;
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}
