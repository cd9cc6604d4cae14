//! Are the contents those that the zone's own ZONEMD records name (RFC 8976)?
//!
//! The records are digested as the image keeps them, which is how they are served. For a zone that is sound this is
//! what RFC 8976 §3.3.1.1 asks for: duplicates count once, records outside the zone do not count. A primary that gives
//! one RRset several TTLs, or a TTL of 2³¹ and more, has digested other TTLs than are served (see
//! [`Notes`](crate::Notes)); its digest does not fit then, and it is right that this is said.
//!
//! No signature is validated: without DNSSEC beside it, ZONEMD finds accidents, not forgeries (RFC 8976 §6.1). Of the
//! types whose names fold (RFC 4034 §6.2) A6 is left out, because `dns` keeps it opaque.
//!
//! The cost is one pass for each hash algorithm that has to be tried, with memory for a batch and one RRset: 210 ns for
//! each of 800,000 records of 110 octets on average (`examples/inspect.rs`), nearly all of it SHA-384. Where no record
//! has to be tried it is nothing.

use aws_lc_rs::digest::{Context, Digest, SHA384, SHA512};
use dns::{CLASS_IN, NameRef, Serial, Type, rdata};

use crate::image::{Image, Owner, Rrset, RrsetRecords};

/// How the zone becomes one sequence of octets (RFC 8976 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// All records one after the other, in canonical order.
    Simple,
}

/// What hashes that sequence (RFC 8976 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha384,
    Sha512,
}

/// What came of the comparison. Where several ZONEMD records differ in it, one that fits is enough (RFC 8976 §4); else
/// the gravest is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no ZONEMD record at the apex.
    Absent,
    /// These are the contents that were digested.
    Verified { scheme: Scheme, algorithm: Algorithm },
    /// There are only schemes and hash algorithms that this program does not know.
    Unsupported { scheme: u8, algorithm: u8 },
    /// The record belongs to another version of the zone.
    SerialMismatch { zone: Serial, zonemd: Serial },
    /// Several records have one scheme and one hash algorithm: none of them may be used (RFC 8976 §4).
    Duplicate { scheme: Scheme, algorithm: Algorithm },
    /// These are other contents than were digested.
    Mismatch { scheme: Scheme, algorithm: Algorithm },
}

impl Verdict {
    /// The stable name for programs, for example `serial_mismatch`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Verified { .. } => "verified",
            Self::Unsupported { .. } => "unsupported",
            Self::SerialMismatch { .. } => "serial_mismatch",
            Self::Duplicate { .. } => "duplicate",
            Self::Mismatch { .. } => "mismatch",
        }
    }

    fn gravity(self) -> u8 {
        match self {
            Self::Absent | Self::Verified { .. } => 0,
            Self::Unsupported { .. } => 1,
            Self::SerialMismatch { .. } => 2,
            Self::Duplicate { .. } => 3,
            Self::Mismatch { .. } => 4,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("the zone has no ZONEMD record"),
            Self::Verified { algorithm, .. } => write!(f, "the zone is what its ZONEMD record says, by {algorithm}"),
            Self::Unsupported { scheme, algorithm } => {
                write!(
                    f,
                    "the ZONEMD record has scheme {scheme} and hash algorithm {algorithm}, which we do not know"
                )
            }
            Self::SerialMismatch { zone, zonemd } => {
                write!(f, "the ZONEMD record is for serial {zonemd}, and the zone has serial {zone}")
            }
            Self::Duplicate { algorithm, .. } => {
                write!(f, "there are several ZONEMD records for {algorithm}, so that none of them counts")
            }
            Self::Mismatch { algorithm, .. } => {
                write!(f, "the zone is not what its ZONEMD record says, by {algorithm}")
            }
        }
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Simple => "SIMPLE",
        })
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Compares the contents with the ZONEMD records at the apex (RFC 8976 §4).
///
/// Records elsewhere are data like any other (RFC 8976 §2.1). One too short to have a digest counts for nothing.
pub fn verify(image: &Image) -> Verdict {
    let records = image.apex_owner().rrset(Type::ZONEMD).map(Rrset::records);
    let mut claims: Vec<Claim<'_>> =
        records.into_iter().flatten().filter_map(|record| Claim::parse(record.rdata)).collect();
    claims.sort_by_key(|claim| (claim.scheme, claim.algorithm));
    let verdicts = claims.chunk_by(|a, b| (a.scheme, a.algorithm) == (b.scheme, b.algorithm));
    let verdicts = verdicts.map(|claims| judge(claims, image));
    let mut gravest = Verdict::Absent;
    for verdict in verdicts {
        if let Verdict::Verified { .. } = verdict {
            return verdict;
        }
        if verdict.gravity() > gravest.gravity() {
            gravest = verdict;
        }
    }
    gravest
}

