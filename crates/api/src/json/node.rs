//! The running program: what it serves and how it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// Whether the inventory can be read and written.
    InventoryStatus {
        Available = "available",
        /// Stored zones are served; nothing can be added or removed.
        Unavailable = "unavailable",
    }
}

/// How many zones are in which condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneCounts {
    pub total: u64,
    pub pending: u64,
    pub current: u64,
    pub stale: u64,
    pub expired: u64,
    /// Of those, the ones that are answered all the same, by `serve_past_expiry`.
    #[serde(default)]
    pub served_past_expiry: u64,
    /// Of those that are not expired, the ones for which half of the time until then has passed without a confirmation.
    #[serde(default)]
    pub expiring: u64,
    /// With a newer version that is held back, or kept away at the owner's word.
    #[serde(default)]
    pub held: u64,
    #[serde(default)]
    pub frozen: u64,
    /// Of those, the ones of which nothing is left, so that nothing is answered.
    #[serde(default)]
    pub frozen_and_lost: u64,
    /// Current, though at least one of their primaries showed nothing of them.
    #[serde(default)]
    pub half_heard: u64,
    /// Whose last attempt failed, whatever else they are.
    #[serde(default)]
    pub failing: u64,
    /// Not answered, whatever else they are, because nothing has shown that the name is the organisation's.
    #[serde(default)]
    pub unproven: u64,
    /// Served from memory only, or with orders that are there only, because the disk is full.
    pub volatile: u64,
}

/// Queries answered since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryCounts {
    pub udp: u64,
    pub tcp: u64,
    pub tls: u64,
    pub quic: u64,
    /// Of all, those answered REFUSED.
    pub refused: u64,
    /// Of all, those answered SERVFAIL.
    pub servfail: u64,
    /// Those whose answers were beyond the rate limit: sent without their records, or not sent.
    #[serde(default)]
    pub rate_limited: u64,
    /// Queries that are missing in the numbers of zones, because there was no room for them or nothing could be written for
    /// long.
    #[serde(default)]
    pub uncounted: u64,
}

/// NOTIFYs since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotifyCounts {
    /// Those that woke a zone.
    pub accepted: u64,
    /// Those that did not, for whatever reason.
    pub refused: u64,
    /// Those that found too many waiting, or came before it was known whether they are right; their primaries send them
    /// again.
    pub overflowed: u64,
    /// Of all, those that are not on record because more came than can be kept.
    pub unrecorded: u64,
}

/// Our certificate. Its files are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    pub file: String,
    /// From then on it is good.
    pub begins_at: Option<Time>,
    /// From then on nobody takes it any more.
    pub ends_at: Option<Time>,
    /// Why what the files hold now is not shown, but what they held before.
    pub refused: Option<String>,
}

/// NOTIFYs to those who copy from here, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnounceCounts {
    /// Datagrams: what is not answered is sent five times.
    pub sent: u64,
    pub answered: u64,
    /// Answered with an error.
    pub declined: u64,
    pub unanswered: u64,
    /// Those for which there was no room.
    pub dropped: u64,
    /// Those to addresses that are not to be asked.
    pub refused: u64,
    /// Those whose answer is waited for now.
    pub pending: u64,
}

/// Copies that were taken from here, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferOutCounts {
    /// Zones that were sent whole.
    pub whole: u64,
    /// Differences that were sent instead.
    pub differences: u64,
    pub refused: u64,
    /// Those that broke off.
    pub failed: u64,
}

/// The running program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeStatus {
    pub version: String,
    pub started_at: Time,
    pub uptime_secs: u64,
    /// Where DNS is answered, UDP and TCP.
    pub dns: Vec<String>,
    /// Where DNS is answered over TLS.
    pub dns_over_tls: Vec<String>,
    /// Where DNS is answered over QUIC.
    pub dns_over_quic: Vec<String>,
    /// The certificate that clients and primaries are shown, if there is one.
    pub certificate: Option<Certificate>,
    /// The certificate that browsers are shown, where that is another one.
    #[serde(default)]
    pub console_certificate: Option<Certificate>,
    /// Where this API is answered.
    pub http: String,
    /// The URL of the console, as people who are elsewhere can reach it.
    pub console: String,
    pub zones: ZoneCounts,
    pub inventory: InventoryStatus,
    /// One sentence for each thing that needs somebody's attention.
    pub warnings: Vec<String>,
    pub queries: QueryCounts,
    pub notifies: NotifyCounts,
    pub announced: AnnounceCounts,
    pub transfers_out: TransferOutCounts,
    /// Attempts that were not put on record because the database could not keep up.
    pub attempts_dropped: u64,
}

words! {
    /// Whether the program runs.
    Health {
        Ok = "ok",
    }
}
