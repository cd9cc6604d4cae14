//! A zone file while it is being drawn: what may stand beside what.
//!
//! It holds RRsets by owner and refuses what no server would load: two aliases at one name, an alias beside data, an
//! apex's records elsewhere. Owners are absolute names in text.

use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) struct Draft {
    /// With its last dot.
    pub(crate) apex: String,
    /// By owner in lower case.
    owners: BTreeMap<String, Owner>,
    hidden: Hidden,
}

/// Whether there may be names below DNAMEs, which some servers do not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    Welcome,
    Refused,
    /// No DNAMEs at all, in a zone below another: NSD takes what the other one has below the cut for names below them.
    Impossible,
}

struct Owner {
    spelling: String,
    rrsets: BTreeMap<&'static str, Rrset>,
}

struct Rrset {
    ttl_secs: u32,
    data: Vec<String>,
}

/// Types that bear no others beside them.
const ALONE: [&str; 1] = ["CNAME"];
/// Types of which a name has one record.
const SINGLE: [&str; 3] = ["CNAME", "DNAME", "SOA"];

impl Draft {
    pub(crate) fn new(apex: &str, hidden: Hidden) -> Self {
        Self { apex: apex.into(), owners: BTreeMap::new(), hidden }
    }

    /// `labels` below the apex; the apex itself when there are none.
    pub(crate) fn name(&self, labels: &str) -> String {
        join(labels, &self.apex)
    }

    /// Adds a record, or leaves it where it cannot stand. The first record of an RRset says its TTL.
    pub(crate) fn add(&mut self, owner: &str, rtype: &'static str, ttl_secs: u32, data: impl Into<String>) -> bool {
        if !self.takes(owner, rtype) {
            return false;
        }
        let entry = self
            .owners
            .entry(owner.to_ascii_lowercase())
            .or_insert_with(|| Owner { spelling: owner.into(), rrsets: BTreeMap::new() });
        let rrset = entry.rrsets.entry(rtype).or_insert(Rrset { ttl_secs, data: Vec::new() });
        let data = data.into();
        if !rrset.data.iter().any(|known| known.eq_ignore_ascii_case(&data)) {
            rrset.data.push(data);
        }
        true
    }

    fn takes(&self, owner: &str, rtype: &str) -> bool {
        // RFC 1035 §2.3.4; escapes only make the text longer than the name.
        if owner.len() > 250 {
            return false;
        }
        let is_apex = owner.eq_ignore_ascii_case(&self.apex);
        // What a wildcard's NS, DNAME or DS would mean is nowhere defined (RFC 4592 §4.2 and §4.4).
        let is_wildcard = owner.starts_with("*.");
        if is_wildcard && matches!(rtype, "NS" | "DNAME" | "DS") || is_apex && matches!(rtype, "CNAME" | "DS") {
            return false;
        }
        if self.hidden == Hidden::Impossible && rtype == "DNAME" {
            return false;
        }
        if self.hidden == Hidden::Refused && !is_apex && self.would_be_hidden(owner, rtype) {
            return false;
        }
        let Some(present) = self.owners.get(&owner.to_ascii_lowercase()) else {
            return rtype != "DS";
        };
        let has = |rtype: &str| present.rrsets.contains_key(rtype);
        if has(rtype) && SINGLE.contains(&rtype) {
            return false;
        }
        let others = present.rrsets.keys().filter(|present| **present != rtype).count();
        if ALONE.iter().any(|alone| has(alone) && *alone != rtype) || ALONE.contains(&rtype) && others > 0 {
            return false;
        }
        match rtype {
            // RFC 6672 §2.3: not beside NS, but for the apex.
            "DNAME" => is_apex || !has("NS"),
            "NS" => is_apex || !has("DNAME"),
            "DS" => has("NS"),
            _ => true,
        }
    }

    /// An escaped dot is taken for a dot: that refuses a few names more.
    fn would_be_hidden(&self, owner: &str, rtype: &str) -> bool {
        let owner = owner.to_ascii_lowercase();
        let hides = |known: &Owner| known.rrsets.contains_key("DNAME") && known.spelling != self.apex;
        let is_below = |name: &str, above: &str| name.ends_with(&format!(".{above}"));
        self.owners
            .iter()
            .any(|(name, known)| hides(known) && is_below(&owner, name) || rtype == "DNAME" && is_below(name, &owner))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.owners.values().map(|owner| owner.spelling.as_str())
    }

    /// Owners that have this type, the apex left out.
    pub(crate) fn with(&self, rtype: &str) -> Vec<String> {
        let has = |owner: &&Owner| owner.rrsets.contains_key(rtype) && owner.spelling != self.apex;
        self.owners.values().filter(has).map(|owner| owner.spelling.clone()).collect()
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut apex_first: Vec<&Owner> = self.owners.values().collect();
        apex_first.sort_by_key(|owner| owner.spelling != self.apex);
        for owner in apex_first {
            // The SOA opens a zone file.
            let mut rrsets: Vec<_> = owner.rrsets.iter().collect();
            rrsets.sort_by_key(|(rtype, _)| **rtype != "SOA");
            for (rtype, Rrset { ttl_secs, data }) in rrsets {
                for data in data {
                    writeln!(text, "{} {ttl_secs} IN {rtype} {data}", owner.spelling).expect("a String takes all");
                }
            }
        }
        text
    }
}

pub(crate) fn join(labels: &str, name: &str) -> String {
    match (labels, name) {
        ("", name) => name.into(),
        (labels, ".") => format!("{labels}."),
        (labels, name) => format!("{labels}.{name}"),
    }
}
