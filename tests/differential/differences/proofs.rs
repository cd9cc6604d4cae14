//! NSEC and NSEC3 records: which of them prove what is not there.

use std::collections::BTreeSet;

use dns::{NameRef, Rcode, Section, Type};
use testing::peer::Software::{Bind, Knot, Nsd, PowerDns};

use super::Rule;
use crate::answers::{Answer, Record};
use crate::comparison::{Case, Difference};
use crate::contents::{self};
use crate::signing::Denial;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "names that are hashes",
        peers: &[Nsd, PowerDns],
        reason: "owners of NSEC3 records do not exist for who asks (RFC 5155 §7.2.8); for them they do",
        explain: hash_names,
    },
    Rule {
        name: "proofs made up",
        peers: &[PowerDns],
        reason: "a secondary gives the zone's own proofs (RFC 4035 §3.1.3); PowerDNS makes them from the names that it has",
        explain: made_up_proofs,
    },
    Rule {
        name: "a wildcard that is an empty non-terminal",
        peers: &[Bind, Knot, Nsd],
        reason: "that the wildcard has no data is proved beside that there is no name (RFC 4035 §3.1.3.4, RFC 5155 §7.2.5)",
        explain: empty_wildcard,
    },
    Rule {
        name: "a wildcard asked for",
        peers: &[Nsd],
        reason: "a wildcard asked for is a name like others (RFC 4592 §2.3), its NSEC3 enough (RFC 5155 §7.2.3)",
        explain: wildcard_asked_for,
    },
    Rule {
        name: "NSEC of wildcards",
        peers: &[Knot],
        reason: "that a wildcard stands for the name is proved whatever is asked for (RFC 4035 §3.1.3.3)",
        explain: nsec_of_wildcards,
    },
    Rule {
        name: "denials behind a DNAME",
        peers: &[Nsd],
        reason: "that there is no name is proved for the name that it led to (RFC 4035 §3.1.3.2); NSD proves the wildcard",
        explain: denials_behind_dnames,
    },
    Rule {
        name: "wildcards with something before them",
        peers: &[Nsd],
        reason: "the NSEC about a wildcard is not its parent's where that is empty or something comes between (RFC 4034 §6.1)",
        explain: labels_below_star,
    },
    Rule {
        name: "zero octets in labels",
        peers: &[Knot],
        reason: "x\\000 sorts after all names below x (RFC 4034 §6.1); Knot takes the NSEC of x for the one that covers it",
        explain: zero_octets,
    },
    Rule {
        name: "zero octets before a name",
        peers: &[Bind],
        reason: "what sorts after a name with a zero octet is covered by its NSEC (RFC 4034 §6.1); BIND goes one back now and then",
        explain: zero_octets_before,
    },
    Rule {
        name: "opt-out below empty non-terminals",
        peers: &[Nsd],
        reason: "the closest encloser is the deepest that has an NSEC3 (RFC 5155 §7.2.1); NSD looks for others",
        explain: opt_out,
    },
    Rule {
        name: "opt-out above empty non-terminals",
        peers: &[Bind, Knot],
        reason: "an empty non-terminal without NSEC3 is proved by encloser and cover (RFC 5155 §7.2.4): BIND gives more, Knot nothing",
        explain: opted_out_non_terminals,
    },
    Rule {
        name: "wildcards without the type",
        peers: &[Nsd],
        reason: "encloser, cover and the wildcard's NSEC3 are all needed (RFC 5155 §7.2.5); NSD leaves one out",
        explain: wildcard_without_type,
    },
];

fn hash_names(case: &Case<'_>, difference: &mut Difference) {
    let Some(zone) = case.zone else { return };
    if zone.way_to(case.query.name.borrow()).iter().any(|above| zone.has(*above, Type::NSEC3)) {
        *difference = Difference::default();
    }
}

fn made_up_proofs(case: &Case<'_>, difference: &mut Difference) {
    for proof in [Type::NSEC, Type::NSEC3] {
        let has_proof =
            |answer: &Answer| answer.section(Section::Authority).iter().any(|record| record.rtype == proof);
        if has_proof(case.ours) && has_proof(case.theirs) {
            difference.missing(Section::Authority).retain(|record| record.about() != proof);
            difference.surplus(Section::Authority).retain(|record| record.about() != proof);
        }
    }
    // What follows from such a proof is no better than it.
    let is_held = |record: &Record| {
        let zone = case.zone_at(record.owner.borrow());
        zone.is_some_and(|zone| {
            zone.records.iter().any(|held| held.rtype == record.rtype && held.rdata == record.rdata)
        })
    };
    let mut theirs = case.theirs.section(Section::Authority).iter();
    if theirs.any(|record| record.rtype == Type::NSEC3 && !is_held(record)) {
        difference.rcode = false;
    }
}

