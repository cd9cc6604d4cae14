//! What comes beside an answer: addresses, name servers and other things that help.

use dns::{NameRef, Rcode, Section, Type, rdata};
use testing::peer::Software;
use testing::peer::Software::{Bind, Knot, Nsd, PowerDns};

use super::Rule;
use crate::answers::Record;
use crate::comparison::{Case, Difference};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "name servers beside answers",
        peers: &[Nsd],
        reason: "nobody who has an answer needs them (RFC 2181 §6.1 asks for them in referrals)",
        explain: servers_beside_answers,
    },
    Rule {
        name: "addresses in referrals",
        peers: &[Bind],
        reason: "addresses that help are given also where they are no glue (RFC 1034 §4.3.2, 3b); BIND gives glue",
        explain: authoritative_addresses,
    },
    Rule {
        name: "name servers at cuts of their own",
        peers: &[Bind],
        reason: "who looks for a name server's address needs it, also where it is glue (RFC 1034 §4.2.1)",
        explain: servers_at_cuts,
    },
    Rule {
        name: "the root's servers",
        peers: &[Bind],
        reason: "whoever primes wants the addresses of the root's servers (RFC 9609 §4.2); BIND leaves them out of minimal answers",
        explain: servers_of_the_root,
    },
    Rule {
        name: "addresses for rare types",
        peers: &[Bind, Nsd, PowerDns],
        reason: "we add addresses for NS, MX, SRV, SVCB and HTTPS; others may be left out (RFC 2181 §9)",
        explain: addresses_for_rare_types,
    },
    Rule {
        name: "addresses of many hosts",
        peers: &[Bind],
        reason: "we add addresses for 32 hosts at most; BIND for none where there are more than 13",
        explain: addresses_of_many,
    },
    Rule {
        name: "addresses from wildcards",
        peers: &Software::ALL,
        reason: "we add addresses of hosts that exist; those made from a wildcard may be left out (RFC 2181 §9)",
        explain: addresses_from_wildcards,
    },
    Rule {
        name: "the root as a host",
        peers: &[Knot, Nsd, PowerDns],
        reason: "a mail host or service at the root is none (RFC 7505 §3, RFC 2782); they give the root's addresses",
        explain: the_root_as_a_host,
    },
    Rule {
        name: "glue beside answers",
        peers: &[Knot, PowerDns],
        reason: "what is below a cut is given for referrals only (RFC 2181 §5.4.1), and what is below a DNAME not at all; they give it",
        explain: glue_beside_answers,
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
        name: "proofs beside addresses",
        peers: &[Knot],
        reason: "the additional section needs no proofs (RFC 4035 §3.1.1)",
        explain: proofs_beside_addresses,
    },
    Rule {
        name: "addresses of aliases",
        peers: &[Nsd],
        reason: "no host's name in MX or SRV may be an alias (RFC 2181 §10.3); where one is, its addresses may be left out",
        explain: addresses_of_aliases,
    },
];

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

fn authoritative_addresses(case: &Case<'_>, difference: &mut Difference) {
    let is_referral = case.ours.section(Section::Authority).iter().any(|record| record.rtype == Type::NS);
    if is_referral {
        let is_glue = |record: &Record| {
            case.zone_at(record.owner.borrow()).is_some_and(|zone| zone.cut_over(record.owner.borrow()).is_some())
        };
        difference.surplus(Section::Additional).retain(is_glue);
    }
}

fn servers_at_cuts(case: &Case<'_>, difference: &mut Difference) {
    let is_glue = |record: &Record| {
        case.zone_at(record.owner.borrow()).is_some_and(|zone| zone.cut_over(record.owner.borrow()).is_some())
    };
    if case.query.qtype == Type::NS {
        difference.surplus(Section::Additional).retain(|record| !is_glue(record));
    }
}

fn servers_of_the_root(case: &Case<'_>, difference: &mut Difference) {
    let servers = case.ours.section(Section::Answer).iter().filter(|record| record.rtype == Type::NS);
    let hosts: Vec<NameRef<'_>> = servers
        .filter(|record| record.owner.borrow().is_root())
        .filter_map(|record| rdata::alias_target(&record.rdata))
        .collect();
    difference.surplus(Section::Additional).retain(|record| !hosts.contains(&record.owner.borrow()));
}

fn addresses_for_rare_types(case: &Case<'_>, difference: &mut Difference) {
    if matches!(case.query.qtype, Type::AFSDB | Type::KX | Type::NAPTR | Type::RT | Type::PX) {
        difference.missing(Section::Additional).clear();
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

fn addresses_from_wildcards(case: &Case<'_>, difference: &mut Difference) {
    let is_there = |record: &Record| {
        let owner = record.owner.borrow();
        case.zone_at(owner).is_some_and(|zone| zone.has(owner, record.about()))
    };
    difference.missing(Section::Additional).retain(is_there);
}

fn the_root_as_a_host(case: &Case<'_>, difference: &mut Difference) {
    let names_the_root = |record: &Record| {
        record.rtype != Type::NS
            && rdata::additional_target(record.rtype, &record.rdata).is_some_and(NameRef::is_root)
    };
    if case.ours.section(Section::Answer).iter().any(names_the_root) {
        difference.missing(Section::Additional).retain(|record| !record.owner.borrow().is_root());
    }
}

fn glue_beside_answers(case: &Case<'_>, difference: &mut Difference) {
    let is_glue = |record: &Record| {
        let owner = record.owner.borrow();
        case.zones.iter().any(|zone| zone.cut_over(owner).is_some() || zone.dname_over(owner).is_some())
    };
    if case.query.qtype != Type::NS && !case.ours.section(Section::Answer).is_empty() {
        difference.missing(Section::Additional).retain(|record| !is_glue(record));
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

fn tlsa_beside_srv(case: &Case<'_>, difference: &mut Difference) {
    if case.query.qtype == Type::SRV {
        difference.missing(Section::Additional).retain(|record| record.about() != Type(52));
    }
}

fn proofs_beside_addresses(_: &Case<'_>, difference: &mut Difference) {
    difference.missing(Section::Additional).retain(|record| !matches!(record.about(), Type::NSEC | Type::NSEC3));
}

fn addresses_of_aliases(case: &Case<'_>, difference: &mut Difference) {
    let is_alias = |record: &Record| {
        let host = rdata::additional_target(record.rtype, &record.rdata);
        host.is_some_and(|host| {
            case.zone_at(host).is_some_and(|zone| zone.has(host, Type::CNAME) || zone.dname_over(host).is_some())
        })
    };
    if case.ours.section(Section::Answer).iter().any(is_alias) {
        difference.missing(Section::Additional).clear();
    }
}
