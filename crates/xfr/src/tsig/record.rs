//! The TSIG record at the end of a message (RFC 8945 §4.2).

use dns::message::HEADER_OCTETS;
use dns::{CLASS_ANY, Header, NameBuf, NameRef, Rcode, Type};

use super::mac::Mac;

/// The most octets that a TSIG record of ours takes: a key's name, the longest algorithm's name and MAC, and the fixed
/// fields with other data. Who signs a message leaves that much room in it.
pub const TSIG_OCTETS_MAX: usize = 255 + 10 + 26 + 10 + 64 + 6 + 6;

/// Why no TSIG record can be read; either way the whole message is to be answered FORMERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The message ends in the middle of a record.
    Message,
    /// The record is there, but not as RFC 8945 §5.1 wants it.
    Record,
}

/// A TSIG record as it was read.
#[derive(Clone)]
pub(super) struct TsigRecord<'a> {
    /// Where it starts: the message without it ends there.
    pub(super) start: usize,
    pub(super) key_name: NameBuf,
    pub(super) algorithm: NameBuf,
    pub(super) variables: Variables,
    pub(super) mac: &'a [u8],
    pub(super) original_id: u16,
    pub(super) other: &'a [u8],
}

/// The numbers that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variables {
    /// Seconds since the Unix epoch; 48 bits.
    pub(super) time_secs: u64,
    pub(super) fudge_secs: u16,
    pub(super) error: Rcode,
}

impl<'a> TsigRecord<'a> {
    /// The TSIG record that ends `message`, if it has one.
    ///
    /// # Errors
    /// When one stands elsewhere, when there are two, when its shape is wrong, and when the message cannot be walked.
    pub(super) fn find(message: &'a [u8]) -> Result<Option<Self>, Unreadable> {
        let header = Header::parse(message).ok_or(Unreadable::Message)?;
        let mut at = HEADER_OCTETS;
        for _ in 0..header.counts[0] {
            at = skip_name(message, at).ok_or(Unreadable::Message)? + 4;
        }
        let [_, answers, authority, additional] = header.counts.map(u32::from);
        let records = answers + authority + additional;
        for index in 1..=records {
            let start = at;
            let fixed_at = skip_name(message, at).ok_or(Unreadable::Message)?;
            let fixed = message.get(fixed_at..fixed_at + 10).ok_or(Unreadable::Message)?;
            at = fixed_at + 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
            if u16::from_be_bytes([fixed[0], fixed[1]]) != Type::TSIG.0 {
                continue;
            }
            // RFC 8945 §5.1: last, and only one, in the additional section.
            if index != records || additional == 0 || at != message.len() {
                return Err(Unreadable::Record);
            }
            return Self::read(message, start, fixed_at).map(Some).ok_or(Unreadable::Record);
        }
        Ok(None)
    }

    fn read(message: &'a [u8], start: usize, fixed_at: usize) -> Option<Self> {
        let (key_name, _) = NameBuf::read(message, start).ok()?;
        let class_and_ttl = message.get(fixed_at + 2..fixed_at + 8)?;
        if class_and_ttl[..2] != CLASS_ANY.to_be_bytes() || class_and_ttl[2..] != [0; 4] {
            return None;
        }
        let (algorithm, after) = NameBuf::read(message, fixed_at + 10).ok()?;
        let (numbers, rest) = message.get(after..)?.split_first_chunk::<10>()?;
        let number = |at: usize| u16::from_be_bytes([numbers[at], numbers[at + 1]]);
        let time_secs = numbers[..6].iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
        let (mac, rest) = rest.split_at_checked(usize::from(number(8)))?;
        let (tail, other) = rest.split_first_chunk::<6>()?;
        let tail_number = |at: usize| u16::from_be_bytes([tail[at], tail[at + 1]]);
        if other.len() != usize::from(tail_number(4)) {
            return None;
        }
        let variables = Variables { time_secs, fudge_secs: number(6), error: Rcode(tail_number(2)) };
        Some(Self { start, key_name, algorithm, variables, mac, original_id: tail_number(0), other })
    }

