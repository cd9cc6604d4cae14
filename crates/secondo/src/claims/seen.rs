//! What the parent's word and a claim's text come to. Pure.

use std::collections::BTreeSet;

use delegation::{Challenge, Failure, Verdict};
use dns::{Name, NameRef, Type};
use inventory::{Delegated, Shown};
use zone::Image;

use super::NameServers;

/// To whom the parent delegates a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    To(BTreeSet<Name>),
    NotDelegated,
    /// It says nothing, or not with one voice.
    Unknown,
}

impl Parent {
    pub(crate) fn of(walked: &Result<Challenge, Failure>) -> Self {
        match walked.as_ref().map(|challenge| challenge.delegation.verdict()) {
            Ok(Verdict::Delegated(names)) => Self::To(names.clone()),
            Ok(Verdict::NotDelegated(_)) => Self::NotDelegated,
            // What a zone says of itself is no word of its parent's.
            Ok(Verdict::OnlyItself(_) | Verdict::Differing) | Err(_) => Self::Unknown,
        }
    }

    /// As the contents of a zone above say it.
    pub(crate) fn in_contents(above: &Image, name: &Name) -> Self {
        let Some(owner) = above.owner(name.borrow()).filter(|owner| owner.is_cut() && !owner.is_occluded()) else {
            return Self::NotDelegated;
        };
        let records = owner.rrset(Type::NS).into_iter().flat_map(zone::image::Rrset::records);
        Self::To(records.filter_map(|record| NameRef::prefix_of(record.rdata).ok()).map(NameRef::to_name).collect())
    }

    pub(crate) fn names(&self) -> Option<Vec<Name>> {
        match self {
            Self::To(names) => Some(names.iter().cloned().collect()),
            Self::NotDelegated => Some(Vec::new()),
            Self::Unknown => None,
        }
    }
}

/// What the delegation says about whose the name is. `pool` are all name servers of this service: others may stand beside
/// the tenant's, but not those of another tenant.
pub(crate) fn delegated(parent: &Parent, set: &NameServers, pool: &BTreeSet<Name>) -> Delegated {
    let names = match parent {
        Parent::Unknown => return Delegated::Unknown,
        Parent::NotDelegated => return Delegated::Elsewhere,
        Parent::To(names) => names,
    };
    let here: BTreeSet<&Name> = names.iter().filter(|name| pool.contains(name) || set.names.contains(name)).collect();
    match here.is_empty() {
        true => Delegated::Elsewhere,
        false if !set.is_own => Delegated::ToShared,
        false if here.iter().copied().eq(&set.names) => Delegated::ToOwn,
        // Too few or too many of ours besides: nobody can tell whom it means.
        false if here.iter().all(|name| set.names.contains(*name)) => Delegated::Elsewhere,
        false if set.names.iter().all(|name| here.contains(name)) => Delegated::Elsewhere,
        false => Delegated::ToOthers,
    }
}

/// Whether the claim's text stands where the parent delegates the name to.
pub(crate) fn shown(walked: &Result<Challenge, Failure>, text: &str) -> Shown {
    let Ok(challenge) = walked else { return Shown::Unknown };
    match challenge.delegation.verdict() {
        Verdict::NotDelegated(_) => Shown::No,
        Verdict::Delegated(_) if challenge.shows(text) => Shown::Yes,
        Verdict::Delegated(_) if challenge.answers.iter().any(|(_, answer)| answer.is_ok()) => Shown::No,
        Verdict::Delegated(_) | Verdict::OnlyItself(_) | Verdict::Differing => Shown::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dns::Name;
    use inventory::Delegated;

    use super::{Parent, delegated};
    use crate::claims::NameServers;

    fn names(texts: &str) -> BTreeSet<Name> {
        texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_delegation_is_the_tenants_when_it_names_all_of_its_set_and_no_other_of_ours() {
        let pool = names("ns1.us. ns2.us. ns3.us. ns4.us.");
        let own = NameServers { names: names("ns1.us. ns2.us."), is_own: true };
        let shared = NameServers { names: pool.clone(), is_own: false };
        let judged = |to: &str, set| delegated(&Parent::To(names(to)), set, &pool);
        for (to, expected) in [
            ("NS1.us. ns2.US.", Delegated::ToOwn),
            ("ns1.us. ns2.us. ns.them.", Delegated::ToOwn),
            ("ns1.us.", Delegated::Elsewhere),
            ("ns1.us. ns3.us.", Delegated::ToOthers),
            ("ns3.us. ns4.us. ns.them.", Delegated::ToOthers),
            ("ns1.us. ns2.us. ns3.us.", Delegated::Elsewhere),
            ("ns.them. ns2.them.", Delegated::Elsewhere),
        ] {
            assert_eq!(judged(to, &own), expected, "{to}");
        }
        assert_eq!(judged("ns1.us. ns2.us. ns3.us. ns4.us.", &shared), Delegated::ToShared);
        assert_eq!(judged("ns1.us.", &shared), Delegated::ToShared);
        assert_eq!(judged("ns.them.", &shared), Delegated::Elsewhere);
        assert_eq!(delegated(&Parent::NotDelegated, &own, &pool), Delegated::Elsewhere);
        assert_eq!(delegated(&Parent::Unknown, &own, &pool), Delegated::Unknown);
        let none = NameServers { names: BTreeSet::new(), is_own: false };
        assert_eq!(delegated(&Parent::To(names("ns.them.")), &none, &BTreeSet::new()), Delegated::Elsewhere);
    }
}
