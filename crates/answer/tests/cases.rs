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

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use answer::{Contents, ServedZone, Transport, ZoneTable};
use dns::edns::Edns;
use dns::text::{record_to_text, zone_from_text};
use dns::{Header, MessageReader, Name, RecordRef, Type};
use zone::image::{Owner, Rrset};
use zone::nsec3::{Hash, Parameters, SHA_1, from_label, next_hash, to_label};
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance};

#[test]
fn every_case_is_answered_as_it_says() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    assert!(files.len() >= 15, "the cases are there: {} files", files.len());
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let answered = Case::read(&text).answered();
        if std::env::var_os("SECONDO_WRITE_CASES").is_some() {
            std::fs::write(&file, answered).unwrap();
        } else if answered != text {
            let difference = answered.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
            writeln!(wrong, "{}:\n{difference:?}\n{answered}", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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
    fn read(text: &'a str) -> Self {
        let first_question = text.find("\nask ").map(|at| at + 1).expect("a case asks something");
        let (head, rest) = text.split_at(first_question);
        let mut zones: Vec<(&str, String)> = Vec::new();
        for line in head.lines().filter(|line| !line.starts_with('#')) {
            if let Some(zone) = line.strip_prefix("zone ") {
                zones.push((zone, String::new()));
            } else if let Some((heading, records)) = zones.last_mut() {
                let more = match line.split_whitespace().next() {
                    Some("nsec") => chain(heading, records),
                    Some("nsec3") => ring(heading, records, line),
                    _ => format!("{line}\n"),
                };
                records.push_str(&more);
            }
        }
        let zones = (1..).zip(&zones).map(|(id, (heading, records))| zone(id, heading, records));
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

fn image(apex: &Name, records: &str) -> Image {
    let records = zone_from_text(&apex.to_string(), records).unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image
}

fn zone(id: u64, heading: &str, records: &str) -> Arc<ServedZone> {
    let mut words = heading.split_whitespace();
    let apex: Name = words.next().unwrap().parse().unwrap();
    let snapshot = Snapshot { generation: Generation(1), image: image(&apex, records) };
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

/// The apex that a zone's heading names, and its contents so far.
fn so_far(heading: &str, records: &str) -> Image {
    image(&heading.split_whitespace().next().unwrap().parse().unwrap(), records)
}

fn types(owner: Owner<'_>) -> String {
    let here = owner.rrsets().map(Rrset::rtype);
    let at_cut = [Type::NS, Type::DS];
    here.filter(|rtype| !owner.is_cut() || at_cut.contains(rtype)).map(|rtype| format!(" {rtype}")).collect()
}

fn chain(heading: &str, records: &str) -> String {
    let image = so_far(heading, records);
    let owners: Vec<_> =
        image.owners().filter(|owner| !owner.is_occluded() && !owner.is_empty_non_terminal()).collect();
    let nexts = owners.iter().cycle().skip(1);
    owners
        .iter()
        .zip(nexts)
        .map(|(owner, next)| format!("{} 300 NSEC {}{} NSEC\n", owner.name(), next.name(), types(*owner)))
        .collect()
}

fn ring(heading: &str, records: &str, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (iterations, salt, is_opt_out) = (words[1].parse().unwrap(), words[2], words.get(3) == Some(&"opt-out"));
    let salt_octets: Vec<u8> = if salt == "-" { Vec::new() } else { octets(salt) };
    let parameters = Parameters { algorithm: SHA_1, iterations, salt: &salt_octets };
    let image = so_far(heading, records);
    let is_unsigned = |owner: Owner<'_>| owner.is_cut() && owner.rrset(Type::DS).is_none();
    let counts = |owner: Owner<'_>| {
        let has_signed_below = || {
            let below = image.owners().filter(|other| other.name().is_below(owner.name()) && !other.is_occluded());
            below.into_iter().any(|other| !other.is_empty_non_terminal() && !is_unsigned(other))
        };
        !owner.is_occluded()
            && (!is_opt_out || !is_unsigned(owner))
            && (!is_opt_out || !owner.is_empty_non_terminal() || has_signed_below())
    };
    let mut hashes: Vec<(Hash, String)> = image
        .owners()
        .filter(|owner| counts(*owner))
        .map(|owner| (parameters.hash(owner.name()), types(owner)))
        .collect();
    hashes.sort();
    let nexts = hashes.iter().cycle().skip(1);
    let records: String = hashes
        .iter()
        .zip(nexts)
        .map(|((hash, types), (next, _))| {
            let (owner, next, flags) = (to_label(hash), to_label(next), u8::from(is_opt_out));
            format!("{owner} 300 NSEC3 1 {flags} {iterations} {salt} {next}{types}\n")
        })
        .collect();
    format!("@ 0 NSEC3PARAM 1 0 {iterations} {salt}\n{records}")
}

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
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
