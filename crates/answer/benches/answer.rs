//! What an answer costs: `cargo bench -p answer --bench answer`, for nanoseconds, and with `-- --instructions` for
//! instructions, which do not hang on what else the machine does (this needs valgrind). `--case` and a number, from 0, takes one
//! line of the table alone.
//!
//! Two zones of a million records: one unsigned, of a million names; one signed, with a ring of NSEC3 records, whose
//! signatures have the length that ECDSA gives. And 10,000 small zones, asked for what such zones are asked for. *Hot* are sixteen names asked for in turn; *cold* are names at random, so
//! that nothing of what an answer needs is in a cache; *in batches* are cold names that are looked ahead for 32 at a time, as
//! the UDP threads do. Each answer is counted by its response code.
//!
//! Valgrind knows no instructions for SHA-1, with which processors hash in a tenth of the time that is counted here: what the
//! hash takes is said apart.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use answer::{AHEAD_MAX, Asker, Contents, Persona, Scratch, ServedZone, Transport, ZoneTable, answer, look_ahead};
use dns::writer::CompressionTable;
use dns::{CLASS_IN, MessageWriter, Name, NameRef, Question, Rcode, RecordRef, Records, Type};
use testing::instructions::Counted;
use zone::nsec3::{Hash, Parameters, SHA_1, to_label};
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance};

const UNSIGNED_NAMES: u32 = 1_000_000;
/// Each with an address, a signature, an NSEC3 record and its signature.
const SIGNED_NAMES: u32 = 250_000;
const SMALL_ZONES: u32 = 10_000;
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
    /// Many of them.
    Small,
}

