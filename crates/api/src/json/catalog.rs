//! Catalogs (RFC 9432) and their members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Primary, Time, Zone};

/// What members are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemberTemplate {
    /// None at all for those of the catalog itself.
    pub primaries: Vec<Primary>,
    /// What is to differ from the defaults, by its name.
    pub settings: BTreeMap<String, String>,
}

/// What is to be changed about what members are made of; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeTemplate {
    /// In the place of those before; none at all for those of the catalog itself.
    pub primaries: Option<Vec<Primary>>,
    /// Settings by their names; null has the default count again.
    pub settings: BTreeMap<String, Option<String>>,
}

/// When members that the catalog does not list any more go at once, and when they wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Guard {
    /// How long they wait.
    #[schema(example = "1d")]
    pub delay: String,
    /// More than this share of all members waits.
    pub share_percent: u8,
    /// Fewer than this go at once.
    pub zones_min: u32,
}

/// What is to be changed about a guard; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeGuard {
    /// Such as `12h`; `off` to have everything go at once.
    pub delay: Option<String>,
    /// 0 to 100.
    pub share_percent: Option<u8>,
    pub zones_min: Option<u32>,
}

/// What is to be changed about a catalog; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeCatalog {
    /// The domains that it may list zones of; `.` for every name.
    pub suffixes: Option<Vec<String>>,
    pub members: ChangeTemplate,
    /// What the members of these groups are made of instead.
    pub groups: Option<BTreeMap<String, MemberTemplate>>,
    pub guard: ChangeGuard,
}

/// A catalog to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCatalog {
    #[schema(example = "catalog.example.org")]
    pub name: String,
    /// One to sixteen: where the catalog itself is copied from.
    pub primaries: Vec<Primary>,
    /// What differs from what catalogs do unless said otherwise: members may have every name and are made of nothing but
    /// the catalog's own primaries.
    #[serde(default)]
    pub rules: ChangeCatalog,
}

/// A zone that lists other zones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Catalog {
    /// The zone that it is read from.
    pub zone: Zone,
    /// The domains that it may list zones of; `.` for every name.
    pub suffixes: Vec<String>,
    pub members: MemberTemplate,
    /// What the members of these groups are made of instead.
    pub groups: BTreeMap<String, MemberTemplate>,
    pub guard: Guard,
    pub created_at: Time,
    /// The version that was followed last; none before the first.
    pub followed_serial: Option<u32>,
    /// Why the newest version cannot be followed; its members stay as they are until it can.
    pub fault: Option<String>,
    pub member_count: u64,
    /// How many of the members are not listed any more, and wait.
    pub waiting_count: u64,
    /// How many zones are listed and are no members.
    pub skipped_count: u64,
}

/// All catalogs, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Catalogs {
    pub catalogs: Vec<Catalog>,
}

words! {
    /// What a zone is to a catalog.
    MemberState {
        /// Listed, and here because of that.
        Member = "member",
        /// Here, but not listed any more; it goes at `until`.
        Waiting = "waiting",
        /// Listed, and no member; `why` says why.
        Skipped = "skipped",
    }
}

/// A zone that a catalog lists, or has listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogMember {
    #[schema(example = "example.org.")]
    pub name: String,
    pub state: MemberState,
    /// What the catalog knows a member by.
    pub label: Option<String>,
    /// The group that a member is in, of those that there is anything for.
    pub group: Option<String>,
    /// Since when the catalog has not listed it.
    pub since: Option<Time>,
    /// When it goes, at the first check of the catalog from then on.
    pub until: Option<Time>,
    /// Why what the catalog wants is not done.
    pub why: Option<String>,
}

/// A page of zones, in the order of their names as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogMembers {
    pub members: Vec<CatalogMember>,
    /// Pass it as `after` for the next page; none on the last.
    pub next: Option<String>,
}

/// Consent to what a version of a catalog does not list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptCatalog {
    /// The version that was looked at: another one is not accepted.
    pub serial: u32,
}
