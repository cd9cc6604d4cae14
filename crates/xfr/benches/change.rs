//! What a change of a zone costs on its way from messages to an image: `cargo bench -p xfr --bench change`, for nanoseconds, and
//! with `-- --instructions` for instructions, which do not hang on what else the machine does (this needs valgrind).
//!
//! *Read* is a whole transfer's messages to records; *build* records to an image; *inspect* what is looked for in it before it is
//! served; each for one of the zone's records. *Advance* is one change of one record of that zone, laid over the image, and
//! *merge* the same image built anew with 1,000 such changes, again for one of its records.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use dns::writer::CompressionTable;
use dns::{CLASS_IN, Header, MessageWriter, Name, QuestionRef, Records, Section, Serial, Type};
use testing::instructions::Counted;
use xfr::session::{Fetch, Outcome, Progress, Session, SessionLimits};
use zone::{Change, Diff, Image, Limits, advance, inspect};

const NAMES: u32 = 500_000;
/// Under valgrind, where everything takes fifty times as long.
const NAMES_COUNTED: u32 = 20_000;
const CHANGES: u32 = 1_000;
const ROUNDS: usize = 5;
const ID: u16 = 0x1234;
const MESSAGE_OCTETS: usize = 16_384;
const NOW_SECS: u64 = 1_800_000_000;

/// A stage, and what one of is measured.
#[derive(Clone, Copy)]
enum Stage {
    Read,
    Build,
    Inspect,
    Advance,
    Merge,
}

const STAGES: [(Stage, &str); 5] = [
    (Stage::Read, "read, a record"),
    (Stage::Build, "build, a record"),
    (Stage::Inspect, "inspect, a record"),
    (Stage::Advance, "advance, a change"),
    (Stage::Merge, "merge, a record"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--one") {
        let (stage, _) = STAGES[arguments[at + 1].parse::<usize>().unwrap()];
        Zone::of(NAMES_COUNTED).run(stage);
        return;
    }
    let in_instructions = arguments.iter().any(|argument| argument == "--instructions");
    println!("{:<20} {:>12}", "", if in_instructions { "instructions" } else { "ns" });
    let zone = Zone::of(if in_instructions { NAMES_COUNTED } else { NAMES });
    for (number, (stage, what)) in STAGES.into_iter().enumerate() {
        let figure = if in_instructions {
            instructions(number) / zone.count(stage)
        } else {
            let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| zone.run(stage)).collect();
            rounds.sort_by(f64::total_cmp);
            rounds[ROUNDS / 2] / zone.count(stage)
        };
        println!("{what:<20} {figure:>12.0}");
    }
}

/// What is counted in [`measured`] in a run of this program.
fn instructions(number: usize) -> f64 {
    Counted::in_a_run_with(&["--one", &number.to_string()], Some("*measured*")).total() as f64
}

struct Zone {
    apex: Name,
    messages: Vec<Vec<u8>>,
    records: Records,
    image: Image,
    laid_over: Image,
}

impl Zone {
    fn of(names: u32) -> Self {
        let apex: Name = "bench.test.".parse().unwrap();
        let records = records(names);
        let image =
            advance(apex.borrow(), None, &Change::Full(records.clone()), [7; 16], Limits::default()).unwrap().image;
        let laid_over = (1..=CHANGES).fold(image.clone(), |image, serial| changed(&apex, &image, serial));
        Self { messages: messages(&apex, &records), apex, records, image, laid_over }
    }

    fn count(&self, stage: Stage) -> f64 {
        match stage {
            Stage::Advance => f64::from(CHANGES),
            Stage::Read | Stage::Build | Stage::Inspect | Stage::Merge => self.records.len() as f64,
        }
    }

    /// Nanoseconds of a whole stage.
    fn run(&self, stage: Stage) -> f64 {
        match stage {
            Stage::Read => measured(|| read(&self.apex, &self.messages)),
            Stage::Build => {
                let change = Change::Full(self.records.clone());
                measured(|| advance(self.apex.borrow(), None, &change, [7; 16], Limits::default()).unwrap())
            }
            Stage::Inspect => measured(|| inspect(&self.image, NOW_SECS)),
            Stage::Advance => measured(|| {
                (1..=CHANGES).fold(self.image.clone(), |image, serial| changed(&self.apex, &image, serial))
            }),
            Stage::Merge => measured(|| self.laid_over.merged()),
        }
    }
}

#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e9
}

fn soa(serial: u32) -> String {
    format!("@ 3600 SOA ns host {serial} 7200 3600 1209600 300\n")
}

fn of_text(text: &str) -> Records {
    dns::text::zone_from_text("bench.test.", text).unwrap()
}

fn records(names: u32) -> Records {
    let mut records = of_text(&format!("{}@ 3600 NS ns\nns 3600 A 192.0.2.1\n", soa(1)));
    for number in 0..names {
        // Neighbours in the transfer are no neighbours in the image, as in a zone that comes in no order.
        let name = format!("name{:08x}", number.wrapping_mul(0x9e37_79b1));
        of_text(&format!("{name} 3600 A 192.0.2.7\n{name} 3600 AAAA 2001:db8::7\n"))
            .iter()
            .for_each(|record| records.push(record));
    }
    records
}

/// Adds one name.
fn changed(apex: &Name, image: &Image, serial: u32) -> Image {
    let diff = Diff {
        from: Serial(serial),
        to: Serial(serial + 1),
        removed: of_text(&soa(serial)),
        added: of_text(&format!("{}new{serial} 3600 A 192.0.2.8\n", soa(serial + 1))),
    };
    advance(apex.borrow(), Some(image), &Change::Steps(vec![diff]), [7; 16], Limits::default()).unwrap().image
}

/// A whole transfer of these records, whose first is the SOA.
fn messages(apex: &Name, records: &Records) -> Vec<Vec<u8>> {
    let question = QuestionRef { name: apex.borrow(), qtype: Type::AXFR, qclass: CLASS_IN };
    let mut rest = records.iter().chain(records.iter().take(1)).peekable();
    let (mut messages, mut table) = (Vec::new(), CompressionTable::small());
    while rest.peek().is_some() {
        let mut out = vec![0; MESSAGE_OCTETS];
        let mut writer = MessageWriter::new(&mut out, MESSAGE_OCTETS, &mut table, ID, Header::QR | Header::AA);
        writer.question_ref(question).unwrap();
        while let Some(record) = rest.peek()
            && writer.record(Section::Answer, *record).is_ok()
        {
            rest.next();
        }
        let length = writer.finish();
        out.truncate(length);
        messages.push(out);
    }
    messages
}

fn read(apex: &Name, messages: &[Vec<u8>]) -> Change {
    let mut session = Session::new(apex.clone(), Fetch::Axfr, ID, None, SessionLimits::default());
    session.request(NOW_SECS);
    for message in messages {
        if let Progress::Done(Outcome::Change(change)) = session.receive(message, NOW_SECS).unwrap() {
            return change;
        }
    }
    panic!("the transfer has no end")
}
