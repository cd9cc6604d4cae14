//! What the parent's word and a claim's text come to. Pure.

use std::collections::BTreeSet;

use delegation::{Challenge, Failure, Told, Trouble, Verdict};
use dns::{Name, NameRef, Type};
use inventory::{Delegated, Shown};
use xfr::destinations::Rule;
use zone::Image;
use zone::image::Deepest;

use super::NameServers;

/// To whom the parent delegates a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    To(BTreeSet<Name>),
    NotDelegated,
    /// A name above it is delegated to these servers of this service, which have no such zone that is answered: there is
    /// nobody to ask.
    Here(BTreeSet<Name>),
    /// The zone above delegates a name between, and so says nothing of this one.
    BelowACut,
    /// It says nothing, or not with one voice.
    Unknown,
}

impl Parent {
    pub(crate) fn of(walked: &Result<Challenge, Failure>) -> Self {
        match walked.as_ref().map(|challenge| challenge.delegation.verdict()) {
            Ok(Verdict::Delegated(names)) => Self::To(names.clone()),
            Ok(Verdict::NotDelegated(_)) => Self::NotDelegated,
            Err(Failure::NobodyAnswers { troubles, .. }) if !troubles.is_empty() && troubles.iter().all(is_ours) => {
                Self::Here(troubles.iter().map(|told| told.server.name.clone()).collect())
            }
            // What a zone says of itself is no word of its parent's.
            Ok(Verdict::OnlyItself(_) | Verdict::Differing) | Err(_) => Self::Unknown,
        }
    }

    /// As the contents of a zone above say it. What lies below a cut of theirs is for others to say.
    pub(crate) fn in_contents(above: &Image, name: &Name) -> Self {
        let owner = match above.deepest(name.borrow()) {
            Deepest::Exact(owner) if owner.is_cut() && !owner.is_occluded() => owner,
            Deepest::Exact(owner) | Deepest::Encloser(owner) if owner.is_cut() || owner.is_occluded() => {
                return Self::BelowACut;
            }
            Deepest::Exact(_) | Deepest::Encloser(_) => return Self::NotDelegated,
        };
        let records = owner.rrset(Type::NS).into_iter().flat_map(zone::image::Rrset::records);
        Self::To(records.filter_map(|record| NameRef::prefix_of(record.rdata).ok()).map(NameRef::to_name).collect())
    }

    pub(crate) fn names(&self) -> Option<Vec<Name>> {
        match self {
            Self::To(names) => Some(names.iter().cloned().collect()),
            Self::NotDelegated => Some(Vec::new()),
            Self::Here(_) | Self::BelowACut | Self::Unknown => None,
        }
    }

    /// The name servers of this service among those that it names. `pool` are all of them.
    pub(crate) fn ours(&self, set: &NameServers, pool: &BTreeSet<Name>) -> BTreeSet<Name> {
        match self {
            Self::To(names) | Self::Here(names) => {
                names.iter().filter(|name| pool.contains(name) || set.names.contains(name)).cloned().collect()
            }
            Self::NotDelegated | Self::BelowACut | Self::Unknown => BTreeSet::new(),
        }
    }
}

fn is_ours(told: &Told) -> bool {
    matches!(told.trouble, Trouble::AddressRefused(refused) if refused.rule == Rule::Ours)
}

/// What the delegation says about whose the name is: others may stand beside the tenant's name servers, but not those of
/// another tenant. `ours` are those of this service that it names, `is_anothers` is whether they were given to one tenant, as
/// they are, that is another.
pub(crate) fn delegated(parent: &Parent, set: &NameServers, ours: &BTreeSet<Name>, is_anothers: bool) -> Delegated {
    let to = match (set.is_own, ours.is_empty()) {
        (_, true) => Delegated::Elsewhere,
        _ if is_anothers => Delegated::ToOthers,
        (false, _) => Delegated::ToShared,
        (true, _) if *ours == set.names => Delegated::ToOwn,
        // Too few or too many of ours besides: nobody can tell whom it means.
        (true, _) if ours.is_subset(&set.names) || ours.is_superset(&set.names) => Delegated::Elsewhere,
        (true, _) => Delegated::ToOthers,
    };
    match parent {
        Parent::To(_) | Parent::NotDelegated => to,
        // There it is another's, or nobody has shown whose.
        Parent::Here(_) if to == Delegated::ToOthers => to,
        Parent::Here(_) | Parent::BelowACut | Parent::Unknown => Delegated::Unknown,
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
        let judge = |parent: &Parent, set: &NameServers, is_anothers| {
            delegated(parent, set, &parent.ours(set, &pool), is_anothers)
        };
        let judged = |to: &str, set| judge(&Parent::To(names(to)), set, false);
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
        assert_eq!(judge(&Parent::NotDelegated, &own, false), Delegated::Elsewhere);
        assert_eq!(judge(&Parent::Unknown, &own, false), Delegated::Unknown);
        // Who has no set of their own is not meant by somebody's.
        assert_eq!(judge(&Parent::To(names("ns3.us. ns4.us.")), &shared, true), Delegated::ToOthers);
        // Where nobody above can be asked, nothing is seen but that it is another's.
        for (to, set, is_anothers, expected) in [
            ("ns3.us. ns4.us.", &own, true, Delegated::ToOthers),
            ("ns3.us. ns4.us.", &shared, true, Delegated::ToOthers),
            ("ns1.us. ns2.us.", &own, false, Delegated::Unknown),
            ("ns1.us. ns2.us.", &shared, false, Delegated::Unknown),
        ] {
            assert_eq!(judge(&Parent::Here(names(to)), set, is_anothers), expected, "{to}");
        }
        let none = NameServers { names: BTreeSet::new(), is_own: false };
        assert_eq!(delegated(&Parent::To(names("ns.them.")), &none, &names(""), false), Delegated::Elsewhere);
    }
}
