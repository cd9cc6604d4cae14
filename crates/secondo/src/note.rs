//! The note about a zone in the store: what must be known at a start before the inventory is, or without it.
//!
//! A zone that is switched off must not be answered for a moment because the program starts, and not for days because
//! the inventory was lost. A zone about which nothing special is to be known has no note.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use dns::{Name, Serial};
use inventory::Service;
use serde::{Deserialize, Serialize};
use xfr::{Moment, Policy, Settings};
use zone::TenantId;

use crate::followed::{Instructions, Ownership, Role, Subscription};
use crate::holds::{HeldBack, Hold};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    /// None for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    service: Service,
    #[serde(skip_serializing_if = "is_default")]
    ownership: Ownership,
    #[serde(skip_serializing_if = "is_default")]
    subscription: Subscription,
    #[serde(skip_serializing_if = "is_default")]
    contents: Contents,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<NotedHold>,
    /// The primary that the stored version came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) came_from: Option<SocketAddr>,
}

/// What is kept of a hold; the version that is held back is fetched again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NotedHold {
    Held {
        serial: u32,
        lost_percent: u8,
        since_ms: u64,
    },
    Kept {
        serial: u32,
    },
    #[serde(rename = "over-limit")]
    OverLimit {
        serial: u32,
        records: u64,
        limit: u64,
    },
    Frozen,
}

/// Whom the zone's contents are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Contents {
    #[default]
    Everybody,
    /// A catalog's, which is not answered.
    Catalog,
    /// Nobody: a catalog has removed the zone, which is kept for a while.
    Removed,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Note {
    pub(crate) fn of(
        tenant: TenantId,
        instructions: &Instructions,
        hold: &Hold,
        came_from: Option<SocketAddr>,
    ) -> Self {
        let tenant = (tenant != TenantId::DEFAULT).then_some(tenant.0);
        let settings = instructions.settings.to_texts();
        let hold = match hold {
            Hold::None => None,
            Hold::Held(held) => Some(NotedHold::Held {
                serial: held.serial.0,
                lost_percent: held.lost_percent,
                since_ms: held.since.0,
            }),
            Hold::Kept { serial } => Some(NotedHold::Kept { serial: serial.0 }),
            Hold::OverLimit { serial, records, limit } => {
                Some(NotedHold::OverLimit { serial: serial.0, records: *records, limit: *limit })
            }
            Hold::Frozen => Some(NotedHold::Frozen),
        };
        let contents = match instructions.role {
            Role::Catalog => Contents::Catalog,
            Role::Removed => Contents::Removed,
            // Of a member all is as with any zone, and what its catalog is to it is the inventory's to say.
            Role::Configured | Role::MemberOf(_) => Contents::Everybody,
        };
        let Instructions { service, ownership, subscription, .. } = *instructions;
        Self { tenant, service, ownership, subscription, contents, settings, hold, came_from }
    }

    /// Whose the zone is.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant.map_or(TenantId::DEFAULT, TenantId)
    }

    pub(crate) fn hold(&self) -> Hold {
        match self.hold {
            None => Hold::None,
            Some(NotedHold::Held { serial, lost_percent, since_ms }) => Hold::Held(Box::new(HeldBack {
                serial: Serial(serial),
                lost_percent,
                since: Moment(since_ms),
                version: None,
                came_from: None,
            })),
            Some(NotedHold::Kept { serial }) => Hold::Kept { serial: Serial(serial) },
            Some(NotedHold::OverLimit { serial, records, limit }) => {
                Hold::OverLimit { serial: Serial(serial), records, limit }
            }
            Some(NotedHold::Frozen) => Hold::Frozen,
        }
    }

    /// Reads what the store kept; what cannot be read is as if it were not there, and the zone is served.
    pub(crate) fn read(zone: &Name, octets: &[u8]) -> Self {
        if octets.is_empty() {
            return Self::default();
        }
        serde_json::from_slice(octets).unwrap_or_else(|error| {
            tracing::error!(%zone, "the note about the zone cannot be read and is put aside: {error}");
            Self::default()
        })
    }

    /// Nothing where there is nothing to know.
    pub(crate) fn write(&self) -> Vec<u8> {
        if *self == Self::default() {
            return Vec::new();
        }
        serde_json::to_vec(self).expect("words and texts are always JSON")
    }

    /// What is to be done about the zone as long as nobody says more.
    pub(crate) fn instructions(&self, zone: &Name, defaults: &Policy) -> Instructions {
        let (settings, errors) = Settings::from_texts(&self.settings);
        for error in errors {
            tracing::warn!(%zone, "a setting is not one of this version's, and is as if it were not set: {error}");
        }
        let policy = defaults.with(&settings).unwrap_or_else(|_| defaults.clone());
        let role = match self.contents {
            Contents::Everybody => Role::Configured,
            Contents::Catalog => Role::Catalog,
            Contents::Removed => Role::Removed,
        };
        let Self { service, ownership, subscription, .. } = *self;
        Instructions { service, ownership, subscription, role, settings, policy, ..Instructions::default() }
    }
}

