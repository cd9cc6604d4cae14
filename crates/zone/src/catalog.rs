//! Catalog zones (RFC 9432): zones that list other zones, their members.
//!
//! ```text
//! version.CATALOG            TXT  "2"
//! LABEL.zones.CATALOG        PTR  a member
//! group.LABEL.zones.CATALOG  TXT  which settings the member is to have, if the consumer knows such
//! coo.LABEL.zones.CATALOG    PTR  the catalog that may take the member over
//! ```
//!
//! [`read`] says what one version of a catalog lists. [`plan`] says what follows from it for the zones that are here
//! because of the catalog: which come, which go, and which of those that go have to wait.
//!
//! Invariants: without a listing there is no plan, so that a catalog that is broken, expired or gone removes nothing; a
//! zone that is not here because of this catalog is never touched; a zone outside of the catalog's suffixes is never
//! taken up; the same arguments lead to the same plan, in whatever order they come.
//!
//! [`write()`] makes one, for servers that follow ours.
//!
//! Nothing here adds or removes a zone: a plan is carried out elsewhere.

mod guard;
mod plan;
mod read;
mod write;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use dns::{Name, NameError, Serial};

pub use guard::{Consent, Guard, Warrant};
pub use plan::{Action, State, Why, plan};
pub use read::{Broken, read};
pub use write::write;

/// What one version of a catalog lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    catalog: Name,
    serial: Serial,
    /// In the order of their zones' names, each of them once.
    entries: Vec<Entry>,
}

impl Listing {
    /// The catalog's own name.
    pub fn catalog(&self) -> &Name {
        &self.catalog
    }

    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// What is listed, in the order of the names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A zone as a catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the catalog spells it.
    pub zone: Name,
    pub label: Label,
    /// What may be the name of a group, in the order of octets.
    pub groups: Vec<String>,
    /// The catalog that may take the zone over (RFC 9432 §4.3.1).
    pub coo: Option<Name>,
}

/// What a catalog knows a member by: the one label of its node. When it changes, the member begins anew (RFC 9432
/// §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(
    /// A name of one label: it compares as names do.
    Name,
);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_string();
        f.write_str(name.strip_suffix('.').unwrap_or(&name))
    }
}

impl FromStr for Label {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name: Name = text.parse()?;
        match name.borrow().label_count() {
            1 => Ok(Self(name)),
            _ => Err(NameError::Text("it is not one label".into())),
        }
    }
}

/// A zone that is here because this catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub zone: Name,
    pub label: Label,
    /// The group whose settings it has.
    pub group: Option<String>,
    /// For how long the catalog has not listed it under its label; none while it does.
    pub missing_for: Option<Duration>,
}

/// What is here when a plan is made.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The catalog's own members.
    pub members: Vec<Member>,
    /// How many of its zones were removed or reset [at once](Warrant::Ordinary) within the guard's delay.
    pub removed_lately: usize,
    /// Every other name that is in use.
    pub taken: HashMap<Name, Taken>,
}

impl Holdings {
    /// Takes note of what another catalog gives away. Only to be told of a listing that is valid now: the other catalog
    /// must still offer the zone when it moves (RFC 9432 §4.3.1).
    pub fn note_offers(&mut self, other: &Listing) {
        for entry in other.entries.iter().filter(|entry| entry.coo.is_some()) {
            if let Some(Taken::Member { catalog, offered_to, .. }) = self.taken.get_mut(&entry.zone)
                && *catalog == other.catalog
            {
                offered_to.clone_from(&entry.coo);
            }
        }
    }
}

/// Whose a name is that is not a member of this catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A zone that somebody configured: it wins over every catalog.
    Configured,
    /// A member of another catalog.
    Member { catalog: Name, label: Label, offered_to: Option<Name> },
}

/// What the owner of the catalog wants of its members.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Members are at or below one of these. The root allows every name; where none is given, none is allowed.
    pub suffixes: Vec<Name>,
    /// The groups that there are settings for; others mean nothing here (RFC 9432 §4.3.2).
    pub groups: BTreeSet<String>,
    pub guard: Guard,
}

impl Rules {
    pub fn allow(&self, zone: &Name) -> bool {
        self.suffixes.iter().any(|suffix| zone.borrow().is_at_or_below(suffix.borrow()))
    }

    /// The group that a listed zone is in here: of several that we know the first in the order of octets.
    fn group_of(&self, entry: &Entry) -> Option<String> {
        entry.groups.iter().filter(|group| self.groups.contains(*group)).min().cloned()
    }
}
