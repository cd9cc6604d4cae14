//! Writing messages into a buffer that the caller owns.
//!
//! Names are compressed against everything written before, letter case included, so that a name never changes its
//! spelling on the way out (RFC 4343 §4). A record is there whole or not at all.

use crate::edns::{Edns, opt_head};
use crate::message::{HEADER_OCTETS, Header, MESSAGE_OCTETS_MAX, Rcode, Section};
use crate::name::{LABELS_MAX, NameRef};
use crate::rdata::{self, Part};
use crate::record::RecordRef;
use crate::{CLASS_IN, Question, QuestionRef};

/// There is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is full")]
pub struct Full;

/// Slots that one look-up may visit.
const PROBES_MAX: usize = 8;
/// Offsets from here on cannot be pointed to (RFC 1035 §4.1.4).
const POINTER_TARGETS: usize = 0x4000;
const EMPTY: u16 = 0;
const REMOVED: u16 = u16::MAX;

/// Where names start in the message being written: memory that writers use one after the other.
pub struct CompressionTable(Box<[u16]>);

impl CompressionTable {
    /// For answers: some dozens of names.
    pub fn small() -> Self {
        Self(vec![EMPTY; 128].into())
    }

    /// For messages of a transfer: as many names as can be pointed to.
    pub fn large() -> Self {
        Self(vec![EMPTY; 8192].into())
    }

    fn clear(&mut self) {
        self.0.fill(EMPTY);
    }

    fn probes(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let mask = self.0.len() - 1;
        (0..PROBES_MAX).map(move |step| (hash as usize + step) & mask)
    }

    fn insert(&mut self, hash: u32, offset: usize) {
        if offset >= POINTER_TARGETS {
            return;
        }
        let free = self.probes(hash).find(|slot| matches!(self.0[*slot], EMPTY | REMOVED));
        if let Some(slot) = free {
            self.0[slot] = offset as u16;
        }
    }

    fn remove_from(&mut self, offset: usize) {
        for slot in &mut self.0 {
            if *slot != EMPTY && usize::from(*slot) >= offset {
                *slot = REMOVED;
            }
        }
    }
}

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
    /// Whether the question's labels can be pointed to one by one. Most answers need its whole name alone.
    knows_question: bool,
    /// Where the last owner is in memory, and where in the message: an RRset's records share it.
    last_owner: Option<(usize, usize, usize)>,
    limit: usize,
    header: Header,
}

impl<'a> MessageWriter<'a> {
    /// Starts a message of at most `limit` octets; `out` must hold at least a header.
    ///
    /// # Panics
    /// If `out` has fewer than 12 octets.
    pub fn new(out: &'a mut [u8], limit: usize, table: &'a mut CompressionTable, id: u16, flags: u16) -> Self {
        assert!(out.len() >= HEADER_OCTETS, "a buffer for messages holds at least a header");
        table.clear();
        let limit = limit.min(out.len()).min(MESSAGE_OCTETS_MAX);
        Self {
            out,
            table,
            length: HEADER_OCTETS,
            questions_end: HEADER_OCTETS,
            question_name: 0,
            knows_question: false,
            last_owner: None,
            limit,
            header: Header { id, flags, counts: [0; 4] },
        }
    }

    /// Octets written so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing but the header has been written.
    pub fn is_empty(&self) -> bool {
        self.length == HEADER_OCTETS
    }

