//! What a delivery tells: by kind, how many events there are, and the first of them in words.

use serde::{Deserialize, Serialize};

use crate::events::{EventKind, NewEvent, Severity};

/// So many events of a kind are told in words; of the others, that they are there.
const NAMED_MAX: usize = 10;
/// Of each, so many characters.
const MESSAGE_CHARACTERS_MAX: usize = 400;

/// Events as they are told, the worst kinds first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    pub groups: Vec<Group>,
}

/// Events of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// [`EventKind::as_str`].
    pub kind: String,
    /// Of the worst of them.
    pub severity: String,
    pub count: u64,
    /// The first of them.
    pub first: Vec<Told>,
}

/// One event as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub at_ms: u64,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub subject: String,
    pub message: String,
}

impl Digest {
    pub fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// The worst of all.
    pub fn severity(&self) -> Severity {
        self.groups.iter().map(Group::severity).max().unwrap_or(Severity::Info)
    }

    pub(super) fn add(&mut self, event: &NewEvent) {
        let told = Told {
            at_ms: event.at.0,
            subject: event.subject.clone(),
            message: event.message.chars().take(MESSAGE_CHARACTERS_MAX).collect(),
        };
        let kind = event.kind.as_str();
        match self.groups.iter_mut().find(|group| group.kind == kind) {
            Some(group) => group.add(event.severity, told),
            None => self.groups.push(Group {
                kind: kind.to_owned(),
                severity: event.severity.to_string(),
                count: 1,
                first: vec![told],
            }),
        }
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.severity()));
    }

    /// What is in a row; what another version has written and cannot be read is nothing.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("text and numbers can be written")
    }
}

impl Group {
    pub fn severity(&self) -> Severity {
        self.severity.parse().unwrap_or(Severity::Error)
    }

    /// Its kind, where this version knows it.
    pub fn event_kind(&self) -> Option<EventKind> {
        EventKind::of_word(&self.kind)
    }

    fn add(&mut self, severity: Severity, told: Told) {
        self.count += 1;
        if severity > self.severity() {
            self.severity = severity.to_string();
        }
        if self.first.len() < NAMED_MAX {
            self.first.push(told);
        }
    }
}
