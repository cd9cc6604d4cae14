//! What follows from a listing: the step from the zones that are here to the zones that the catalog lists.

use std::collections::HashMap;
use std::time::Duration;

use dns::Name;

use super::guard::{Leaving, Measure};
use super::{Consent, Entry, Holdings, Label, Listing, Member, Rules, Taken, Warrant};

/// What is to be done about one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Becomes a member.
    Add { zone: Name, label: Label, group: Option<String> },
    /// Goes, and its contents with it, now or when they have been kept for a while (RFC 9432 §5.3).
    Remove { zone: Name, warrant: Warrant },
    /// Its label changed: its contents go, and it begins anew (RFC 9432 §5.4).
    Reset { zone: Name, label: Label, group: Option<String>, warrant: Warrant },
    /// Gets the settings of another group.
    ChangeGroup { zone: Name, group: Option<String> },
    /// Comes over from the catalog `from`, which gives it to this one (RFC 9432 §4.3.1).
    Migrate { zone: Name, from: Name, label: Label, group: Option<String>, state: State },
    /// Would go, but stays for now; the wait begins when this is first said.
    Hold { zone: Name, remaining: Duration },
    /// Is listed again: its wait is over.
    Found { zone: Name },
    /// Is listed, but nothing is done about it.
    Skip { zone: Name, why: Why },
}

impl Action {
    pub fn zone(&self) -> &Name {
        match self {
            Self::Add { zone, .. }
            | Self::Remove { zone, .. }
            | Self::Reset { zone, .. }
            | Self::ChangeGroup { zone, .. }
            | Self::Migrate { zone, .. }
            | Self::Hold { zone, .. }
            | Self::Found { zone }
            | Self::Skip { zone, .. } => zone,
        }
    }
}

/// What becomes of the contents of a zone that moves to another catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Both catalogs have it under one label.
    Kept,
    Reset,
}

/// Why a listed zone is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("it is in none of the domains that this catalog may list zones of")]
    OutOfScope,
    #[error("a zone of this name is configured, and goes before what a catalog lists")]
    Configured,
    #[error("it is a member of the catalog {catalog}, which does not give it to this one (RFC 9432 §5.2)")]
    MemberOf { catalog: Name },
    #[error("this catalog would take it over and gives it away again, to {to}: its coo record has to go first")]
    GivenAway { to: Name },
}

/// What is to be done now, in the order of the zones' names; nothing but [`Action::Skip`] and [`Action::Hold`] when the
/// catalog's zones are here already.
pub fn plan(listing: &Listing, holdings: &Holdings, rules: &Rules, consent: Consent) -> Vec<Action> {
    let own = holdings.members.iter().filter(|member| !holdings.taken.contains_key(&member.zone));
    let mut members: HashMap<&Name, &Member> = own.map(|member| (&member.zone, member)).collect();
    let member_count = members.len();
    let mut actions = Vec::new();
    let mut leaving = Vec::new();
    for entry in listing.entries() {
        match members.remove(&entry.zone) {
            None => actions.push(arrive(listing.catalog(), entry, holdings.taken.get(&entry.zone), rules)),
            Some(member) if member.label == entry.label => actions.extend(stay(entry, member, rules)),
            Some(_) if !rules.allow(&entry.zone) => actions.push(skip(entry, Why::OutOfScope)),
            Some(member) => leaving.push(Leaving::Relabelled { member, entry, group: rules.group_of(entry) }),
        }
    }
    leaving.extend(members.into_values().map(Leaving::Unlisted));
    let measure = Measure {
        guard: &rules.guard,
        members: member_count,
        leaving: leaving.len(),
        removed_lately: holdings.removed_lately,
        listed: listing.entries().len(),
        is_consented: consent == Consent::GivenFor(listing.serial()),
    };
    actions.extend(leaving.into_iter().map(|leaving| leaving.judge(&measure)));
    actions.sort_by(|a, b| a.zone().cmp(b.zone()));
    actions
}

/// A listed zone that is not a member.
fn arrive(catalog: &Name, entry: &Entry, taken: Option<&Taken>, rules: &Rules) -> Action {
    if !rules.allow(&entry.zone) {
        return skip(entry, Why::OutOfScope);
    }
    let (zone, label, group) = (entry.zone.clone(), entry.label.clone(), rules.group_of(entry));
    let (from, their_label) = match taken {
        None => return Action::Add { zone, label, group },
        Some(Taken::Configured) => return skip(entry, Why::Configured),
        Some(Taken::Member { catalog: from, label, offered_to }) if offered_to.as_ref() == Some(catalog) => {
            (from, label)
        }
        Some(Taken::Member { catalog, .. }) => return skip(entry, Why::MemberOf { catalog: catalog.clone() }),
    };
    // Catalogs that give a zone to each other, in a circle of whatever size, would pass it around for ever: one that
    // gives it away takes none over.
    if let Some(to) = entry.coo.as_ref().filter(|to| *to != catalog) {
        return skip(entry, Why::GivenAway { to: to.clone() });
    }
    let state = if label == *their_label { State::Kept } else { State::Reset };
    Action::Migrate { zone, from: from.clone(), label, group, state }
}

/// A member that is listed under its label.
fn stay(entry: &Entry, member: &Member, rules: &Rules) -> Vec<Action> {
    let mut actions = Vec::new();
    if member.missing_for.is_some() {
        actions.push(Action::Found { zone: entry.zone.clone() });
    }
    let group = rules.group_of(entry);
    if !rules.allow(&entry.zone) {
        // The suffixes were narrowed after it had come. That removes nothing, but the catalog has no say in it any more.
        actions.push(skip(entry, Why::OutOfScope));
    } else if group != member.group {
        actions.push(Action::ChangeGroup { zone: entry.zone.clone(), group });
    }
    actions
}

fn skip(entry: &Entry, why: Why) -> Action {
    Action::Skip { zone: entry.zone.clone(), why }
}
