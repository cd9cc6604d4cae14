//! What is asked for: names, types, and types that are no data.

use dns::{NameRef, Rcode, Section, Type};
use testing::peer::Software;
use testing::peer::Software::{Bind, Knot, Nsd, PowerDns};

use super::Rule;
use crate::answers::Answer;
use crate::comparison::{Case, Difference};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "names with octets that hosts do not have",
        peers: &[PowerDns],
        reason: "any octet may be in a label (RFC 2181 §11); PowerDNS fails",
        explain: odd_octets,
    },
    Rule {
        name: "types that are no data",
        peers: &Software::ALL,
        reason: "queries for meta types that mean nothing are not implemented (RFC 6895 §3.1); they look them up, or FORMERR",
        explain: meta_types,
    },
    Rule {
        name: "ANY",
        peers: &Software::ALL,
        reason: "one RRset, or an alias, is answer enough (RFC 8482 §4.1); which one, or whether all, is everybody's choice",
        explain: any,
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
        name: "the signer's records asked for",
        peers: &[PowerDns],
        reason: "NSEC and NSEC3PARAM are records of the zone (RFC 4035 §3.1.4); PowerDNS makes its own",
        explain: made_up_records,
    },
    Rule {
        name: "the signer's types of aliases",
        peers: &[Nsd],
        reason: "NSEC and RRSIG may be beside a CNAME, NSEC3 is not (RFC 4035 §2.5): who lacks the former does not lead on",
        explain: signers_types_of_aliases,
    },
    Rule {
        name: "aliases asked for",
        peers: &[PowerDns],
        reason: "whoever asks for the CNAME is not led on (RFC 1034 §4.3.2, 3a); behind wildcards and DNAMEs PowerDNS goes on",
        explain: aliases_asked_for,
    },
    Rule {
        name: "data without octets",
        peers: &[PowerDns],
        reason: "the data of an unknown type may be empty (RFC 3597 §5); PowerDNS has no such RRset",
        explain: empty_data,
    },
];

fn odd_octets(case: &Case<'_>, difference: &mut Difference) {
    if case.theirs.rcode == Rcode::SERVFAIL && has_odd_octets(case.query.name.borrow()) {
        *difference = Difference::default();
    }
}

fn meta_types(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype.is_meta() && case.query.qtype != Type::ANY && case.ours.rcode == Rcode::NOTIMP {
        *difference = Difference::default();
    }
}

fn any(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::ANY && case.ours.rcode == Rcode::NOERROR {
        *difference = Difference::default();
    }
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

fn made_up_records(case: &Case<'_>, difference: &mut Difference) {
    if matches!(case.query.qtype, Type::NSEC | Type::NSEC3PARAM) {
        *difference = Difference::default();
    }
}

fn signers_types_of_aliases(case: &Case<'_>, difference: &mut Difference) {
    let all_answers = [case.ours, case.theirs].map(Answer::aliases);
    if matches!(case.query.qtype, Type::NSEC | Type::NSEC3 | Type::RRSIG) && all_answers[0] != all_answers[1] {
        *difference = Difference::default();
    }
}

fn aliases_asked_for(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::CNAME && case.ours.aliases() > 0 {
        *difference = Difference::default();
    }
}

fn has_odd_octets(name: NameRef<'_>) -> bool {
    let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_*/@ ".contains(octet);
    name.labels().any(|label| !label.iter().all(is_plain))
}

fn empty_data(case: &Case<'_>, difference: &mut Difference) {
    if case.ours.section(Section::Answer).iter().any(|record| record.rdata.is_empty()) {
        *difference = Difference::default();
    }
}
