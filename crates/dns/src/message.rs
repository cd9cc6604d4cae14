//! Reading messages (RFC 1035 §4).
//!
//! [`MessageReader`] walks a message from front to back without allocating; every read is checked. It says what is
//! there and judges nothing: whether two OPT records or a foreign class are wrong is for its callers to say.

use std::fmt;
use std::ops::Range;

use crate::name::{NameBuf, NameError, NameRef};
use crate::rdata;
use crate::rtype::Type;

/// Octets of a message's header.
pub const HEADER_OCTETS: usize = 12;
/// The longest message, in octets: TCP's length prefix has two (RFC 1035 §4.2.2).
pub const MESSAGE_OCTETS_MAX: usize = 65_535;

/// Why octets are not a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the message ends too early")]
    Truncated,
    #[error("a name in the message is damaged")]
    Name,
    #[error("the data of a record of type {0} does not have that type's shape")]
    Rdata(Type),
    #[error("an EDNS option is longer than the record that holds it")]
    Edns,
    #[error("octets follow the last record")]
    TrailingOctets,
}

impl From<NameError> for Malformed {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Truncated => Self::Truncated,
            _ => Self::Name,
        }
    }
}

/// What a message asks for (RFC 6895 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opcode(pub u8);

impl Opcode {
    pub const QUERY: Self = Self(0);
    pub const NOTIFY: Self = Self(4);
    pub const UPDATE: Self = Self(5);
}

/// A response code, with its upper bits from EDNS or TSIG where there are any (RFC 6895 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rcode(pub u16);

impl Rcode {
    pub const NOERROR: Self = Self(0);
    pub const FORMERR: Self = Self(1);
    pub const SERVFAIL: Self = Self(2);
    pub const NXDOMAIN: Self = Self(3);
    pub const NOTIMP: Self = Self(4);
    pub const REFUSED: Self = Self(5);
    pub const YXDOMAIN: Self = Self(6);
    pub const NOTAUTH: Self = Self(9);
    pub const NOTZONE: Self = Self(10);
    pub const BADVERS: Self = Self(16);
    pub const BADSIG: Self = Self(16);
    pub const BADKEY: Self = Self(17);
    pub const BADTIME: Self = Self(18);
    pub const BADTRUNC: Self = Self(22);
    pub const BADCOOKIE: Self = Self(23);
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..=15 => write!(f, "{}", domain::base::iana::Rcode::masked_from_int(self.0 as u8)),
            other => write!(f, "RCODE{other}"),
        }
    }
}

/// A message's header (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub id: u16,
    /// The second 16 bits: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE.
    pub flags: u16,
    /// Question, answer, authority, additional.
    pub counts: [u16; 4],
}

impl Header {
    pub const QR: u16 = 0x8000;
    pub const AA: u16 = 0x0400;
    pub const TC: u16 = 0x0200;
    pub const RD: u16 = 0x0100;
    pub const RA: u16 = 0x0080;
    pub const AD: u16 = 0x0020;
    pub const CD: u16 = 0x0010;

    /// Reads the first twelve octets of a message.
    #[inline]
    pub fn parse(message: &[u8]) -> Option<Self> {
        let octets = message.get(..HEADER_OCTETS)?;
        let number = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
        Some(Self { id: number(0), flags: number(2), counts: [number(4), number(6), number(8), number(10)] })
    }

    #[inline]
    pub fn to_octets(self) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        let [questions, answers, authority, additional] = self.counts;
        for (at, number) in [self.id, self.flags, questions, answers, authority, additional].iter().enumerate() {
            octets[2 * at..2 * at + 2].copy_from_slice(&number.to_be_bytes());
        }
        octets
    }

    /// The flags of a request with this opcode.
    pub fn request_flags(opcode: Opcode) -> u16 {
        u16::from(opcode.0 & 0xf) << 11
    }

    #[inline]
    pub fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    #[inline]
    pub fn is_response(self) -> bool {
        self.has(Self::QR)
    }

    #[inline]
    pub fn opcode(self) -> Opcode {
        Opcode((self.flags >> 11) as u8 & 0xf)
    }

    /// The response code without its EDNS bits.
    pub fn rcode(self) -> Rcode {
        Rcode(self.flags & 0xf)
    }
}

/// The question of a message.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub name: NameBuf,
    pub qtype: Type,
    pub qclass: u16,
}

/// The question of a message, whose name lies in the message.
#[derive(Clone, Copy, Debug)]
pub struct QuestionRef<'a> {
    pub name: NameRef<'a>,
    pub qtype: Type,
    pub qclass: u16,
}

/// The sections that hold records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Answer = 1,
    Authority = 2,
    Additional = 3,
}

/// A record as it stands in a message: its RDATA is still there, compressed.
#[derive(Clone, Debug)]
pub struct WireRecord {
    pub section: Section,
    pub owner: NameBuf,
    pub rtype: Type,
    pub class: u16,
    pub ttl: u32,
    /// Where the RDATA is in the message.
    pub rdata: Range<usize>,
    /// Where the record starts in the message: TSIG signs everything before it.
    pub start: usize,
}

/// What stands around a record's RDATA in a message; of its owner only whether that is the root.
#[derive(Clone, Debug)]
pub struct RecordHead {
    pub section: Section,
    pub is_of_root: bool,
    pub rtype: Type,
    pub class: u16,
    pub ttl: u32,
    /// Where the RDATA is in the message.
    pub rdata: Range<usize>,
}

/// Walks a message: first its questions, then its records.
#[derive(Clone)]
pub struct MessageReader<'a> {
    message: &'a [u8],
    header: Header,
    at: usize,
    /// Sections' entries that are still to be read.
    left: [u16; 4],
}