/// What one ZONEMD record says (RFC 8976 §2.2).
struct Claim<'a> {
    serial: Serial,
    scheme: u8,
    algorithm: u8,
    digest: &'a [u8],
}

impl<'a> Claim<'a> {
    fn parse(rdata: &'a [u8]) -> Option<Self> {
        let ([a, b, c, d, scheme, algorithm], digest) = rdata.split_first_chunk()?;
        let serial = Serial(u32::from_be_bytes([*a, *b, *c, *d]));
        Some(Self { serial, scheme: *scheme, algorithm: *algorithm, digest })
    }
}

/// The verdict on the claims of one scheme and hash algorithm, of which there is at least one.
fn judge(claims: &[Claim<'_>], image: &Image) -> Verdict {
    let claim = &claims[0];
    let (scheme, algorithm) = match (claim.scheme, claim.algorithm) {
        (1, 1) => (Scheme::Simple, Algorithm::Sha384),
        (1, 2) => (Scheme::Simple, Algorithm::Sha512),
        (scheme, algorithm) => return Verdict::Unsupported { scheme, algorithm },
    };
    if claims.len() > 1 {
        return Verdict::Duplicate { scheme, algorithm };
    }
    if claim.serial != image.serial() {
        return Verdict::SerialMismatch { zone: image.serial(), zonemd: claim.serial };
    }
    if simple_digest(image, algorithm).as_ref() == claim.digest {
        Verdict::Verified { scheme, algorithm }
    } else {
        Verdict::Mismatch { scheme, algorithm }
    }
}

/// The digest of the SIMPLE scheme (RFC 8976 §3.3.1).
fn simple_digest(image: &Image, algorithm: Algorithm) -> Digest {
    let mut collator = Collator::new(algorithm);
    image.owners().for_each(|owner| collator.owner(owner));
    collator.finish()
}

/// Octets that are handed to the hash at a time: calling it for each field costs more than hashing.
const BATCH_OCTETS: usize = 16 * 1024;

/// Writes records in canonical form (RFC 4034 §6.2) and order (RFC 4034 §6.3) into a hash.
struct Collator {
    context: Context,
    batch: Vec<u8>,
    /// The canonical RDATA of one RRset, one after the other, and where each is.
    rdata: Vec<u8>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl Collator {
    fn new(algorithm: Algorithm) -> Self {
        let context = Context::new(match algorithm {
            Algorithm::Sha384 => &SHA384,
            Algorithm::Sha512 => &SHA512,
        });
        Self { context, batch: Vec::with_capacity(2 * BATCH_OCTETS), rdata: Vec::new(), ranges: Vec::new() }
    }

    /// An owner's RRsets by the numbers of their types, its RRSIGs as one of them (RFC 8976 §3.3.1.2). The image has
    /// each RRSIG beside what it covers; in the order of what they cover they are in canonical order, because that is
    /// what their data begins with (RFC 4034 §3.1).
    fn owner(&mut self, owner: Owner<'_>) {
        let is_apex = owner.is_apex();
        // RFC 8976 §3.3.1.1: neither the apex's ZONEMD records nor the RRSIGs over them.
        let digested = || owner.rrsets().filter(move |rrset| !(is_apex && rrset.rtype() == Type::ZONEMD));
        let before = digested().take_while(|rrset| rrset.rtype() < Type::RRSIG);
        before.for_each(|rrset| self.rrset(owner.name(), rrset.records()));
        digested().for_each(|rrset| self.rrset(owner.name(), rrset.signatures()));
        let behind = digested().filter(|rrset| rrset.rtype() > Type::RRSIG);
        behind.for_each(|rrset| self.rrset(owner.name(), rrset.records()));
    }

    fn rrset(&mut self, owner: NameRef<'_>, records: RrsetRecords<'_>) {
        self.rdata.clear();
        self.ranges.clear();
        let Some(first) = records.clone().next() else {
            return;
        };
        for record in records {
            let start = self.rdata.len();
            rdata::fold_into(record.rtype, record.rdata, &mut self.rdata);
            self.ranges.push(start..self.rdata.len());
        }
        // The image has them in the order of their octets as sent: another one only where case makes it so.
        let folded = &self.rdata;
        self.ranges.sort_by(|a, b| folded[a.clone()].cmp(&folded[b.clone()]));
        for range in &self.ranges {
            self.batch.extend(owner.as_wire().iter().map(u8::to_ascii_lowercase));
            self.batch.extend(first.rtype.0.to_be_bytes());
            self.batch.extend(CLASS_IN.to_be_bytes());
            self.batch.extend(first.ttl.to_be_bytes());
            self.batch.extend((range.len() as u16).to_be_bytes());
            self.batch.extend(&folded[range.clone()]);
            if self.batch.len() >= BATCH_OCTETS {
                self.context.update(&self.batch);
                self.batch.clear();
            }
        }
    }

    fn finish(mut self) -> Digest {
        self.context.update(&self.batch);
        self.context.finish()
    }
}
