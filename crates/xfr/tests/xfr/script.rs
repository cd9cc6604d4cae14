//! Transfers written as text.
//!
//! One record a line, relative to `example.`; `soa N` is the SOA of serial N; `---` starts the next message.

use dns::text::zone_from_text;
use dns::writer::{CompressionTable, MessageWriter};
use dns::{CLASS_IN, Header, Name, NameBuf, Question, RecordRef, Records, Section, Type};
use xfr::session::Fetch;
use xfr::{Outcome, Progress, Reason, Session, SessionLimits};
use zone::Change;

pub(crate) const ID: u16 = 0x1234;
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn example() -> Name {
    "example.".parse().unwrap()
}

pub(crate) fn records(text: &str) -> Records {
    let line = |line: &str| match line.trim().strip_prefix("soa ") {
        Some(serial) => format!("@ 60 SOA ns host {serial} 20 30 40 50\n"),
        None => format!("{}\n", line.trim()),
    };
    zone_from_text("example.", &text.lines().map(line).collect::<String>()).unwrap()
}

/// What a message is, but for its records.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) id: u16,
    pub(crate) flags: u16,
    pub(crate) question: Option<Type>,
}

impl Envelope {
    pub(crate) fn answering(qtype: Type) -> Self {
        Self { id: ID, flags: Header::QR | Header::AA, question: Some(qtype) }
    }

    pub(crate) fn message<'a>(&self, records: impl IntoIterator<Item = RecordRef<'a>>) -> Vec<u8> {
        let mut out = vec![0; 65_535];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 65_535, &mut table, self.id, self.flags);
        if let Some(qtype) = self.question {
            let name = NameBuf::from(example().borrow());
            writer.question(&Question { name, qtype, qclass: CLASS_IN }).unwrap();
        }
        records.into_iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
        let length = writer.finish();
        out.truncate(length);
        out
    }
}

/// An SOA record that ends too early: NSD f5490dda.
pub(crate) fn short_soa() -> Records {
    let owner = example();
    let record = RecordRef { owner: owner.borrow(), rtype: Type::SOA, ttl: 60, rdata: &[0, 0, 1, 2, 3] };
    std::iter::once(record).collect()
}

/// The messages of a transfer; those after the first have no question (RFC 5936 §2.2.2).
pub(crate) fn messages(qtype: Type, text: &str) -> Vec<Vec<u8>> {
    let first = Envelope::answering(qtype);
    let later = Envelope { question: None, ..first };
    let envelopes = std::iter::once(first).chain(std::iter::repeat(later));
    text.split("---").zip(envelopes).map(|(part, envelope)| envelope.message(&records(part.trim()))).collect()
}

pub(crate) fn axfr() -> Session {
    session(Fetch::Axfr, SessionLimits::default())
}

/// An IXFR from this serial.
pub(crate) fn ixfr(ours: u32) -> Session {
    let soa_rdata = records(&format!("soa {ours}")).iter().next().unwrap().rdata.to_vec();
    session(Fetch::Ixfr { soa_rdata }, SessionLimits::default())
}

pub(crate) fn session(fetch: Fetch, limits: SessionLimits) -> Session {
    let mut session = Session::new(example(), fetch, ID, None, limits);
    session.request(NOW);
    session
}

/// Gives the session all messages, until it is over or fails.
pub(crate) fn feed(session: &mut Session, messages: &[Vec<u8>]) -> Result<Progress, Reason> {
    let mut progress = Ok(Progress::More);
    for message in messages {
        assert_eq!(progress, Ok(Progress::More), "messages come after the end");
        progress = session.receive(message, NOW);
        if progress.is_err() {
            break;
        }
    }
    progress
}

/// A result in few words: `more`, `unchanged 7`, `full 3 records`, `1→2 -2 +3`, or the reason's code.
pub(crate) fn say(result: Result<Progress, Reason>) -> String {
    match result {
        Ok(Progress::More) => "more".into(),
        Ok(Progress::Done(Outcome::Unchanged(serial))) => format!("unchanged {serial}"),
        Ok(Progress::Done(Outcome::Change(Change::Full(records)))) => format!("full {} records", records.len()),
        Ok(Progress::Done(Outcome::Change(Change::Steps(steps)))) => {
            let step = |step: &zone::Diff| {
                format!("{}→{} -{} +{}", step.from, step.to, step.removed.len(), step.added.len())
            };
            steps.iter().map(step).collect::<Vec<_>>().join(", ")
        }
        Err(reason) => reason.code().into(),
    }
}

#[track_caller]
pub(crate) fn check_axfr(text: &str, expect: &str) {
    assert_eq!(say(feed(&mut axfr(), &messages(Type::AXFR, text))), expect, "{text}");
}

/// An IXFR from serial 1.
#[track_caller]
pub(crate) fn check_ixfr(text: &str, expect: &str) {
    assert_eq!(say(feed(&mut ixfr(1), &messages(Type::IXFR, text))), expect, "{text}");
}
