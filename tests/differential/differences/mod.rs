//! The differences that we know, each with the reason why we answer as we do.
//!
//! A rule takes from a [`Difference`] what it explains. What is left when all have been asked is a failure, and so is a
//! rule that explained nothing in the standard run. Rules are as narrow as they can be: they look at what was asked, at
//! what the zone holds and at both answers, and name the servers that they are about.

mod addresses;
mod chains;
mod places;
mod proofs;
mod questions;

use testing::peer::Software;

use crate::comparison::{Case, Difference};

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// Who answers otherwise than we do.
    peers: &'static [Software],
    pub(crate) reason: &'static str,
    explain: fn(&Case<'_>, &mut Difference),
}

/// Rules that the standard run may do without: for what depends on a server's timing, or nobody has found out when it is.
pub(crate) const NOT_IN_EVERY_RUN: [&str; 10] = [
    "the root's servers",
    "a zone below another",
    "a cut that is none",
    "wildcards without the type",
    "opt-out above empty non-terminals",
    "addresses of aliases",
    "names below wildcards",
    "an apex asked for",
    "zero octets before a name",
    "the root as a host",
];

/// All rules. Their place here is their number.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    [questions::RULES, chains::RULES, places::RULES, proofs::RULES, addresses::RULES].into_iter().flatten()
}

/// Takes away what is known. Returns the numbers of the rules that were needed.
pub(crate) fn explain(case: &Case<'_>, difference: &mut Difference) -> Vec<usize> {
    let mut used = Vec::new();
    for (number, rule) in rules().enumerate().filter(|(_, rule)| rule.peers.contains(&case.peer)) {
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
