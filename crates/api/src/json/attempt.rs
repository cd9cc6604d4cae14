//! Attempts: what was tried to bring a zone up to its source, and how it ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// Why an attempt was made.
    Trigger {
        /// The zone is new here.
        First = "first",
        /// The program has started and the zone's check was due.
        Start = "start",
        /// A primary said that the zone has changed.
        Notify = "notify",
        /// The SOA's REFRESH interval has passed.
        Refresh = "refresh",
        /// The last attempt failed.
        Retry = "retry",
        /// Somebody asked for it.
        Request = "request",
    }
}

words! {
    /// What was asked of the primary.
    AttemptKind {
        /// Only its SOA.
        Check = "check",
        /// What changed since the version served (RFC 1995).
        Ixfr = "ixfr",
        /// The whole zone (RFC 5936).
        Axfr = "axfr",
        /// Nothing: a version that was here already is published.
        Publish = "publish",
    }
}

words! {
    /// How an attempt ended.
    AttemptOutcome {
        /// The primary confirmed the version that is served.
        Unchanged = "unchanged",
        /// A newer version is served.
        Updated = "updated",
        /// There is a newer version, which is kept back; the reason says why.
        Held = "held",
        /// Nothing was installed; the reason says why.
        Failed = "failed",
    }
}

words! {
    /// Whose fault a failure is.
    Fault {
        Primary = "primary",
        Network = "network",
        Configuration = "configuration",
        Ours = "ours",
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Stable, for programs: `refused`, `tsig_bad_time`, …
    #[schema(example = "refused")]
    pub code: String,
    pub fault: Fault,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

impl Reason {
    /// Whether the reply to a query for the SOA that failed so comes from a server that does not hold the zone, or does
    /// not answer us for it.
    pub fn says_not_held(&self) -> bool {
        matches!(
            self.code.as_str(),
            "refused" | "notauth" | "servfail" | "other_rcode" | "not_authoritative" | "no_soa"
        )
    }

    /// Whether nobody is asked there, or from there, whatever the primary is told.
    pub fn asks_nobody(&self) -> bool {
        matches!(self.code.as_str(), "address_refused" | "source_not_here")
    }
}

/// One try to bring a zone up to its source; consecutive checks that found nothing new are one attempt with a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// When it began.
    pub at: Time,
    /// When the last of `count` began; the same as `at` when there was one.
    pub last_at: Time,
    /// How many tries this stands for, at least one.
    pub count: u64,
    /// The primary's address and port; none when no primary could be asked.
    #[schema(example = "192.0.2.1:53")]
    pub primary: Option<String>,
    pub trigger: Trigger,
    pub kind: AttemptKind,
    /// The serial that was served before.
    pub from_serial: Option<u32>,
    /// The serial that the primary offered.
    pub to_serial: Option<u32>,
    /// Octets received.
    pub bytes: u64,
    /// Records received.
    pub records: u64,
    /// Milliseconds from beginning to end, of the last of `count`.
    pub millis: u64,
    pub outcome: AttemptOutcome,
    /// There when the outcome is `failed`.
    pub reason: Option<Reason>,
}
