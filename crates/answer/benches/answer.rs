//! What an answer costs: `cargo bench -p answer --bench answer`, for nanoseconds, and with `-- --instructions` for
//! instructions, which do not hang on what else the machine does (this needs valgrind).
//!
//! Two zones of a million records: one unsigned, of a million names; one signed, with a ring of NSEC3 records, whose
//! signatures have the length that ECDSA gives. *Hot* are sixteen names asked for in turn; *cold* are names at random, so
//! that nothing of what an answer needs is in a cache; *in batches* are cold names that are looked ahead for 32 at a time, as
//! the UDP threads do. Each answer is counted by its response code.
//!
//! Valgrind knows no instructions for SHA-1, with which processors hash in a tenth of the time that is counted here: what the
//! hash takes is said apart.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use answer::{AHEAD_MAX, Asker, Contents, Persona, Scratch, ServedZone, Transport, ZoneTable, answer, look_ahead};
use dns::writer::CompressionTable;
use dns::{CLASS_IN, MessageWriter, Name, NameRef, Question, Rcode, RecordRef, Records, Type};
use zone::nsec3::{Hash, Parameters, SHA_1, to_label};
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance};

const UNSIGNED_NAMES: u32 = 1_000_000;
/// Each with an address, a signature, an NSEC3 record and its signature.
const SIGNED_NAMES: u32 = 250_000;
const HOT: usize = 16;
const COLD: usize = 400_000;
/// Answers of which instructions are counted.
const COUNTED: usize = 3_200;
const ROUNDS: usize = 9;
const BATCH: usize = AHEAD_MAX;

#[derive(Clone, Copy)]
struct Case {
    what: &'static str,
    zone: Zone,
    asks: Asks,
    /// In nanoseconds, by order of [`Access::ALL`]; none where nothing is promised.
    goals: [Option<u32>; 3],
}

#[derive(Clone, Copy, PartialEq)]
enum Zone {
    Unsigned,
    Signed,
}

#[derive(Clone, Copy)]
enum Asks {
    ForWhatIsThere,
    ForNothing,
}

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Hot,
    Cold,
    ColdInBatches,
}

impl Access {
    const ALL: [Self; 3] = [Self::Hot, Self::Cold, Self::ColdInBatches];
}

const CASES: [Case; 4] = [
    Case {
        what: "answer, unsigned",
        zone: Zone::Unsigned,
        asks: Asks::ForWhatIsThere,
        goals: [Some(300), Some(900), Some(600)],
    },
    Case { what: "NXDOMAIN, unsigned", zone: Zone::Unsigned, asks: Asks::ForNothing, goals: [None; 3] },
    Case { what: "answer, signed", zone: Zone::Signed, asks: Asks::ForWhatIsThere, goals: [None; 3] },
    Case {
        what: "NXDOMAIN, NSEC3",
        zone: Zone::Signed,
        asks: Asks::ForNothing,
        goals: [Some(700), Some(1500), None],
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        |word: &str| arguments.iter().position(|argument| argument == word).map(|at| arguments[at + 1].clone());
    if let Some(number) = after("--one") {
        let number: usize = number.parse().unwrap();
        let case = CASES[number / Access::ALL.len()];
        let mut bench = Bench::of(case, COUNTED);
        bench.round(Access::ALL[number % Access::ALL.len()]);
        return;
    }
    let in_instructions = arguments.iter().any(|argument| argument == "--instructions");
    let unit = if in_instructions { "instructions" } else { "ns (median; goal)" };
    println!("{:<20} {:>19} {:>19} {:>19}   {unit}", "", "hot", "cold", "in batches");
    for (index, case) in CASES.into_iter().enumerate() {
        let mut figures = Vec::new();
        if in_instructions {
            image(case.zone);
            for access in 0..Access::ALL.len() {
                figures.push(instructions(index * Access::ALL.len() + access));
            }
        } else {
            let mut bench = Bench::of(case, COLD);
            for (access, goal) in Access::ALL.into_iter().zip(case.goals) {
                let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| bench.round(access)).collect();
                rounds.sort_by(f64::total_cmp);
                let goal = goal.map_or(String::new(), |goal| format!("; {goal}"));
                figures.push(format!("{:.0}{goal}", rounds[ROUNDS / 2]));
            }
        }
        println!("{:<20} {:>19} {:>19} {:>19}", case.what, figures[0], figures[1], figures[2]);
    }
}

