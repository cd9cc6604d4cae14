//! Writing messages into a buffer that the caller owns.
//!
//! Names are compressed against everything written before, letter case included, so that a name never changes its
//! spelling on the way out (RFC 4343 §4). A record is there whole or not at all.

mod compression;
#[cfg(test)]
mod tests;

use crate::edns::{Edns, opt_head};
use crate::message::{HEADER_OCTETS, Header, MESSAGE_OCTETS_MAX, Rcode, Section};
use crate::name::{LABELS_MAX, NameRef};
use crate::rdata::{self, Part};
use crate::record::RecordRef;
use crate::rtype::Type;
use crate::{CLASS_IN, Question, QuestionRef};
use compression::{Entry, NOWHERE, POINTER_TARGETS, hash, label_at};

pub use compression::CompressionTable;

/// There is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is full")]
pub struct Full;

/// A place in a message to which [`MessageWriter::rollback`] returns.
#[derive(Clone, Copy)]
pub struct Mark {
    length: usize,
    counts: [u16; 4],
}

/// Writes one message, front to back.
pub struct MessageWriter<'a> {
    out: &'a mut [u8],
    table: &'a mut CompressionTable,
    length: usize,
    /// Where the questions end and records start.
    questions_end: usize,
    /// Octets of the question's name, which is not compressed.
    question_name: usize,
    learned: Learned,
    /// Where the last owner is in memory, its octets, and where it is in the message: an RRset's records share it.
    last_owner: Option<(usize, usize, u16)>,
    tail: Tail,
    limit: usize,
    header: Header,
}

impl<'a> MessageWriter<'a> {
    /// Starts a message of at most `limit` octets; `out` must hold at least a header.
    ///
    /// # Panics
    /// If `out` has fewer than 12 octets.
    #[inline]
    pub fn new(out: &'a mut [u8], limit: usize, table: &'a mut CompressionTable, id: u16, flags: u16) -> Self {
        assert!(out.len() >= HEADER_OCTETS, "a buffer for messages holds at least a header");
        let limit = limit.min(out.len()).min(MESSAGE_OCTETS_MAX);
        Self {
            out,
            table,
            length: HEADER_OCTETS,
            questions_end: HEADER_OCTETS,
            question_name: 0,
            learned: Learned::Nothing,
            last_owner: None,
            tail: Tail::ROOT,
            limit,
            header: Header { id, flags, counts: [0; 4] },
        }
    }

    /// Octets written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing but the header has been written.
    pub fn is_empty(&self) -> bool {
        self.length == HEADER_OCTETS
    }

