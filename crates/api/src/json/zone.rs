//! Zones, their condition, their primaries and their history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Attempt, Primary, PrimaryLines, Time};

words! {
    /// How old the contents are.
    Freshness {
        /// Nothing has been transferred yet.
        Pending = "pending",
        /// A primary confirmed the served version when it was last due.
        Current = "current",
        /// The last check failed; the contents are still valid.
        Stale = "stale",
        /// The SOA's EXPIRE has passed without a confirmation: answers are SERVFAIL.
        Expired = "expired",
    }
}

words! {
    /// Whether a newer version is kept back.
    Hold {
        None = "none",
        Held = "held",
        Frozen = "frozen",
        OverLimit = "over_limit",
    }
}

words! {
    /// Whether the zone is answered and followed.
    Service {
        /// Answered, and kept up with its primaries.
        Answering = "answering",
        /// Answered until it expires; no checks and no transfers.
        Paused = "paused",
        /// REFUSED, because somebody switched it off.
        Disabled = "disabled",
        /// REFUSED, until its owner has shown that the name is theirs.
        Unproven = "unproven",
        /// REFUSED, because its organisation's plan has ended; nothing of it is deleted.
        Suspended = "suspended",
    }
}

words! {
    /// What a zone is to do from now on. A disabled zone is not answered until it is enabled, and by nothing else.
    ServiceOrder {
        /// Answer until it expires; no checks and no transfers. Not for a disabled zone.
        Pause = "pause",
        /// Follow its primaries again, if it is paused.
        Resume = "resume",
        /// REFUSED; no checks and no transfers.
        Disable = "disable",
        /// Answer and follow its primaries again, if it is disabled, also where it was paused before that.
        Enable = "enable",
    }
}

words! {
    /// Why the zone is here.
    Origin {
        /// Somebody added it.
        Configured = "configured",
        /// Somebody added it as a catalog, which is not answered.
        Catalog = "catalog",
        /// A catalog lists it.
        Member = "member",
    }
}

words! {
    /// What people see: the most serious of freshness, hold and service; `active` when nothing is wrong.
    State {
        Active = "active",
        Frozen = "frozen",
        Paused = "paused",
        Held = "held",
        OverLimit = "over_limit",
        Stale = "stale",
        Pending = "pending",
        Expired = "expired",
        Disabled = "disabled",
        Unproven = "unproven",
        Suspended = "suspended",
    }
}

impl State {
    /// The most serious of the three: what is not answered at all, then what is answered badly, then what is kept back.
    pub fn derive(freshness: Freshness, hold: Hold, service: Service) -> Self {
        match (service, freshness, hold) {
            (Service::Suspended, _, _) => Self::Suspended,
            (Service::Unproven, _, _) => Self::Unproven,
            (Service::Disabled, _, _) => Self::Disabled,
            (_, Freshness::Expired, _) => Self::Expired,
            (_, Freshness::Pending, _) => Self::Pending,
            (_, Freshness::Stale, _) => Self::Stale,
            (_, _, Hold::OverLimit) => Self::OverLimit,
            (_, _, Hold::Held) => Self::Held,
            (Service::Paused, _, _) => Self::Paused,
            (_, _, Hold::Frozen) => Self::Frozen,
            (Service::Answering, Freshness::Current, Hold::None) => Self::Active,
        }
    }
}

/// A zone to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddZone {
    #[schema(example = "example.org")]
    pub name: String,
    /// One to sixteen.
    pub primaries: Vec<Primary>,
    /// What is to differ from the defaults, by its name.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Words to sort zones by: at most sixteen, each of at most 32 letters and digits, with `.`, `-`, `_` or `:` between them.
    #[serde(default)]
    #[schema(example = json!(["customers", "site:berlin"]))]
    pub tags: Vec<String>,
}