/// What one answer takes, on average, of a run of this program under callgrind, which counts in [`measured`] alone; and
/// what is SHA-1 of that.
fn instructions(number: usize) -> String {
    let counted = directory().join("callgrind.out");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured*"])
        .arg(format!("--callgrind-out-file={}", counted.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--one", &number.to_string()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let counted = std::fs::read_to_string(counted).unwrap();
    let total = counted.lines().find_map(|line| line.strip_prefix("summary: ")).unwrap();
    let each = |count: u64| count / COUNTED as u64;
    match each(count_in(&counted, "sha1::compress")) {
        0 => each(total.trim().parse().unwrap()).to_string(),
        hashing => format!("{} ({hashing} SHA-1)", each(total.trim().parse().unwrap())),
    }
}

/// What callgrind has counted in functions whose names have this in them.
fn count_in(counted: &str, part: &str) -> u64 {
    let mut names = HashMap::new();
    let (mut is_in, mut is_of_callee, mut sum) = (false, false, 0);
    for line in counted.lines() {
        let function = line.strip_prefix("fn=").or(line.strip_prefix("cfn="));
        if let Some(function) = function {
            // A name is said once, behind its number: of a function, or of one that it calls.
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            let has_part = *names.entry(number).or_insert_with(|| name.contains(part));
            is_in = if line.starts_with("fn=") { has_part } else { is_in };
        } else if line.starts_with("calls=") {
            is_of_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
            let count = line.split(' ').nth(1).map_or(0, |count| count.parse().unwrap());
            sum += if is_in && !is_of_callee { count } else { 0 };
            is_of_callee = false;
        }
    }
    sum
}

struct Bench {
    zones: ZoneTable,
    queries: Queries,
    scratch: Scratch,
    out: Vec<u8>,
    counts: [u64; 24],
}

/// Queries one behind the other, each at a multiple of so many octets.
struct Queries {
    octets: Vec<u8>,
    each: usize,
}

impl Queries {
    fn count(&self) -> usize {
        self.octets.len() / self.each
    }

    fn get(&self, index: usize) -> &[u8] {
        &self.octets[index * self.each..(index + 1) * self.each]
    }
}

impl Bench {
    fn of(case: Case, count: usize) -> Self {
        let image = image(case.zone);
        let apex = image.apex().to_name();
        let contents = Contents::Live(Snapshot { generation: Generation(1), image });
        let zone = ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex, contents);
        let names = if case.zone == Zone::Signed { SIGNED_NAMES } else { UNSIGNED_NAMES };
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut octets = Vec::new();
        let mut each = 0;
        for _ in 0..count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let number = (state % u64::from(names)) as u32;
            let name = match case.asks {
                Asks::ForWhatIsThere => name(number),
                Asks::ForNothing => format!("x{number:07}.bench.test.").parse().unwrap(),
            };
            let query = query(&name, case.zone);
            each = query.len();
            octets.extend(query);
        }
        Self {
            zones: ZoneTable::new([Arc::new(zone)]),
            queries: Queries { octets, each },
            scratch: Scratch::new(),
            out: vec![0; 1232],
            counts: [0; 24],
        }
    }

    /// Nanoseconds for one answer.
    fn round(&mut self, access: Access) -> f64 {
        let start = Instant::now();
        measured(self, access);
        let nanos = start.elapsed().as_nanos() as f64 / self.queries.count() as f64;
        black_box(&self.counts);
        nanos
    }

    fn answer(&mut self, index: usize) {
        let asker = Asker::plain(Transport::Udp, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let persona = Persona::default();
        let (query, out) = (self.queries.get(index), &mut self.out);
        let outcome = answer(query, &self.zones, &asker, &persona, || 0, &mut self.scratch, out);
        self.counts[usize::from(outcome.rcode.0)] += 1;
        black_box(&self.out);
    }
}

#[inline(never)]
fn measured(bench: &mut Bench, access: Access) {
    let count = bench.queries.count();
    match access {
        Access::Hot => (0..count).for_each(|index| bench.answer(index % HOT)),
        Access::Cold => (0..count).for_each(|index| bench.answer(index)),
        Access::ColdInBatches => {
            for first in (0..count).step_by(BATCH) {
                let batch = first..first + BATCH;
                look_ahead(batch.clone().map(|index| bench.queries.get(index)), &bench.zones);
                batch.for_each(|index| bench.answer(index));
            }
        }
    }
}

fn name(number: u32) -> Name {
    format!("n{number:07}.bench.test.").parse().unwrap()
}

fn query(name: &Name, zone: Zone) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 0x1234, 0);
    writer.question(&Question { name: name.borrow().into(), qtype: Type::A, qclass: CLASS_IN }).unwrap();
    writer.opt(1232, Rcode::NOERROR, zone == Zone::Signed, &[]).unwrap();
    let length = writer.finish();
    out.truncate(length);
    out
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}

