//! Examinations: what a zone's primaries do when they are asked everything that can be asked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Primary, Reason};

words! {
    /// How a step ended.
    StepOutcome {
        Passed = "passed",
        /// Not looked at: an earlier step failed, or it cannot be seen from here.
        Skipped = "skipped",
        /// It works, but not as well as it could.
        Warning = "warning",
        /// The zone cannot be copied, or will not stay up to date.
        Failed = "failed",
    }
}

words! {
    /// The servers whose configuration is known here.
    PrimarySoftware {
        Bind = "bind",
        Knot = "knot",
        Nsd = "nsd",
        PowerDns = "powerdns",
        Yadifa = "yadifa",
        WindowsDns = "windows_dns",
    }
}

/// What is to be examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Examine {
    /// The zone; it need not be here.
    #[schema(example = "example.org")]
    pub name: String,
    /// One to sixteen.
    pub primaries: Vec<Primary>,
    /// Where the world is to ask for the zone, to find whether one of its name servers is us.
    #[serde(default)]
    #[schema(example = json!(["192.0.2.7"]))]
    pub own_addresses: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Examination {
    /// The zone's, with the last dot.
    #[schema(example = "example.org.")]
    pub name: String,
    /// The worst of all steps; `passed` when nothing is wrong.
    pub outcome: StepOutcome,
    /// Those of each primary in the order in which they were given, then those of all together.
    pub steps: Vec<Step>,
    pub primaries: Vec<ExaminedPrimary>,
}

/// One thing that was looked at. A name may come several times: for each primary, or with one concern each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Stable, for programs: `udp_soa`, `tcp_soa`, `tls`, `axfr`, …
    #[schema(example = "axfr")]
    pub name: String,
    /// None for what concerns all primaries together.
    #[schema(example = "192.0.2.1:53")]
    pub primary: Option<String>,
    pub outcome: StepOutcome,
    /// One sentence for people.
    pub found: String,
    /// There when the outcome is `warning` or `failed`.
    pub reason: Option<Reason>,
}

/// What is known of a primary besides its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExaminedPrimary {
    #[schema(example = "192.0.2.1:53")]
    pub address: String,
    /// The address of ours that it is asked from.
    pub source: Option<String>,
    /// SHA-256 of the public key that it shows over TLS, in base64.
    pub pin: Option<String>,
    /// What it may be: a hint, which nothing vouches for.
    pub guess: Option<PrimarySoftware>,
    /// What it says about itself.
    pub says: Option<String>,
    /// The lines for its configuration, for each server that it could be.
    pub paste: Vec<Paste>,
}

/// The lines for one primary's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PrimaryLines {
    #[schema(example = "192.0.2.1:53")]
    pub address: String,
    /// The address of ours that it is asked from; none where no way leads to it.
    pub source: Option<String>,
    /// For each server that it could be.
    pub paste: Vec<Paste>,
}

/// The lines that have one server give us the zone, and tell us of its changes. They never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paste {
    pub software: PrimarySoftware,
    /// Its name for people.
    #[schema(example = "BIND")]
    pub title: String,
    pub parts: Vec<PastePart>,
    /// In the place of `parts` where the server does not hold the zone yet: they have it hold it, too, and answer our questions.
    pub holding: Vec<PastePart>,
    /// What the lines cannot say.
    pub notes: Vec<String>,
}

/// Lines for one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PastePart {
    #[schema(example = "in named.conf, in the zone's block")]
    pub place: String,
    pub lines: Vec<String>,
}
