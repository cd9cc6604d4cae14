//! The differences that we know, each with the reason why we answer as we do.
//!
//! A rule takes from a [`Difference`] what it explains. What is left when all have been asked is a failure, and so is a
//! rule that explained nothing in a whole run. Rules are as narrow as they can be: they look at what was asked, at what
//! the zone holds and at both answers, and name the servers that they are about.

use std::collections::BTreeSet;

use dns::{NameRef, Rcode, Section, Type, rdata};
use testing::peer::Software;
use testing::peer::Software::{Bind, Knot, Nsd, PowerDns};

use crate::answers::{Answer, Record};
use crate::comparison::{Case, Difference};
use crate::contents::{self, Contents};
use crate::signing::Denial;

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) peers: &'static [Software],
    pub(crate) reason: &'static str,
    pub(crate) explain: fn(&Case<'_>, &mut Difference),
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "names with octets that hosts do not have",
        peers: &[PowerDns],
        reason: "any octet may be in a label (RFC 2181 §11); PowerDNS fails",
        explain: odd_octets,
    },
    Rule {
        name: "signatures that are asked for",
        peers: &[PowerDns],
        reason: "RRSIG is a type like others (RFC 4035 §3.1.1); PowerDNS refuses it",
        explain: signatures_refused,
    },
    Rule {
        name: "one of many signatures",
        peers: &[Bind, Knot],
        reason: "whoever asks for RRSIG gets the RRset (RFC 1035 §3.2.3), not one of it as for ANY (RFC 8482 §4.1)",
        explain: fewer_signatures,
    },
    Rule {
        name: "long chains and circles of aliases",
        peers: &[Bind, PowerDns],
        reason: "an alias is an answer that the client can go on from (RFC 1034 §3.6.2); they fail",
        explain: long_chain,
    },
    Rule {
        name: "name servers beside answers",
        peers: &[Nsd],
        reason: "nobody who has an answer needs them (RFC 2181 §6.1 asks for them in referrals)",
        explain: servers_beside_answers,
    },
    Rule {
        name: "names that are hashes",
        peers: &[Nsd, PowerDns],
        reason: "owners of NSEC3 records do not exist for who asks (RFC 5155 §7.2.8); for them they do",
        explain: hash_names,
    },
    Rule {
        name: "types that are no data",
        peers: &Software::ALL,
        reason: "queries for meta types that mean nothing are not implemented (RFC 6895 §3.1); they look them up, or FORMERR",
        explain: meta_types,
    },
    Rule {
        name: "names too long behind a DNAME that leads below itself",
        peers: &[Nsd],
        reason: "every step of the chain is made, up to the name that is too long (RFC 6672 §3.2); NSD makes one step",
        explain: growing_names,
    },
    Rule {
        name: "five aliases",
        peers: &[Knot],
        reason: "a chain is followed to its end within reason (RFC 1034 §4.3.2, 3a); Knot follows five aliases",
        explain: five_aliases,
    },
    Rule {
        name: "proofs made up",
        peers: &[PowerDns],
        reason: "a secondary gives the zone's own proofs (RFC 4035 §3.1.3); PowerDNS makes them from the names that it has",
        explain: made_up_proofs,
    },
    Rule {
        name: "the signer's records asked for",
        peers: &[PowerDns],
        reason: "NSEC and NSEC3PARAM are records of the zone (RFC 4035 §3.1.4); PowerDNS makes its own",
        explain: made_up_records,
    },
    Rule {
        name: "ANY",
        peers: &Software::ALL,
        reason: "one RRset, or an alias, is answer enough (RFC 8482 §4.1); which one, or whether all, is everybody's choice",
        explain: any,
    },
    Rule {
        name: "names of the zone above",
        peers: &[Nsd],
        reason: "what a parent has below the cut is not in the child zone (RFC 1034 §4.2.1); NSD knows it there",
        explain: names_of_the_parent,
    },
    Rule {
        name: "zones of others",
        peers: &[Bind, Knot],
        reason: "aliases lead on into all zones that we have (RFC 1034 §4.3.2, 3a: \"go back to step 1\"); they stay in one",
        explain: other_zones,
    },
    Rule {
        name: "addresses in referrals",
        peers: &[Bind],
        reason: "addresses that help are given also where they are no glue (RFC 1034 §4.3.2, 3b); BIND gives glue",
        explain: authoritative_addresses,
    },
    Rule {
        name: "addresses for rare types",
        peers: &[Bind, Nsd, PowerDns],
        reason: "we add addresses for NS, MX, SRV, SVCB and HTTPS; others may be left out (RFC 2181 §9)",
        explain: addresses_for_rare_types,
    },
    Rule {
        name: "a wildcard that is an empty non-terminal",
        peers: &[Bind, Knot],
        reason: "that the wildcard has no data is proved beside that there is no name (RFC 4035 §3.1.3.4, RFC 5155 §7.2.5)",
        explain: empty_wildcard,
    },
    Rule {
        name: "NSEC at a cut",
        peers: &[Bind],
        reason: "a name at a cut is referred, but for DS (RFC 4035 §3.1.4.1); BIND answers NSEC",
        explain: nsec_at_a_cut,
    },
    Rule {
        name: "labels that begin below *",
        peers: &[Nsd],
        reason: "the NSEC that covers the wildcard is not its parent's where something comes between (RFC 4034 §6.1)",
        explain: labels_below_star,
    },
    Rule {
        name: "zero octets in labels",
        peers: &[Knot],
        reason: "x\\000 sorts after all names below x (RFC 4034 §6.1); Knot takes the NSEC of x for the one that covers it",
        explain: zero_octets,
    },
    Rule {
        name: "a name too long",
        peers: &[Knot],
        reason: "a DNAME that makes too long a name is YXDOMAIN (RFC 6672 §2.2); Knot goes on at the DNAME's target",
        explain: too_long_denied,
    },
    Rule {
        name: "a wildcard asked for",
        peers: &[Nsd],
        reason: "a wildcard asked for is a name like others (RFC 4592 §2.3), its NSEC3 enough (RFC 5155 §7.2.3)",
        explain: wildcard_asked_for,
    },
    Rule {
        name: "chains longer than ours",
        peers: &[Nsd],
        reason: "the client goes on from where a chain is cut short (RFC 1034 §5.2.2); we follow 16 aliases",
        explain: longer_chain,
    },
    Rule {
        name: "the signer's types of aliases",
        peers: &[Nsd],
        reason: "NSEC and RRSIG may be beside a CNAME, NSEC3 is not (RFC 4035 §2.5): who lacks the former does not lead on",
        explain: signers_types_of_aliases,
    },
    Rule {
        name: "proofs beside addresses",
        peers: &[Knot],
        reason: "the additional section needs no proofs (RFC 4035 §3.1.1)",
        explain: proofs_beside_addresses,
    },
    Rule {
        name: "glue beside answers",
        peers: &[Knot, PowerDns],
        reason: "what is below a cut is given for referrals only (RFC 2181 §5.4.1); they give it for MX and others",
        explain: glue_beside_answers,
    },
    Rule {
        name: "addresses of many hosts",
        peers: &[Bind],
        reason: "we add addresses for 32 hosts at most; BIND for none where there are more than 13",
        explain: addresses_of_many,
    },
    Rule {
        name: "circles through wildcards",
        peers: &[Knot],
        reason: "a wildcard's answer needs the proof that the name is not there (RFC 4035 §3.1.3.3), where it leads or not",
        explain: unproved_circle,
    },
    Rule {
        name: "opt-out below empty non-terminals",
        peers: &[Nsd],
        reason: "the closest encloser is the deepest that has an NSEC3 (RFC 5155 §7.2.1); NSD looks for others",
        explain: opt_out,
    },
    Rule {
        name: "DS without DO",
        peers: &[PowerDns],
        reason: "DS is for who asks for DNSSEC (RFC 4035 §3.1.4)",
        explain: ds_without_do,
    },
    Rule {
        name: "cuts below cuts",
        peers: &[PowerDns],
        reason: "the first cut on the way down ends it (RFC 1034 §4.3.2, 3b); PowerDNS takes the deepest",
        explain: cuts_below_cuts,
    },
    Rule {
        name: "a DNAME at the apex",
        peers: &[PowerDns],
        reason: "it may stand beside SOA and NS (RFC 6672 §2.3); PowerDNS loses the zone's other records",
        explain: dname_at_apex,
    },
    Rule {
        name: "names below DNAMEs",
        peers: &[PowerDns],
        reason: "they are hidden (RFC 6672 §2.4); PowerDNS answers from them",
        explain: names_below_dnames,
    },
    Rule {
        name: "the signature of a DNAME that makes too long a name",
        peers: &[PowerDns],
        reason: "the DNAME is in the answer and has its signature beside it (RFC 6672 §5.3.1)",
        explain: unsigned_dname,
    },
    Rule {
        name: "aliases asked for",
        peers: &[PowerDns],
        reason: "whoever asks for the CNAME is not led on (RFC 1034 §4.3.2, 3a); behind wildcards and DNAMEs PowerDNS goes on",
        explain: aliases_asked_for,
    },
    Rule {
        name: "a zone below another",
        peers: &[PowerDns],
        reason: "what is at and below the apex is the child's to say (RFC 2181 §6.1); PowerDNS mixes it with the parent's",
        explain: zone_below_another,
    },
    Rule {
        name: "what comes with SVCB",
        peers: &Software::ALL,
        reason: "we add the target's addresses and SVCB (RFC 9460 §4.2); others less, or its aliases too",
        explain: beside_svcb,
    },
    Rule {
        name: "TLSA beside SRV",
        peers: &[Bind],
        reason: "nobody who asks for SRV has to be given it (RFC 7673 §3.1)",
        explain: tlsa_beside_srv,
    },
    Rule {
        name: "addresses from wildcards",
        peers: &Software::ALL,
        reason: "we add addresses of hosts that exist; those made from a wildcard may be left out (RFC 2181 §9)",
        explain: addresses_from_wildcards,
    },
    Rule {
        name: "NSEC of wildcards",
        peers: &[Knot],
        reason: "that a wildcard stands for the name is proved whatever is asked for (RFC 4035 §3.1.3.3)",
        explain: nsec_of_wildcards,
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

/// Takes away what is known. Returns the numbers of the rules that were needed.
pub(crate) fn explain(case: &Case<'_>, difference: &mut Difference) -> Vec<usize> {
    let mut used = Vec::new();
    for (number, rule) in RULES.iter().enumerate().filter(|(_, rule)| rule.peers.contains(&case.peer)) {
        if difference.is_none() {
            break;
        }
        let before = difference.clone();
        (rule.explain)(case, difference);
        if *difference != before {
            used.push(number);
        }
    }
    used
}

fn odd_octets(case: &Case<'_>, difference: &mut Difference) {
    if case.theirs.rcode == Rcode::SERVFAIL && has_odd_octets(case.query.name.borrow()) {
        *difference = Difference::default();
    }
}

fn has_odd_octets(name: NameRef<'_>) -> bool {
    let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_*/@ ".contains(octet);
    name.labels().any(|label| !label.iter().all(is_plain))
}

fn signatures_refused(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::RRSIG && case.theirs.rcode == Rcode::REFUSED {
        *difference = Difference::default();
    }
}

fn fewer_signatures(case: &Case<'_>, difference: &mut Difference) {
    let theirs = case.theirs.section(Section::Answer);
    if case.query.qtype == Type::RRSIG && theirs.iter().any(|record| record.rtype == Type::RRSIG) {
        difference.surplus(Section::Answer).retain(|record| record.rtype != Type::RRSIG);
    }
}

/// Steps that a server follows before it fails.
const STEPS_MAX: usize = 10;

fn long_chain(case: &Case<'_>, difference: &mut Difference) {
    if case.theirs.rcode == Rcode::SERVFAIL && (aliases(case.ours) >= STEPS_MAX || ends_in_a_circle(case.ours)) {
        *difference = Difference::default();
    }
}

fn aliases(answer: &Answer) -> usize {
    answer.section(Section::Answer).iter().filter(|record| record.rtype == Type::CNAME).count()
}

/// Every alias leads to an alias that is there too.
fn ends_in_a_circle(answer: &Answer) -> bool {
    let aliases = || answer.section(Section::Answer).iter().filter(|record| record.rtype == Type::CNAME);
    let target = |record: &Record| rdata::alias_target(&record.rdata).map(|name| name.to_name());
    aliases().count() > 0 && aliases().all(|alias| aliases().any(|next| Some(&next.owner) == target(alias).as_ref()))
}

fn servers_beside_answers(case: &Case<'_>, difference: &mut Difference) {
    let is_answer = !case.theirs.section(Section::Answer).is_empty() && case.theirs.rcode == Rcode::NOERROR;
    if !is_answer {
        return;
    }
    let missing = difference.missing(Section::Authority);
    let servers: Vec<Record> = missing.iter().filter(|record| record.rtype == Type::NS).cloned().collect();
    let is_apex = |record: &Record| case.zones.iter().any(|zone| zone.apex == record.owner);
    missing.retain(|record| record.about() != Type::NS || !is_apex(record));
    let is_a_server = |record: &Record| {
        servers
            .iter()
            .any(|server| rdata::alias_target(&server.rdata).is_some_and(|name| name == record.owner.borrow()))
    };
    difference.missing(Section::Additional).retain(|record| !is_a_server(record));
}

fn hash_names(case: &Case<'_>, difference: &mut Difference) {
    let Some(zone) = case.zone else { return };
    if zone.way_to(case.query.name.borrow()).iter().any(|above| zone.has(*above, Type::NSEC3)) {
        *difference = Difference::default();
    }
}

fn meta_types(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype.is_meta() && case.query.qtype != Type::ANY && case.ours.rcode == Rcode::NOTIMP {
        *difference = Difference::default();
    }
}

fn growing_names(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.rcode == Rcode::YXDOMAIN && case.theirs.rcode == Rcode::NOERROR && aliases(case.ours) > 0 {
        difference.rcode = false;
    }
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    if aliases(case.theirs) == 1 && theirs.is_subset(ours) && theirs.iter().any(|record| record.rtype == Type::DNAME)
    {
        difference.surplus(Section::Answer).retain(|record| record.rtype != Type::CNAME);
    }
}

/// Aliases that Knot 3.2 follows.
const KNOT_STEPS_MAX: usize = 5;

fn five_aliases(case: &Case<'_>, difference: &mut Difference) {
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    let stopped = aliases(case.theirs) >= KNOT_STEPS_MAX && theirs.is_subset(ours);
    if stopped && case.theirs.section(Section::Authority).is_subset(case.ours.section(Section::Authority)) {
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
}

fn made_up_records(case: &Case<'_>, difference: &mut Difference) {
    if matches!(case.query.qtype, Type::NSEC | Type::NSEC3PARAM) {
        *difference = Difference::default();
    }
}

fn any(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::ANY && case.ours.rcode == Rcode::NOERROR {
        *difference = Difference::default();
    }
}

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

fn other_zones(case: &Case<'_>, difference: &mut Difference) {
    let first = case.zone_at(case.query.name.borrow()).map(|zone| &zone.apex);
    let is_elsewhere = |name: NameRef<'_>| case.zone_at(name).is_some_and(|zone| Some(&zone.apex) != first);
    difference.surplus(Section::Additional).retain(|record| !is_elsewhere(record.owner.borrow()));
    let theirs = case.theirs.section(Section::Answer);
    let refers_elsewhere = case.theirs.section(Section::Authority).iter().any(|record| {
        let is_referred = |name: NameRef<'_>| name.is_at_or_below(record.owner.borrow()) && is_elsewhere(name);
        record.rtype == Type::NS && case.names_on_the_way().any(is_referred)
    });
    if case.theirs.rcode == Rcode::NOERROR
        && case.names_on_the_way().any(is_elsewhere)
        && theirs.is_subset(case.ours.section(Section::Answer))
        && (case.theirs.section(Section::Authority).is_subset(case.ours.section(Section::Authority))
            || refers_elsewhere)
    {
        *difference = Difference::default();
    }
}

fn authoritative_addresses(case: &Case<'_>, difference: &mut Difference) {
    let is_referral = case.ours.section(Section::Authority).iter().any(|record| record.rtype == Type::NS);
    if is_referral {
        let is_glue = |record: &Record| {
            case.zone_at(record.owner.borrow()).is_some_and(|zone| zone.cut_over(record.owner.borrow()).is_some())
        };
        difference.surplus(Section::Additional).retain(is_glue);
    }
}

fn addresses_for_rare_types(case: &Case<'_>, difference: &mut Difference) {
    if matches!(case.query.qtype, Type::AFSDB | Type::KX | Type::NAPTR | Type::RT | Type::PX) {
        difference.missing(Section::Additional).clear();
    }
}

fn is_about_nsec(records: &BTreeSet<Record>) -> bool {
    records.iter().all(|record| record.about() == Type::NSEC)
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

fn nsec_at_a_cut(case: &Case<'_>, difference: &mut Difference) {
    let name = case.query.name.borrow();
    let is_at_cut = case.zone.and_then(|zone| zone.cut_over(name)).is_some_and(|cut| cut == name);
    if case.query.qtype == Type::NSEC && is_at_cut {
        *difference = Difference::default();
    }
}

fn labels_below_star(case: &Case<'_>, difference: &mut Difference) {
    let is_low = |name: NameRef<'_>| name.labels().next().is_some_and(|label| label < &b"*"[..]);
    let has_low_child = |name: NameRef<'_>| {
        let Some((zone, encloser)) = case.zone_at(name).and_then(|zone| Some((zone, zone.encloser(name)?))) else {
            return false;
        };
        let mut children = zone.names().filter(|name| name.borrow().parent() == Some(encloser));
        children.any(|child| is_low(child.borrow()))
    };
    let all_nsec = is_about_nsec(difference.surplus(Section::Authority))
        && is_about_nsec(difference.missing(Section::Authority));
    if all_nsec && case.names_on_the_way().any(has_low_child) {
        difference.surplus(Section::Authority).clear();
        difference.missing(Section::Authority).clear();
    }
}

fn zero_octets(case: &Case<'_>, difference: &mut Difference) {
    let has_zero = |name: NameRef<'_>| name.labels().any(|label| label.contains(&0));
    let all_nsec = is_about_nsec(difference.surplus(Section::Authority))
        && is_about_nsec(difference.missing(Section::Authority));
    if all_nsec && case.names_on_the_way().any(has_zero) {
        difference.surplus(Section::Authority).clear();
        difference.missing(Section::Authority).clear();
    }
}

fn too_long_denied(case: &Case<'_>, difference: &mut Difference) {
    let same_answer = case.ours.section(Section::Answer).is_subset(case.theirs.section(Section::Answer));
    let is_known = matches!(case.theirs.rcode, Rcode::NXDOMAIN | Rcode::YXDOMAIN);
    if case.ours.rcode == Rcode::YXDOMAIN && is_known && same_answer {
        *difference = Difference::default();
    }
}

fn wildcard_asked_for(case: &Case<'_>, difference: &mut Difference) {
    let is_held = |name: NameRef<'_>| case.zone_at(name).is_some_and(|zone| zone.holds(name));
    if case.names_on_the_way().any(|name| name.is_wildcard() && is_held(name)) {
        difference.missing(Section::Authority).retain(|record| !matches!(record.about(), Type::NSEC | Type::NSEC3));
    }
}

/// Aliases that we follow.
const OUR_STEPS_MAX: usize = 16;

fn longer_chain(case: &Case<'_>, difference: &mut Difference) {
    let (ours, theirs) = (case.ours.section(Section::Answer), case.theirs.section(Section::Answer));
    if aliases(case.ours) >= OUR_STEPS_MAX && ours.is_subset(theirs) {
        *difference = Difference::default();
    }
}

fn signers_types_of_aliases(case: &Case<'_>, difference: &mut Difference) {
    let all_answers = [case.ours, case.theirs].map(aliases);
    if matches!(case.query.qtype, Type::NSEC | Type::NSEC3 | Type::RRSIG) && all_answers[0] != all_answers[1] {
        *difference = Difference::default();
    }
}

fn proofs_beside_addresses(_: &Case<'_>, difference: &mut Difference) {
    difference.missing(Section::Additional).retain(|record| !matches!(record.about(), Type::NSEC | Type::NSEC3));
}

fn glue_beside_answers(case: &Case<'_>, difference: &mut Difference) {
    let is_glue = |record: &Record| {
        case.zone_at(record.owner.borrow()).is_some_and(|zone| zone.cut_over(record.owner.borrow()).is_some())
    };
    if case.query.qtype != Type::NS && !case.ours.section(Section::Answer).is_empty() {
        difference.missing(Section::Additional).retain(|record| !is_glue(record));
    }
}

/// Records of an RRset for whose hosts BIND adds addresses.
const BIND_HOSTS_MAX: usize = 13;

fn addresses_of_many(case: &Case<'_>, difference: &mut Difference) {
    let count = case.ours.section(Section::Answer).iter().filter(|record| record.rtype == case.query.qtype).count();
    if count > BIND_HOSTS_MAX {
        difference.surplus(Section::Additional).clear();
    }
}

fn unproved_circle(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.rcode == Rcode::NOERROR && aliases(case.ours) == aliases(case.theirs) && aliases(case.ours) > 0 {
        difference.surplus(Section::Authority).retain(|record| !matches!(record.about(), Type::NSEC | Type::NSEC3));
    }
}

fn opt_out(case: &Case<'_>, difference: &mut Difference) {
    let is_opt_out = case.zone.is_some_and(|zone| matches!(zone.zone.denial, Some(Denial::OptOut { .. })));
    if is_opt_out {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC3);
        difference.missing(Section::Authority).retain(|record| record.about() != Type::NSEC3);
    }
}

fn ds_without_do(case: &Case<'_>, difference: &mut Difference) {
    if !case.query.dnssec_ok() {
        difference.missing(Section::Authority).retain(|record| record.rtype != Type::DS);
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

fn dname_at_apex(case: &Case<'_>, difference: &mut Difference) {
    let has_it = |name| case.zone_at(name).is_some_and(|zone| zone.has(zone.apex.borrow(), Type::DNAME));
    if case.names_on_the_way().any(has_it) {
        *difference = Difference::default();
    }
}

fn names_below_dnames(case: &Case<'_>, difference: &mut Difference) {
    let is_hidden =
        |name| case.zone_at(name).is_some_and(|zone| zone.zone.hides_names() && zone.dname_over(name).is_some());
    if case.names_on_the_way().any(is_hidden) {
        *difference = Difference::default();
    }
}

fn unsigned_dname(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.rcode == Rcode::YXDOMAIN && case.theirs.rcode == Rcode::YXDOMAIN {
        difference.missing(Section::Answer).retain(|record| record.rtype != Type::RRSIG);
        difference.surplus(Section::Answer).retain(|record| record.rtype != Type::RRSIG);
    }
}

fn aliases_asked_for(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::CNAME && aliases(case.ours) > 0 {
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

fn beside_svcb(case: &Case<'_>, difference: &mut Difference) {
    let is_known =
        |record: &Record| matches!(record.about(), Type::A | Type::AAAA | Type::CNAME | Type::SVCB | Type::HTTPS);
    if matches!(case.query.qtype, Type::SVCB | Type::HTTPS) {
        difference.surplus(Section::Additional).retain(|record| !is_known(record));
        difference.missing(Section::Additional).retain(|record| !is_known(record));
    }
}

fn addresses_from_wildcards(case: &Case<'_>, difference: &mut Difference) {
    let exists = |name: NameRef<'_>| case.zone_at(name).is_some_and(|zone| zone.holds(name));
    difference.missing(Section::Additional).retain(|record| exists(record.owner.borrow()));
}

fn nsec_of_wildcards(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::NSEC && !case.ours.section(Section::Answer).is_empty() {
        difference.surplus(Section::Authority).retain(|record| record.about() != Type::NSEC);
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

fn tlsa_beside_srv(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::SRV {
        difference.missing(Section::Additional).retain(|record| record.about() != Type(52));
    }
}
