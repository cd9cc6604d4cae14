//! Where a name is: below a cut or a DNAME, in which of two zones.

use dns::{NameRef, Rcode, Section, Type};
use testing::peer::Software::{Bind, Nsd, PowerDns};

use super::Rule;
use crate::answers::Record;
use crate::comparison::{Case, Difference};
use crate::contents::{self, Contents};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "names of the zone above",
        peers: &[Nsd],
        reason: "what a parent has below the cut is not in the child zone (RFC 1034 §4.2.1); NSD knows it there",
        explain: names_of_the_parent,
    },
    Rule {
        name: "a zone below another",
        peers: &[PowerDns],
        reason: "what is at and below the apex is the child's to say (RFC 2181 §6.1); PowerDNS mixes it with the parent's",
        explain: zone_below_another,
    },
    Rule {
        name: "NSEC at a cut",
        peers: &[Bind],
        reason: "a name at a cut is referred, but for DS (RFC 4035 §3.1.4.1); BIND answers NSEC",
        explain: nsec_at_a_cut,
    },
    Rule {
        name: "cuts below cuts",
        peers: &[PowerDns],
        reason: "the first cut on the way down ends it (RFC 1034 §4.3.2, 3b); PowerDNS takes the deepest",
        explain: cuts_below_cuts,
    },
    Rule {
        name: "a cut that is none",
        peers: &[PowerDns],
        reason: "only a name that has NS is a cut (RFC 1034 §4.2.1); PowerDNS refers elsewhere now and then, not always",
        explain: cut_that_is_none,
    },
    Rule {
        name: "DS without DO",
        peers: &[PowerDns],
        reason: "DS is for who asks for DNSSEC (RFC 4035 §3.1.4)",
        explain: ds_without_do,
    },
    Rule {
        name: "a DNAME at the apex",
        peers: &[PowerDns],
        reason: "it may stand beside SOA and NS (RFC 6672 §2.3); PowerDNS loses the zone's other records",
        explain: dname_at_apex,
    },
    Rule {
        name: "names below wildcards",
        peers: &[PowerDns],
        reason: "a wildcard further up does not stand for them (RFC 4592 §3.3.1); for PowerDNS it does now and then",
        explain: names_below_wildcards,
    },
    Rule {
        name: "an apex asked for",
        peers: &[PowerDns],
        reason: "what is there is answered (RFC 1034 §4.3.2, 3a); PowerDNS denies a type of an apex now and then, or its signature",
        explain: apex_asked_for,
    },
    Rule {
        name: "names below DNAMEs",
        peers: &[PowerDns],
        reason: "they are hidden (RFC 6672 §2.4); PowerDNS answers from them",
        explain: names_below_dnames,
    },
];

fn names_of_the_parent(case: &Case<'_>, difference: &mut Difference) {
    // How deep a name is known, and how deep when a wildcard is as good as a name.
    let depths = |zone: &Contents, name: NameRef<'_>| {
        let Some(encloser) = zone.encloser(name) else { return [0, 0] };
        let wildcard = contents::wildcard_below(encloser).filter(|name| zone.holds(name.borrow()));
        let depth = encloser.label_count();
        [depth, depth + usize::from(wildcard.is_some() && encloser != name)]
    };
    let is_known_above = |name: NameRef<'_>| {
        let Some(zone) = case.zone_at(name) else { return false };
        let ours = depths(zone, name);
        case.zones.iter().any(|other| depths(other, name).iter().zip(ours).any(|(theirs, ours)| *theirs > ours))
    };
    if case.names_on_the_way().any(is_known_above) {
        *difference = Difference::default();
    }
}

fn zone_below_another(case: &Case<'_>, difference: &mut Difference) {
    let is_below_another = |name: NameRef<'_>| {
        let apex = case.zone_at(name).map(|zone| zone.apex.borrow());
        apex.is_some_and(|apex| case.zones.iter().any(|zone| apex.is_below(zone.apex.borrow())))
    };
    if case.names_on_the_way().any(is_below_another) {
        *difference = Difference::default();
    }
}

