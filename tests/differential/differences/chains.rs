//! Aliases: how many are followed, where to, and what becomes of names that are too long.

use dns::{NameRef, Rcode, Section, Type, rdata};
use testing::peer::Software::{Bind, Knot, Nsd, PowerDns};

use super::Rule;
use crate::answers::{Answer, Record};
use crate::comparison::{Case, Difference};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "long chains and circles of aliases",
        peers: &[Bind, PowerDns],
        reason: "an alias is an answer that the client can go on from (RFC 1034 §3.6.2); they fail",
        explain: long_chain,
    },
    Rule {
        name: "five aliases",
        peers: &[Knot],
        reason: "a chain is followed to its end within reason (RFC 1034 §4.3.2, 3a); Knot follows five aliases",
        explain: five_aliases,
    },
    Rule {
        name: "chains longer than ours",
        peers: &[Nsd],
        reason: "the client goes on from where a chain is cut short (RFC 1034 §5.2.2); we follow 16 aliases",
        explain: longer_chain,
    },
    Rule {
        name: "zones of others",
        peers: &[Bind, Knot, Nsd, PowerDns],
        reason: "aliases lead on into all zones that we have (RFC 1034 §4.3.2, 3a: \"go back to step 1\"); they stay in one",
        explain: other_zones,
    },
    Rule {
        name: "names too long behind a DNAME that leads below itself",
        peers: &[Nsd],
        reason: "every step of the chain is made, up to the name that is too long (RFC 6672 §3.2); NSD makes one step",
        explain: growing_names,
    },
    Rule {
        name: "a name too long",
        peers: &[Knot],
        reason: "a DNAME that makes too long a name is YXDOMAIN (RFC 6672 §2.2); Knot goes on at the DNAME's target",
        explain: too_long_denied,
    },
    Rule {
        name: "the signature of a DNAME that makes too long a name",
        peers: &[PowerDns],
        reason: "the DNAME is in the answer and has its signature beside it (RFC 6672 §5.3.1)",
        explain: unsigned_dname,
    },
];

/// Steps that a server follows before it fails.
const STEPS_MAX: usize = 10;

fn long_chain(case: &Case<'_>, difference: &mut Difference) {
    if case.theirs.rcode == Rcode::SERVFAIL && (case.ours.aliases() >= STEPS_MAX || ends_in_a_circle(case.ours)) {
        *difference = Difference::default();
    }
}

/// Aliases that Knot 3.2 follows.
const KNOT_STEPS_MAX: usize = 5;

fn five_aliases(case: &Case<'_>, difference: &mut Difference) {
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    if case.theirs.aliases() >= KNOT_STEPS_MAX && theirs.is_subset(ours) {
        difference.rcode = false;
        difference.surplus = Default::default();
    }
}

/// Aliases that we follow.
const OUR_STEPS_MAX: usize = 16;

fn longer_chain(case: &Case<'_>, difference: &mut Difference) {
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    if case.ours.aliases() >= OUR_STEPS_MAX && ours.is_subset(theirs) {
        *difference = Difference::default();
    }
}

fn other_zones(case: &Case<'_>, difference: &mut Difference) {
    let first = case.zone_at(case.query.name.borrow()).map(|zone| &zone.apex);
    let is_elsewhere = |name: NameRef<'_>| case.zone_at(name).is_some_and(|zone| Some(&zone.apex) != first);
    difference.surplus(Section::Additional).retain(|record| !is_elsewhere(record.owner.borrow()));
    let theirs = case.theirs.section(Section::Answer);
    // The DS of a zone that begins at the alias's target is in the zone above.
    let denies_ds = case.query.qtype == Type::DS
        && case.ours.aliases() > 0
        && case.names_on_the_way().any(|name| case.zones.iter().any(|zone| zone.apex.borrow() == name));
    let refers_elsewhere = case.theirs.section(Section::Authority).iter().any(|record| {
        let is_referred = |name: NameRef<'_>| name.is_at_or_below(record.owner.borrow()) && is_elsewhere(name);
        record.rtype == Type::NS && case.names_on_the_way().any(is_referred)
    });
    if case.theirs.rcode == Rcode::NOERROR
        && (denies_ds || case.names_on_the_way().any(is_elsewhere))
        && theirs.is_subset(case.ours.section(Section::Answer))
        && (case.theirs.section(Section::Authority).is_subset(case.ours.section(Section::Authority))
            || refers_elsewhere
            || denies_ds)
    {
        *difference = Difference::default();
    }
}

fn growing_names(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.rcode == Rcode::YXDOMAIN && case.theirs.rcode == Rcode::NOERROR && case.ours.aliases() > 0 {
        difference.rcode = false;
    }
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    if case.theirs.aliases() > 0 && theirs.is_subset(ours) && theirs.iter().any(|record| record.rtype == Type::DNAME)
    {
        difference.surplus(Section::Answer).retain(|record| record.rtype != Type::CNAME);
    }
}

fn too_long_denied(case: &Case<'_>, difference: &mut Difference) {
    let same_answer = case.ours.section(Section::Answer).is_subset(case.theirs.section(Section::Answer));
    let is_known = matches!(case.theirs.rcode, Rcode::NXDOMAIN | Rcode::YXDOMAIN);
    if case.ours.rcode == Rcode::YXDOMAIN && is_known && same_answer {
        *difference = Difference::default();
    }
}

fn unsigned_dname(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.rcode == Rcode::YXDOMAIN && case.theirs.rcode == Rcode::YXDOMAIN {
        difference.missing(Section::Answer).retain(|record| record.rtype != Type::RRSIG);
        difference.surplus(Section::Answer).retain(|record| record.rtype != Type::RRSIG);
    }
}

/// Every alias leads to an alias that is there too.
fn ends_in_a_circle(answer: &Answer) -> bool {
    let aliases = || answer.section(Section::Answer).iter().filter(|record| record.rtype == Type::CNAME);
    let target = |record: &Record| rdata::alias_target(&record.rdata).map(NameRef::to_name);
    aliases().count() > 0 && aliases().all(|alias| aliases().any(|next| Some(&next.owner) == target(alias).as_ref()))
}
