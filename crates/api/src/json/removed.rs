//! Zones that were removed and can be had back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

/// A zone that was removed, and is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovedZone {
    #[schema(example = "example.org.")]
    pub name: String,
    pub removed_at: Time,
    /// When what it holds is deleted.
    pub deleted_at: Time,
}

/// Zones that can be had back, those removed last first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovedZones {
    pub zones: Vec<RemovedZone>,
}
