//! Why an attempt failed: one closed list for the ledger, the API, the command line and people.
//!
//! A code is for programs and never changes its meaning; the sentence (`Display`) and the advice are for people and
//! may be worded better at any time. What the sentence says is in the enum, what follows from it is in one table,
//! [`Reason::entry`].

mod examples;

use std::fmt;
use std::net::IpAddr;

use dns::query::NoAnswer;
use dns::{Malformed, Name, Rcode, Serial, Type};

use crate::destinations::RefusedAddress;

/// Who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The primary misbehaves, or says no.
    Primary,
    /// Something between the primary and us.
    Network,
    /// The two sides are set up differently.
    Configuration,
    /// Our disk, our limits, our bug.
    Ours,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Network => "network",
            Self::Configuration => "configuration",
            Self::Ours => "ours",
        })
    }
}

/// What we had asked the primary for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    Soa,
    Axfr,
    Ixfr,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Soa => "SOA query",
            Self::Axfr => "AXFR request",
            Self::Ixfr => "IXFR request",
        })
    }
}

/// What we were waiting for when time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Waiting {
    Connection,
    Handshake,
    Answer(Asked),
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("TCP connection"),
            Self::Handshake => f.write_str("end of the TLS handshake"),
            Self::Answer(asked) => write!(f, "answer to our {asked}"),
        }
    }
}

