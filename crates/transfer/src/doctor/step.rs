//! What an examination says: steps by stable names, each with an outcome and a sentence.

use std::fmt;
use std::net::SocketAddr;

use dns::Name;
use xfr::{Algorithm, Fault, Reason};

use super::concern::Concern;

/// One thing that was looked at. A name may come several times: for each primary, or with one concern each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: StepName,
    /// None for what concerns all primaries together.
    pub primary: Option<SocketAddr>,
    pub outcome: Outcome,
    /// One sentence, lower case and without a full stop.
    pub found: String,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// Not looked at: an earlier step failed, or it cannot be seen from here.
    Skipped,
    /// It works, but not as well as it could.
    Warning(Cause),
    /// The zone cannot be copied, or will not stay up to date.
    Failed(Cause),
}

/// What is wrong, for programs, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub code: &'static str,
    pub fault: Fault,
    pub advice: String,
}

/// The steps, in the order in which they are taken; their words never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepName {
    UdpSoa,
    TcpSoa,
    Tls,
    TlsSoa,
    Authority,
    Edns,
    Tsig,
    Axfr,
    UnsignedAxfr,
    IxfrCurrent,
    IxfrOlder,
    Serials,
    OurSerial,
    Versions,
    NsRecords,
    OwnNs,
    Timers,
    Notify,
}

impl StepName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UdpSoa => "udp_soa",
            Self::TcpSoa => "tcp_soa",
            Self::Tls => "tls",
            Self::TlsSoa => "tls_soa",
            Self::Authority => "authority",
            Self::Edns => "edns",
            Self::Tsig => "tsig",
            Self::Axfr => "axfr",
            Self::UnsignedAxfr => "unsigned_axfr",
            Self::IxfrCurrent => "ixfr_current",
            Self::IxfrOlder => "ixfr_older",
            Self::Serials => "serials",
            Self::OurSerial => "our_serial",
            Self::Versions => "versions",
            Self::NsRecords => "ns_records",
            Self::OwnNs => "own_ns",
            Self::Timers => "timers",
            Self::Notify => "notify",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Step {
    pub(super) fn new(zone: &Name, name: StepName, primary: Option<SocketAddr>, finding: Finding) -> Self {
        let of_reason = |reason: &Reason| Cause::of_reason(reason, zone);
        let of_concern = |concern: &Concern| Cause::of_concern(concern, zone);
        let (outcome, found) = match finding {
            Finding::Fine(found) => (Outcome::Passed, found),
            Finding::Unseen(found) => (Outcome::Skipped, found),
            Finding::Slow(reason) => (Outcome::Warning(of_reason(&reason)), reason.to_string()),
            Finding::Bad(reason) => (Outcome::Failed(of_reason(&reason)), reason.to_string()),
            Finding::DeniedToKey { reason, key, algorithm } => {
                let advice = key_denied(zone, &key, algorithm);
                (Outcome::Failed(Cause { advice, ..of_reason(&reason) }), reason.to_string())
            }
            Finding::Odd(concern) => (Outcome::Warning(of_concern(&concern)), concern.to_string()),
            Finding::Wrong(concern) => (Outcome::Failed(of_concern(&concern)), concern.to_string()),
        };
        Self { name, primary, outcome, found }
    }
}

impl Cause {
    fn of_reason(reason: &Reason, zone: &Name) -> Self {
        Self { code: reason.code(), fault: reason.fault(), advice: reason.advice(zone) }
    }

    fn of_concern(concern: &Concern, zone: &Name) -> Self {
        Self { code: concern.code(), fault: concern.fault(), advice: concern.advice(zone) }
    }
}

/// A permission by address alone is not among it: it would allow transfers that nobody has signed.
fn key_denied(zone: &Name, key: &Name, algorithm: Algorithm) -> String {
    // NSD finds a key by its name as it is written, which is without the last dot.
    let key = key.to_string();
    let key = key.trim_end_matches('.');
    format!(
        "Permit transfers with the key {key} at the primary, and compare name and algorithm there: here it is {key} with \
         {algorithm}, and some servers answer queries signed with another algorithm, but permit no transfer. BIND: \
         allow-transfer {{ key \"{key}\"; }}; in the zone. Knot: an acl with key: {key} and action: transfer, named by the \
         zone. NSD: algorithm: {algorithm} in the key: clause, and provide-xfr: OUR-ADDRESS {key} in the zone. PowerDNS: \
         pdnsutil activate-tsig-key {zone} {key} primary."
    )
}

/// What a step has to say.
pub(super) enum Finding {
    Fine(String),
    Unseen(String),
    /// What would make an attempt fail, but there is another way.
    Slow(Reason),
    /// What makes an attempt fail.
    Bad(Reason),
    /// A transfer that was asked for with this key, and which the primary does not permit.
    DeniedToKey {
        reason: Reason,
        key: Name,
        algorithm: Algorithm,
    },
    /// What no attempt fails of.
    Odd(Concern),
    /// What no attempt sees, but makes a copy that cannot be relied on.
    Wrong(Concern),
}
