//! The doors: what the API asks of the program, as traits that the program implements.
//!
//! One node and a hundred differ only behind these doors. Every call may be dropped half-way (the client went away,
//! or a deadline passed): an implementation must leave nothing half-done, and work that was asked for goes on.
//!
//! Arguments are parsed: a [`Name`] is a name and a [`Primary`] an address. Answers are the JSON types.

mod accounts;
mod alerts;
mod caller;
mod jobs;
mod listing;
mod newcomers;
mod organisations;
mod ownership;
mod plans;
mod promotions;
mod removals;
mod requested;
mod span;

pub use accounts::{Accounts, LinkUse, Membership, NewToken, NewUser, Opened, SecondFactorOffer, SignedIn};
pub use alerts::Alerts;
pub use caller::{Actor, Caller, Visitor};
pub use jobs::{JobEnd, Jobs, KeptJob};
pub use listing::{Direction, ListPlace, Listed, ZoneList};
pub use newcomers::{Newcomers, Offers};
pub use organisations::{OrganisationPage, Organisations, Streamed};
pub use ownership::Ownership;
pub use plans::{EndedPlan, Marks, Plans};
pub use promotions::{Accept, NewSource, Promotions, WantedPrimary, Word};
pub use removals::{Removal, Removals};
pub use requested::{Begun, Requested};
pub use span::QuerySpan;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dns::Name;
use xfr::{Primary, Setting, Settings};
use zone::Tags;

use crate::json;
use crate::problem::{Code, Problem};

/// The most primaries that a zone may have: each is asked at every check.
pub const PRIMARIES_MAX: usize = 16;
/// The most tags that are listed, so that an answer's size is bounded.
pub const TAGS_LISTED_MAX: usize = 1_000;

/// A zone to add, with one to [`PRIMARIES_MAX`] primaries at different addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewZone {
    name: Name,
    primaries: Vec<Primary>,
    pub settings: Settings,
    pub tags: Tags,
}

/// What is to be changed about a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneChange {
    /// One to [`PRIMARIES_MAX`] at different addresses, in the place of those before.
    pub primaries: Option<Vec<Primary>>,
    pub service: Option<json::ServiceOrder>,
    /// What is set anew; none has the default count again.
    pub settings: Vec<(Setting, Option<String>)>,
    /// In the place of those before.
    pub tags: Option<Tags>,
}

/// Whether these can be a zone's primaries.
///
/// # Errors
/// [`Code::PrimaryInvalid`] when there is none, there are too many, or two have one address.
pub fn check_primaries(name: &Name, primaries: &[Primary]) -> Result<(), Problem> {
    let invalid = |detail: String| Err(Problem::new(Code::PrimaryInvalid, detail));
    if primaries.is_empty() {
        return invalid(format!("the zone {name} has no primary: give the address of the server to copy it from"));
    }
    if primaries.len() > PRIMARIES_MAX {
        let count = primaries.len();
        return invalid(format!("the zone {name} has {count} primaries, but may have at most {PRIMARIES_MAX}"));
    }
    for (index, primary) in primaries.iter().enumerate() {
        if primaries[..index].iter().any(|earlier| earlier.address == primary.address) {
            return invalid(format!("the primary {} is given twice for the zone {name}", primary.address));
        }
    }
    Ok(())
}

impl NewZone {
    /// # Errors
    /// As [`check_primaries`].
    pub fn new(name: Name, primaries: Vec<Primary>) -> Result<Self, Problem> {
        check_primaries(&name, &primaries)?;
        Ok(Self { name, primaries, settings: Settings::default(), tags: Tags::default() })
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    /// In the order in which they were given.
    pub fn primaries(&self) -> &[Primary] {
        &self.primaries
    }
}

/// What the members of a catalog are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberTemplate {
    /// None at all for those of the catalog itself; else as [`check_primaries`] wants them.
    pub primaries: Vec<Primary>,
    pub settings: Settings,
}

/// What is to be changed about what the members of a catalog are made of; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateChange {
    /// None at all for those of the catalog itself; else as [`check_primaries`] wants them, in the place of those before.
    pub primaries: Option<Vec<Primary>>,
    /// What is set anew; none has the default count again.
    pub settings: Vec<(Setting, Option<String>)>,
}

/// What is to be changed about what a catalog may do; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogChange {
    /// Members are at or below one of these; the root allows every name.
    pub suffixes: Option<Vec<Name>>,
    pub members: TemplateChange,
    /// What the members of these groups are made of instead, by the group's name.
    pub groups: Option<BTreeMap<String, MemberTemplate>>,
    pub guard: GuardChange,
}