fn empty_wildcard(case: &Case<'_>, difference: &mut Difference) {
    let is_empty_wildcard = |name: NameRef<'_>| {
        let zone = case.zone_at(name);
        zone.is_some_and(|zone| {
            let wildcard = zone.encloser(name).and_then(|encloser| contents::wildcard_below(encloser));
            wildcard.is_some_and(|name| zone.holds(name.borrow()) && zone.types(name.borrow()).next().is_none())
        })
    };
    let is_spelled = |name: NameRef<'_>| case.peer == Knot && name.is_wildcard();
    if case.names_on_the_way().any(|name| is_empty_wildcard(name) || is_spelled(name)) {
        let is_proof = |record: &Record| matches!(record.about(), Type::NSEC | Type::NSEC3);
        difference.surplus(Section::Authority).retain(|record| !is_proof(record));
    }
}

fn wildcard_asked_for(case: &Case<'_>, difference: &mut Difference) {
    let is_held = |name: NameRef<'_>| case.zone_at(name).is_some_and(|zone| zone.holds(name));
    if case.names_on_the_way().any(|name| name.is_wildcard() && is_held(name)) {
        difference.missing(Section::Authority).retain(|record| !matches!(record.about(), Type::NSEC | Type::NSEC3));
    }
}

fn nsec_of_wildcards(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::NSEC && !case.ours.section(Section::Answer).is_empty() {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC);
    }
}

fn denials_behind_dnames(case: &Case<'_>, difference: &mut Difference) {
    let leads_on = case.ours.section(Section::Answer).iter().any(|record| record.rtype == Type::DNAME);
    if leads_on && case.ours.rcode == Rcode::NXDOMAIN {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC);
    }
}

fn labels_below_star(case: &Case<'_>, difference: &mut Difference) {
    let is_low = |name: NameRef<'_>| name.labels().next().is_some_and(|label| label < &b"*"[..]);
    let comes_after_others = |name: NameRef<'_>| {
        let Some((zone, encloser)) = case.zone_at(name).and_then(|zone| Some((zone, zone.encloser(name)?))) else {
            return false;
        };
        let mut children = zone.names().filter(|name| name.borrow().parent() == Some(encloser));
        zone.types(encloser).next().is_none() || children.any(|child| is_low(child.borrow()))
    };
    if is_of_nsec_alone(difference) && case.names_on_the_way().any(comes_after_others) {
        difference.surplus(Section::Authority).clear();
        difference.missing(Section::Authority).clear();
    }
}

fn zero_octets(case: &Case<'_>, difference: &mut Difference) {
    if is_of_nsec_alone(difference) && case.names_on_the_way().any(has_zero) {
        difference.surplus(Section::Authority).clear();
        difference.missing(Section::Authority).clear();
    }
}

fn zero_octets_before(case: &Case<'_>, difference: &mut Difference) {
    let covers = case.ours.section(Section::Authority).iter().filter(|record| record.rtype == Type::NSEC);
    if is_of_nsec_alone(difference) && covers.into_iter().any(|record| has_zero(record.owner.borrow())) {
        difference.surplus(Section::Authority).clear();
        difference.missing(Section::Authority).clear();
    }
}

fn has_zero(name: NameRef<'_>) -> bool {
    name.labels().any(|label| label.contains(&0))
}

fn opt_out(case: &Case<'_>, difference: &mut Difference) {
    let is_opt_out =
        |name| case.zone_at(name).is_some_and(|zone| matches!(zone.zone.denial, Some(Denial::OptOut { .. })));
    if case.names_on_the_way().any(is_opt_out) {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC3);
        difference.missing(Section::Authority).retain(|record| record.about() != Type::NSEC3);
    }
}

fn opted_out_non_terminals(case: &Case<'_>, difference: &mut Difference) {
    let is_opt_out = case.zone.is_some_and(|zone| matches!(zone.zone.denial, Some(Denial::OptOut { .. })));
    let is_bare = case.theirs.sections.iter().all(BTreeSet::is_empty);
    match case.peer {
        Knot if is_opt_out && is_bare && case.ours.rcode == case.theirs.rcode => *difference = Difference::default(),
        Bind if is_opt_out => difference.missing(Section::Authority).retain(|record| record.about() != Type::NSEC3),
        _ => {}
    }
}

fn is_of_nsec_alone(difference: &mut Difference) -> bool {
    let is_about_nsec = |records: &BTreeSet<Record>| records.iter().all(|record| record.about() == Type::NSEC);
    is_about_nsec(difference.surplus(Section::Authority)) && is_about_nsec(difference.missing(Section::Authority))
}

fn wildcard_without_type(case: &Case<'_>, difference: &mut Difference) {
    let is_denied = case.ours.rcode == Rcode::NOERROR
        && case.ours.section(Section::Authority).iter().any(|record| record.rtype == Type::SOA);
    let stands_for = |name: NameRef<'_>| {
        case.zone_at(name).is_some_and(|zone| {
            let wildcard =
                zone.encloser(name).filter(|encloser| *encloser != name).and_then(contents::wildcard_below);
            wildcard.is_some_and(|wildcard| zone.holds(wildcard.borrow()))
        })
    };
    if is_denied && case.names_on_the_way().any(stands_for) {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC3);
    }
}
