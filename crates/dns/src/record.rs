//! Records, one by one and many in one buffer.

use crate::name::{NameError, NameRef};
use crate::rtype::Type;

/// One record of class IN: owner, type, time to live in seconds, and RDATA without compression.
///
/// Two are equal when they are the same to the letter, the case of their owners included.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    pub owner: NameRef<'a>,
    pub rtype: Type,
    pub ttl: u32,
    pub rdata: &'a [u8],
}

impl PartialEq for RecordRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rtype == other.rtype
            && self.ttl == other.ttl
            && self.rdata == other.rdata
            && self.owner.same_spelling(other.owner)
    }
}

impl Eq for RecordRef<'_> {}

impl std::fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::text::record_to_text(*self))
    }
}

/// Many records in one buffer, in the order in which they were put there.
///
/// The buffer is also the form on disk: for each record its type, TTL, owner's and RDATA's length, owner, RDATA; all
/// numbers big-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    octets: Vec<u8>,
    count: usize,
}

const FIXED_OCTETS: usize = 2 + 4 + 1 + 2;

/// The octets are not records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored records are damaged at octet {0}")]
pub struct RecordsError(usize);

impl Records {
    pub fn new() -> Self {
        Self::default()
    }

    /// # Panics
    /// If the RDATA has more than 65,535 octets, which no message can hold.
    pub fn push(&mut self, record: RecordRef<'_>) {
        let rdata_octets = u16::try_from(record.rdata.len()).expect("RDATA comes from a message or a checked text");
        let owner = record.owner.as_wire();
        let ([t1, t2], [l1, l2, l3, l4]) = (record.rtype.0.to_be_bytes(), record.ttl.to_be_bytes());
        let [d1, d2] = rdata_octets.to_be_bytes();
        self.octets.extend_from_slice(&[t1, t2, l1, l2, l3, l4, owner.len() as u8, d1, d2]);
        self.octets.extend_from_slice(owner);
        self.octets.extend_from_slice(record.rdata);
        self.count += 1;
    }

    /// Leaves none, and the memory for as many.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.count = 0;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The memory that the records take, in octets.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.octets
    }

    /// Takes back what [`Records::as_bytes`] gave.
    ///
    /// # Errors
    /// When a length or a name does not fit: the octets were damaged.
    pub fn from_bytes(octets: Vec<u8>) -> Result<Self, RecordsError> {
        let mut at = 0;
        let mut count = 0;
        while at < octets.len() {
            at = checked(&octets, at).ok_or(RecordsError(at))?;
            count += 1;
        }
        Ok(Self { octets, count })
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { octets: &self.octets, at: 0 }
    }

    /// The record that starts at an offset that [`Iter::offset`] gave.
    pub fn at(&self, offset: usize) -> RecordRef<'_> {
        split(&self.octets, offset).0
    }
}

impl<'a> FromIterator<RecordRef<'a>> for Records {
    fn from_iter<I: IntoIterator<Item = RecordRef<'a>>>(records: I) -> Self {
        let mut all = Self::new();
        for record in records {
            all.push(record);
        }
        all
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = RecordRef<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The records in their order.
#[derive(Clone)]
pub struct Iter<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Iter<'_> {
    /// Where the next record starts.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = RecordRef<'a>;

    fn next(&mut self) -> Option<RecordRef<'a>> {
        if self.at >= self.octets.len() {
            return None;
        }
        let (record, after) = split(self.octets, self.at);
        self.at = after;
        Some(record)
    }
}

fn checked(octets: &[u8], at: usize) -> Option<usize> {
    let fixed = octets.get(at..at + FIXED_OCTETS)?;
    let owner_octets = usize::from(fixed[6]);
    let rdata_octets = usize::from(u16::from_be_bytes([fixed[7], fixed[8]]));
    let owner = octets.get(at + FIXED_OCTETS..at + FIXED_OCTETS + owner_octets)?;
    let whole: Result<usize, NameError> = NameRef::prefix_of(owner).map(NameRef::octets);
    let after = at + FIXED_OCTETS + owner_octets + rdata_octets;
    (whole == Ok(owner_octets) && after <= octets.len()).then_some(after)
}

fn split(octets: &[u8], at: usize) -> (RecordRef<'_>, usize) {
    let fixed = &octets[at..at + FIXED_OCTETS];
    let owner_at = at + FIXED_OCTETS;
    let rdata_at = owner_at + usize::from(fixed[6]);
    let after = rdata_at + usize::from(u16::from_be_bytes([fixed[7], fixed[8]]));
    let record = RecordRef {
        owner: NameRef::from_checked(&octets[owner_at..rdata_at]),
        rtype: Type(u16::from_be_bytes([fixed[0], fixed[1]])),
        ttl: u32::from_be_bytes([fixed[2], fixed[3], fixed[4], fixed[5]]),
        rdata: &octets[rdata_at..after],
    };
    (record, after)
}

#[cfg(test)]
mod tests {
    use super::Records;
    use crate::text::zone_from_text;

    #[test]
    fn records_go_to_octets_and_back() {
        let records = zone_from_text("example.", "@ 60 A 192.0.2.1\nWWW 70 TXT \"x\"\n").unwrap();
        let back = Records::from_bytes(records.as_bytes().to_vec()).unwrap();
        assert_eq!(back, records);
        assert_eq!(back.len(), 2);
    }

    #[test]
    fn damaged_octets_are_refused() {
        let records = zone_from_text("example.", "@ 60 A 192.0.2.1\n").unwrap();
        for cut in 1..records.octets() {
            assert!(Records::from_bytes(records.as_bytes()[..cut].to_vec()).is_err());
        }
    }
}