/// When members that a catalog does not list any more go at once, and when they wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardChange {
    /// How long they wait; zero for not at all.
    pub delay: Option<Duration>,
    /// More than this share of all members waits.
    pub share_percent: Option<u8>,
    /// Fewer than this go at once.
    pub zones_min: Option<u32>,
}

/// A catalog to add: its zone, and what is to differ from what catalogs may do unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCatalog {
    pub zone: NewZone,
    pub rules: CatalogChange,
}

/// A TSIG key to add.
#[derive(Clone)]
pub struct NewKey {
    pub name: Name,
    pub algorithm: json::KeyAlgorithm,
    /// In base64; none to generate one, which the answer then holds.
    pub secret: Option<String>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("name", &self.name).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A part of a list in the order of lower-case names as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePage {
    /// Only what comes after this name.
    pub after: Option<Name>,
    /// 1 to 1,000.
    pub limit: u32,
}

/// A part of a zone's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    /// From this owner on, in canonical order (RFC 4034 §6.1), or from where it would be.
    pub from: Option<Name>,
    /// A part of the owner's name, in lower case; empty for any.
    pub find: String,
    pub rtype: Option<dns::Type>,
    /// 1 to 1,000.
    pub limit: u32,
}

/// Records, in the canonical order of their owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    pub serial: u32,
    /// As in a zone file.
    pub lines: Vec<String>,
    /// Where to go on; none at the end. There may be more also where nothing was found: a search is given up after so many
    /// names, to go on from there.
    pub next: Option<Name>,
}

/// Tells that something about a zone may have changed.
pub type News = futures_util::stream::BoxStream<'static, ()>;

/// A part of a zone's attempts, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptPage {
    /// Only attempts before this one: [`json::History::next`] of the page before.
    pub before: Option<u64>,
    /// 1 to 1,000.
    pub limit: u32,
}

/// Whole lines with their ends, in pieces of some 64 KiB, each of which is sent by itself; producing a piece must not
/// wait for anything.
pub type Text = Box<dyn Iterator<Item = String> + Send>;

/// What becomes of what signing has made: signatures, keys, and the proofs of what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    Kept,
    LeftOut,
}

/// A zone's contents as text.
pub struct Export {
    pub serial: u32,
    pub generation: u64,
    /// All of one version of the zone.
    pub text: Text,
}

/// What should exist.
///
/// Without the inventory each answers [`Code::InventoryUnavailable`].
#[async_trait]
pub trait Intent: Send + Sync {
    /// Adds the zone and answers as it is then, most likely pending.
    ///
    /// The member of a catalog becomes a zone of its own.
    ///
    /// # Errors
    /// [`Code::ZoneExists`], [`Code::ZoneNameTaken`], [`Code::KeyUnknown`], [`Code::AddressRefused`].
    async fn add_zone(&self, caller: &Caller, zone: NewZone) -> Result<json::Zone, Problem>;

    /// Adds many zones, each wholly or not at all; one result for each, in their order.
    async fn import_zones(&self, caller: &Caller, zones: Vec<NewZone>) -> Result<Vec<Result<(), Problem>>, Problem>;

    /// Changes the zone, wholly or not at all, and answers as it is then.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::KeyUnknown`], [`Code::AddressRefused`], [`Code::SettingInvalid`],
    /// [`Code::ZoneNameTaken`];
    /// [`Code::ZoneDisabled`] when a disabled zone is paused or resumed, [`Code::ZonePaused`] when a paused one is enabled;
    /// [`Code::ZoneOfCatalog`] for a member.
    async fn change_zone(&self, caller: &Caller, name: &Name, change: ZoneChange) -> Result<json::Zone, Problem>;

    /// Adds the catalog with its zone.
    ///
    /// # Errors
    /// Those of [`Intent::add_zone`] and [`Code::SettingInvalid`].
    async fn add_catalog(&self, caller: &Caller, catalog: NewCatalog) -> Result<json::Catalog, Problem>;

    /// Changes what the catalog may do and what its members are made of.
    ///
    /// # Errors
    /// [`Code::CatalogUnknown`], [`Code::KeyUnknown`], [`Code::AddressRefused`], [`Code::SettingInvalid`].
    async fn change_catalog(
        &self,
        caller: &Caller,
        name: &Name,
        change: CatalogChange,
    ) -> Result<json::Catalog, Problem>;

