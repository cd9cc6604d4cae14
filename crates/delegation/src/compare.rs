//! The name servers that the parent delegates to beside those that are wanted. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use dns::Name;

use crate::reply::NsSet;
use crate::views::{Delegation, Verdict};

/// How what the parent delegates to fits what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All that are wanted, and no others.
    Exactly,
    /// At least one that is wanted; others beside it, or some of those that are wanted are missing.
    Among,
    /// None that is wanted.
    None,
}

/// What the parent delegates to beside what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Wanted, and named by the parent.
    pub shared: BTreeSet<Name>,
    /// Wanted, and not named by the parent.
    pub missing: BTreeSet<Name>,
    /// Named by the parent, and not wanted.
    pub others: BTreeSet<Name>,
}

impl Comparison {
    pub fn of(named: &BTreeSet<Name>, wanted: &BTreeSet<Name>) -> Self {
        let of = |names: std::collections::btree_set::Intersection<'_, Name>| names.cloned().collect();
        Self {
            shared: of(named.intersection(wanted)),
            missing: wanted.difference(named).cloned().collect(),
            others: named.difference(wanted).cloned().collect(),
        }
    }

    pub fn fit(&self) -> Fit {
        match (self.shared.is_empty(), self.missing.is_empty() && self.others.is_empty()) {
            (true, _) => Fit::None,
            (false, true) => Fit::Exactly,
            (false, false) => Fit::Among,
        }
    }
}

impl Delegation {
    /// How what the parent delegates fits the wanted name servers; none when the parent has not said it with one voice:
    /// its servers differ, or hold the zone themselves and show nothing but the zone's own word.
    ///
    /// A zone that the parent does not delegate fits as one that is delegated to others alone. So whoever remembers this
    /// has seen a delegation change to the wanted name servers when it is [`Fit::Exactly`] now and was something else.
    pub fn fit(&self, wanted: &BTreeSet<Name>) -> Option<Fit> {
        match self.verdict() {
            Verdict::Delegated(named) => Some(Comparison::of(named, wanted).fit()),
            Verdict::NotDelegated(_) => Some(Fit::None),
            Verdict::OnlyItself(_) | Verdict::Differing => None,
        }
    }
}

/// One name server whose glue is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlueDifference {
    pub name: Name,
    /// Addresses that it has, and that the parent does not give.
    pub missing: BTreeSet<IpAddr>,
    /// Addresses that the parent gives, and that it does not have.
    pub wrong: BTreeSet<IpAddr>,
}

