//! Reading a query.

use dns::edns::Edns;
use dns::{Header, MessageReader, NameBuf, Question, Section, Type};

/// Additional records that a query may hold: OPT, and a signature or two. More is no query (CVE-2016-7068).
const ADDITIONAL_MAX: u16 = 4;

/// What is asked, and how.
pub(crate) struct Query<'a> {
    pub(crate) header: Header,
    pub(crate) question: Question,
    pub(crate) edns: Option<Edns<'a>>,
}

/// The query cannot be read.
pub(crate) enum Unanswerable {
    Malformed,
}

impl<'a> Query<'a> {
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, Unanswerable> {
        let malformed = |_| Unanswerable::Malformed;
        let mut reader = MessageReader::new(message).map_err(malformed)?;
        let header = reader.header();
        // RFC 9619: one question. Records in answer and authority have no meaning in a plain query.
        let [1, 0, 0, 0..=ADDITIONAL_MAX] = header.counts else {
            return Err(Unanswerable::Malformed);
        };
        let question = reader.question().map_err(malformed)?.ok_or(Unanswerable::Malformed)?;
        let mut edns = None;
        while let Some(record) = reader.record().map_err(malformed)? {
            if record.rtype != Type::OPT {
                continue;
            }
            // RFC 6891 §6.1.1: at most one OPT, at the root, in the additional section.
            let is_misplaced = record.section != Section::Additional || !is_root(&record.owner);
            if is_misplaced || edns.is_some() {
                return Err(Unanswerable::Malformed);
            }
            let options = reader.raw_rdata(&record);
            edns = Some(Edns::parse(record.class, record.ttl, options).map_err(malformed)?);
        }
        reader.finish().map_err(malformed)?;
        Ok(Self { header, question, edns })
    }

    pub(crate) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }
}

fn is_root(name: &NameBuf) -> bool {
    name.borrow().is_root()
}