/// Every way in which an attempt can end badly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    // The way to the primary.
    #[error("no {waiting} within {millis} ms")]
    TimedOut { waiting: Waiting, millis: u64 },
    #[error("the address cannot be reached: {detail}")]
    Unreachable { detail: String },
    #[error("the primary closed the connection after {messages} messages, before the end of its answer")]
    ConnectionClosed { messages: u64 },
    #[error("the primary stopped in the middle of the transfer and sent nothing for {millis} ms")]
    Hung { millis: u64 },
    #[error("the transfer was too slow: {octets} octets in {millis} ms")]
    TooSlow { octets: u64, millis: u64 },
    #[error("the transfer was not finished after {secs} s")]
    TookTooLong { secs: u64 },
    #[error("the transfer had not come to its end after {secs} s, and another primary gave what it was to bring")]
    DrawnOut { secs: u64 },
    #[error("{source_address} is not an address of this machine, and no primary can be asked from it")]
    SourceNotHere { source_address: IpAddr },
    #[error("{0}")]
    AddressRefused(RefusedAddress),

    // TLS.
    #[error("TLS with the primary failed: {detail}")]
    TlsFailed { detail: String },
    #[error("the primary does not speak TLS 1.3")]
    TlsVersion,
    #[error("the primary did not agree to speak DNS over this TLS connection (ALPN \"dot\")")]
    TlsNoAlpn,
    #[error("the primary's certificate is not one that we trust: {detail}")]
    TlsCertificate { detail: String },
    #[error("the primary has another key than the one that is pinned: {found}")]
    TlsPin { found: String },
    #[error("the primary does not take our certificate, or wants one and gets none ({alert})")]
    TlsOurCertificate { alert: String },

    // The primary says no.
    #[error("the primary refused our {0}")]
    Refused(Asked),
    #[error("{}", notauth(*.0))]
    NotAuth(Asked),
    #[error("the primary answered our {0} that it has a fault of its own (SERVFAIL)")]
    ServFail(Asked),
    #[error("the primary did not understand our {0} (FORMERR)")]
    FormErr(Asked),
    #[error("the primary does not implement our {0} (NOTIMP)")]
    NotImp(Asked),
    #[error("the primary answered our {asked} with {rcode}")]
    OtherRcode { asked: Asked, rcode: Rcode },
    #[error("the server is not authoritative for the zone: its SOA answer lacks the AA flag")]
    NotAuthoritative,

    // The answer is not one.
    #[error("the answer is not a DNS message that can be read: {0}")]
    Malformed(Malformed),
    #[error("an empty message came over TCP")]
    EmptyMessage,
    #[error("octets follow the last record of a message")]
    TrailingOctets,
    #[error("the answer has another message ID than our request")]
    WrongId,
    #[error("what came back is not a response to a query")]
    NotAResponse,
    #[error("the answer belongs to another question")]
    WrongQuestion,
    #[error("a message that came over TCP says that it is truncated")]
    TruncatedOverTcp,

    // The transfer is not one.
    #[error("the answer does not begin with the SOA record of the zone")]
    NoSoa,
    #[error("the transfer began with serial {first} but ended with another SOA record, of serial {last}")]
    SoaMismatch { first: Serial, last: Serial },
    #[error("another SOA record of the zone, with serial {serial}, came in the middle of the transfer")]
    SoaInTheMiddle { serial: Serial },
    #[error("the transfer holds an SOA record of another zone, {owner}")]
    ForeignSoa { owner: Name },
    #[error("records follow the end of the transfer")]
    RecordsAfterEnd,
    #[error("the transfer holds a record of class {class}, not IN")]
    ClassNotIn { class: u16 },
    #[error("the transfer holds a record of type {rtype}, which is never zone data")]
    MetaType { rtype: Type },
    #[error("the transfer has more than {limit} octets")]
    TooManyOctets { limit: u64 },
    #[error("the transfer has more than {limit} records")]
    TooManyRecords { limit: u64 },
    #[error("all transfers under way hold more than {limit} octets together, and this one more than its part")]
    TooMuchUnderWay { limit: u64 },

    // IXFR alone.
    #[error("the incremental transfer begins at serial {theirs}, but we hold {ours}")]
    IxfrNotFromOurs { ours: Serial, theirs: Serial },
    #[error("the incremental transfer jumps from serial {expected} to {found}")]
    IxfrGap { expected: Serial, found: Serial },
    #[error("a step of the incremental transfer leads from serial {from} to {to}, which is not nearer to its end")]
    IxfrCycle { from: Serial, to: Serial },
    #[error("the incremental transfer has more than {limit} steps")]
    IxfrTooManySteps { limit: u64 },
    #[error("the incremental transfer removes a record that the zone does not have: {record}")]
    IxfrDeleteAbsent { record: String },
    #[error("the incremental transfer adds a record that the zone already has: {record}")]
    IxfrAddPresent { record: String },

    // The zone that came is not one that can be served, or not one that we want.
    #[error("the zone has no SOA record at its apex")]
    ZoneWithoutSoa,
    #[error("the zone has more than one SOA record")]
    ZoneWithSeveralSoas,
    #[error("the zone has no NS record at its apex")]
    ZoneWithoutNs,
    #[error("{owner} has a CNAME record and other records beside it")]
    CnameWithOtherData { owner: Name },
    #[error("{owner} has more than one {rtype} record")]
    SeveralOfASingleton { owner: Name, rtype: Type },
    #[error("{owner} has more than {limit} records of type {rtype}, which is more than we serve")]
    RrsetTooLarge { owner: Name, rtype: Type, limit: u64 },
    #[error("{owner} has records of more than {limit} types, which is more than we serve")]
    TooManyTypes { owner: Name, limit: u64 },
    #[error("the zone is larger than its limit: {detail}")]
    ZoneTooLarge { detail: String },
    #[error("the primary's serial {theirs} is older than ours, {ours}")]
    SerialWentBack { ours: Serial, theirs: Serial },
    #[error("the primary's serial {theirs} is exactly 2³¹ away from ours, {ours}: neither is newer")]
    SerialIncomparable { ours: Serial, theirs: Serial },
    #[error("the primary sent other contents under the serial that we have, {serial}")]
    SerialNotRaised { serial: Serial },
    #[error("the primary showed the serial {shown} and sent {given}")]
    LessThanShown { shown: Serial, given: Serial },
    #[error("the zone is not the one that its ZONEMD record is about: {detail}")]
    ZonemdFailed { detail: String },

    // The zone that came may be one that its owner does not want.
    #[error("the version with serial {serial} has lost {lost_percent} % of the zone's records and is held back")]
    VersionHeld { serial: Serial, lost_percent: u8 },
    #[error("the version with serial {serial} is kept back at the owner's word")]
    VersionKept { serial: Serial },
    #[error("the version with serial {serial} has {records} records, and the plan allows {limit}")]
    OverLimit { serial: Serial, records: u64, limit: u64 },
    #[error("the zone is frozen: the version with serial {serial} is not fetched")]
    ZoneFrozen { serial: Serial },
    #[error(
        "the zone is frozen, and nothing of it is left here: it is not answered, and serial {serial} is not fetched"
    )]
    FrozenAndLost { serial: Serial },

    // TSIG.
    #[error("the primary does not know the key {key}")]
    TsigBadKey { key: Name },
    #[error("the primary says that our signature with the key {key} is wrong")]
    TsigBadSig { key: Name },
    #[error(
        "the primary answered our signed {asked} with a bare NOTAUTH: it does not take the key {key}, or does not hold the zone"
    )]
    TsigRejected { asked: Asked, key: Name },
    #[error("the clocks differ too much for TSIG: {}", skew(*.skew_secs))]
    TsigBadTime {
        /// How far the primary's clock is ahead of ours, in seconds; negative when it is behind.
        skew_secs: i64,
    },
    #[error("the primary does not take a shortened signature")]
    TsigBadTrunc,
    #[error("the primary's signature with the key {key} is wrong")]
    TsigWrongMac { key: Name },
    #[error("the primary did not sign its answer, though we signed our request with the key {key}")]
    TsigMissing { key: Name },
    #[error("the last message of the transfer is not signed")]
    TsigUnsignedTail,
    #[error("more than {limit} messages in a row are not signed")]
    TsigTooManyUnsigned { limit: u64 },
    #[error("the primary's signature is cut to {octets} octets")]
    TsigTruncatedMac { octets: u64 },
    #[error("the primary signed with the key {found}, not with {expected}")]
    TsigOtherKey { expected: Name, found: Name },
    #[error("the primary signed with the algorithm {found}, not with that of our key")]
    TsigOtherAlgorithm { found: Name },
    #[error("the answer holds a TSIG record where or as none may be")]
    TsigMalformed,
    #[error("the zone is to be fetched with the key {key}, which is not here")]
    KeyMissing { key: Name },

    // Ours.
    #[error("our store failed: {detail}")]
    StoreFailed { detail: String },
    #[error("we could not open a socket: {detail}")]
    SocketFailed { detail: String },
    #[error("no place to ask the primary from became free within {secs} s")]
    Busy { secs: u64 },
    #[error("what is wanted of the zone changed during the attempt, which was given up")]
    Overtaken,
    #[error("the zone was removed during the attempt")]
    ZoneRemoved,
    #[error("a fault of our own: {detail}")]
    Internal { detail: String },
}

