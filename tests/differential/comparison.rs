//! What two answers differ in, and what our answer must be like whoever answers otherwise.

use std::collections::BTreeSet;
use std::fmt;

use dns::{Header, NameRef, Section, Type, rdata};
use testing::peer::Software;

use crate::answers::{Answer, Heard, Record, SECTIONS};
use crate::contents::Contents;
use crate::queries::{Query, Transport};

/// Two answers to one question.
pub(crate) struct Case<'a> {
    pub(crate) query: &'a Query,
    /// The zone that the question falls into, if it is anybody's.
    pub(crate) zone: Option<&'a Contents>,
    pub(crate) zones: &'a [Contents],
    pub(crate) peer: Software,
    pub(crate) ours: &'a Answer,
    pub(crate) theirs: &'a Answer,
}

impl<'a> Case<'a> {
    /// The name that was asked for, and those that aliases led to.
    pub(crate) fn names_on_the_way(&self) -> impl Iterator<Item = NameRef<'a>> {
        let aliases = self.ours.section(Section::Answer).iter().filter(|record| record.rtype == Type::CNAME);
        let targets = aliases.filter_map(|alias| rdata::alias_target(&alias.rdata));
        std::iter::once(self.query.name.borrow()).chain(targets)
    }

    /// The zone that a name is in.
    pub(crate) fn zone_at(&self, name: NameRef<'_>) -> Option<&'a Contents> {
        let around = self.zones.iter().filter(|zone| name.is_at_or_below(zone.apex.borrow()));
        around.max_by_key(|zone| zone.apex.borrow().label_count())
    }

    /// Whether the name is in a zone that the peer has, or in nobody's.
    pub(crate) fn is_in_what_they_serve(&self, name: NameRef<'_>) -> bool {
        self.zone_at(name).is_none_or(|zone| zone.zone.is_served_by(self.peer))
    }
}

/// What is left to explain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) rcode: bool,
    pub(crate) authoritative: bool,
    /// Records that only we have, by section.
    pub(crate) surplus: [BTreeSet<Record>; 3],
    /// Records that only they have.
    pub(crate) missing: [BTreeSet<Record>; 3],
}

impl Difference {
    pub(crate) fn between(ours: &Answer, theirs: &Answer) -> Self {
        let only = |a: &Answer, b: &Answer| SECTIONS.map(|section| a.section(section) - b.section(section));
        Self {
            rcode: ours.rcode != theirs.rcode,
            authoritative: ours.has(Header::AA) != theirs.has(Header::AA),
            surplus: only(ours, theirs),
            missing: only(theirs, ours),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn surplus(&mut self, section: Section) -> &mut BTreeSet<Record> {
        &mut self.surplus[section as usize - 1]
    }

    pub(crate) fn missing(&mut self, section: Section) -> &mut BTreeSet<Record> {
        &mut self.missing[section as usize - 1]
    }
}

/// In short, so that like differences look alike: what is ours alone with +, theirs alone with -.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.rcode {
            words.push("rcode".to_owned());
        }
        if self.authoritative {
            words.push("aa".to_owned());
        }
        for (sign, sides) in [('+', &self.surplus), ('-', &self.missing)] {
            for (section, records) in SECTIONS.iter().zip(sides) {
                let types: BTreeSet<_> = records.iter().map(|record| record.rtype.to_string()).collect();
                if !types.is_empty() {
                    let types: Vec<_> = types.into_iter().collect();
                    words.push(format!("{section:?} {sign}{}", types.join(&format!(" {sign}"))));
                }
            }
        }
        f.write_str(&words.join(", "))
    }
}

/// What is wrong with our answer, whatever others say.
pub(crate) fn faults_of_ours(query: &Query, over: Transport, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    if !answer.question.borrow().same_spelling(query.name.borrow()) {
        faults.push(format!("the question comes back as {}", answer.question));
    }
    if answer.has_edns != query.edns.is_some() {
        faults.push("there is an OPT record where none was sent, or none where one was (RFC 6891 §7)".into());
    }
    let repeated = answer.repeated.iter().map(|record| format!("it comes twice: {record}"));
    faults.extend(repeated);
    if over == Transport::Udp && answer.octets > query.udp_octets().min(dns::edns::UDP_OCTETS.into()) {
        faults.push(format!("{} octets are too many over UDP", answer.octets));
    }
    if over == Transport::Tcp && answer.has(Header::TC) {
        faults.push("it is truncated over TCP".into());
    }
    faults
}

/// What we keep free for EDNS options, whether there will be any or not, in octets.
const ROOM_FOR_OPTIONS: usize = 160;

/// What is wrong with our answer over UDP beside the one over TCP: it is whole, less what may be left out, or says
/// that it is not (RFC 2181 §9).
pub(crate) fn faults_of_shortening(query: &Query, udp: &Heard, tcp: &Heard) -> Vec<String> {
    let (Heard::Answer(udp), Heard::Answer(tcp)) = (udp, tcp) else {
        return vec!["there is no answer over UDP, or none over TCP".into()];
    };
    let fits = tcp.octets + ROOM_FOR_OPTIONS <= query.udp_octets().min(dns::edns::UDP_OCTETS.into());
    let mut faults = Vec::new();
    // Who is told to come back need not be told how a chain of aliases would end.
    if udp.rcode != tcp.rcode && !udp.has(Header::TC) || udp.has(Header::AA) != tcp.has(Header::AA) {
        faults.push("response code or AA are others over TCP".into());
    }
    if udp.has(Header::TC) {
        if fits {
            faults.push("it is truncated, and would have fitted".into());
        }
        if udp.sections.iter().any(|section| !section.is_empty()) {
            faults.push("it is truncated, and has records that nobody may use".into());
        }
        return faults;
    }
    let same = |section| udp.section(section) == tcp.section(section);
    if !same(Section::Answer) || !same(Section::Authority) {
        faults.push("records are missing over UDP, and TC is not set".into());
    }
    let (shorter, whole) = (udp.section(Section::Additional), tcp.section(Section::Additional));
    if !shorter.is_subset(whole) || fits && shorter != whole {
        faults.push("the additional section is another over TCP although there is room".into());
    }
    faults
}