/// Made once, then read: under valgrind making it would take minutes.
fn image(zone: Zone) -> Image {
    let file = directory().join(match zone {
        Zone::Unsigned => "bench-unsigned.image",
        Zone::Signed => "bench-signed.image",
    });
    if let Ok(octets) = std::fs::read(&file)
        && let Ok(image) = Image::from_bytes(Arc::new(octets))
    {
        return image;
    }
    let records = match zone {
        Zone::Unsigned => unsigned(),
        Zone::Signed => signed(),
    };
    let apex: Name = "bench.test.".parse().unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image;
    std::fs::write(file, image.as_bytes()).unwrap();
    image
}

fn push(records: &mut Records, owner: NameRef<'_>, rtype: Type, rdata: &[u8]) {
    records.push(RecordRef { owner, rtype, ttl: 3600, rdata });
}

fn apex_records(records: &mut Records) {
    let text = "@ 3600 SOA ns host 1 7200 3600 1209600 300\n@ 3600 NS ns\nns 3600 A 192.0.2.1\n";
    dns::text::zone_from_text("bench.test.", text).unwrap().iter().for_each(|record| records.push(record));
}

fn unsigned() -> Records {
    let mut records = Records::new();
    apex_records(&mut records);
    for number in 0..UNSIGNED_NAMES {
        push(&mut records, name(number).borrow(), Type::A, &number.to_be_bytes());
    }
    records
}

fn signed() -> Records {
    let mut records = Records::new();
    apex_records(&mut records);
    let apex: Name = "bench.test.".parse().unwrap();
    let parameters = Parameters { algorithm: SHA_1, iterations: 0, salt: &[] };
    let mut hashes: Vec<Hash> = (0..SIGNED_NAMES).map(|number| parameters.hash(name(number).borrow())).collect();
    hashes.push(parameters.hash(apex.borrow()));
    hashes.sort_unstable();
    push(&mut records, apex.borrow(), Type::NSEC3PARAM, &[1, 0, 0, 0, 0]);
    for rtype in [Type::SOA, Type::NS, Type::NSEC3PARAM] {
        push(&mut records, apex.borrow(), Type::RRSIG, &signature(rtype));
    }
    for number in 0..SIGNED_NAMES {
        let name = name(number);
        push(&mut records, name.borrow(), Type::A, &number.to_be_bytes());
        push(&mut records, name.borrow(), Type::RRSIG, &signature(Type::A));
    }
    for (hash, next) in hashes.iter().zip(hashes.iter().cycle().skip(1)) {
        let owner: Name = format!("{}.bench.test.", to_label(hash)).parse().unwrap();
        let mut rdata = vec![1, 0, 0, 0, 0, 20];
        rdata.extend(next);
        rdata.extend([0, 6, 0x40, 0, 0, 0, 0, 2]);
        push(&mut records, owner.borrow(), Type::NSEC3, &rdata);
        push(&mut records, owner.borrow(), Type::RRSIG, &signature(Type::NSEC3));
    }
    records
}

/// The data of an RRSIG record with a signature of 64 octets.
fn signature(covered: Type) -> Vec<u8> {
    let mut rdata = covered.0.to_be_bytes().to_vec();
    rdata.extend([13, 3, 0, 0, 14, 16, 0x70, 0, 0, 0, 0x60, 0, 0, 0, 0, 1]);
    rdata.extend(b"\x05bench\x04test\0");
    rdata.extend([0xa5; 64]);
    rdata
}