    /// Octets that may still be written.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.length)
    }

    /// Keeps `octets` at the end free for what must come last; see [`MessageWriter::release`].
    pub fn reserve(&mut self, octets: usize) {
        self.limit = self.limit.saturating_sub(octets);
    }

    /// Gives reserved octets free.
    pub fn release(&mut self, octets: usize) {
        self.limit = (self.limit + octets).min(self.out.len());
    }

    pub fn set_flag(&mut self, flag: u16) {
        self.header.flags |= flag;
    }

    pub fn clear_flag(&mut self, flag: u16) {
        self.header.flags &= !flag;
    }

    /// Sets the lower four bits of the response code; the rest belongs into the OPT record.
    pub fn set_rcode(&mut self, rcode: Rcode) {
        self.header.flags = self.header.flags & !0xf | rcode.0 & 0xf;
    }

    pub fn count(&self, section: Section) -> u16 {
        self.header.counts[section as usize]
    }

    /// Writes the question; there is one at the most (RFC 9619).
    pub fn question(&mut self, question: &Question) -> Result<(), Full> {
        let Question { name, qtype, qclass } = question;
        self.question_ref(QuestionRef { name: name.borrow(), qtype: *qtype, qclass: *qclass })
    }

    /// As [`MessageWriter::question`].
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

    pub fn mark(&self) -> Mark {
        Mark { length: self.length, counts: self.header.counts }
    }

    /// Takes back everything written after `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.length = mark.length;
        self.header.counts = mark.counts;
        self.last_owner = None;
        self.table.remove_from(mark.length);
    }

    /// Takes back all records; the question stays.
    pub fn clear_records(&mut self) {
        let counts = [self.header.counts[0], 0, 0, 0];
        self.rollback(Mark { length: self.questions_end, counts });
    }

    /// Writes the header; the message is the first so many octets of the buffer.
    pub fn finish(self) -> usize {
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
        self.last_owner = None;
        self.table.clear();
    }

    fn record_parts(&mut self, record: RecordRef<'_>, class: u16) -> Result<(), Full> {
        self.owner(record.owner)?;
        let mut fixed = [0; 10];
        fixed[..2].copy_from_slice(&record.rtype.0.to_be_bytes());
        fixed[2..4].copy_from_slice(&class.to_be_bytes());
        fixed[4..8].copy_from_slice(&record.ttl.to_be_bytes());
        self.octets(&fixed)?;
        let length_at = self.length - 2;
        for part in rdata::parts(record.rtype, record.rdata) {
            match part {
                Part::Compressible(name) => self.name(name)?,
                Part::Name(name) => self.octets(name.as_wire())?,
                Part::Octets(octets) => self.octets(octets)?,
            }
        }
        let rdata_octets = u16::try_from(self.length - length_at - 2).map_err(|_| Full)?;
        self.out[length_at..length_at + 2].copy_from_slice(&rdata_octets.to_be_bytes());
        Ok(())
    }

    fn owner(&mut self, name: NameRef<'_>) -> Result<(), Full> {
        let (place, octets) = (name.as_wire().as_ptr().addr(), name.octets());
        if let Some((_, _, offset)) = self.last_owner.filter(|last| (last.0, last.1) == (place, octets)) {
            return self.octets(&(0xc000 | offset as u16).to_be_bytes());
        }
        let offset = self.length;
        self.name(name)?;
        // What is a pointer itself is as short, and what lies too far cannot be pointed to.
        let is_spelled = self.length - offset > 2 && offset < POINTER_TARGETS;
        self.last_owner = is_spelled.then_some((place, octets, offset));
        Ok(())
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), Full> {
        let end = self.length + octets.len();
        if end > self.limit {
            return Err(Full);
        }
        self.out[self.length..end].copy_from_slice(octets);
        self.length = end;
        Ok(())
    }

    fn name(&mut self, name: NameRef<'_>) -> Result<(), Full> {
        let wire = name.as_wire();
        if name.is_root() {
            return self.octets(&[0]);
        }
        // RFC 1035 §4.1.4: most records are of the name that was asked for.
        let question = &self.out[HEADER_OCTETS..HEADER_OCTETS + self.question_name];
        if question == wire {
            return self.octets(&(0xc000 | HEADER_OCTETS as u16).to_be_bytes());
        }
        if !self.knows_question {
            self.learn_question();
        }
        let suffixes = Suffixes::of(wire);
        for index in 0..suffixes.count {
            let (hash, suffix) = suffixes.get(wire, index);
            if let Some(offset) = self.find(hash, suffix) {
                return self.octets(&(0xc000 | offset as u16).to_be_bytes());
            }
            let offset = self.length;
            self.octets(&suffix[..=usize::from(suffix[0])])?;
            self.table.insert(hash, offset);
        }
        self.octets(&[0])
    }

    /// Has the suffixes of the question's name pointed to.
    #[inline(never)]
    fn learn_question(&mut self) {
        self.knows_question = true;
        let question = &self.out[HEADER_OCTETS..HEADER_OCTETS + self.question_name];
        let suffixes = Suffixes::of(question);
        for index in 0..suffixes.count {
            let (hash, suffix) = suffixes.get(question, index);
            self.table.insert(hash, HEADER_OCTETS + question.len() - suffix.len());
        }
    }

    fn find(&self, hash: u32, suffix: &[u8]) -> Option<usize> {
        for slot in self.table.probes(hash) {
            match self.table.0[slot] {
                EMPTY => return None,
                REMOVED => {}
                offset if self.spells(usize::from(offset), suffix) => return Some(usize::from(offset)),
                _ => {}
            }
        }
        None
    }

    /// Whether the name at `offset` of what has been written is `suffix`, to the letter.
    fn spells(&self, mut offset: usize, mut suffix: &[u8]) -> bool {
        let written = &self.out[..self.length];
        loop {
            let Some(&length) = written.get(offset) else { return false };
            if length >> 6 == 3 {
                let Some(&low) = written.get(offset + 1) else { return false };
                // Only pointers that this writer has written are met here: they lead backwards.
                offset = usize::from(length & 0x3f) << 8 | usize::from(low);
                continue;
            }
            let octets = 1 + usize::from(length);
            if written.get(offset..offset + octets) != suffix.get(..octets) {
                return false;
            }
            if length == 0 {
                return true;
            }
            offset += octets;
            suffix = &suffix[octets..];
        }
    }
}

/// The suffixes of a name in wire form, from the longest on.
struct Suffixes {
    starts: [u8; LABELS_MAX + 1],
    hashes: [u32; LABELS_MAX + 1],
    count: usize,
}

