//! Reading a query.

use dns::edns::{Edns, option};
use dns::{Header, Malformed, MessageReader, QuestionRef, Section, Type};

use crate::cookie::Cookie;

/// Additional records that a query may hold: OPT, and a signature or two. More is no query (CVE-2016-7068).
const ADDITIONAL_MAX: u16 = 4;

/// What is asked, and how.
pub(crate) struct Query<'a> {
    pub(crate) header: Header,
    /// None when all that is wanted is a cookie (RFC 7873 §5.4).
    pub(crate) question: Option<QuestionRef<'a>>,
    pub(crate) edns: Option<Edns<'a>>,
    pub(crate) wants: Wants<'a>,
}

/// The query cannot be read.
pub(crate) struct Unreadable;

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Self
    }
}

/// What the options of a query ask for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wants<'a> {
    /// The server's name (RFC 5001).
    pub(crate) name: bool,
    /// When the copy of the zone expires (RFC 7314).
    pub(crate) expire: bool,
    /// Which version of the zone answers (RFC 9660).
    pub(crate) zone_version: bool,
    /// For how long the connection may be idle (RFC 7828).
    pub(crate) keepalive: bool,
    /// An answer of a length that says little (RFC 7830).
    pub(crate) padding: bool,
    pub(crate) cookie: Option<Cookie<'a>>,
}

impl<'a> Query<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, Unreadable> {
        let mut reader = MessageReader::new(message)?;
        let header = reader.header();
        // RFC 9619: one question at the most. Records in answer and authority have no meaning in a plain query.
        let [0..=1, 0, 0, 0..=ADDITIONAL_MAX] = header.counts else {
            return Err(Unreadable);
        };
        let question = reader.first_question()?;
        let mut edns = None;
        while let Some(record) = reader.record_head()? {
            if record.rtype != Type::OPT {
                continue;
            }
            // RFC 6891 §6.1.1: at most one OPT, at the root, in the additional section.
            let is_misplaced = record.section != Section::Additional || !record.is_of_root;
            if is_misplaced || edns.is_some() {
                return Err(Unreadable);
            }
            let options = reader.octets(record.rdata);
            edns = Some(Edns::parse(record.class, record.ttl, options)?);
        }
        reader.finish()?;
        let wants = edns.map_or(Some(Wants::default()), |edns| Wants::of(&edns)).ok_or(Unreadable)?;
        if question.is_none() && wants.cookie.is_none() {
            return Err(Unreadable);
        }
        Ok(Self { header, question, edns, wants })
    }

    pub(crate) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }
}

impl<'a> Wants<'a> {
    /// None when an option is not as its RFC says. Options of another version of EDNS mean nothing yet.
    fn of(edns: &Edns<'a>) -> Option<Self> {
        let mut wants = Self::default();
        if edns.version != dns::edns::VERSION {
            return Some(wants);
        }
        for (code, data) in edns.options() {
            match code {
                option::NSID => wants.name = true,
                option::EXPIRE => wants.expire |= data.is_empty(),
                // RFC 9660 §3.2: empty in a query.
                option::ZONE_VERSION if !data.is_empty() => return None,
                option::ZONE_VERSION => wants.zone_version = true,
                // RFC 7828 §3.2.1: a client gives no time.
                option::KEEPALIVE => wants.keepalive |= data.is_empty(),
                option::PADDING => wants.padding = true,
                // RFC 7873 §5.2: the first one counts.
                option::COOKIE if wants.cookie.is_none() => wants.cookie = Some(Cookie::parse(data).ok()?),
                _ => {}
            }
        }
        Some(wants)
    }
}
