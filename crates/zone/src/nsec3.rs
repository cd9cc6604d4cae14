//! Hashed names (RFC 5155): how a ring of NSEC3 records names what it proves.

use dns::NameRef;
use dns::name::{FOLDED_OCTETS_MAX, fold};
use sha1::block_api::compress;
use sha1::{Digest as _, Sha1};

/// The only hash algorithm (RFC 5155 §11): SHA-1.
pub const SHA_1: u8 = 1;
/// Octets of a hash.
pub const HASH_OCTETS: usize = 20;
/// Characters of a hash in base32hex: the first label of an NSEC3 record's owner.
pub const LABEL_OCTETS: usize = HASH_OCTETS * 8 / 5;
/// Iterations above which no name is hashed: resolvers answer SERVFAIL then, where fewer make the zone one that is not
/// signed, and each hash costs whoever answers (RFC 9276 Appendix A, CVE-2023-50868).
pub const ITERATIONS_MAX: u16 = 500;

/// A hashed name.
pub type Hash = [u8; HASH_OCTETS];

/// How names of a ring are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameters<'a> {
    pub algorithm: u8,
    /// Additional iterations; 0 is once.
    pub iterations: u16,
    pub salt: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads what NSEC3 and NSEC3PARAM records begin with: the parameters, the flags, and what follows.
    pub fn parse(rdata: &'a [u8]) -> Option<(Self, u8, &'a [u8])> {
        let ([algorithm, flags, high, low, salt_octets], rest) = rdata.split_first_chunk()?;
        let (salt, rest) = rest.split_at_checked(usize::from(*salt_octets))?;
        let iterations = u16::from_be_bytes([*high, *low]);
        Some((Self { algorithm: *algorithm, iterations, salt }, *flags, rest))
    }

    /// Reads an NSEC3PARAM record that says how to answer: with the algorithm that there is, and no flag set
    /// (RFC 5155 §4.1.2).
    pub fn in_use(rdata: &'a [u8]) -> Option<Self> {
        let (found, flags, _) = Self::parse(rdata)?;
        (found.algorithm == SHA_1 && flags == 0).then_some(found)
    }

    /// The hash of a name (RFC 5155 §5). It costs one round of SHA-1 or more for each iteration: the caller bounds them.
    pub fn hash(self, name: NameRef<'_>) -> Hash {
        let mut hash = match Block::folded(name) {
            Some(block) => block.salted(self.salt),
            None => salted(fold(name.as_wire(), &mut [0; FOLDED_OCTETS_MAX]), self.salt),
        };
        for _ in 0..self.iterations {
            hash = Block::of(&hash).salted(self.salt);
        }
        hash
    }
}

/// Octets of what SHA-1 takes at once.
const BLOCK_OCTETS: usize = 64;
/// Where the last block has the number of bits, behind a bit that ends what is hashed (FIPS 180-4 §5.1.1).
const BITS_AT: usize = 56;
/// What SHA-1 begins with (FIPS 180-4 §5.3.1).
const SHA_1_BEGINS: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// What is hashed as one block, as most names and all hashes are: nothing need be kept between blocks then.
struct Block {
    octets: [u8; BLOCK_OCTETS],
    count: usize,
}

impl Block {
    /// The name with its letters in lower case; none if it has no room.
    #[inline]
    fn folded(name: NameRef<'_>) -> Option<Self> {
        let mut octets = [0; BLOCK_OCTETS];
        let count = name.octets();
        if count >= BITS_AT {
            return None;
        }
        fold(name.as_wire(), &mut octets);
        Some(Self { octets, count })
    }

    fn of(hash: &Hash) -> Self {
        let mut octets = [0; BLOCK_OCTETS];
        octets[..HASH_OCTETS].copy_from_slice(hash);
        Self { octets, count: HASH_OCTETS }
    }