    /// The primary's clock as BADTIME gives it (RFC 8945 §5.2.3), in seconds since the Unix epoch.
    pub(super) fn other_time_secs(&self) -> Option<u64> {
        (self.other.len() == 6).then(|| self.other.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
    }

    /// Adds the message that carried this record as it was when it was signed: without the record, with its
    /// original ID (RFC 8945 §4.3.2).
    pub(super) fn digest_message(&self, message: &[u8], mac: &mut Mac) {
        let Some(mut header) = Header::parse(message) else { return };
        header.id = self.original_id;
        header.counts[3] = header.counts[3].wrapping_sub(1);
        mac.update(&header.to_octets());
        mac.update(message.get(HEADER_OCTETS..self.start).unwrap_or_default());
    }

    /// Adds the TSIG variables (RFC 8945 §4.3.3).
    pub(super) fn digest_variables(&self, mac: &mut Mac) {
        digest_variables(self.key_name.borrow(), self.algorithm.borrow(), self.variables, self.other, mac);
    }
}

impl Variables {
    /// Adds the two timers alone, as messages after the first of a stream have them (RFC 8945 §5.3.1).
    pub(super) fn digest_timers(self, mac: &mut Mac) {
        mac.update(&time_octets(self.time_secs));
        mac.update(&self.fudge_secs.to_be_bytes());
    }
}

pub(super) fn digest_variables(
    key_name: NameRef<'_>,
    algorithm: NameRef<'_>,
    variables: Variables,
    other: &[u8],
    mac: &mut Mac,
) {
    mac.update(&key_name.as_wire().to_ascii_lowercase());
    mac.update(&CLASS_ANY.to_be_bytes());
    mac.update(&[0; 4]);
    mac.update(&algorithm.as_wire().to_ascii_lowercase());
    variables.digest_timers(mac);
    mac.update(&variables.error.0.to_be_bytes());
    mac.update(&(other.len() as u16).to_be_bytes());
    mac.update(other);
}

/// What is written into a TSIG record.
pub(super) struct NewTsig<'a> {
    pub(super) key_name: NameRef<'a>,
    pub(super) algorithm: NameRef<'a>,
    pub(super) variables: Variables,
    pub(super) mac: &'a [u8],
    pub(super) original_id: u16,
    pub(super) other: &'a [u8],
}

impl NewTsig<'_> {
    /// Appends the record to a message and counts it in the header.
    pub(super) fn append_to(&self, message: &mut Vec<u8>) {
        let rdata_octets = self.algorithm.octets() + 10 + self.mac.len() + 6 + self.other.len();
        message.extend(self.key_name.as_wire());
        message.extend(Type::TSIG.0.to_be_bytes());
        message.extend(CLASS_ANY.to_be_bytes());
        message.extend([0; 4]);
        message.extend((rdata_octets as u16).to_be_bytes());
        message.extend(self.algorithm.as_wire());
        message.extend(time_octets(self.variables.time_secs));
        message.extend(self.variables.fudge_secs.to_be_bytes());
        message.extend((self.mac.len() as u16).to_be_bytes());
        message.extend(self.mac);
        message.extend(self.original_id.to_be_bytes());
        message.extend(self.variables.error.0.to_be_bytes());
        message.extend((self.other.len() as u16).to_be_bytes());
        message.extend(self.other);
        let additional = u16::from_be_bytes([message[10], message[11]]).wrapping_add(1);
        message[10..12].copy_from_slice(&additional.to_be_bytes());
    }
}

/// The 48 bits of a time in seconds.
pub(super) fn time_octets(secs: u64) -> [u8; 6] {
    let [_, _, octets @ ..] = secs.to_be_bytes();
    octets
}

/// The offset behind the name at `at`, its labels and pointers unread.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *message.get(at)?;
        match length >> 6 {
            0 if length == 0 => return Some(at + 1),
            0 => at += 1 + usize::from(length),
            3 => return Some(at + 2),
            _ => return None,
        }
    }
}
