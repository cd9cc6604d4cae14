//! `[delegation]`: where the walk to the parents of zones begins, and to whom these are to delegate.

use std::collections::BTreeSet;

use delegation::{Hints, NoHints};
use dns::Name;
use serde::Deserialize;
use toml::Spanned;

use super::detail;
use super::problems::Problems;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DelegationSection {
    hints: Option<Spanned<String>>,
    name_servers: Vec<Spanned<String>>,
    name_servers_per_tenant: Option<Spanned<usize>>,
}

/// How delegations are looked at.
#[derive(Clone, Debug)]
pub(crate) struct DelegationSettings {
    /// IANA's unless said otherwise.
    pub(crate) hints: Hints,
    /// This service's name servers; none where nobody has said which they are.
    pub(crate) name_servers: BTreeSet<Name>,
    /// How many of them an organisation gets for itself; none where all have all.
    pub(crate) per_tenant: Option<usize>,
}

impl Default for DelegationSettings {
    fn default() -> Self {
        Self { hints: Hints::iana(), name_servers: BTreeSet::new(), per_tenant: None }
    }
}

pub(super) fn read_delegation(section: &DelegationSection, problems: &mut Problems) -> DelegationSettings {
    let mut settings = DelegationSettings::default();
    if let Some(hints) = problems.read_if_given(section.hints.as_ref(), read_hints) {
        settings.hints = hints;
    }
    for text in &section.name_servers {
        let Some(name) = problems.read(text, name_server) else { continue };
        problems.once(&mut settings.name_servers, &name, text, "name server");
    }
    if let Some(size) = &section.name_servers_per_tenant {
        let all = settings.name_servers.len();
        if !(1..all).contains(size.get_ref()) {
            let message = format!(
                "it is at least 1, and less than the number of name_servers, which is {all}: else all organisations have the same"
            );
            problems.note(size.span().start, message);
        }
        settings.per_tenant = Some(*size.get_ref());
    }
    settings
}

fn read_hints(path: &str) -> Result<Hints, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file of root hints {path:?} cannot be read: {error}"))?;
    text.parse().map_err(|error: NoHints| format!("the file {path:?} has no root hints: {error}"))
}

/// What can stand in an NS record that the world is to follow.
fn name_server(text: &str) -> Result<Name, String> {
    match api::text::zone_name(text).map_err(detail)? {
        root if root.borrow().is_root() => Err("the root is no name server".to_owned()),
        name => Ok(name),
    }
}
