//! What leads from one snapshot to the next.

use dns::{Records, RecordsError, Serial};

/// One step from a serial to the next: records that went and records that came, both with their SOA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    pub from: Serial,
    pub to: Serial,
    pub removed: Records,
    pub added: Records,
}

/// What a source says about a zone: everything, or the steps from the version that we hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The whole zone, its SOA once.
    Full(Records),
    /// At least one step; the first starts at our serial and each starts where the one before it ended.
    Steps(Vec<Diff>),
}

/// A stored diff cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    #[error("a stored diff ends too early")]
    Truncated,
    #[error(transparent)]
    Records(#[from] RecordsError),
}

const FIXED_OCTETS: usize = 4 + 4 + 8;

impl Diff {
    /// The step back.
    pub fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, removed: self.added, added: self.removed }
    }

    /// The form on disk: both serials, the length of the removed records, the removed and the added records.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(FIXED_OCTETS + self.octets());
        octets.extend(self.from.0.to_be_bytes());
        octets.extend(self.to.0.to_be_bytes());
        octets.extend((self.removed.octets() as u64).to_be_bytes());
        octets.extend(self.removed.as_bytes());
        octets.extend(self.added.as_bytes());
        octets
    }

    /// Takes back what [`Diff::to_bytes`] gave.
    pub fn from_bytes(octets: &[u8]) -> Result<Self, DiffError> {
        let fixed = octets.first_chunk::<FIXED_OCTETS>().ok_or(DiffError::Truncated)?;
        let serial = |at: usize| Serial(u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]));
        let removed_octets = fixed[8..].iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
        let records = &octets[FIXED_OCTETS..];
        let (removed, added) = records.split_at_checked(removed_octets).ok_or(DiffError::Truncated)?;
        Ok(Self {
            from: serial(0),
            to: serial(4),
            removed: Records::from_bytes(removed.to_vec())?,
            added: Records::from_bytes(added.to_vec())?,
        })
    }

    /// The memory that the records take, in octets.
    pub fn octets(&self) -> usize {
        self.removed.octets() + self.added.octets()
    }
}

#[cfg(test)]
mod tests {
    use super::Diff;
    use dns::Serial;
    use dns::text::zone_from_text;

    #[test]
    fn diffs_go_to_octets_and_back() {
        let diff = Diff {
            from: Serial(1),
            to: Serial(u32::MAX),
            removed: zone_from_text("example.", "a 60 A 192.0.2.1\n").unwrap(),
            added: zone_from_text("example.", "a 60 A 192.0.2.2\nb 60 TXT \"x\"\n").unwrap(),
        };
        let octets = diff.to_bytes();
        assert_eq!(Diff::from_bytes(&octets), Ok(diff));
        for cut in 0..16 {
            assert!(Diff::from_bytes(&octets[..cut]).is_err());
        }
    }
}
