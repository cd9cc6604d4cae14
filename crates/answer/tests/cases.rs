//! Cases as text: zones, questions, and the whole answers. One folder for each section of an RFC, or for a promise of
//! ours.
//!
//! ```text
//! # Why the case is there.
//! zone example. tenant=2 any=full
//! @ 60 SOA ns host 1 2 3 4 300
//! @ 60 NS ns
//! nsec                       a chain of NSEC records for the zone so far
//! nsec3 12 AABB opt-out      a ring of NSEC3 records, with these iterations and this salt (-: none)
//!
//! ask www.example. A do tcp
//! NOERROR aa
//! 1 www.example. 60 A 192.0.2.1
//! 2 NSEC3 matches example.; covers www.example.
//! ```
//!
//! Questions come over UDP with EDNS, unless there is `tcp` or `plain`; `do` is DNSSEC OK. NSEC3 records are shown as what
//! they say about the name asked for, its ancestors, and the wildcards below these.
//!
//! `SECONDO_WRITE_CASES=1` writes what is answered into the files, to be read before it is believed.

#![allow(clippy::unwrap_used)]

mod asking;
mod signing;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use answer::{Contents, ServedZone, Transport, ZoneTable};
use dns::edns::Edns;
use dns::text::{record_to_text, zone_from_text};
use dns::{Header, MessageReader, Name, NameBuf, RecordRef, Records, Type};
use signing::Unsigned;
use zone::nsec3::{Parameters, from_label, next_hash, to_label};
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance, between};

