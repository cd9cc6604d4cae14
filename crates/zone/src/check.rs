//! Is it a sane zone? What a version must be before anything serves it.

use dns::{Name, NameRef, Type};

use crate::image::{Image, Owner};

/// Why contents are not a zone that can be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Insane {
    #[error("there are no NS records at {apex}")]
    NoApexNs { apex: Name },
    #[error("{owner} has a CNAME and {other} records (RFC 2181 §10.1 allows a CNAME only alone)")]
    CnameAndOther { owner: Name, other: Type },
    #[error("{owner} has more than one {rtype} record")]
    SeveralAliases { owner: Name, rtype: Type },
}

pub(crate) fn check(image: &Image) -> Result<(), Insane> {
    check_apex(image)?;
    image.owners().try_for_each(aliases)
}

/// The same where all that has changed is at these names.
pub(crate) fn check_at<'n>(image: &Image, mut names: impl Iterator<Item = NameRef<'n>>) -> Result<(), Insane> {
    check_apex(image)?;
    names.try_for_each(|name| image.owner(name).map_or(Ok(()), aliases))
}

fn check_apex(image: &Image) -> Result<(), Insane> {
    match image.apex_owner().rrset(Type::NS) {
        Some(_) => Ok(()),
        None => Err(Insane::NoApexNs { apex: image.apex().to_name() }),
    }
}

/// CNAME stands alone but for what DNSSEC puts beside it (RFC 4034 §4); CNAME and DNAME are single (RFC 6672 §2.4).
fn aliases(owner: Owner<'_>) -> Result<(), Insane> {
    for rtype in [Type::CNAME, Type::DNAME] {
        if owner.rrset(rtype).is_some_and(|rrset| rrset.record_count() > 1) {
            return Err(Insane::SeveralAliases { owner: owner.name().to_name(), rtype });
        }
    }
    if owner.rrset(Type::CNAME).is_none() {
        return Ok(());
    }
    let beside = |rtype: Type| !matches!(rtype, Type::CNAME | Type::NSEC | Type::RRSIG | Type::NXT | Type::SIG);
    let other = owner.rrsets().find(|rrset| rrset.record_count() > 0 && beside(rrset.rtype()));
    match other {
        Some(other) => Err(Insane::CnameAndOther { owner: owner.name().to_name(), other: other.rtype() }),
        None => Ok(()),
    }
}
