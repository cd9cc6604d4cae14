//! The differences that we know, each with the reason why we answer as we do.
//!
//! A rule takes from a [`Difference`] what it explains. What is left when all have been asked is a failure, and so is a
//! rule that explained nothing in a whole run.

use testing::peer::Software;

use crate::comparison::{Case, Difference};

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) peers: &'static [Software],
    pub(crate) reason: &'static str,
    pub(crate) explain: fn(&Case<'_>, &mut Difference),
}

pub(crate) const RULES: &[Rule] = &[];

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