#[derive(Clone, Copy)]
enum Asks {
    ForWhatIsThere,
    ForNothing,
    /// For what is there seven times in ten; aliases, wildcards, cuts and what is not there are in it.
    Mixed,
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

const CASES: [Case; 5] = [
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
    Case { what: "small zones", zone: Zone::Small, asks: Asks::Mixed, goals: [None; 3] },
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
    let only: Option<usize> = after("--case").map(|number| number.parse().unwrap());
    let is_wanted = |index: &usize| only.is_none_or(|only| only == *index);
    for (index, case) in CASES.into_iter().enumerate().filter(|(index, _)| is_wanted(index)) {
        let mut figures = Vec::new();
        if in_instructions {
            zones(case.zone);
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

/// What one answer takes, on average, of a run of this program, counted in [`measured`] alone; and what is SHA-1 of that.
fn instructions(number: usize) -> String {
    let counted = Counted::in_a_run_with(&["--one", &number.to_string()], Some("*measured*"));
    let each = |count: u64| count / COUNTED as u64;
    match each(counted.of_functions("sha1::compress")) {
        0 => each(counted.total()).to_string(),
        hashing => format!("{} ({hashing} SHA-1)", each(counted.total())),
    }
}

struct Bench {
    zones: ZoneTable,
    queries: Queries,
    scratch: Scratch,
    out: Vec<u8>,
    counts: [u64; 24],
}

/// Queries one behind the other.
#[derive(Default)]
struct Queries {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Queries {
    fn push(&mut self, query: &[u8]) {
        self.octets.extend(query);
        self.ends.push(self.octets.len());
    }

    fn count(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.octets[start..self.ends[index]]
    }
}

impl Bench {
    fn of(case: Case, count: usize) -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut queries = Queries::default();
        for _ in 0..count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (name, qtype) = question(case, state);
            queries.push(&query(&name.parse().unwrap(), qtype, case.zone));
        }
        Self {
            zones: ZoneTable::new(zones(case.zone)),
            queries,
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

/// What is asked for, by the dice.
fn question(case: Case, dice: u64) -> (String, Type) {
    let below = |count: u32| (dice % u64::from(count)) as u32;
    match (case.asks, case.zone) {
        (Asks::ForWhatIsThere, Zone::Signed) => (name(below(SIGNED_NAMES)).to_string(), Type::A),
        (Asks::ForWhatIsThere, _) => (name(below(UNSIGNED_NAMES)).to_string(), Type::A),
        (Asks::ForNothing, Zone::Signed) => (format!("x{:07}.bench.test.", below(SIGNED_NAMES)), Type::A),
        (Asks::ForNothing, _) => (format!("x{:07}.bench.test.", below(UNSIGNED_NAMES)), Type::A),
        (Asks::Mixed, _) => {
            let apex = small_apex(below(SMALL_ZONES));
            let (first, qtype) = match (dice >> 32) % 40 {
                0..8 => ("", [Type::A, Type::AAAA, Type::TXT, Type::NS][(dice >> 48) as usize % 4]),
                8..13 => ("www.", Type::A),
                13..18 => ("", Type::MX),
                18..23 => ("mail.", Type::A),
                23..28 => ("api.", Type::A),
                28..34 => ("nx.", Type::A),
                34..36 => ("h.app.", Type::A),
                36..38 => ("www.sub.", Type::A),
                _ => ("api.", Type::SRV),
            };
            (format!("{first}{apex}"), qtype)
        }
    }
}

fn small_apex(number: u32) -> String {
    // Spread, so that neighbours in number are none in anything else.
    format!("z{:x}.test.", number.wrapping_mul(0x9e37_79b1))
}

fn name(number: u32) -> Name {
    format!("n{number:07}.bench.test.").parse().unwrap()
}

fn query(name: &Name, qtype: Type, zone: Zone) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 0x1234, 0);
    writer.question(&Question { name: name.borrow().into(), qtype, qclass: CLASS_IN }).unwrap();
    writer.opt(1232, Rcode::NOERROR, zone == Zone::Signed, &[]).unwrap();
    let length = writer.finish();
    out.truncate(length);
    out
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}

fn zones(zone: Zone) -> Vec<Arc<ServedZone>> {
    let served = |number: u64, image: Image| {
        let apex = image.apex().to_name();
        let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image }));
        Arc::new(ServedZone::new(ZoneId(number), TenantId::DEFAULT, apex, contents))
    };
    match zone {
        Zone::Small => (0..SMALL_ZONES).map(|number| served(u64::from(number), small(number))).collect(),
        Zone::Unsigned | Zone::Signed => vec![served(1, image(zone))],
    }
}

fn small(number: u32) -> Image {
    let text = "@ 3600 SOA ns1 host 1 7200 3600 1209600 300\n@ 3600 NS ns1\n@ 3600 NS ns2\nns1 3600 A 192.0.2.1\n\
        ns2 3600 A 192.0.2.2\n@ 3600 A 192.0.2.5\n@ 3600 AAAA 2001:db8::5\n@ 3600 MX 10 mail\nmail 3600 A 192.0.2.3\n\
        @ 3600 TXT \"v=spf1 mx -all\"\nwww 3600 CNAME @\napi 3600 A 192.0.2.6\n*.app 3600 A 192.0.2.7\n\
        sub 3600 NS ns1.sub\nns1.sub 3600 A 192.0.2.8\n";
    let apex = small_apex(number);
    let mut records = Records::new();
    dns::text::zone_from_text(&apex, text).unwrap().iter().for_each(|record| records.push(record));
    let apex: Name = apex.parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image
}

/// Made once, then read: under valgrind making it would take minutes.
fn image(zone: Zone) -> Image {
    let (file, records): (_, fn() -> Records) = match zone {
        Zone::Signed => ("bench-signed.image", signed),
        Zone::Unsigned | Zone::Small => ("bench-unsigned.image", unsigned),
    };
    let file = directory().join(file);
    if let Ok(octets) = std::fs::read(&file)
        && let Ok(image) = Image::from_bytes(octets.into())
    {
        return image;
    }
    let apex: Name = "bench.test.".parse().unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records()), [7; 16], Limits::default()).unwrap().image;
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
