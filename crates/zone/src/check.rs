//! Is it a sane zone? What a version must be before anything serves it.

use dns::{Name, NameRef, Type};

use crate::image::{Image, Rrsets};

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
    image.owners().try_for_each(|owner| check_owner(&owner.rrsets()))
}

/// The same where all that has changed is at these names.
pub(crate) fn check_at<'n>(image: &Image, mut names: impl Iterator<Item = NameRef<'n>>) -> Result<(), Insane> {
    check_apex(image)?;
    names.try_for_each(|name| image.owner(name).map_or(Ok(()), |owner| check_owner(&owner.rrsets())))
}

pub(crate) fn check_apex(image: &Image) -> Result<(), Insane> {
    match image.apex_owner().rrset(Type::NS) {
        Some(_) => Ok(()),
        None => Err(Insane::NoApexNs { apex: image.apex().to_name() }),
    }
}

/// CNAME stands alone but for what DNSSEC puts beside it (RFC 4034 §4); CNAME and DNAME are single (RFC 6672 §2.4).
pub(crate) fn check_owner(rrsets: &Rrsets<'_>) -> Result<(), Insane> {
    let (mut cname, mut other) = (false, None);
    for rrset in rrsets.clone().filter(|rrset| rrset.has_records()) {
        match rrset.rtype() {
            rtype @ (Type::CNAME | Type::DNAME) if rrset.record_count() > 1 => {
                return Err(Insane::SeveralAliases { owner: rrsets.owner().to_name(), rtype });
            }
            Type::CNAME => cname = true,
            Type::NSEC | Type::RRSIG | Type::NXT | Type::SIG => {}
            rtype => {
                other.get_or_insert(rtype);
            }
        }
    }
    match other {
        Some(other) if cname => Err(Insane::CnameAndOther { owner: rrsets.owner().to_name(), other }),
        _ => Ok(()),
    }
}