    /// Octets that may still be written.
    #[inline]
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.length)
    }

    /// Keeps `octets` at the end free for what must come last; see [`MessageWriter::release`].
    #[inline]
    pub fn reserve(&mut self, octets: usize) {
        self.limit = self.limit.saturating_sub(octets);
    }

    /// Gives reserved octets free.
    #[inline]
    pub fn release(&mut self, octets: usize) {
        self.limit = (self.limit + octets).min(self.out.len());
    }

    #[inline]
    pub fn set_flag(&mut self, flag: u16) {
        self.header.flags |= flag;
    }

    #[inline]
    pub fn clear_flag(&mut self, flag: u16) {
        self.header.flags &= !flag;
    }

    /// Sets the lower four bits of the response code; the rest belongs into the OPT record.
    #[inline]
    pub fn set_rcode(&mut self, rcode: Rcode) {
        self.header.flags = self.header.flags & !0xf | rcode.0 & 0xf;
    }

    #[inline]
    pub fn count(&self, section: Section) -> u16 {
        self.header.counts[section as usize]
    }

    /// Writes the question; there is one at the most (RFC 9619).
    pub fn question(&mut self, question: &Question) -> Result<(), Full> {
        let Question { name, qtype, qclass } = question;
        self.question_ref(QuestionRef { name: name.borrow(), qtype: *qtype, qclass: *qclass })
    }

    /// As [`MessageWriter::question`].
    #[inline]
    pub fn question_ref(&mut self, question: QuestionRef<'_>) -> Result<(), Full> {
        let mark = self.mark();
        self.octets(question.name.as_wire())
            .and_then(|()| self.octets(&question.qtype.0.to_be_bytes()))
            .and_then(|()| self.octets(&question.qclass.to_be_bytes()))
            .inspect_err(|_| self.rollback(mark))?;
        self.header.counts[0] += 1;
        self.questions_end = self.length;
        self.question_name = question.name.octets();
        Ok(())
    }

    /// Appends a record of class IN.
    #[inline]
    pub fn record(&mut self, section: Section, record: RecordRef<'_>) -> Result<(), Full> {
        self.record_of_class(section, record, CLASS_IN)
    }

    pub fn record_of_class(&mut self, section: Section, record: RecordRef<'_>, class: u16) -> Result<(), Full> {
        let mark = self.mark();
        self.record_parts(record, class).inspect_err(|_| self.rollback(mark))?;
        self.header.counts[section as usize] += 1;
        Ok(())
    }

    /// Appends an OPT record; `options` are in wire form.
    #[inline]
    pub fn opt(&mut self, udp_octets: u16, rcode: Rcode, dnssec_ok: bool, options: &[u8]) -> Result<(), Full> {
        let options_octets = u16::try_from(options.len()).map_err(|_| Full)?;
        let ttl = Edns::ttl((rcode.0 >> 4) as u8, crate::edns::VERSION, dnssec_ok);
        let head = opt_head(udp_octets, ttl, options_octets);
        if self.length + head.len() + options.len() > self.limit {
            return Err(Full);
        }
        self.octets(&head)?;
        self.octets(options)?;
        self.header.counts[Section::Additional as usize] += 1;
        Ok(())
    }

    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { length: self.length, counts: self.header.counts }
    }

    /// Takes back everything written after `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.length = mark.length;
        self.header.counts = mark.counts;
        self.last_owner = None;
        if usize::from(self.tail.offset) + self.tail.octets > mark.length {
            self.tail = Tail::ROOT;
        }
        if self.learned != Learned::Nothing {
            self.table.remove_from(mark.length);
        }
    }

    /// Takes back all records; the question stays.
    pub fn clear_records(&mut self) {
        let counts = [self.header.counts[0], 0, 0, 0];
        self.rollback(Mark { length: self.questions_end, counts });
    }

    /// Writes the header; the message is the first so many octets of the buffer.
    #[inline]
    pub fn finish(&mut self) -> usize {
        self.out[..HEADER_OCTETS].copy_from_slice(&self.header.to_octets());
        self.length
    }

    /// Appends the message to `to`, and begins another one of this ID, these flags and this limit.
    pub fn pour_into(&mut self, to: &mut Vec<u8>) {
        self.out[..HEADER_OCTETS].copy_from_slice(&self.header.to_octets());
        to.extend(&self.out[..self.length]);
        self.header.counts = [0; 4];
        self.length = HEADER_OCTETS;
        self.questions_end = HEADER_OCTETS;
        // What is still in the buffer must not be taken for what this message has.
        self.question_name = 0;
        self.learned = Learned::Nothing;
        self.last_owner = None;
        self.tail = Tail::ROOT;
    }

    fn record_parts(&mut self, record: RecordRef<'_>, class: u16) -> Result<(), Full> {
        let (rtype, rdata) = (record.rtype, record.rdata);
        let rdata_octets = u16::try_from(rdata.len()).map_err(|_| Full)?;
        let fixed = fixed(rtype, class, record.ttl, rdata_octets);
        if rdata::has_compressible_names(rtype) {
            self.owner(record.owner)?;
            self.octets(&fixed)?;
            return self.compressed(rtype, rdata);
        }
        match self.known_owner(record.owner) {
            Some(offset) => {
                let mut head = [0; 12];
                head[..2].copy_from_slice(&pointer_to(offset));
                head[2..].copy_from_slice(&fixed);
                self.pair(&head, rdata)
            }
            None => {
                self.owner(record.owner)?;
                self.pair(&fixed, rdata)
            }
        }
    }

    /// Appends RDATA with names that may be compressed, behind its length.
    #[inline(never)]
    fn compressed(&mut self, rtype: Type, rdata: &[u8]) -> Result<(), Full> {
        let start = self.length;
        for part in rdata::parts(rtype, rdata) {
            match part {
                Part::Compressible(name) => drop(self.name(name)?),
                Part::Name(name) => self.octets(name.as_wire())?,
                Part::Octets(octets) => self.octets(octets)?,
            }
        }
        let octets = (self.length - start) as u16;
        self.out[start - 2..start].copy_from_slice(&octets.to_be_bytes());
        Ok(())
    }

    /// Where an owner is that needs no looking for.
    #[inline]
    fn known_owner(&self, name: NameRef<'_>) -> Option<u16> {
        let wire = name.as_wire();
        match self.last_owner {
            Some((place, octets, offset)) if (place, octets) == (wire.as_ptr().addr(), wire.len()) => Some(offset),
            // RFC 1035 §4.1.4: most records are of the name that was asked for.
            _ => self.is_question(wire).then_some(HEADER_OCTETS as u16),
        }
    }

    #[inline(never)]
    fn owner(&mut self, name: NameRef<'_>) -> Result<(), Full> {
        if let Some(offset) = self.known_owner(name) {
            return self.octets(&pointer_to(offset));
        }
        let start = self.length;
        let offset = self.name(name)?.map_or(start, usize::from);
        let place = (name.as_wire().as_ptr().addr(), name.octets());
        // What lies too far cannot be pointed to, and the root is shorter than a pointer.
        let is_target = offset < POINTER_TARGETS && !name.is_root();
        self.last_owner = is_target.then_some((place.0, place.1, offset as u16));
        Ok(())
    }

    #[inline]
    fn octets(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.pair(octets, &[])
    }

    /// Appends both, or neither.
    #[inline]
    fn pair(&mut self, first: &[u8], second: &[u8]) -> Result<(), Full> {
        let end = self.length + first.len() + second.len();
        if end > self.limit {
            return Err(Full);
        }
        let (for_first, for_second) = self.out[self.length..end].split_at_mut(first.len());
        for_first.copy_from_slice(first);
        for_second.copy_from_slice(second);
        self.length = end;
        Ok(())
    }

    /// Appends a name, and tells what it points to if it is nothing but a pointer.
    fn name(&mut self, name: NameRef<'_>) -> Result<Option<u16>, Full> {
        let wire = name.as_wire();
        if self.is_question(wire) {
            return self.point(HEADER_OCTETS as u16);
        }
        if name.is_root() {
            return self.octets(wire).map(|()| None);
        }
        if self.learned == Learned::Nothing {
            self.learn_question(wire);
        }
        let tail = self.tail;
        // Nearly all names are the tail, or have one label before it.
        if wire.len() == tail.octets && self.is_spelled_at(tail.offset, wire) {
            return self.point(tail.offset);
        }
        let label_octets = 1 + usize::from(wire[0]);
        if wire.len() == label_octets + tail.octets && self.is_spelled_at(tail.offset, &wire[label_octets..]) {
            return match self.find(&wire[..label_octets], tail.offset) {
                Ok(offset) if usize::from(offset) < POINTER_TARGETS => self.point(offset),
                found => self.put_before(&wire[..label_octets], tail.offset, found.err().flatten()),
            };
        }
        self.spell(wire)
    }

    #[inline]
    fn point(&mut self, target: u16) -> Result<Option<u16>, Full> {
        self.octets(&pointer_to(target))?;
        Ok(Some(target))
    }

    /// Writes one label before what is at `parent`.
    #[inline]
    fn put_before(&mut self, label: &[u8], parent: u16, vacancy: Option<usize>) -> Result<Option<u16>, Full> {
        let start = self.length;
        self.pair(label, &pointer_to(parent))?;
        if start < POINTER_TARGETS {
            self.table.fill(vacancy, Entry { parent, offset: start as u16 });
        }
        Ok(None)
    }

    /// Writes the labels of which nothing is known yet, and points to the rest.
    #[inline(never)]
    fn spell(&mut self, wire: &[u8]) -> Result<Option<u16>, Full> {
        let (labels, tail) = match Labels::before(wire, self.tail.octets) {
            Some(labels) if self.is_spelled_at(self.tail.offset, &wire[wire.len() - self.tail.octets..]) => {
                (labels, self.tail)
            }
            _ => {
                self.learn_tail();
                (Labels::before(wire, Tail::ROOT.octets).unwrap_or(Labels::NONE), Tail::ROOT)
            }
        };
        // A name that reaches over the last offset that can be pointed to is pointed to as far as it can be.
        let (mut unknown, mut parent, mut vacancy) = (labels.count, tail.offset, None);
        let (mut target, mut spelled) = (tail.offset, wire.len() - tail.octets);
        while unknown > 0 {
            match self.find(label_at(wire, labels.start(unknown - 1)), parent) {
                Ok(offset) => (unknown, parent) = (unknown - 1, offset),
                Err(free) => {
                    vacancy = free;
                    break;
                }
            }
            if usize::from(parent) < POINTER_TARGETS {
                (target, spelled) = (parent, labels.start(unknown));
            }
        }
        let start = self.length;
        if target == NOWHERE {
            self.octets(wire)?;
        } else {
            self.pair(&wire[..spelled], &pointer_to(target))?;
        }
        if unknown > 0 && start < POINTER_TARGETS {
            let last = labels.start(unknown - 1);
            let offset = (start + last) as u16;
            self.table.fill(vacancy, Entry { parent, offset });
            self.table.learn(&wire[..last], offset, start);
        }
        if self.tail.offset == NOWHERE && self.is_spelled_at(target, &wire[spelled..]) {
            self.tail = Tail { offset: target, octets: wire.len() - spelled };
        }
        Ok((spelled == 0).then_some(target))
    }

    /// Whether these octets stand there in what has been written.
    #[inline]
    fn is_spelled_at(&self, offset: u16, octets: &[u8]) -> bool {
        let start = usize::from(offset);
        offset != NOWHERE && start + octets.len() <= self.length && self.out[start..start + octets.len()] == *octets
    }

    /// Whether it is the name that was asked for. The root is shorter than a pointer.
    #[inline]
    fn is_question(&self, wire: &[u8]) -> bool {
        wire.len() == self.question_name && wire.len() > 1 && self.is_spelled_at(HEADER_OCTETS as u16, wire)
    }

    /// Has the labels of the question's name found. What it ends with is the first tail, if that is the first name that is
    /// written: mostly it is the apex.
    #[inline(never)]
    fn learn_question(&mut self, first: &[u8]) {
        self.table.clear();
        self.learned = Learned::All;
        let question = &self.out[HEADER_OCTETS..HEADER_OCTETS + self.question_name];
        let before_first = question.len().saturating_sub(first.len());
        if before_first > 0 && question[before_first..] == *first && is_start_of_label(question, before_first) {
            let offset = (HEADER_OCTETS + before_first) as u16;
            self.learned = Learned::BeforeTail;
            self.tail = Tail { offset, octets: first.len() };
            return self.table.learn(&question[..before_first], offset, HEADER_OCTETS);
        }
        self.table.learn(without_root(question), NOWHERE, HEADER_OCTETS);
    }

    /// Has the labels of the tail found, when there is a name that does not end with it.
    fn learn_tail(&mut self) {
        if self.learned == Learned::BeforeTail {
            self.learned = Learned::All;
            let start = usize::from(self.tail.offset);
            let tail = &self.out[start..start + self.tail.octets];
            self.table.learn(without_root(tail), NOWHERE, start);
        }
    }

    /// Where the label that starts there stands before what is at `parent`; or else where that is to be remembered.
    #[inline]
    fn find(&self, label: &[u8], parent: u16) -> Result<u16, Option<usize>> {
        let mut vacancy = None;
        for slot in self.table.probes(hash(label, parent)) {
            let entry = self.table.0[slot];
            if entry.offset == NOWHERE {
                vacancy = vacancy.or(Some(slot));
                if entry == Entry::FREE {
                    break;
                }
            } else if entry.parent == parent && self.is_spelled_at(entry.offset, label) {
                return Ok(entry.offset);
            }
        }
        Err(vacancy)
    }
}

