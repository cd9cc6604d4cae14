//! Alerts: to whom events are sent outside of the console, which of them, and what came of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Severity, Time};

words! {
    /// How an alert goes out.
    AlertChannel {
        /// To an address.
        Mail = "mail",
        /// To a URL, as a signed message.
        Webhook = "webhook",
    }
}

impl AlertChannel {
    /// What leads to this, as people write it: what is no URL is an address.
    pub fn of_target(target: &str) -> Self {
        if target.contains("://") { Self::Webhook } else { Self::Mail }
    }
}

words! {
    /// What an event is about.
    EventKind {
        TransferFailing = "transfer_failing",
        Stale = "stale",
        Expiring = "expiring",
        Expired = "expired",
        Recovered = "recovered",
        VersionHeld = "version_held",
        SerialWentBack = "serial_went_back",
        PrimariesDisagree = "primaries_disagree",
        SignaturesEnd = "signatures_end",
        ContentsDoubtful = "contents_doubtful",
        DelegationChanged = "delegation_changed",
        DelegationLame = "delegation_lame",
        ProofLost = "proof_lost",
        NameTaken = "name_taken",
        StrangerNotifies = "stranger_notifies",
        LimitNear = "limit_near",
        LimitExceeded = "limit_exceeded",
        PlanEnded = "plan_ended",
        PlanGraceEnded = "plan_grace_ended",
        DiskFilling = "disk_filling",
        AlertUndelivered = "alert_undelivered",
    }
}

words! {
    /// How far a delivery is.
    AlertDeliveryState {
        /// Events still come to it.
        Gathering = "gathering",
        /// It is being tried, or will be again.
        Trying = "trying",
        Sent = "sent",
        /// It is not tried any more.
        Failed = "failed",
    }
}

/// Which events are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertWanted {
    /// Those of this severity or a worse one.
    #[serde(default = "warnings")]
    pub severity: Severity,
    /// Those of these kinds; empty for all.
    #[serde(default)]
    #[schema(max_items = 21)]
    pub kinds: Vec<EventKind>,
    /// Those of zones with this tag; none for all that happens.
    #[serde(default)]
    pub tag: Option<String>,
}

fn warnings() -> Severity {
    Severity::Warning
}

impl Default for AlertWanted {
    fn default() -> Self {
        Self { severity: warnings(), kinds: Vec::new(), tag: None }
    }
}

/// A rule to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAlertRule {
    pub channel: AlertChannel,
    /// An address, or a URL.
    #[schema(example = "https://hooks.example.net/secondo")]
    pub target: String,
    #[serde(default)]
    pub wanted: AlertWanted,
}

/// A rule that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedAlertRule {
    pub rule: AlertRule,
    /// What a webhook's messages are signed with (standardwebhooks.com); it is said in this answer and never again.
    pub secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    pub id: u64,
    pub channel: AlertChannel,
    pub target: String,
    pub wanted: AlertWanted,
    pub created_at: Time,
    /// Whether whoever reads the address has said that they want it. Nothing is sent before.
    pub confirmed: bool,
}

/// The organisation's rules, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertRules {
    pub rules: Vec<AlertRule>,
}

/// What is sent at one time by one rule, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertDelivery {
    pub id: u64,
    /// The rule's number.
    pub rule: u64,
    pub created_at: Time,
    pub state: AlertDeliveryState,
    /// When it is tried next; none when it has ended.
    pub due_at: Option<Time>,
    pub tries: u32,
    pub tried_at: Option<Time>,
    /// What came of the last try, in words.
    pub answer: String,
    /// How many events it tells of.
    pub events: u64,
    pub severity: Severity,
    pub groups: Vec<AlertGroup>,
}

/// Events of one kind, of which the first are told in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertGroup {
    /// A stable word for it.
    #[schema(example = "expiring")]
    pub kind: String,
    /// Of the worst of them.
    pub severity: Severity,
    pub count: u64,
    pub first: Vec<AlertedEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertedEvent {
    pub at: Time,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub subject: String,
    pub message: String,
}

/// Deliveries, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertDeliveries {
    pub deliveries: Vec<AlertDelivery>,
    /// For `before`, to read on; none at the end.
    pub next: Option<u64>,
}