#[test]
fn every_case_is_answered_as_it_says() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    assert!(files.len() >= 15, "the cases are there: {} files", files.len());
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let answered = Case::read(&text, Came::Whole).answered();
        if std::env::var_os("SECONDO_WRITE_CASES").is_some() {
            std::fs::write(&file, answered).unwrap();
        } else if answered != text {
            let difference = answered.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
            writeln!(wrong, "{}:\n{difference:?}\n{answered}", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_case_is_answered_so_too_where_changes_lie_over_an_image() {
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for way in 0..8 {
            let answered = Case::read(&text, Came::BySteps(way)).answered();
            assert_eq!(answered, text, "{} in way {way}", file.display());
        }
    }
}

/// How a zone has come to hold what it holds.
#[derive(Clone, Copy)]
enum Came {
    Whole,
    /// By a step from other contents, which differ with the number.
    BySteps(u64),
}

impl Came {
    fn image(self, apex: &Name, records: &str) -> Image {
        let whole = image(apex, records);
        let Self::BySteps(way) = self else { return whole };
        let before = before(&whole, way);
        let step = Change::Steps(vec![between(&before, &whole)]);
        let limits = Limits { rebuilt_octets_max: 0, ..Limits::default() };
        let laid_over = advance(apex.borrow(), Some(&before), &step, [2; 16], limits).unwrap().image;
        assert!(!laid_over.is_merged());
        laid_over
    }
}

/// What a step leads from to a zone: some of its records, and some beside them and below them that it has not.
fn before(whole: &Image, way: u64) -> Image {
    let apex = whole.apex();
    let mixed = |number: u64| (number + 1 + (way << 20)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let is_chosen = |number: u64| mixed(number) >> 62 != 0;
    let mut records = Records::new();
    let mut soa = whole.soa_record().rdata.to_vec();
    let serial_at = soa.len() - 20;
    soa[serial_at] ^= 0x80;
    records.push(RecordRef { rdata: &soa, ..whole.soa_record() });
    let is_nsec3 = |record: &RecordRef<'_>| record.rtype == Type::NSEC3;
    let first_of_ring = whole.records().find(is_nsec3).map(|record| record.owner);
    for (number, record) in (0..).zip(whole.records().filter(|record| record.rtype != Type::SOA)) {
        // Without these it would be no zone, or have another ring.
        let is_needed = record.owner == apex && matches!(record.rtype, Type::NS | Type::NSEC3PARAM)
            || first_of_ring == Some(record.owner);
        if is_needed || is_chosen(number) {
            records.push(record);
        }
    }
    for (number, owner) in (0..).zip(whole.owners()).filter(|(number, _)| is_chosen(*number)) {
        let label = if number % 3 == 0 { &b"\x01*"[..] } else { b"\x04gone" };
        let gone = NameBuf::concatenate(label, owner.name());
        if let Some(name) = gone.ok().filter(|name| whole.owner(name.borrow()).is_none()) {
            records.push(RecordRef { owner: name.borrow(), rtype: Type::TXT, ttl: 60, rdata: b"\x01x" });
        }
    }
    for (number, record) in (0..).zip(whole.records().filter(is_nsec3)) {
        let mut hash = [0; 20];
        hash[..8].copy_from_slice(&mixed(number).to_be_bytes());
        let label = [&[32], to_label(&hash).as_bytes()].concat();
        let name = NameBuf::concatenate(&label, apex).unwrap();
        records.push(RecordRef { owner: name.borrow(), ..record });
    }
    advance(apex, None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// A file, taken apart: the part before the first question is given back as it was.
struct Case<'a> {
    head: &'a str,
    zones: ZoneTable,
    /// Each with what stands between it and the next one, comments alone.
    questions: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Case<'a> {
    fn read(text: &'a str, came: Came) -> Self {
        let first_question = text.find("\nask ").map(|at| at + 1).expect("a case asks something");
        let (head, rest) = text.split_at(first_question);
        let mut zones: Vec<(&str, String)> = Vec::new();
        for line in head.lines().filter(|line| !line.starts_with('#')) {
            if let Some(zone) = line.strip_prefix("zone ") {
                zones.push((zone, String::new()));
            } else if let Some((heading, records)) = zones.last_mut() {
                let so_far = || image(&apex(heading), records);
                let more = match line.split_whitespace().collect::<Vec<_>>()[..] {
                    ["nsec"] => signing::chain(&so_far()),
                    ["nsec3", iterations, salt, ref more @ ..] => {
                        let unsigned = if more == ["opt-out"] { Unsigned::OptOut } else { Unsigned::Listed };
                        signing::ring(&so_far(), iterations.parse().unwrap(), salt, unsigned)
                    }
                    _ => format!("{line}\n"),
                };
                records.push_str(&more);
            }
        }
        let zones = (1..).zip(&zones).map(|(id, (heading, records))| zone(id, heading, records, came));
        let mut questions: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in rest.lines() {
            if let Some(question) = line.strip_prefix("ask ") {
                questions.push((question, Vec::new()));
            } else if line.starts_with('#') {
                questions.last_mut().unwrap().1.push(line);
            }
        }
        Self { head, zones: ZoneTable::new(zones), questions }
    }

    fn answered(&self) -> String {
        let mut text = self.head.to_owned();
        for (index, (question, comments)) in self.questions.iter().enumerate() {
            writeln!(text, "ask {question}\n{}", ask(&self.zones, question)).unwrap();
            if index + 1 < self.questions.len() {
                text.push('\n');
            }
            comments.iter().for_each(|comment| writeln!(text, "{comment}").unwrap());
        }
        text
    }
}

/// The apex that a zone's heading names.
fn apex(heading: &str) -> Name {
    heading.split_whitespace().next().unwrap().parse().unwrap()
}

fn image(apex: &Name, records: &str) -> Image {
    let records = zone_from_text(&apex.to_string(), records).unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image
}

fn zone(id: u64, heading: &str, records: &str, came: Came) -> Arc<ServedZone> {
    let apex = apex(heading);
    let words = heading.split_whitespace().skip(1);
    let snapshot = Snapshot { generation: Generation(1), image: came.image(&apex, records) };
    let mut tenant = TenantId::DEFAULT;
    let mut any_in_full = false;
    for word in words {
        match word.split_once('=') {
            Some(("tenant", number)) => tenant = TenantId(number.parse().unwrap()),
            Some(("any", "full")) => any_in_full = true,
            _ => panic!("{heading}: {word} says nothing"),
        }
    }
    let zone = ServedZone::new(ZoneId(id), tenant, apex, Contents::Live(Arc::new(snapshot)));
    zone.set_answers_any_in_full(any_in_full);
    Arc::new(zone)
}

fn ask(zones: &ZoneTable, question: &str) -> String {
    let mut words = question.split_whitespace();
    let qname: Name = words.next().unwrap().parse().unwrap();
    let qtype: Type = words.next().unwrap().parse().unwrap();
    let (mut dnssec_ok, mut transport, mut edns_octets) = (false, Transport::Udp, Some(1232));
    for word in words {
        match word {
            "do" => dnssec_ok = true,
            "tcp" => transport = Transport::Tcp,
            "plain" => edns_octets = None,
            _ => panic!("{question}: {word} says nothing"),
        }
    }
    let query = asking::query(qname.borrow(), qtype, edns_octets.map(|octets| (octets, dnssec_ok)));
    show(&asking::respond(zones, &query, transport), &qname)
}

/// A response in text: `RCODE FLAGS`, then each record behind its section's number.
fn show(response: &[u8], qname: &Name) -> String {
    let mut reader = MessageReader::new(response).unwrap();
    let header = reader.header();
    let mut text = header.rcode().to_string();
    for (flag, name) in [(Header::AA, "aa"), (Header::TC, "tc")] {
        if header.has(flag) {
            write!(text, " {name}").unwrap();
        }
    }
    let mut rdata = Vec::new();
    while let Some(record) = reader.record().unwrap() {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            edns.options().for_each(|(code, data)| write!(text, "\noption {code} {data:?}").unwrap());
            continue;
        }
        rdata.clear();
        reader.rdata(&record, &mut rdata).unwrap();
        let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
        let section = record.section as usize;
        let record = RecordRef { owner, rtype, ttl, rdata: &rdata };
        match (rtype, section) {
            (Type::NSEC3, 2) => write!(text, "\n2 NSEC3 {}", says(record, qname)).unwrap(),
            _ => write!(text, "\n{section} {}", record_to_text(record).replace(" IN ", " ")).unwrap(),
        }
    }
    reader.finish().unwrap();
    text
}

/// What an NSEC3 record says about a name, its ancestors, and the wildcards below these.
fn says(record: RecordRef<'_>, qname: &Name) -> String {
    let (parameters, flags, rest) = Parameters::parse(record.rdata).unwrap();
    let hash = from_label(record.owner.labels().next().unwrap()).unwrap();
    let next = next_hash(rest).unwrap();
    let apex = record.owner.parent().unwrap();
    let mut said = Vec::new();
    let mut name = Some(qname.borrow());
    while let Some(at) = name {
        let wildcard = zone::image::wildcard_below(at).map(|wildcard| wildcard.borrow().to_name());
        for candidate in [Some(at.to_name()), wildcard].into_iter().flatten() {
            let wanted = parameters.hash(candidate.borrow());
            let covers = if hash < next { hash < wanted && wanted < next } else { hash < wanted || wanted < next };
            if hash == wanted {
                said.push(format!("matches {candidate}"));
            } else if covers {
                said.push(format!("covers {candidate}"));
            }
        }
        name = at.parent().filter(|parent| parent.is_at_or_below(apex));
    }
    if flags == 1 {
        said.push("opt-out".into());
    }
    said.join("; ")
}