    /// Removes the catalog and its zone; its members stay, as zones of their own.
    ///
    /// # Errors
    /// [`Code::CatalogUnknown`].
    async fn remove_catalog(&self, caller: &Caller, name: &Name) -> Result<(), Problem>;

    /// Whether a zone may be copied from there, for whoever wants to know before the rest is right.
    ///
    /// # Errors
    /// [`Code::AddressRefused`].
    fn check_primary(&self, primary: &Primary) -> Result<(), Problem>;

    /// # Errors
    /// [`Code::KeyExists`], [`Code::SecretInvalid`].
    async fn add_key(&self, caller: &Caller, key: NewKey) -> Result<json::AddedKey, Problem>;

    /// All keys in the order of their names, without their secrets.
    async fn keys(&self, caller: &Caller) -> Result<Vec<json::Key>, Problem>;

    /// # Errors
    /// [`Code::KeyUnknown`]; [`Code::KeyInUse`] while a primary is asked with it or settings name it.
    async fn remove_key(&self, caller: &Caller, name: &Name) -> Result<(), Problem>;
}

/// What should happen now.
#[async_trait]
pub trait Requests: Send + Sync {
    /// Brings the zone up to its primaries now, and answers with the attempt when it has ended, however it has.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::ZonePaused`], [`Code::ShuttingDown`]. A failed attempt is no error.
    async fn refresh(&self, caller: &Caller, name: &Name, transfer: json::Transfer)
    -> Result<json::Attempt, Problem>;

    /// Asks the primaries everything that can be asked about the zone, which need not be here; over within two minutes.
    /// `own_addresses` are where the world is to ask for it.
    ///
    /// # Errors
    /// [`Code::KeyUnknown`], [`Code::TimedOut`] when too many are examined. What is wrong with a primary is no error.
    async fn examine(
        &self,
        caller: &Caller,
        zone: &NewZone,
        own_addresses: Vec<IpAddr>,
    ) -> Result<json::Examination, Problem>;

    /// To whom the zone is delegated. The parent's servers are asked now, unless they were within the last minute; over
    /// within a minute and a half.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::TimedOut`] when too many are asked about. That nobody answers is no error.
    async fn delegation(&self, caller: &Caller, name: &Name) -> Result<json::Delegation, Problem>;

    /// Has that asked without waiting for it, and says whether it is known or under way: not while others wait for theirs.
    /// When it is known, those who look at the zone are told.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn begin_delegation(&self, caller: &Caller, name: &Name) -> Result<bool, Problem>;

    /// Carries out the owner's word about the zone's versions and answers as it is then.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::ZoneNotLoaded`], [`Code::NothingHeld`], [`Code::GenerationUnknown`].
    async fn order_hold(&self, caller: &Caller, name: &Name, order: json::OrderHold) -> Result<json::Zone, Problem>;

    /// Has all members go now that this version of the catalog does not list.
    ///
    /// # Errors
    /// [`Code::CatalogUnknown`], [`Code::CatalogChanged`], [`Code::CatalogNotRead`], [`Code::ShuttingDown`].
    async fn accept_catalog(&self, caller: &Caller, name: &Name, serial: u32) -> Result<json::Catalog, Problem>;
}

/// What zones hold. Read-only: records change at the primary and nowhere else.
#[async_trait]
pub trait Contents: Send + Sync {
    /// The version that is here as a zone file, also of a zone that has expired: it may be all that is left of it.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::ZoneNotLoaded`].
    async fn export(&self, caller: &Caller, name: &Name, signatures: Signatures) -> Result<Export, Problem>;

    /// A page of the served version's records.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::ZoneNotLoaded`] (also when it has expired).
    async fn records(&self, caller: &Caller, name: &Name, page: RecordPage) -> Result<Records, Problem>;

    /// What differs between two kept versions: lines of records, `-` before those that went and `+` before those that
    /// came.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::GenerationUnknown`].
    async fn diff(&self, caller: &Caller, name: &Name, from: u64, to: u64) -> Result<Text, Problem>;

    /// The same between what is served and the version that is held back.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::NothingHeld`] (also when it would have to be fetched again).
    async fn held_diff(&self, caller: &Caller, name: &Name) -> Result<Text, Problem>;
}