/// Knot denies a transfer so, of a zone that it holds.
fn notauth(asked: Asked) -> String {
    match asked {
        Asked::Soa => format!("the primary answered our {asked} that it does not hold the zone (NOTAUTH)"),
        Asked::Axfr | Asked::Ixfr => {
            format!("the primary, which shows the zone, does not permit our {asked} (NOTAUTH)")
        }
    }
}

fn skew(secs: i64) -> String {
    match secs {
        0 => "the primary says so, but gave our own time".into(),
        1.. => format!("their clock is {secs} s ahead"),
        _ => format!("their clock is {} s behind", secs.unsigned_abs()),
    }
}

/// The advice with the zone's name where `ZONE` stands for it.
pub fn naming(advice: &str, zone: &Name) -> String {
    advice.replace("ZONE", &zone.to_string())
}

const PATH: &str = "Check the address and port, that the primary listens there, and that every firewall on the way lets \
                    UDP and TCP from our addresses through.";
const ALLOW: &str = "Allow our addresses at the primary, or the key that is used here: compare its name and algorithm there. \
                     BIND: allow-transfer { OUR-ADDRESS; }; in the zone, or { key \"NAME\"; }. Knot: an acl with address: \
                     OUR-ADDRESS, or key: NAME, and action: transfer, named by the zone. NSD: provide-xfr: OUR-ADDRESS \
                     NAME, or NOKEY in the key's place where none is used here. PowerDNS: allow-axfr-ips=OUR-ADDRESS, or \
                     pdnsutil activate-tsig-key ZONE NAME primary.";