/// A suffix that most names of a message end with, so that only what is before it need be looked for: the first one that
/// has been pointed to, which mostly is the zone's apex.
#[derive(Clone, Copy)]
struct Tail {
    /// Where it is spelled, in one piece.
    offset: u16,
    octets: usize,
}

impl Tail {
    /// What all names end with, and nobody points to.
    const ROOT: Self = Self { offset: NOWHERE, octets: 1 };
}

/// What of the question's name is in the table. Most answers need it as a whole, and nothing else.
#[derive(Clone, Copy, PartialEq)]
enum Learned {
    /// The table is still that of another message.
    Nothing,
    /// The labels before the tail, which the question's name ends with.
    BeforeTail,
    All,
}

/// Where the labels of a name in wire form start that are before its tail, from the left.
struct Labels {
    starts: [u8; LABELS_MAX],
    count: usize,
}

impl Labels {
    const NONE: Self = Self { starts: [0; LABELS_MAX], count: 0 };

    /// The labels before the last `tail_octets`; none if these do not begin with a label.
    fn before(wire: &[u8], tail_octets: usize) -> Option<Self> {
        let mut labels = Self::NONE;
        let mut at = 0;
        let end = wire.len().checked_sub(tail_octets)?;
        while at < end {
            *labels.starts.get_mut(labels.count)? = at as u8;
            labels.count += 1;
            at += 1 + usize::from(wire[at]);
        }
        (at == end).then_some(labels)
    }

    fn start(&self, index: usize) -> usize {
        usize::from(self.starts[index])
    }
}

fn fixed(rtype: Type, class: u16, ttl: u32, rdata_octets: u16) -> [u8; 10] {
    let [a, b] = rtype.0.to_be_bytes();
    let [c, d] = class.to_be_bytes();
    let [e, f, g, h] = ttl.to_be_bytes();
    let [i, j] = rdata_octets.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j]
}

fn pointer_to(offset: u16) -> [u8; 2] {
    (0xc000 | offset).to_be_bytes()
}

/// Whether a label of the name begins there.
#[inline]
fn is_start_of_label(wire: &[u8], start: usize) -> bool {
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(wire[at]);
    }
    at == start
}

/// The labels of a name; none where there is no name.
fn without_root(wire: &[u8]) -> &[u8] {
    wire.split_last().map_or(wire, |(_, labels)| labels)
}