/// How everything is.
#[async_trait]
pub trait Status: Send + Sync {
    /// At most `list.limit` zones. In another order than that of names, and with a filter, it takes as long as there are zones
    /// of the organisation: some 300 ns for each.
    async fn zones(&self, caller: &Caller, list: ZoneList) -> Result<Listed, Problem>;

    /// The tags of the organisation's zones: the [`TAGS_LISTED_MAX`] that most have, in their order.
    async fn tags(&self, caller: &Caller) -> Result<Vec<json::TagCount>, Problem>;

    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn zone(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem>;

    /// The zone as [`Status::zone`] shows it, but for what it takes to go through its contents.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn glance(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem>;

    /// What counts where the setting is not set, as it would be typed.
    fn default_of(&self, setting: Setting) -> String;

    /// From now on, whenever something about the zone with this id may have changed; not for each record of a transfer.
    fn news(&self, zone: u64) -> News;

    /// The lines that have the zone's primaries give it to us. Nobody is asked for them.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn lines(&self, caller: &Caller, name: &Name) -> Result<Vec<json::PrimaryLines>, Problem>;

    /// To whom the zone is delegated, as it was when that was last asked; none when it has not been, or long ago. Nobody is
    /// asked for it.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn known_delegation(&self, caller: &Caller, name: &Name) -> Result<Option<json::Delegation>, Problem>;

    /// How many of the tenant's zones are in which condition.
    async fn counts(&self, caller: &Caller) -> Result<json::ZoneCounts, Problem>;

    /// Where DNS is answered and NOTIFYs are taken, with ports.
    async fn addresses(&self) -> Vec<String>;

    /// The address of this machine that a server there sees, when we ask it; none when no way leads to it. Nobody is asked.
    fn source_towards(&self, server: SocketAddr) -> Option<IpAddr>;

    /// # Errors
    /// [`Code::ZoneUnknown`].
    async fn history(&self, caller: &Caller, name: &Name, page: AttemptPage) -> Result<json::History, Problem>;

    /// All catalogs.
    async fn catalogs(&self, caller: &Caller) -> Result<Vec<json::Catalog>, Problem>;

    /// # Errors
    /// [`Code::CatalogUnknown`].
    async fn catalog(&self, caller: &Caller, name: &Name) -> Result<json::Catalog, Problem>;

    /// The catalog's members and what else it lists, at most `page.limit`.
    ///
    /// # Errors
    /// [`Code::CatalogUnknown`].
    async fn catalog_members(
        &self,
        caller: &Caller,
        name: &Name,
        page: NamePage,
    ) -> Result<Vec<json::CatalogMember>, Problem>;

    /// At most `limit` rows of NOTIFYs for the zone, the last to come first.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::InventoryUnavailable`].
    async fn notifies(&self, caller: &Caller, name: &Name, limit: u32) -> Result<Vec<json::Notify>, Problem>;

    /// At most `limit` blocks of addresses from which NOTIFYs came for zones that are not here, the last to come first.
    ///
    /// # Errors
    /// [`Code::InventoryUnavailable`].
    async fn stranger_notifies(&self, limit: u32) -> Result<Vec<json::StrangerNotify>, Problem>;

    /// What was asked of the zone, until a moment ago.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`], [`Code::InventoryUnavailable`].
    async fn queries(&self, caller: &Caller, name: &Name, span: QuerySpan) -> Result<json::ZoneQueries, Problem>;

    /// What was used in the month (none for the present one): by the caller's tenant, or by all where the caller runs the whole
    /// service.
    ///
    /// # Errors
    /// [`Code::InventoryUnavailable`].
    async fn usage(&self, caller: &Caller, month: Option<json::Month>) -> Result<json::Usage, Problem>;

    async fn node(&self) -> Result<json::NodeStatus, Problem>;
}

/// All doors of one program.
#[derive(Clone)]
pub struct Doors {
    pub accounts: Arc<dyn Accounts>,
    pub alerts: Arc<dyn Alerts>,
    pub newcomers: Arc<dyn Newcomers>,
    pub organisations: Arc<dyn Organisations>,
    pub intent: Arc<dyn Intent>,
    pub requests: Arc<dyn Requests>,
    pub contents: Arc<dyn Contents>,
    pub status: Arc<dyn Status>,
    pub ownership: Arc<dyn Ownership>,
    pub plans: Arc<dyn Plans>,
    pub promotions: Arc<dyn Promotions>,
    pub removals: Arc<dyn Removals>,
    pub requested: Arc<dyn Requested>,
    pub jobs: Arc<dyn Jobs>,
}