    #[inline]
    fn salted(mut self, salt: &[u8]) -> Hash {
        let count = self.count + salt.len();
        if count >= BITS_AT {
            return salted(&self.octets[..self.count], salt);
        }
        self.octets[self.count..count].copy_from_slice(salt);
        self.octets[count] = 0x80;
        self.octets[BITS_AT..].copy_from_slice(&(8 * count as u64).to_be_bytes());
        let mut state = SHA_1_BEGINS;
        compress(&mut state, &[self.octets]);
        let mut hash = Hash::default();
        for (to, number) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *to = number.to_be_bytes();
        }
        hash
    }
}

fn salted(octets: &[u8], salt: &[u8]) -> Hash {
    Sha1::new().chain_update(octets).chain_update(salt).finalize().into()
}

/// The hash that a label spells (RFC 4648 §7); none where it cannot be one.
pub fn from_label(label: &[u8]) -> Option<Hash> {
    let label: &[u8; LABEL_OCTETS] = label.try_into().ok()?;
    let mut hash = Hash::default();
    for (octets, characters) in hash.as_chunks_mut::<5>().0.iter_mut().zip(label.as_chunks::<8>().0) {
        let mut bits: u64 = 0;
        for character in characters {
            bits = bits << 5 | u64::from(base32hex(*character)?);
        }
        octets.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(hash)
}

/// What [`from_label`] reads, in lower case.
pub fn to_label(hash: &Hash) -> String {
    digits(hash).map(char::from).iter().collect()
}

/// The same as octets.
pub(crate) fn digits(hash: &Hash) -> [u8; LABEL_OCTETS] {
    let mut label = [0; LABEL_OCTETS];
    for ([a, b, c, d, e], characters) in hash.as_chunks::<5>().0.iter().zip(label.as_chunks_mut::<8>().0) {
        let bits = u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]);
        for (digit, character) in characters.iter_mut().rev().enumerate() {
            *character = DIGITS[(bits >> (5 * digit) & 31) as usize];
        }
    }
    label
}

/// RFC 4648 §7.
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The value of a character (RFC 4648 §7).
fn base32hex(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'v' => Some(character - b'a' + 10),
        b'A'..=b'V' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// The next hash, from what follows the parameters of an NSEC3 record (RFC 5155 §3.2).
pub fn next_hash(octets: &[u8]) -> Option<Hash> {
    let (length, rest) = octets.split_first()?;
    (usize::from(*length) == HASH_OCTETS).then(|| rest.first_chunk().copied())?
}

#[cfg(test)]
mod tests {
    use dns::Name;

    use super::{Parameters, SHA_1, from_label, salted, to_label};

    #[test]
    fn names_hash_alike_in_one_block_and_in_many() {
        let labels = "Abcdefg.".repeat(31);
        for octets in (0..255).step_by(8).skip(1) {
            let name: Name = labels[..octets - 1].parse().unwrap();
            for salt in 0..=255 {
                let salt: Vec<u8> = (0..salt).collect();
                for iterations in 0..2 {
                    let parameters = Parameters { algorithm: SHA_1, iterations, salt: &salt };
                    let mut expected = salted(&name.as_wire().to_ascii_lowercase(), &salt);
                    (0..iterations).for_each(|_| expected = salted(&expected, &salt));
                    assert_eq!(parameters.hash(name.borrow()), expected, "{name} {}", salt.len());
                }
            }
        }
    }

    #[test]
    fn names_hash_as_in_the_rfcs_example() {
        // RFC 5155 Appendix A.
        let parameters = Parameters { algorithm: SHA_1, iterations: 12, salt: &[0xaa, 0xbb, 0xcc, 0xdd] };
        for (name, label) in [
            ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("A.Example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
            ("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi"),
        ] {
            let name: Name = name.parse().unwrap();
            let hash = parameters.hash(name.borrow());
            assert_eq!(Some(hash), from_label(label.to_uppercase().as_bytes()), "{label}");
            assert_eq!(to_label(&hash), label);
        }
    }
}
