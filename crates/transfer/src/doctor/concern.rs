//! What an examination finds that makes no attempt fail, and so has no [`Reason`](xfr::Reason): a closed list with
//! stable codes, like that one.

use std::net::SocketAddr;

use dns::{Name, Serial};
use xfr::Fault;
use xfr::notify::Decline;
use xfr::reason::naming;

/// Everything that is worth a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Concern {
    #[error("the primary does not know EDNS, and is asked without it")]
    EdnsUnknown,
    #[error("queries with EDNS are not answered, and those without are")]
    EdnsDropped,
    #[error("the primary does not answer another version of EDNS with BADVERS")]
    EdnsVersions,
    #[error("the primary gives the zone without a signature too, although the key {key} is there for it")]
    UnsignedAllowed { key: Name },
    #[error("the primaries show different serials: {shown}; the newest is {newest}'s")]
    SerialsDiffer { shown: String, newest: SocketAddr },
    #[error("older than ours, {ours}, and not taken: {shown}")]
    OlderThanOurs { ours: Serial, shown: String },
    #[error("{one} and {other} show one serial, but have {what}")]
    SameSerialDiffers { one: SocketAddr, other: SocketAddr, what: String },
    #[error("the zone has one NS record, {name}")]
    NsSingle { name: Name },
    #[error("the primary does not say what the zone's NS records are: {detail}")]
    NsNotAnswered { detail: String },
    #[error("none of the zone's name servers ({names}) has an address of ours")]
    NsWithoutUs { names: String },
    #[error("EXPIRE ({expire} s) is shorter than REFRESH ({refresh} s): copies expire between two checks")]
    ExpireBeforeRefresh { expire: u32, refresh: u32 },
    #[error(
        "EXPIRE ({expire} s) is shorter than a week: a primary that is gone over a holiday takes the zone with it"
    )]
    ExpireShort { expire: u32 },
    #[error("REFRESH ({refresh} s) is longer than half of EXPIRE ({expire} s): one failed check is one too many")]
    RefreshLong { refresh: u32, expire: u32 },
    #[error("RETRY ({retry} s) is longer than REFRESH ({refresh} s)")]
    RetryLong { retry: u32, refresh: u32 },
    #[error("MINIMUM ({minimum} s) is longer than a day: so long is it remembered that a name is not there")]
    MinimumLong { minimum: u32 },
    #[error("the last NOTIFY, from {from}, was not taken: {why}; {}", why.advice())]
    NotifyDeclined { from: String, why: Decline },
}

const NOTIFIES: &str = "See them all, each with what to do about it: secondo zone notifies ZONE. Until one is taken, changes are \
                        found at the next check only.";
const OLD: &str =
    "Nothing to do: it works, with one more query at each check. A newer version of the primary knows EDNS.";
const FIREWALL: &str = "Look for a firewall on the way that drops what it does not know (DNS messages with an OPT record); \
                        until then each check takes some seconds longer.";
const VERSIONS: &str = "Nothing to do: we speak version 0 alone. A newer version of the primary, or of the device before it, \
                        keeps to RFC 6891 §6.1.3.";
const UNSIGNED: &str = "Allow transfers at the primary with the key alone, not by address beside it: else the key protects \
                        nothing.";
const BEHIND: &str = "Nothing to do if a change is just on its way: the newest one is fetched. Otherwise see why the others do \
                      not follow it.";
const OLDER: &str = "Raise the serial at the primary above ours. Or have older serials taken too: secondo zone set ZONE \
                     serial-went-back=accept; or fetch what the primary has, this once: secondo zone refresh ZONE --full.";
const TWO_VERSIONS: &str = "Let the primaries hold the same zone: raise the serial at each change, and see that they all take it \
                            over.";
const TWO_SERVERS: &str = "Have a second name server, in another network, and an NS record for it (RFC 2182 §5): this one, for \
                           example.";
const ASK_NS: &str = "Look into the primary's log for the same minute; a zone needs NS records at its apex.";
const LISTED: &str = "If the world is to ask us, add an NS record with a name of ours to the zone, and at its parent. A hidden \
                      copy needs none.";
const TIMERS: &str = "Set the SOA record to what RIPE-203 recommends, REFRESH 86400, RETRY 7200, EXPIRE 3600000 and a MINIMUM of \
                      an hour, or with NOTIFY in use to less REFRESH; and raise the serial.";

impl Concern {
    /// The stable name for programs.
    pub fn code(&self) -> &'static str {
        self.entry().0
    }

    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        self.entry().1
    }

    pub fn advice(&self, zone: &Name) -> String {
        naming(self.entry().2, zone)
    }

    fn entry(&self) -> (&'static str, Fault, &'static str) {
        use Fault::{Configuration, Network, Primary};
        match self {
            Self::EdnsUnknown => ("edns_unknown", Primary, OLD),
            Self::EdnsDropped => ("edns_dropped", Network, FIREWALL),
            Self::EdnsVersions => ("edns_versions", Primary, VERSIONS),
            Self::UnsignedAllowed { .. } => ("unsigned_allowed", Configuration, UNSIGNED),
            Self::SerialsDiffer { .. } => ("serials_differ", Primary, BEHIND),
            Self::OlderThanOurs { .. } => ("serial_went_back", Primary, OLDER),
            Self::SameSerialDiffers { .. } => ("same_serial_differs", Primary, TWO_VERSIONS),
            Self::NsSingle { .. } => ("ns_single", Configuration, TWO_SERVERS),
            Self::NsNotAnswered { .. } => ("ns_not_answered", Primary, ASK_NS),
            Self::NsWithoutUs { .. } => ("ns_without_us", Configuration, LISTED),
            Self::ExpireBeforeRefresh { .. } => ("expire_before_refresh", Configuration, TIMERS),
            Self::ExpireShort { .. } => ("expire_short", Configuration, TIMERS),
            Self::RefreshLong { .. } => ("refresh_long", Configuration, TIMERS),
            Self::RetryLong { .. } => ("retry_long", Configuration, TIMERS),
            Self::MinimumLong { .. } => ("minimum_long", Configuration, TIMERS),
            Self::NotifyDeclined { .. } => ("notify_declined", Configuration, NOTIFIES),
        }
    }
}