const HOLD: &str = "Check the zone's name and that this server is a primary for it: its configuration must name the \
                    zone, and its log says whether the zone was loaded.";
const HOLD_OR_ANSWER: &str = "Check the zone's name and that this server is a primary for it: most servers refuse what \
                              they do not hold. If it is, let it answer our addresses (BIND: allow-query).";
const PRIMARY_LOG: &str = "Look into the primary's log for the same minute.";
const BROKEN: &str = "The primary, or a device before it, sends what the protocol does not allow; check that the \
                      address is a DNS server, and whether a newer version of it is out.";
const IXFR: &str = "Nothing to do: the whole zone is fetched by AXFR instead. If it happens often, the primary's \
                    journal is damaged; removing it there helps.";
const LIMITS: &str = "If the zone is really that large, raise the limit in our configuration ([limits] transfer_octets, \
                      transfer_records, transfer_time); otherwise check what the primary puts into it.";
const WHOLE: &str = "Check what the primary puts into the zone: more than this cannot be served of one.";
const CONTENT: &str = "Correct the zone at the primary and raise its serial; until it expires the last good version is \
                       served.";
const CROWDED: &str = "Spread the records over several names at the primary and raise the serial; until it expires the \
                       last good version is served. Queries for so crowded a name are a way to exhaust a server; if it must \
                       be, raise the limit in our configuration ([limits] records_per_rrset, types_per_name).";
const SERIAL: &str = "Raise the serial at the primary above ours, or fetch the zone again in full here: secondo zone \
                      refresh ZONE --full. Where serial-went-back=accept is set, an older serial is taken as soon as all \
                      primaries answer, and none of them shows a newer one.";
const HELD: &str = "Look at the zone at the primary. If it is meant to be so: secondo zone publish ZONE; if not: secondo zone keep \
                    ZONE, and correct it there.";
const KEPT: &str = "Correct the zone at the primary and raise its serial, or take that version after all: secondo zone publish \
                    ZONE.";
const LOST: &str = "What is frozen was damaged on this machine's disk. When the primary can be trusted, secondo zone thaw ZONE \
                    has the zone copied again.";
const OVER_LIMIT: &str = "Take a plan that allows more records, or have fewer in the zone. What is served until then is its last version within the \
                          plan, which does not expire as long as its primary answers.";
const FROZEN: &str = "When the primary can be trusted again: secondo zone thaw ZONE.";
const MEMORY: &str = "If the zone is really so large, give this machine more memory; a fifth of it is for transfers under way. \
                      Otherwise look at what the primary sends.";
const SAME_SERVER: &str = "If several servers answer at this address, let them all hold the newest version, or give the address of the \
                           one that changes are made at.";
const SAME_KEY: &str = "Give both sides the same key: name, algorithm and secret, to the letter. BIND: key \"NAME\" { \
                        algorithm …; secret \"…\"; }; and allow-transfer { key \"NAME\"; };. Knot: a key section, and an acl \
                        with key: NAME and our address, if any. NSD: a key: clause and provide-xfr: OUR-ADDRESS NAME. \
                        PowerDNS: pdnsutil import-tsig-key and activate-tsig-key ZONE NAME primary.";
const CLOCK: &str = "Set both clocks by NTP; TSIG allows 300 s between them.";
const SOURCE: &str =
    "Give an address that this machine has (ip address shows them), or none, for the system to choose.";
const DESTINATION: &str = "Name the primary by a public address at which it can be reached from outside. If it is meant to be asked at \
                           this one, whoever runs this service can put it on the list of addresses that are allowed.";
const TLS: &str =
    "Check that the port is the primary's port for DNS over TLS (853 unless its configuration says otherwise).";
const TLS_VERSION: &str = "Let the primary speak TLS 1.3, which transfers over TLS need (RFC 9103 §7.1); a newer version of it \
                           will.";
