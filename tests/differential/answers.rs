//! Answers, made comparable: records without order, names without letter case.

use std::collections::BTreeSet;
use std::fmt;

use dns::edns::Edns;
use dns::{Header, Malformed, MessageReader, Name, Rcode, RecordRef, Section, Type, rdata, text};

pub(crate) const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// In lower case.
    pub(crate) owner: Name,
    pub(crate) rtype: Type,
    pub(crate) ttl_secs: u32,
    /// Names in it in lower case.
    pub(crate) rdata: Vec<u8>,
}

impl Record {
    /// The type, or the one that it signs.
    pub(crate) fn about(&self) -> Type {
        if self.rtype == Type::RRSIG { rdata::type_covered(&self.rdata) } else { self.rtype }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, rtype, ttl_secs, rdata } = self;
        f.write_str(&text::record_to_text(RecordRef { owner: owner.borrow(), rtype: *rtype, ttl: *ttl_secs, rdata }))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) rcode: Rcode,
    pub(crate) flags: u16,
    /// Answer, authority, additional without OPT.
    pub(crate) sections: [BTreeSet<Record>; 3],
    pub(crate) octets: usize,
    pub(crate) question: Name,
    pub(crate) has_edns: bool,
    /// Records that came more than once in one section.
    pub(crate) repeated: Vec<Record>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Answer(Answer),
    /// Nothing, however often it was asked.
    Silence,
    Garbage(Malformed),
}

impl Heard {
    pub(crate) fn is_truncated(&self) -> bool {
        matches!(self, Self::Answer(answer) if answer.has(Header::TC))
    }
}

impl Answer {
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = MessageReader::new(message)?;
        let header = reader.header();
        let question = reader.question()?.map_or_else(Name::root, |question| question.name.borrow().to_name());
        let mut answer = Self {
            rcode: header.rcode(),
            flags: header.flags,
            sections: Default::default(),
            octets: message.len(),
            question,
            has_edns: false,
            repeated: Vec::new(),
        };
        while let Some(record) = reader.record()? {
            if record.rtype == Type::OPT {
                let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record))?;
                answer.rcode = Rcode(u16::from(edns.rcode_high) << 4 | header.rcode().0);
                answer.has_edns = true;
                continue;
            }
            let (mut expanded, mut folded) = (Vec::new(), Vec::new());
            reader.rdata(&record, &mut expanded)?;
            fold(record.rtype, &expanded, &mut folded);
            let owner = record.owner.borrow().to_name().to_lower();
            let known = Record { owner, rtype: record.rtype, ttl_secs: record.ttl, rdata: folded };
            if !answer.sections[record.section as usize - 1].insert(known.clone()) {
                answer.repeated.push(known);
            }
        }
        reader.finish()?;
        Ok(answer)
    }

    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Aliases in the answer section.
    pub(crate) fn aliases(&self) -> usize {
        self.section(Section::Answer).iter().filter(|record| record.rtype == Type::CNAME).count()
    }

    pub(crate) fn section(&self, section: Section) -> &BTreeSet<Record> {
        &self.sections[section as usize - 1]
    }
}

/// Also where DNSSEC does not fold them: what is compared is which record it is, not how it is spelled.
fn fold(rtype: Type, octets: &[u8], out: &mut Vec<u8>) {
    for part in rdata::parts(rtype, octets) {
        match part {
            rdata::Part::Compressible(name) | rdata::Part::Name(name) => {
                out.extend(name.as_wire().iter().map(u8::to_ascii_lowercase));
            }
            rdata::Part::Octets(octets) => out.extend(octets),
        }
    }
}

/// As `dig` prints it.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ";; status: {}, flags:", self.rcode)?;
        for (flag, word) in [(Header::AA, "aa"), (Header::TC, "tc"), (Header::RA, "ra"), (Header::AD, "ad")] {
            if self.has(flag) {
                write!(f, " {word}")?;
            }
        }
        writeln!(f, "; {} octets", self.octets)?;
        for section in SECTIONS {
            if !self.section(section).is_empty() {
                writeln!(f, ";; {section:?}:")?;
            }
            for record in self.section(section) {
                writeln!(f, "{record}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => answer.fmt(f),
            Self::Silence => writeln!(f, ";; no answer"),
            Self::Garbage(error) => writeln!(f, ";; not a DNS message: {error}"),
        }
    }
}
