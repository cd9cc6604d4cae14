//! Is everything signed that must be, and for how long do the signatures hold?
//!
//! An RRset holds until the last of its signatures runs out: one left over from a key that is gone harms nobody.
//! Times are 32-bit numbers on a circle (RFC 4034 §3.1.5), and mean the moment nearest to now.

use dns::{Name, Type};

use super::{Signing, Warning, Warnings, is_child_of_apex};
use crate::image::{Owner, Rrset};

/// The moment at which a zone begins to be bogus if nobody signs it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Unix seconds; it may have passed.
    pub at_secs: u64,
    /// The first RRset that is then left without a signature that holds.
    pub owner: Name,
    pub rtype: Type,
    /// For how many seconds in all the last signature over it was made to hold.
    pub validity_secs: u64,
}

/// Zones are signed anew days before their signatures run out; BIND, Knot and PowerDNS leave a tenth of the validity at
/// the least. With less left than this, in seconds, and than this part of the validity, nobody seems to be going to.
const LAPSES_SOON_SECS: u64 = 24 * 3600;
const LAPSES_SOON_PART: u64 = 10;

impl Horizon {
    /// From when on, in Unix seconds, it is to be said that the signatures run out.
    pub fn warned_from_secs(&self) -> u64 {
        self.at_secs.saturating_sub(LAPSES_SOON_SECS.min(self.validity_secs / LAPSES_SOON_PART))
    }

    pub(super) fn warn(&self, now_secs: u64, warnings: &mut Warnings) {
        if (self.warned_from_secs()..self.at_secs).contains(&now_secs) {
            let (owner, rtype) = (self.owner.clone(), self.rtype);
            warnings.push(Warning::SignatureLapsesSoon { owner, rtype, secs: self.at_secs - now_secs });
        }
    }
}

pub(super) struct Signatures<'a> {
    signing: Signing,
    now_secs: u64,
    first_to_lapse: Option<(Validity, Owner<'a>, Type)>,
}

impl<'a> Signatures<'a> {
    pub(super) fn new(signing: Signing, now_secs: u64) -> Self {
        Self { signing, now_secs, first_to_lapse: None }
    }

    pub(super) fn owner(&mut self, owner: Owner<'a>, warnings: &mut Warnings) {
        for rrset in owner.rrsets().filter(|rrset| rrset.has_records() && is_authoritative(owner, *rrset)) {
            if rrset.is_signed() {
                self.signed(owner, rrset, warnings);
            } else if self.signing == Signing::Signed {
                warnings.push(Warning::NotSigned { owner: owner.name().to_name(), rtype: rrset.rtype() });
            }
        }
    }

    pub(super) fn horizon(&self) -> Option<Horizon> {
        let (validity, owner, rtype) = self.first_to_lapse?;
        let at_secs = self.now_secs.saturating_add_signed(validity.ends_in_secs);
        let validity_secs = u64::try_from(validity.ends_in_secs - validity.begins_in_secs).unwrap_or(0);
        Some(Horizon { at_secs, owner: owner.name().to_name(), rtype, validity_secs })
    }

    fn signed(&mut self, owner: Owner<'a>, rrset: Rrset<'a>, warnings: &mut Warnings) {
        let rtype = rrset.rtype();
        let (mut last, mut first, mut holds) = (None::<Validity>, None, false);
        for signature in rrset.signatures() {
            let Some(validity) = Validity::parse(signature.rdata, self.now_secs) else {
                warnings.push(Warning::Unreadable { owner: owner.name().to_name(), rtype: Type::RRSIG });
                continue;
            };
            last = Some(last.filter(|last| last.ends_in_secs >= validity.ends_in_secs).unwrap_or(validity));
            if validity.begins_in_secs > 0 {
                first = Some(first.map_or(validity.begins_in_secs, |first: i64| first.min(validity.begins_in_secs)));
            }
            holds |= validity.begins_in_secs <= 0 && validity.ends_in_secs >= 0;
        }
        let Some(last) = last else {
            return;
        };
        let left_secs = last.ends_in_secs;
        if self.first_to_lapse.is_none_or(|(least, ..)| left_secs < least.ends_in_secs) {
            self.first_to_lapse = Some((last, owner, rtype));
        }
        if holds {
            return;
        }
        let owner = owner.name().to_name();
        warnings.push(match first {
            Some(secs) if left_secs >= 0 => Warning::SignatureInFuture { owner, rtype, secs: secs.unsigned_abs() },
            _ => Warning::SignatureExpired { owner, rtype, secs: left_secs.unsigned_abs() },
        });
    }
}

/// Whether an RRset is the zone's own and not the child's: at a cut, only DS and NSEC are (RFC 4035 §2.2). Below a
/// DNAME at the apex there are still NSEC3 records (RFC 5155 §3).
fn is_authoritative(owner: Owner<'_>, rrset: Rrset<'_>) -> bool {
    if owner.is_occluded() {
        return rrset.rtype() == Type::NSEC3 && is_child_of_apex(owner);
    }
    !owner.is_cut() || matches!(rrset.rtype(), Type::DS | Type::NSEC)
}

/// When a signature holds, in seconds from now; negative for the past.
#[derive(Clone, Copy)]
struct Validity {
    begins_in_secs: i64,
    ends_in_secs: i64,
}

impl Validity {
    fn parse(rdata: &[u8], now_secs: u64) -> Option<Self> {
        let times = rdata.get(8..)?.first_chunk::<8>()?;
        // RFC 1982 on the circle of 32 bits: what is less than half of it ahead lies in the future.
        let from_now = |octets: [u8; 4]| i64::from(u32::from_be_bytes(octets).wrapping_sub(now_secs as u32) as i32);
        let [e0, e1, e2, e3, i0, i1, i2, i3] = *times;
        Some(Self { begins_in_secs: from_now([i0, i1, i2, i3]), ends_in_secs: from_now([e0, e1, e2, e3]) })
    }
}