fn nsec_at_a_cut(case: &Case<'_>, difference: &mut Difference) {
    let is_at_cut =
        |name| case.zone_at(name).and_then(|zone| zone.cut_over(name)).is_some_and(|cut: NameRef<'_>| cut == name);
    if case.query.qtype == Type::NSEC && case.names_on_the_way().any(is_at_cut) {
        *difference = Difference::default();
    }
}

fn cuts_below_cuts(case: &Case<'_>, difference: &mut Difference) {
    let (name, qtype) = (case.query.name.borrow(), case.query.qtype);
    let cut_in = |zone: &Contents, name: NameRef<'_>| zone.cut_over(name).map(NameRef::label_count);
    // The DS of what lies below a cut is as far away as the rest of it.
    let is_ds_below = qtype == Type::DS
        && case.zone.and_then(|zone| cut_in(zone, name)).is_some_and(|labels| labels < name.label_count());
    let has_two = |name: NameRef<'_>| {
        let Some((zone, cut)) = case.zone_at(name).and_then(|zone| Some((zone, cut_in(zone, name)?))) else {
            return false;
        };
        zone.way_to(name).into_iter().any(|above| above.label_count() > cut && zone.has(above, Type::NS))
    };
    if is_ds_below || case.names_on_the_way().any(has_two) {
        *difference = Difference::default();
    }
}

fn cut_that_is_none(case: &Case<'_>, difference: &mut Difference) {
    let is_none = |record: &Record| {
        let owner = record.owner.borrow();
        record.rtype == Type::NS && case.zone_at(owner).is_some_and(|zone| !zone.has(owner, Type::NS))
    };
    if case.theirs.section(Section::Authority).iter().any(is_none) {
        *difference = Difference::default();
    }
}

fn ds_without_do(case: &Case<'_>, difference: &mut Difference) {
    if !case.query.dnssec_ok() {
        difference.missing(Section::Authority).retain(|record| record.rtype != Type::DS);
    }
}

fn dname_at_apex(case: &Case<'_>, difference: &mut Difference) {
    let has_it = |name| case.zone_at(name).is_some_and(|zone| zone.has(zone.apex.borrow(), Type::DNAME));
    if case.names_on_the_way().any(has_it) {
        *difference = Difference::default();
    }
}

fn names_below_wildcards(case: &Case<'_>, difference: &mut Difference) {
    let is_below_a_wildcard =
        |name: NameRef<'_>| name.parent().is_some_and(|above| above.labels().any(|label| label == b"*"));
    let is_rcode_alone = case.ours.rcode == Rcode::NXDOMAIN && case.theirs.rcode == Rcode::NOERROR;
    if is_rcode_alone && case.names_on_the_way().any(is_below_a_wildcard) {
        difference.rcode = false;
    }
}

fn apex_asked_for(case: &Case<'_>, difference: &mut Difference) {
    let is_of_apex = |record: &Record| case.zone.is_some_and(|zone| zone.apex == record.owner);
    let is_there = case.zone.is_some_and(|zone| zone.has(case.query.name.borrow(), case.query.qtype));
    if is_there && case.zone.is_some_and(|zone| zone.apex.borrow() == case.query.name.borrow()) {
        let lost = difference.surplus(Section::Answer);
        if !lost.is_empty() && lost.iter().all(is_of_apex) {
            *difference = Difference::default();
        }
    }
}

fn names_below_dnames(case: &Case<'_>, difference: &mut Difference) {
    let hides_names = |name| case.zone_at(name).is_some_and(|zone| zone.zone.hides_names());
    let is_hidden = |name| case.zone_at(name).is_some_and(|zone| zone.dname_over(name).is_some());
    let exists_for_them = case.ours.rcode == Rcode::NXDOMAIN && case.theirs.rcode == Rcode::NOERROR;
    if case.names_on_the_way().any(|name| hides_names(name) && (is_hidden(name) || exists_for_them)) {
        *difference = Difference::default();
    }
}