const ALPN: &str = "If the primary is a server that selects no ALPN (NSD up to 4.6), add alpn=may-be-missing to it here; \
                    otherwise check that the port is that of DNS over TLS.";
const CERTIFICATE: &str = "Give the name that is in the primary's certificate (tls=NAME), have its authority trusted here \
                           ([tls] authorities in our configuration), or pin its key (pin=…).";
const PIN: &str = "If the primary got a new key, and this one is it, give it here as pin=; otherwise somebody else answers at \
                   this address.";
const OUR_CERTIFICATE: &str = "Give us a certificate that the primary trusts ([tls] certificate and key in our configuration), and \
                               the primary its authority.";
const BUSY: &str = "Wait. If it goes on, see whether other transfers from this primary fail, or raise the limit in our \
                    configuration ([limits] connections_per_address, connections).";
const NOTHING: &str = "Nothing to do.";
const REPORT: &str = "Look into our log; if it says no more, tell us.";

/// What to do about a primary that denies what it was asked for: of the zone itself what `of_soa` says, of a transfer, which
/// is asked of whom has shown the zone, to allow it.
fn denied(asked: Asked, of_soa: &'static str) -> &'static str {
    match asked {
        Asked::Soa => of_soa,
        Asked::Axfr | Asked::Ixfr => ALLOW,
    }
}

/// What follows from a reason.
struct Entry(&'static str, Fault, &'static str);

impl Reason {
    /// The stable name for programs, for example `tsig_bad_time`.
    pub fn code(&self) -> &'static str {
        self.entry().0
    }

    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        self.entry().1
    }

    /// What to do about it, and where, if it came of copying this zone.
    pub fn advice(&self, zone: &Name) -> String {
        naming(self.entry().2, zone)
    }

    /// Whether any other transfer now, of another kind or from another primary, would end the same way.
    pub fn is_the_same_anywhere(&self) -> bool {
        matches!(self, Self::StoreFailed { .. } | Self::Overtaken | Self::ZoneRemoved)
    }

    /// Whether the primary has said all that it has to say about the request: a refusal, for one.
    pub fn is_a_whole_answer(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::NotAuth(_)
                | Self::ServFail(_)
                | Self::FormErr(_)
                | Self::NotImp(_)
                | Self::OtherRcode { .. }
                | Self::TsigBadKey { .. }
                | Self::TsigBadSig { .. }
                | Self::TsigBadTime { .. }
                | Self::TsigRejected { .. }
        )
    }

    fn entry(&self) -> Entry {
        use Fault::{Configuration, Network, Ours, Primary};
        match self {
            Self::TimedOut { .. } => Entry("timed_out", Network, PATH),
            Self::Unreachable { .. } => Entry("unreachable", Network, PATH),
            Self::ConnectionClosed { .. } => Entry("connection_closed", Primary, PRIMARY_LOG),
            Self::Hung { .. } => Entry("hung", Network, PRIMARY_LOG),
            Self::TooSlow { .. } => Entry("too_slow", Network, PRIMARY_LOG),
            Self::TookTooLong { .. } => Entry("took_too_long", Network, LIMITS),
            Self::DrawnOut { .. } => Entry("drawn_out", Network, PRIMARY_LOG),
            Self::SourceNotHere { .. } => Entry("source_not_here", Configuration, SOURCE),
            Self::AddressRefused(_) => Entry("address_refused", Configuration, DESTINATION),

            Self::TlsFailed { .. } => Entry("tls_failed", Configuration, TLS),
            Self::TlsVersion => Entry("tls_version", Primary, TLS_VERSION),
            Self::TlsNoAlpn => Entry("tls_no_alpn", Primary, ALPN),
            Self::TlsCertificate { .. } => Entry("tls_certificate", Configuration, CERTIFICATE),
            Self::TlsPin { .. } => Entry("tls_pin", Configuration, PIN),
            Self::TlsOurCertificate { .. } => Entry("tls_our_certificate", Configuration, OUR_CERTIFICATE),

            Self::Refused(asked) => Entry("refused", Configuration, denied(*asked, HOLD_OR_ANSWER)),
            Self::NotAuth(asked) => Entry("notauth", Configuration, denied(*asked, HOLD)),
            Self::ServFail(_) => Entry("servfail", Primary, HOLD),
            Self::FormErr(_) => Entry("formerr", Primary, PRIMARY_LOG),
            Self::NotImp(_) => Entry("notimp", Primary, BROKEN),
            Self::OtherRcode { .. } => Entry("other_rcode", Primary, HOLD),
            Self::NotAuthoritative => Entry("not_authoritative", Configuration, HOLD),

            Self::Malformed(_) => Entry("malformed", Primary, BROKEN),
            Self::EmptyMessage => Entry("empty_message", Primary, BROKEN),
            Self::TrailingOctets => Entry("trailing_octets", Primary, BROKEN),
            Self::WrongId => Entry("wrong_id", Primary, BROKEN),
            Self::NotAResponse => Entry("not_a_response", Primary, BROKEN),
            Self::WrongQuestion => Entry("wrong_question", Primary, BROKEN),
            Self::TruncatedOverTcp => Entry("truncated_over_tcp", Primary, BROKEN),

            Self::NoSoa => Entry("no_soa", Primary, HOLD),
            Self::SoaMismatch { .. } => Entry("soa_mismatch", Primary, PRIMARY_LOG),
            Self::SoaInTheMiddle { .. } => Entry("soa_in_the_middle", Primary, CONTENT),
            Self::ForeignSoa { .. } => Entry("foreign_soa", Primary, CONTENT),
            Self::RecordsAfterEnd => Entry("records_after_end", Primary, BROKEN),
            Self::ClassNotIn { .. } => Entry("class_not_in", Primary, BROKEN),
            Self::MetaType { .. } => Entry("meta_type", Primary, CONTENT),
            Self::TooManyOctets { .. } => Entry("too_many_octets", Ours, LIMITS),
            Self::TooManyRecords { .. } => Entry("too_many_records", Ours, LIMITS),
            Self::TooMuchUnderWay { .. } => Entry("too_much_under_way", Ours, MEMORY),

            Self::IxfrNotFromOurs { .. } => Entry("ixfr_not_from_ours", Primary, IXFR),
            Self::IxfrGap { .. } => Entry("ixfr_gap", Primary, IXFR),
            Self::IxfrCycle { .. } => Entry("ixfr_cycle", Primary, IXFR),
            Self::IxfrTooManySteps { .. } => Entry("ixfr_too_many_steps", Ours, IXFR),
            Self::IxfrDeleteAbsent { .. } => Entry("ixfr_delete_absent", Primary, IXFR),
            Self::IxfrAddPresent { .. } => Entry("ixfr_add_present", Primary, IXFR),

            Self::ZoneWithoutSoa => Entry("zone_without_soa", Primary, CONTENT),
            Self::ZoneWithSeveralSoas => Entry("zone_with_several_soas", Primary, CONTENT),
            Self::ZoneWithoutNs => Entry("zone_without_ns", Primary, CONTENT),
            Self::CnameWithOtherData { .. } => Entry("cname_with_other_data", Primary, CONTENT),
            Self::SeveralOfASingleton { .. } => Entry("several_of_a_singleton", Primary, CONTENT),
            Self::RrsetTooLarge { .. } => Entry("rrset_too_large", Primary, CROWDED),
            Self::TooManyTypes { .. } => Entry("too_many_types", Primary, CROWDED),
            Self::ZoneTooLarge { .. } => Entry("zone_too_large", Ours, WHOLE),
            Self::SerialWentBack { .. } => Entry("serial_went_back", Primary, SERIAL),
            Self::SerialIncomparable { .. } => Entry("serial_incomparable", Primary, SERIAL),
            Self::SerialNotRaised { .. } => Entry("serial_not_raised", Primary, SERIAL),
            Self::ZonemdFailed { .. } => Entry("zonemd_failed", Primary, CONTENT),
            Self::VersionHeld { .. } => Entry("version_held", Primary, HELD),
            Self::VersionKept { .. } => Entry("version_kept", Configuration, KEPT),
            Self::OverLimit { .. } => Entry("over_limit", Configuration, OVER_LIMIT),
            Self::ZoneFrozen { .. } => Entry("zone_frozen", Configuration, FROZEN),
            Self::FrozenAndLost { .. } => Entry("frozen_and_lost", Ours, LOST),
            Self::LessThanShown { .. } => Entry("less_than_shown", Primary, SAME_SERVER),

            Self::TsigBadKey { .. } => Entry("tsig_bad_key", Configuration, SAME_KEY),
            Self::TsigBadSig { .. } => Entry("tsig_bad_sig", Configuration, SAME_KEY),
            Self::TsigRejected { .. } => Entry("tsig_rejected", Configuration, SAME_KEY),
            Self::TsigBadTime { .. } => Entry("tsig_bad_time", Configuration, CLOCK),
            Self::TsigBadTrunc => Entry("tsig_bad_trunc", Primary, BROKEN),
            Self::TsigWrongMac { .. } => Entry("tsig_wrong_mac", Configuration, SAME_KEY),
            Self::TsigMissing { .. } => Entry("tsig_missing", Configuration, SAME_KEY),
            Self::TsigUnsignedTail => Entry("tsig_unsigned_tail", Primary, BROKEN),
            Self::TsigTooManyUnsigned { .. } => Entry("tsig_too_many_unsigned", Primary, BROKEN),
            Self::TsigTruncatedMac { .. } => Entry("tsig_truncated_mac", Primary, SAME_KEY),
            Self::TsigOtherKey { .. } => Entry("tsig_other_key", Configuration, SAME_KEY),
            Self::TsigOtherAlgorithm { .. } => Entry("tsig_other_algorithm", Configuration, SAME_KEY),
            Self::TsigMalformed => Entry("tsig_malformed", Primary, BROKEN),
            Self::KeyMissing { .. } => Entry("key_missing", Configuration, "Add it here: secondo key add NAME."),

            Self::StoreFailed { .. } => Entry("store_failed", Ours, REPORT),
            Self::SocketFailed { .. } => {
                Entry("socket_failed", Ours, "Raise the limit of open files of the service.")
            }
            Self::Busy { .. } => Entry("busy", Ours, BUSY),
            Self::Overtaken => Entry("overtaken", Ours, NOTHING),
            Self::ZoneRemoved => Entry("zone_removed", Ours, NOTHING),
            Self::Internal { .. } => Entry("internal", Ours, REPORT),
        }
    }

    /// The reason when the primary's serial is another than ours and not newer (RFC 1982 §3.2).
    pub fn of_older_serial(ours: Serial, theirs: Serial) -> Self {
        if ours.is_newer_than(theirs) {
            Self::SerialWentBack { ours, theirs }
        } else {
            Self::SerialIncomparable { ours, theirs }
        }
    }

    /// The reason that a response code gives.
    pub fn of_rcode(asked: Asked, rcode: Rcode) -> Self {
        match rcode {
            Rcode::REFUSED => Self::Refused(asked),
            Rcode::NOTAUTH => Self::NotAuth(asked),
            Rcode::SERVFAIL => Self::ServFail(asked),
            Rcode::FORMERR => Self::FormErr(asked),
            Rcode::NOTIMP => Self::NotImp(asked),
            rcode => Self::OtherRcode { asked, rcode },
        }
    }
}

impl From<RefusedAddress> for Reason {
    fn from(refused: RefusedAddress) -> Self {
        Self::AddressRefused(refused)
    }
}

impl From<NoAnswer> for Reason {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Malformed(malformed) => malformed.into(),
            NoAnswer::WrongId => Self::WrongId,
            NoAnswer::NotAResponse => Self::NotAResponse,
            NoAnswer::WrongQuestion => Self::WrongQuestion,
        }
    }
}

impl From<Malformed> for Reason {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::TrailingOctets => Self::TrailingOctets,
            malformed => Self::Malformed(malformed),
        }
    }
}