/// What is to be changed about a zone; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeZone {
    /// One to sixteen, in the place of those before.
    pub primaries: Option<Vec<Primary>>,
    pub service: Option<ServiceOrder>,
    /// Settings by their names; null has the default count again.
    pub settings: BTreeMap<String, Option<String>>,
    /// At most sixteen, in the place of those before.
    #[schema(example = json!(["customers", "site:berlin"]))]
    pub tags: Option<Vec<String>>,
}

/// A zone with its condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Zone {
    /// Ours; never used twice.
    pub id: u64,
    /// As it was typed, with the last dot.
    #[schema(example = "example.org.")]
    pub name: String,
    pub state: State,
    pub freshness: Freshness,
    pub hold: Hold,
    pub service: Service,
    /// Whether the served version, or what was ordered about the zone, is in memory only, because the disk is full.
    pub volatile: bool,
    /// The SOA's, the primary's own; none before the first transfer.
    pub serial: Option<u32>,
    /// Ours: grows with each version served.
    pub generation: Option<u64>,
    /// Two places with one digest hold the same zone; 64 hexadecimal digits.
    pub digest: Option<String>,
    /// How many records the served version has.
    pub records: Option<u64>,
    pub primaries: Vec<Primary>,
    /// What differs from the defaults, by its name.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// In their order.
    #[serde(default)]
    pub tags: Vec<String>,
    pub origin: Origin,
    /// The catalog that a member is here because of.
    pub catalog: Option<String>,
    pub created_at: Time,
    /// When a primary last confirmed the served version or gave it.
    pub last_success: Option<Time>,
    /// When the next check is due.
    pub next_refresh: Option<Time>,
    /// When the SOA's EXPIRE has passed unless a primary confirms the zone.
    pub expires_at: Option<Time>,
    /// When answers stop then: later than that where `serve_past_expiry` is set.
    pub answers_until: Option<Time>,
    /// When the first of the signatures that the served version needs ends; none where it has none, or nobody has looked yet.
    #[serde(default)]
    pub signed_until: Option<Time>,
    /// The newer version that is kept back, if there is one.
    pub held_back: Option<HeldBack>,
    /// What validating resolvers will mind about the served version; only where one zone is shown.
    #[serde(default)]
    pub warnings: Vec<ZoneWarning>,
    /// The primaries that showed nothing of the zone when all were last asked.
    #[serde(default)]
    pub silent: Vec<SilentPrimary>,
    /// The transfers that are under way. Most are over in a moment; one that stays here is drawn out by its primary.
    #[serde(default)]
    pub transfers: Vec<TransferUnderWay>,
    pub last_attempt: Option<Attempt>,
}

/// A primary that showed nothing of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilentPrimary {
    /// Its address and port.
    #[schema(example = "192.0.2.1:53")]
    pub primary: String,
    /// Why, by the code of a reason.
    #[schema(example = "refused")]
    pub code: String,
}

/// A transfer that has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferUnderWay {
    /// The primary's address and port.
    #[schema(example = "192.0.2.1:53")]
    pub primary: String,
    pub since: Time,
    /// What has come so far.
    pub octets: u64,
    pub records: u64,
}

/// A newer version that is not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBack {
    pub serial: u32,
    /// The share of the zone's records that it has lost; none when it is kept back at the owner's word.
    pub lost_percent: Option<u8>,
    pub since: Option<Time>,
    /// When it is published without the owner's word; none if never.
    pub ends_at: Option<Time>,
}

/// Something doubtful about a zone's contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneWarning {
    #[schema(example = "signature_expired")]
    pub code: String,
    pub message: String,
}

words! {
    /// What is to become of a newer version, or of the one that is served.
    HoldOrder {
        /// Publish the version that is held back.
        Publish = "publish",
        /// Keep what is served until there is another one still.
        Keep = "keep",
        /// Serve a version, the present one or one of before, until the zone is thawed.
        Freeze = "freeze",
        /// Follow the primaries again.
        Thaw = "thaw",
    }
}

/// The owner's word about a zone's versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderHold {
    pub order: HoldOrder,
    /// For `freeze`: which version is to be served; none for the present one.
    #[serde(default)]
    pub generation: Option<u64>,
}

