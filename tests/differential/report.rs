//! What a run has shown: which rule explained how much, and what nothing explains.

use std::collections::BTreeMap;
use std::fmt::Write;

use testing::peer::Software;

use crate::answers::Heard;
use crate::differences::{NOT_IN_EVERY_RUN, rules};

/// Differences that are shown whole, of each sort.
const SHOWN_OF_A_SORT: usize = 1;
/// Sorts that are shown.
const SORTS_SHOWN: usize = 40;

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) queries: usize,
    /// By rule and peer.
    used: BTreeMap<(usize, usize), usize>,
    /// By sort: how often, and the first ones in full.
    unexplained: BTreeMap<String, (usize, Vec<String>)>,
}

/// One answer of ours and what others said, for people.
pub(crate) struct Exhibit<'a> {
    pub(crate) seed: u64,
    pub(crate) zone: String,
    pub(crate) question: String,
    pub(crate) ours: &'a Heard,
    pub(crate) theirs: Vec<(Software, &'a Heard)>,
    pub(crate) what: String,
}

impl Report {
    pub(crate) fn used(&mut self, rules: &[usize], peer: Software) {
        let column = Software::ALL.iter().position(|software| *software == peer).expect("all are in ALL");
        for rule in rules {
            *self.used.entry((*rule, column)).or_default() += 1;
        }
    }

    pub(crate) fn unexplained(&mut self, sort: String, exhibit: impl FnOnce() -> String) {
        let (count, shown) = self.unexplained.entry(sort).or_default();
        *count += 1;
        if shown.len() < SHOWN_OF_A_SORT {
            shown.push(exhibit());
        }
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.unexplained.is_empty()
    }

    pub(crate) fn unused_rules(&self) -> Vec<&'static str> {
        let is_used = |rule: usize| self.used.keys().any(|(used, _)| *used == rule);
        let unused = rules().enumerate().filter(|(number, _)| !is_used(*number)).map(|(_, rule)| rule.name);
        unused.filter(|name| !NOT_IN_EVERY_RUN.contains(name)).collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut text = format!("{} queries to each server\n", self.queries);
        let [bind, knot, nsd, powerdns] = Software::ALL.map(|software| format!("{software:?}"));
        writeln!(text, "{bind:>9} {knot:>9} {nsd:>9} {powerdns:>9}  difference").expect("a String takes all");
        for (number, rule) in rules().enumerate() {
            for column in 0..Software::ALL.len() {
                match self.used.get(&(number, column)) {
                    Some(count) => write!(text, "{count:>9} "),
                    None => write!(text, "{:>9} ", "-"),
                }
                .expect("a String takes all");
            }
            writeln!(text, " {}: {}", rule.name, rule.reason).expect("a String takes all");
        }
        text
    }

    pub(crate) fn failures(&self) -> String {
        let mut sorts: Vec<_> = self.unexplained.iter().collect();
        sorts.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let mut text = String::new();
        for (sort, (count, _)) in &sorts {
            writeln!(text, "{count:>6}  {sort}").expect("a String takes all");
        }
        for (sort, (_, shown)) in sorts.iter().take(SORTS_SHOWN) {
            for exhibit in shown {
                writeln!(text, "\n==== {sort}\n{exhibit}").expect("a String takes all");
            }
        }
        text
    }
}

impl Exhibit<'_> {
    pub(crate) fn to_text(&self) -> String {
        let Self { seed, zone, question, ours, theirs, what } = self;
        let mut text = format!("SECONDO_SEED={seed}\n{what}\n{question}\n---- the zone around it\n{zone}\n");
        write!(text, "---- Secondo\n{ours}").expect("a String takes all");
        for (software, heard) in theirs {
            write!(text, "---- {software:?}\n{heard}").expect("a String takes all");
        }
        text
    }
}
