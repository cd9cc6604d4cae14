//! What the judge reads in the messages that pass: which zone is asked for, and which version an answer shows.

use dns::{Header, MessageReader, Rcode, Section, Serial, Soa, Type};

/// A request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) zone: usize,
    pub(super) qtype: Type,
    pub(super) has_edns: bool,
    id: u16,
}

impl Asked {
    /// Reads a request of ours; the zone's number is in its name.
    pub(super) fn of(query: &[u8]) -> Option<Self> {
        let mut reader = MessageReader::new(query).ok()?;
        let header = reader.header();
        let question = reader.question().ok()??;
        let label = question.name.borrow().labels().next()?;
        let zone = std::str::from_utf8(label).ok()?.strip_prefix('z')?.parse().ok()?;
        Some(Self { zone, qtype: question.qtype, has_edns: header.counts[3] > 0, id: header.id })
    }

    /// The serial that these messages show, if they are a whole answer to the request.
    pub(super) fn shown(&self, messages: &[&[u8]]) -> Option<Serial> {
        let (mut first, mut last) = (None, None);
        let mut rdata = Vec::new();
        for message in messages {
            let mut reader = MessageReader::new(message).ok()?;
            let header = reader.header();
            let is_answer = header.id == self.id && header.rcode() == Rcode::NOERROR && !header.has(Header::TC);
            // Transfers need no AA.
            if !is_answer || self.qtype == Type::SOA && !header.has(Header::AA) {
                return None;
            }
            let question = reader.question().ok()?;
            while let Some(record) = reader.record().ok()? {
                if record.section != Section::Answer {
                    continue;
                }
                last = None;
                if record.rtype == Type::SOA && question.as_ref().is_none_or(|asked| asked.name == record.owner) {
                    rdata.clear();
                    reader.rdata(&record, &mut rdata).ok()?;
                    last = Soa::parse(&rdata).map(|soa| soa.serial);
                }
                first = first.or(Some(last));
            }
        }
        last.filter(|serial| first == Some(Some(*serial)))
    }
}
