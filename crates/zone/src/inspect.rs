//! What is doubtful about contents that can be served.
//!
//! A primary may give a zone that is whole and sane and yet of no use to a validating resolver: a broken chain of NSEC
//! records, signatures that have run out, a digest that does not fit. Such a zone is the primary's, and it is not
//! rejected here; what is doubtful is said, and what follows from it is for the caller to decide.
//!
//! - Total: an image comes from strangers' octets, and nothing in it makes this panic.
//! - Bounded: one pass over the owners with a few words of memory, and a second pass where there is a ZONEMD record.
//!   Of each kind of warning the first ten are kept and the others counted.
//! - Pure: the time is an argument.
//!
//! No signature is validated, and no name hashed: whether each name has *its* NSEC3 record is not known, only whether
//! the ring is closed and has as many records as there are names.

mod nsec;
mod nsec3;
mod signatures;
mod warning;

use dns::Type;

use crate::image::{Image, Owner, Rrset};
use crate::zonemd;

pub use signatures::Horizon;
pub use warning::{NAMED_MAX, Warning, Warnings};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub warnings: Warnings,
    pub zonemd: zonemd::Verdict,
    /// When the first RRset is left without a signature that holds; none in a zone without signatures.
    pub horizon: Option<Horizon>,
}

/// Inspects contents at a moment in Unix seconds. It never fails and never panics, whatever the image holds.
///
/// The cost for each record was about 20 ns in a zone without signatures, 30 ns with a chain of NSEC records and 50 ns
/// with a ring of NSEC3 records, and what [`zonemd::verify`] takes (`examples/inspect.rs`, 600,000 to 800,000 records).
pub fn inspect(image: &Image, now_secs: u64) -> Inspection {
    let mut warnings = Warnings::default();
    let signing = Signing::of(image);
    signing.warn(image, &mut warnings);
    let mut signatures = signatures::Signatures::new(signing, now_secs);
    let mut nsec = nsec::Chain::of(image);
    let mut nsec3 = nsec3::Chains::of(image, &mut warnings);
    for owner in image.owners() {
        signatures.owner(owner, &mut warnings);
        nsec.owner(owner, &mut warnings);
        nsec3.owner(owner, &mut warnings);
    }
    nsec.close(&mut warnings);
    nsec3.close(&mut warnings);
    let horizon = signatures.horizon();
    if let Some(horizon) = &horizon {
        horizon.warn(now_secs, &mut warnings);
    }
    Inspection { warnings, zonemd: zonemd::verify(image), horizon }
}

/// When the first RRset is left without a signature that holds, as [`inspect`] finds it, without looking at anything else;
/// none in a zone whose apex is not signed.
pub fn horizon(image: &Image, now_secs: u64) -> Option<Horizon> {
    let signing = Signing::of(image);
    if !matches!(signing, Signing::Signed | Signing::SignaturesOnly) {
        return None;
    }
    let mut signatures = signatures::Signatures::new(signing, now_secs);
    let mut unsaid = Warnings::default();
    image.owners().for_each(|owner| signatures.owner(owner, &mut unsaid));
    signatures.horizon()
}

/// What the apex says about whether the zone is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signing {
    Unsigned,
    /// There are keys, but nothing at the apex is signed.
    KeysOnly,
    /// The apex is signed, but there are no keys.
    SignaturesOnly,
    Signed,
}

impl Signing {
    fn of(image: &Image) -> Self {
        let apex = image.apex_owner();
        let is_signed = apex.rrsets().any(Rrset::is_signed);
        match (apex.rrset(Type::DNSKEY).is_some(), is_signed) {
            (false, false) => Self::Unsigned,
            (true, false) => Self::KeysOnly,
            (false, true) => Self::SignaturesOnly,
            (true, true) => Self::Signed,
        }
    }

    fn warn(self, image: &Image, warnings: &mut Warnings) {
        let apex = image.apex().to_name();
        match self {
            Self::Unsigned => {}
            Self::KeysOnly => warnings.push(Warning::KeysWithoutSignatures { apex }),
            Self::SignaturesOnly => warnings.push(Warning::SignaturesWithoutKeys { apex }),
            Self::Signed => {
                let denies = |rtype| image.apex_owner().rrset(rtype).is_some();
                if !denies(Type::NSEC) && !denies(Type::NSEC3PARAM) {
                    warnings.push(Warning::NoDenial { apex });
                }
            }
        }
    }
}

/// Where an owner lies, as far as the zone's own signer minds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authoritative,
    /// There should be nothing (RFC 6672 §2.4). Where there is, Knot takes it into its chains and BIND does not; it is
    /// answered by neither, so that both are right.
    BelowDname,
    /// The child's own (RFC 4035 §2.3).
    BelowCut,
}

impl Place {
    fn of(owner: Owner<'_>) -> Self {
        match owner.occluded_by() {
            None => Self::Authoritative,
            Some(above) if above.is_cut() => Self::BelowCut,
            Some(_) => Self::BelowDname,
        }
    }
}

/// Whether an owner has records that are not there only to deny others.
fn has_data(owner: Owner<'_>) -> bool {
    owner.rrsets().any(|rrset| rrset.has_records() && !matches!(rrset.rtype(), Type::NSEC | Type::NSEC3))
}

/// Whether an owner lies directly below the apex.
fn is_child_of_apex(owner: Owner<'_>) -> bool {
    owner.parent().is_some_and(Owner::is_apex)
}
