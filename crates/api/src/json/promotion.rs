//! Making a new primary of what a zone holds here, pointing the zone at it, and the way back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Attempt, Paste, Primary, PrimarySoftware, SilentPrimary, Time, Zone};

/// What the new primary is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Promote {
    /// `bind` unless said otherwise.
    pub software: Option<PrimarySoftware>,
    /// Where it is to be, and the key that it is to be asked with; that of the zone's first primary unless said otherwise.
    pub primary: Option<Primary>,
    /// A key to generate for it, whose secret the answer holds; takes the scope `keys` too.
    #[schema(example = "emergency.example.org")]
    pub new_key: Option<String>,
}

/// What it takes to make a new primary of what is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Promotion {
    pub zone: Zone,
    /// What the zone was copied from before it was last pointed elsewhere: where the way back leads.
    pub former: Vec<Primary>,
    /// Where the new primary is to have the zone's records.
    #[schema(example = "/var/lib/bind/example.org.zone")]
    pub file: String,
    /// What to put into the configuration of the new primary: `holding`.
    pub paste: Paste,
    /// What its own tools say about both.
    pub checks: Vec<String>,
    /// The secret of the key that was generated, in base64: it is said this once.
    pub secret: Option<String>,
    /// There where the zone is signed.
    pub signed: Option<SignedZone>,
    /// Records that name the primaries that the zone has now, or their addresses.
    #[schema(example = json!(["example.org. 3600 IN NS ns1.example.org."]))]
    pub points_there: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<String>,
}

/// What follows from the zone's being signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedZone {
    /// When the first signature ends; none where none covers anything.
    pub ends_at: Option<Time>,
    /// Sentences.
    pub said: Vec<String>,
}

/// Which primaries a zone is to be pointed at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewPrimaries {
    /// One to sixteen, in the place of all that it has; none for those that it had before it was last pointed elsewhere.
    pub primaries: Option<Vec<Primary>>,
}

/// To point a zone at other primaries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FinishPromotion {
    /// As for the comparison.
    pub primaries: Option<Vec<Primary>>,
    /// The digest that the comparison showed: should they have something else by now, nothing is done.
    pub digest: Option<String>,
    /// Takes what they have also where it is older than what is served, or lacks some of it.
    pub accept: bool,
}

words! {
    /// How what a primary has compares with what is served.
    ComparedVersion {
        /// The same records.
        Same = "same",
        /// A newer serial.
        Newer = "newer",
        /// A newer serial, at a primary that the zone had before: but it lacks records that are served now.
        Lacks = "lacks",
        /// An older serial, by RFC 1982, or one that is neither.
        Older = "older",
        /// The same serial with other records.
        Differs = "differs",
    }
}

/// What a primary has, beside what is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The zone's, with the last dot.
    #[schema(example = "example.org.")]
    pub name: String,
    /// The one that was compared: of several, the one with the newest serial.
    #[schema(example = "192.0.2.9:53")]
    pub primary: String,
    /// Those that did not answer.
    pub silent: Vec<SilentPrimary>,
    pub version: ComparedVersion,
    pub from_serial: u32,
    pub to_serial: u32,
    /// How many records would go and come, the SOA's among them.
    pub removed: u64,
    pub added: u64,
    /// The first of them, `-` before those that would go and `+` before those that would come; what signing makes is last.
    pub lines: Vec<String>,
    /// Of what it has.
    pub digest: String,
    /// Whether it takes `accept` to point the zone there.
    pub needs_word: bool,
    /// What it means, and what to do.
    pub said: String,
}

/// A zone that was pointed at other primaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinishedPromotion {
    pub comparison: Comparison,
    /// How the transfer went that followed.
    pub attempt: Attempt,
    pub zone: Zone,
}