#[cfg(test)]
mod tests {
    use dns::Serial;
    use inventory::Service;
    use xfr::{Moment, Policy, Setting, Settings};
    use zone::TenantId;

    use super::Note;
    use crate::followed::{Instructions, Ownership, Role, Subscription};
    use crate::holds::{HeldBack, Hold};

    #[test]
    fn a_note_comes_back_as_it_was_and_an_ordinary_zone_has_none() {
        let defaults = Policy::default();
        assert!(Note::of(TenantId::DEFAULT, &Instructions::default(), &Hold::None, None).write().is_empty());
        let mut settings = Settings::default();
        settings.set(Setting::ExpireMax, Some("1d")).unwrap();
        let policy = defaults.with(&settings).unwrap();
        let of_role = |role| {
            let (settings, policy) = (settings.clone(), policy.clone());
            let (service, ownership) = (Service::Disabled, Ownership::Claimed);
            let subscription = Subscription::Ended;
            Instructions { service, ownership, subscription, role, settings, policy, ..Instructions::default() }
        };
        let zone = "example.".parse().unwrap();
        let came_from = Some(([192, 0, 2, 1], 53).into());
        let held = HeldBack { serial: Serial(7), lost_percent: 60, since: Moment(9), version: None, came_from: None };
        let over = Hold::OverLimit { serial: Serial(7), records: 9, limit: 8 };
        let holds = [Hold::None, Hold::Held(Box::new(held)), Hold::Kept { serial: Serial(7) }, over, Hold::Frozen];
        let roles = [Role::Configured, Role::Catalog, Role::Removed, Role::Configured, Role::Catalog];
        for (hold, role) in holds.into_iter().zip(roles) {
            let instructions = of_role(role);
            let note = Note::of(TenantId(7), &instructions, &hold, came_from);
            let read = Note::read(&zone, &note.write());
            assert_eq!((&read, read.instructions(&zone, &defaults)), (&note, instructions.clone()));
            assert_eq!(Note::of(read.tenant(), &instructions, &read.hold(), read.came_from), note);
        }
    }

    #[test]
    fn what_cannot_be_read_keeps_no_zone_from_being_served() {
        let zone = "example.".parse().unwrap();
        for octets in [&b"?"[..], b"[]", b"{\"service\":\"dancing\"}"] {
            assert_eq!(Note::read(&zone, octets), Note::default());
        }
        let of_a_newer_version = br#"{"service":"paused","settings":{"colour":"red"},"more":7}"#;
        let read = Note::read(&zone, of_a_newer_version).instructions(&zone, &Policy::default());
        assert_eq!((read.service, read.settings), (Service::Paused, Settings::default()));
    }
}
