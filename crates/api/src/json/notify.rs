//! NOTIFYs: who said that a zone has changed, and whether that was heard.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// How a NOTIFY came.
    NotifyTransport {
        Udp = "udp",
        Tcp = "tcp",
        Tls = "tls",
        Quic = "quic",
    }
}

words! {
    /// Whether the zone's owner has named the sender.
    NotifyStanding {
        /// By its address, which can be forged, or its key.
        Known = "known",
        Stranger = "stranger",
    }
}

words! {
    /// What came of a NOTIFY.
    NotifyOutcome {
        /// The zone was woken.
        Accepted = "accepted",
        /// The reason says why it was not.
        Refused = "refused",
    }
}

/// Why a NOTIFY did not wake the zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotifyReason {
    /// Stable, for programs: `stranger`, `unsigned`, `tsig_bad_key`, …
    #[schema(example = "stranger")]
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// NOTIFYs for a zone that were alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notify {
    /// When the first came.
    pub at: Time,
    /// When the last of `count` came.
    pub last_at: Time,
    /// How many this stands for, at least one.
    pub count: u64,
    /// The sender's address; of strangers the block of addresses that they sent from.
    #[schema(example = "192.0.2.1")]
    pub from: String,
    pub standing: NotifyStanding,
    /// How it came, of strangers the last one.
    pub transport: NotifyTransport,
    /// The TSIG key that it was signed with.
    pub signed_by: Option<String>,
    /// What the last one said about the zone's serial: a hint, no more.
    pub serial: Option<u32>,
    pub outcome: NotifyOutcome,
    /// There when the outcome is `refused`.
    pub reason: Option<NotifyReason>,
}

/// The NOTIFYs for a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneNotifies {
    /// The last to come first.
    pub notifies: Vec<Notify>,
}

/// NOTIFYs from one block of addresses for zones that are not here, or that nobody can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StrangerNotify {
    pub at: Time,
    pub last_at: Time,
    pub count: u64,
    #[schema(example = "192.0.2.0/24")]
    pub from: String,
    /// The last one, as an example.
    pub last_address: String,
    pub last_transport: NotifyTransport,
    /// The zone that the last one named, if that could be read.
    pub last_zone: Option<String>,
    pub last_reason: NotifyReason,
}

/// The NOTIFYs for zones that are not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StrangerNotifies {
    /// The last to come first.
    pub strangers: Vec<StrangerNotify>,
}