impl<'a> MessageReader<'a> {
    /// # Errors
    /// When there is no whole header.
    #[inline]
    pub fn new(message: &'a [u8]) -> Result<Self, Malformed> {
        let header = Header::parse(message).ok_or(Malformed::Truncated)?;
        Ok(Self { message, header, at: HEADER_OCTETS, left: header.counts })
    }

    #[inline]
    pub fn header(&self) -> Header {
        self.header
    }

    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The offset of what will be read next.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The next question, or none when all have been read.
    pub fn question(&mut self) -> Result<Option<Question>, Malformed> {
        if self.left[0] == 0 {
            return Ok(None);
        }
        let (name, after) = NameBuf::read(self.message, self.at)?;
        let qtype = Type(self.u16_at(after)?);
        let qclass = self.u16_at(after + 2)?;
        self.at = after + 4;
        self.left[0] -= 1;
        Ok(Some(Question { name, qtype, qclass }))
    }

    /// The first question, without copying its name: there is nothing before it that it could be compressed against.
    #[inline]
    pub fn first_question(&mut self) -> Result<Option<QuestionRef<'a>>, Malformed> {
        if self.left[0] == 0 {
            return Ok(None);
        }
        let name = NameRef::prefix_of(&self.message[self.at..])?;
        let after = self.at + name.octets();
        let qtype = Type(self.u16_at(after)?);
        let qclass = self.u16_at(after + 2)?;
        self.at = after + 4;
        self.left[0] -= 1;
        Ok(Some(QuestionRef { name, qtype, qclass }))
    }

    /// The next record, whatever its section, or none behind the last one. Questions not yet read are passed over.
    pub fn record(&mut self) -> Result<Option<WireRecord>, Malformed> {
        while self.question()?.is_some() {}
        let Some(section) = self.section() else { return Ok(None) };
        let start = self.at;
        let (owner, after) = NameBuf::read(self.message, start)?;
        let RecordHead { rtype, class, ttl, rdata, .. } = self.behind_owner(section, after)?;
        Ok(Some(WireRecord { section, owner, rtype, class, ttl, rdata, start }))
    }

    /// As [`MessageReader::record`], for those who read many: the owner goes into a name that is there already.
    #[inline]
    pub fn record_of(&mut self, owner: &mut NameBuf) -> Result<Option<RecordHead>, Malformed> {
        while self.left[0] > 0 {
            self.question()?;
        }
        let Some(section) = self.section() else { return Ok(None) };
        let after = owner.set_to(self.message, self.at)?;
        let head = self.behind_owner(section, after)?;
        Ok(Some(RecordHead { is_of_root: owner.borrow().is_root(), ..head }))
    }

    /// As [`MessageReader::record`], for those who look at roots' records alone.
    #[inline]
    pub fn record_head(&mut self) -> Result<Option<RecordHead>, Malformed> {
        while self.left[0] > 0 {
            self.question()?;
        }
        let Some(section) = self.section() else { return Ok(None) };
        let is_of_root = self.message.get(self.at) == Some(&0);
        let after = if is_of_root { self.at + 1 } else { NameBuf::read(self.message, self.at)?.1 };
        let head = self.behind_owner(section, after)?;
        Ok(Some(RecordHead { is_of_root, ..head }))
    }

    /// The section of the next record.
    #[inline]
    fn section(&self) -> Option<Section> {
        match self.left {
            [_, 0, 0, 0] => None,
            [_, 0, 0, _] => Some(Section::Additional),
            [_, 0, _, _] => Some(Section::Authority),
            _ => Some(Section::Answer),
        }
    }

    #[inline]
    fn behind_owner(&mut self, section: Section, after: usize) -> Result<RecordHead, Malformed> {
        let fixed = self.message.get(after..after + 10).ok_or(Malformed::Truncated)?;
        let rdata_start = after + 10;
        let rdata_end = rdata_start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        if rdata_end > self.message.len() {
            return Err(Malformed::Truncated);
        }
        self.at = rdata_end;
        self.left[section as usize] -= 1;
        Ok(RecordHead {
            section,
            is_of_root: false,
            rtype: Type(u16::from_be_bytes([fixed[0], fixed[1]])),
            class: u16::from_be_bytes([fixed[2], fixed[3]]),
            ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            rdata: rdata_start..rdata_end,
        })
    }

    /// Checks a record's RDATA and appends it to `out` uncompressed.
    pub fn rdata(&self, record: &WireRecord, out: &mut Vec<u8>) -> Result<(), Malformed> {
        rdata::expand(record.rtype, self.message, record.rdata.clone(), out)
    }

    /// The same for a record whose owner is elsewhere.
    #[inline]
    pub fn rdata_of(&self, head: &RecordHead, out: &mut Vec<u8>) -> Result<(), Malformed> {
        rdata::expand(head.rtype, self.message, head.rdata.clone(), out)
    }

    /// A record's RDATA as it stands in the message.
    pub fn raw_rdata(&self, record: &WireRecord) -> &'a [u8] {
        self.octets(record.rdata.clone())
    }

    /// Octets of the message; none where it does not have them.
    #[inline]
    pub fn octets(&self, range: Range<usize>) -> &'a [u8] {
        self.message.get(range).unwrap_or_default()
    }

    /// # Errors
    /// When octets follow the last record.
    #[inline]
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.at == self.message.len() { Ok(()) } else { Err(Malformed::TrailingOctets) }
    }

    #[inline]
    fn u16_at(&self, at: usize) -> Result<u16, Malformed> {
        let octets = self.message.get(at..at + 2).ok_or(Malformed::Truncated)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }
}