/// Where the parent's glue differs from the addresses that name servers have. A name server without glue is no difference:
/// only those below the zone itself need any, and which are is for those who know it.
pub fn glue_differences(ns: &NsSet, has: &BTreeMap<Name, BTreeSet<IpAddr>>) -> Vec<GlueDifference> {
    let differing = ns.glue.iter().filter_map(|(name, given)| {
        let has = has.get(name)?;
        let missing: BTreeSet<IpAddr> = has.difference(given).copied().collect();
        let wrong: BTreeSet<IpAddr> = given.difference(has).copied().collect();
        let is_equal = missing.is_empty() && wrong.is_empty();
        (!is_equal).then(|| GlueDifference { name: name.clone(), missing, wrong })
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::IpAddr;

    use dns::Name;

    use super::{Comparison, Fit, GlueDifference, glue_differences};
    use crate::Server;
    use crate::failure::Trouble;
    use crate::reply::{Denial, NsSet};
    use crate::views::{Delegation, Ds, Said, View};

    fn names(texts: &str) -> BTreeSet<Name> {
        texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
    }

    fn addresses(texts: &str) -> BTreeSet<IpAddr> {
        texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
    }

    fn said(said: impl IntoIterator<Item = Said>) -> Delegation {
        let server = Server { name: "ns.test.".parse().unwrap(), address: [192, 0, 2, 1].into() };
        let views = said.into_iter().map(|said| View { server: server.clone(), said }).collect();
        Delegation { zone: "zone.test.".parse().unwrap(), parent: "test.".parse().unwrap(), views }
    }

    fn to(texts: &str) -> Said {
        let ns = NsSet { names: names(texts), glue: BTreeMap::new() };
        Said::Delegated { ns, ds: Ds::Records(BTreeSet::new()) }
    }

    fn itself(texts: &str) -> Said {
        let ns = NsSet { names: names(texts), glue: BTreeMap::new() };
        Said::Itself { ns, ds: Ds::Records(BTreeSet::new()) }
    }

    #[test]
    fn name_servers_are_exactly_ours_or_ours_among_others_or_none_of_ours() {
        for (named, wanted, fit, missing, others) in [
            ("a.ours. b.ours.", "a.ours. b.ours.", Fit::Exactly, "", ""),
            ("A.Ours. b.OURS.", "a.ours. b.ours.", Fit::Exactly, "", ""),
            ("a.ours. b.ours. c.theirs.", "a.ours. b.ours.", Fit::Among, "", "c.theirs."),
            ("a.ours.", "a.ours. b.ours.", Fit::Among, "b.ours.", ""),
            ("a.ours. c.theirs.", "a.ours. b.ours.", Fit::Among, "b.ours.", "c.theirs."),
            ("c.theirs.", "a.ours. b.ours.", Fit::None, "a.ours. b.ours.", "c.theirs."),
            ("xa.ours. a.ours.evil.", "a.ours.", Fit::None, "a.ours.", "xa.ours. a.ours.evil."),
            ("", "a.ours.", Fit::None, "a.ours.", ""),
            ("a.ours.", "", Fit::None, "", "a.ours."),
            ("", "", Fit::None, "", ""),
        ] {
            let comparison = Comparison::of(&names(named), &names(wanted));
            assert_eq!(comparison.fit(), fit, "{named} | {wanted}");
            assert_eq!(
                (comparison.missing, comparison.others),
                (names(missing), names(others)),
                "{named} | {wanted}"
            );
        }
    }

    #[test]
    fn only_what_the_parent_says_with_one_voice_fits() {
        let ours = names("a.ours. b.ours.");
        let fit = |views: Vec<Said>| said(views).fit(&ours);
        let exactly = || to("a.ours. b.ours.");
        let silent = || Said::Nothing(Trouble::Silent { millis: 1500 });
        assert_eq!(fit(vec![exactly(), exactly()]), Some(Fit::Exactly));
        assert_eq!(fit(vec![exactly(), silent()]), Some(Fit::Exactly));
        assert_eq!(fit(vec![itself("c.theirs."), exactly()]), Some(Fit::Exactly), "the zone's own word is nothing");
        assert_eq!(fit(vec![to("c.theirs."), to("c.theirs.")]), Some(Fit::None));
        assert_eq!(fit(vec![Said::Denied(Denial::NxDomain), silent()]), Some(Fit::None));
        assert_eq!(fit(vec![exactly(), to("c.theirs.")]), None);
        assert_eq!(fit(vec![exactly(), Said::Denied(Denial::NoData)]), None);
        assert_eq!(fit(vec![Said::Denied(Denial::NoData), exactly()]), None);
        // Whoever can put a zone on a server of its parent could say anything there.
        assert_eq!(fit(vec![itself("a.ours. b.ours."), itself("a.ours. b.ours.")]), None);
    }

    #[test]
    fn glue_that_differs_from_the_addresses_is_said_with_both_sides() {
        let name = || "ns.zone.test.".parse::<Name>().unwrap();
        let glue = [(name(), addresses("192.0.2.1 2001:db8::1"))].into();
        let ns = NsSet { names: [name()].into(), glue };
        let has = |texts| BTreeMap::from([(name(), addresses(texts))]);
        assert_eq!(glue_differences(&ns, &has("192.0.2.1 2001:db8::1")), []);
        let expected =
            GlueDifference { name: name(), missing: addresses("192.0.2.2"), wrong: addresses("2001:db8::1") };
        assert_eq!(glue_differences(&ns, &has("192.0.2.1 192.0.2.2")), [expected]);
        assert_eq!(glue_differences(&NsSet::default(), &has("192.0.2.1")), []);
    }
}
