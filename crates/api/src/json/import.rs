//! What came of each line of an import.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AddZone;
use super::words::words;

words! {
    /// What came of a line.
    LineOutcome {
        Added = "added",
        /// Nothing of this line was added.
        Failed = "failed",
    }
}

/// Zones to add, each wholly or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportZones {
    /// At most 10,000.
    #[schema(max_items = 10_000)]
    pub zones: Vec<AddZone>,
}

/// What came of one line that held a zone; comments and empty lines have no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedLine {
    /// The line's number in the body, from 1; of zones in JSON, their place.
    pub line: u64,
    /// The zone's name, if the line could be read that far.
    pub name: Option<String>,
    pub outcome: LineOutcome,
    /// The problem's stable code; there when the line failed.
    pub code: Option<String>,
    /// One sentence; there when the line failed.
    pub detail: Option<String>,
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    pub added: u64,
    pub failed: u64,
    /// In the order of the lines.
    pub lines: Vec<ImportedLine>,
}
