//! Plans: what organisations may have, and what they have; and what they were told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

/// What a plan allows; a limit that is left out is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanLimits {
    pub zones: Option<u64>,
    /// Of each zone. One that has more is served on in its last version within the plan.
    pub records: Option<u64>,
    /// Of each zone.
    pub primaries: Option<u64>,
    pub members: Option<u64>,
    /// Of the API.
    pub requests_per_minute: Option<u64>,
    /// Counted and told of; answers never stop for it.
    pub queries_per_month: Option<u64>,
    /// For how long versions are kept at the most.
    pub history_days: Option<u64>,
}

/// A plan to add, or as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPlan {
    /// 1 to 100 characters; there once.
    #[schema(example = "Standard", min_length = 1, max_length = 100)]
    pub name: String,
    #[serde(default)]
    pub limits: PlanLimits,
    /// For how many days zones go on after the plan has ended; 14 unless said otherwise, 3,650 at the most.
    pub grace_days: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    pub id: u64,
    pub name: String,
    pub limits: PlanLimits,
    pub grace_days: u64,
    /// How many organisations were given it; those that were given none have the oldest plan.
    pub organisations: u64,
}

/// All plans, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plans {
    pub plans: Vec<Plan>,
}

/// Which plan an organisation is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPlan {
    /// Its number; none for the oldest one.
    pub plan: Option<u64>,
    /// None for no end.
    pub ends_at: Option<Time>,
}

words! {
    /// Whether a plan counts.
    PlanStanding {
        InForce = "in-force",
        /// It has ended; zones go on for a while, and nothing can be added.
        Grace = "grace",
        /// Zones are neither answered nor followed. Nothing of them is deleted.
        Ended = "ended",
    }
}

/// The plan that an organisation has, and what it has of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnPlan {
    /// None where there are no plans.
    pub name: Option<String>,
    pub limits: PlanLimits,
    pub standing: PlanStanding,
    pub ends_at: Option<Time>,
    /// When zones are no longer answered.
    pub grace_ends_at: Option<Time>,
    pub used: PlanUse,
}

/// What there is of what a plan limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanUse {
    pub zones: u64,
    /// Of the zone that has most.
    pub records: u64,
    pub members: u64,
    /// In this month so far.
    pub queries: u64,
}

words! {
    /// How much an event matters.
    Severity {
        Info = "info",
        Warning = "warning",
        Error = "error",
    }
}

/// Something that an organisation was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    pub id: u64,
    pub at: Time,
    /// A stable word for it.
    #[schema(example = "limit_near")]
    pub kind: String,
    pub severity: Severity,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub subject: String,
    pub message: String,
}

/// Events, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Events {
    pub events: Vec<Event>,
    /// For `before`, to read on; none at the end.
    pub next: Option<u64>,
}
