//! The digest of a zone: which contents are they, in 32 octets.
//!
//! The sum modulo 2²⁵⁶ of the BLAKE3 hash of each record (owner and RDATA with their case as served, type, TTL). A sum
//! does not care for order and can be moved forward by what went and what came.

use dns::RecordRef;

/// A zone's digest; two places with one digest hold the same zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest {
    /// Little-endian limbs of the 256-bit sum.
    limbs: [u64; 4],
}

impl Digest {
    /// Of so many records.
    pub fn of<'a>(records: impl IntoIterator<Item = RecordRef<'a>>) -> Self {
        let mut digest = Self::default();
        records.into_iter().for_each(|record| digest.add(record));
        digest
    }

    pub fn add(&mut self, record: RecordRef<'_>) {
        self.add_sum(Self { limbs: hash(record) });
    }

    /// Adds all that another one is the sum of.
    pub fn add_sum(&mut self, other: Self) {
        let mut carry = false;
        for (sum, limb) in self.limbs.iter_mut().zip(other.limbs) {
            let (partial, over) = sum.overflowing_add(limb);
            let (total, over_again) = partial.overflowing_add(u64::from(carry));
            *sum = total;
            carry = over || over_again;
        }
    }

    pub fn subtract(&mut self, record: RecordRef<'_>) {
        let mut borrow = false;
        for (sum, limb) in self.limbs.iter_mut().zip(hash(record)) {
            let (partial, under) = sum.overflowing_sub(limb);
            let (total, under_again) = partial.overflowing_sub(u64::from(borrow));
            *sum = total;
            borrow = under || under_again;
        }
    }

    pub fn to_bytes(self) -> [u8; 32] {
        let mut octets = [0; 32];
        for (chunk, limb) in octets.chunks_exact_mut(8).zip(self.limbs) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        octets
    }

    pub fn from_bytes(octets: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(octets.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*chunk);
        }
        Self { limbs }
    }
}

/// Most records have no more octets than this.
const SHORT_OCTETS: usize = 256;

fn hash(record: RecordRef<'_>) -> [u64; 4] {
    let (rtype, ttl) = (record.rtype.0.to_be_bytes(), record.ttl.to_be_bytes());
    // The owner ends itself, and everything before the RDATA has a fixed length: no two records read the same.
    let fields = [record.owner.as_wire(), &rtype, &ttl, record.rdata];
    let octets: usize = fields.iter().map(|field| field.len()).sum();
    let hash = if octets <= SHORT_OCTETS {
        // In one piece: to hand over each field costs as much as to hash them.
        let mut room = [0; SHORT_OCTETS];
        let mut at = 0;
        for field in fields {
            room[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        }
        blake3::hash(&room[..octets])
    } else {
        let mut hasher = blake3::Hasher::new();
        fields.iter().for_each(|field| {
            hasher.update(field);
        });
        hasher.finalize()
    };
    Digest::from_bytes(*hash.as_bytes()).limbs
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;
    use dns::text::zone_from_text;

    #[test]
    fn order_does_not_matter_and_removal_undoes_addition() {
        let zone = zone_from_text("example.", "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\nc 60 TXT \"x\"\n").unwrap();
        let records: Vec<_> = zone.iter().collect();
        let (mut forward, mut backward) = (Digest::default(), Digest::default());
        records.iter().for_each(|record| forward.add(*record));
        records.iter().rev().for_each(|record| backward.add(*record));
        assert_eq!(forward, backward);
        assert_eq!(Digest::from_bytes(forward.to_bytes()), forward);
        records.iter().for_each(|record| forward.subtract(*record));
        assert_eq!(forward, Digest::default());
    }

    #[test]
    fn case_and_ttl_matter() {
        let digest = |text: &str| {
            let mut digest = Digest::default();
            zone_from_text("example.", text).unwrap().iter().for_each(|record| digest.add(record));
            digest
        };
        let plain = digest("a 60 A 192.0.2.1\n");
        assert_ne!(plain, digest("A 60 A 192.0.2.1\n"));
        assert_ne!(plain, digest("a 61 A 192.0.2.1\n"));
    }
}