words! {
    /// What a list of zones goes by; those that are alike in it by name, and those that have none of it at the end.
    ZoneOrder {
        /// The names as text.
        Name = "name",
        /// What needs somebody first, and zones whose last attempt failed before others in their state.
        State = "state",
        /// The highest serial first.
        Serial = "serial",
        /// The most records first.
        Records = "records",
        /// What was confirmed longest ago first.
        Confirmed = "confirmed",
        /// What expires soonest first.
        Expires = "expires",
    }
}

#[expect(clippy::derivable_impls, reason = "what makes words derives none")]
impl Default for ZoneOrder {
    fn default() -> Self {
        Self::Name
    }
}

/// How many zones have a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagCount {
    #[schema(example = "customers")]
    pub tag: String,
    pub zones: u64,
}

/// The tags that zones have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagCounts {
    pub tags: Vec<TagCount>,
}

/// A page of zones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Zones {
    pub zones: Vec<Zone>,
    /// Pass it as `after` for the next page; none on the last.
    pub next: Option<String>,
}

/// A page of a zone's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneRecords {
    /// Of the version that they are of.
    pub serial: u32,
    /// As in a zone file.
    #[schema(example = json!(["www.example.org. 3600 IN A 192.0.2.1"]))]
    pub records: Vec<String>,
    /// Pass it as `from` for the next page; none on the last. There may be more also where nothing was found: a search is given
    /// up after so many names, to go on from there.
    pub next: Option<String>,
}

/// The lines for the configuration of a zone's primaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ZoneLines {
    pub primaries: Vec<PrimaryLines>,
}

#[expect(clippy::derivable_impls, reason = "what makes words derives none")]
impl Default for Transfer {
    fn default() -> Self {
        Self::Incremental
    }
}

words! {
    /// What a refresh fetches when the primary has something newer.
    Transfer {
        /// What changed if the primary can say it, else the whole zone.
        Incremental = "incremental",
        /// The whole zone, even if the serial is the same.
        Full = "full",
    }
}

/// A refresh to carry out now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// `incremental` unless said otherwise.
    pub transfer: Transfer,
}

words! {
    /// Whether a refresh has ended.
    Ending {
        /// The attempt tells how.
        Done = "done",
        /// It takes longer than a client is made to wait, and goes on.
        Running = "running",
    }
}

/// How a refresh went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refreshed {
    pub ending: Ending,
    /// There when it is done.
    pub attempt: Option<Attempt>,
    /// The zone afterwards; there when it is done.
    pub zone: Option<Zone>,
}

/// A version of a zone that was served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    pub generation: u64,
    pub serial: u32,
    /// When it was published.
    pub at: Time,
    /// The generation before it; none for the first that is kept.
    pub from_generation: Option<u64>,
    pub from_serial: Option<u32>,
    /// How many records went and came, by comparison with the generation before.
    pub removed: u64,
    pub added: u64,
}

/// What happened to a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// The versions that are kept, newest first.
    pub versions: Vec<Version>,
    /// The attempts on record, newest first.
    pub attempts: Vec<Attempt>,
    /// Pass it as `before` for older attempts; none when there are none.
    pub next: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{Freshness, Hold, Service, State};

    #[test]
    fn the_most_serious_condition_is_what_people_see() {
        let state = State::derive;
        assert_eq!(state(Freshness::Current, Hold::None, Service::Answering), State::Active);
        assert_eq!(state(Freshness::Expired, Hold::Held, Service::Paused), State::Expired);
        assert_eq!(state(Freshness::Expired, Hold::None, Service::Disabled), State::Disabled);
        assert_eq!(state(Freshness::Stale, Hold::Frozen, Service::Answering), State::Stale);
        assert_eq!(state(Freshness::Current, Hold::Frozen, Service::Paused), State::Paused);
        assert_eq!(state(Freshness::Pending, Hold::None, Service::Answering), State::Pending);
    }
}