impl Suffixes {
    fn of(wire: &[u8]) -> Self {
        let mut suffixes = Self { starts: [0; LABELS_MAX + 1], hashes: [0; LABELS_MAX + 1], count: 0 };
        let mut at = 0;
        while let Some(&length) = wire.get(at) {
            if length == 0 || suffixes.count == LABELS_MAX {
                break;
            }
            suffixes.starts[suffixes.count] = at as u8;
            suffixes.count += 1;
            at += 1 + usize::from(length);
        }
        let mut hash: u64 = 0;
        for index in (0..suffixes.count).rev() {
            let start = usize::from(suffixes.starts[index]);
            let octets = 1 + usize::from(wire[start]);
            hash = mixed(hash, eight_at(wire, start, octets));
            if octets > 8 {
                hash = mixed(hash, eight_at(wire, start + octets - 8, 8));
            }
            suffixes.hashes[index] = (hash >> 32) as u32;
        }
        suffixes
    }

    fn get<'w>(&self, wire: &'w [u8], index: usize) -> (u32, &'w [u8]) {
        (self.hashes[index], &wire[usize::from(self.starts[index])..])
    }
}

/// A hash goes by the first and the last eight octets of each label: names that it takes for the same are compared, and
/// there are no more of those than [`PROBES_MAX`] to compare.
fn mixed(hash: u64, octets: u64) -> u64 {
    (hash.rotate_left(5) ^ octets).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Up to eight octets as one number.
fn eight_at(wire: &[u8], at: usize, octets: usize) -> u64 {
    match wire[at..].first_chunk() {
        Some(eight) if octets >= 8 => u64::from_le_bytes(*eight),
        Some(eight) => u64::from_le_bytes(*eight) & ((1 << (8 * octets)) - 1),
        None => wire[at..].iter().take(octets).rev().fold(0, |number, octet| number << 8 | u64::from(*octet)),
    }
}

#[cfg(test)]
mod tests {
    use super::{CompressionTable, Full, MessageWriter};
    use crate::text::zone_from_text;
    use crate::{MessageReader, Records, Section};

    fn write_all(records: &Records, limit: usize) -> (Vec<u8>, Result<(), Full>) {
        let mut out = vec![0; 65_535];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, limit, &mut table, 7, 0);
        let result = records.iter().try_for_each(|record| writer.record(Section::Answer, record));
        let length = writer.finish();
        out.truncate(length);
        (out, result)
    }

    fn read_all(message: &[u8]) -> Records {
        let mut reader = MessageReader::new(message).unwrap();
        let mut records = Records::new();
        while let Some(record) = reader.record().unwrap() {
            let mut rdata = Vec::new();
            reader.rdata(&record, &mut rdata).unwrap();
            let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
            records.push(crate::RecordRef { owner, rtype, ttl, rdata: &rdata });
        }
        reader.finish().unwrap();
        records
    }

    const ZONE: &str = "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\n@ 60 MX 10 Mail\nwww 60 CNAME @\n\
                        WWW.sub 60 TXT \"x\"\nd 60 DNAME www.sub\ns 60 SRV 1 2 3 ns1\n";

    #[test]
    fn what_is_written_is_read_to_the_letter() {
        let records = zone_from_text("Example.", ZONE).unwrap();
        let (message, result) = write_all(&records, 65_535);
        assert_eq!(result, Ok(()));
        assert_eq!(read_all(&message), records);
        assert!(message.len() < 220, "names are compressed: {} octets", message.len());
    }

    #[test]
    fn a_record_is_there_whole_or_not_at_all() {
        let records = zone_from_text("Example.", ZONE).unwrap();
        let (whole, _) = write_all(&records, 65_535);
        for limit in 12..whole.len() {
            let (message, result) = write_all(&records, limit);
            assert_eq!(result, Err(Full));
            assert!(message.len() <= limit);
            let read = read_all(&message);
            assert!(records.iter().take(read.len()).eq(read.iter()));
        }
    }

    #[test]
    fn messages_follow_each_other_and_each_is_read_by_itself() {
        let records = zone_from_text("Example.", ZONE).unwrap();
        let mut out = vec![0; 512];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
        for _ in 0..2 {
            records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
            let mut message = Vec::new();
            writer.pour_into(&mut message);
            assert_eq!(read_all(&message), records);
        }
    }

    #[test]
    fn nothing_points_to_what_stood_in_the_message_before() {
        let records = zone_from_text("Example.", "@ 60 TXT \"x\"\n@ 60 NS ns\n").unwrap();
        let mut out = vec![0; 512];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
        let name = records.iter().next().unwrap().owner.into();
        writer.question(&crate::Question { name, qtype: crate::Type::AXFR, qclass: crate::CLASS_IN }).unwrap();
        for _ in 0..3 {
            records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
            let mut message = Vec::new();
            writer.pour_into(&mut message);
            assert_eq!(read_all(&message), records);
        }
    }

    #[test]
    fn what_was_taken_back_is_not_pointed_to() {
        let records = zone_from_text("example.", "a.b.c 60 A 192.0.2.1\n").unwrap();
        let other =
            zone_from_text("example.", "z 60 TXT \"........................\"\na.b.c 60 A 192.0.2.1\n").unwrap();
        let mut out = vec![0; 512];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
        let mark = writer.mark();
        records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
        writer.rollback(mark);
        other.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
        let length = writer.finish();
        assert_eq!(read_all(&out[..length]), other);
    }
}
