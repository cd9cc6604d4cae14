//! What is done about a zone where there is more than one way; see [`settings`](crate::settings) for the words.

use dns::Name;

use crate::prefix::Prefix;
use crate::secondaries::{Admission, Target};
use crate::timers::Bounds;

/// Everything that is done about a zone in one way or another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub bounds: Bounds,
    pub serial_went_back: SerialWentBack,
    pub ixfr_from: IxfrFrom,
    pub notify: NotifyTrust,
    /// Who may send NOTIFYs besides the primaries.
    pub notify_from: Vec<Prefix>,
    /// The keys that NOTIFYs may be signed with besides those of the primaries.
    pub notify_keys: Vec<Name>,
    pub zonemd: ZonemdPolicy,
    pub shrink_limit: ShrinkLimit,
    /// How long a version that lost too much is held back without the owner's word, in seconds.
    pub hold_secs: u32,
    /// For how many seconds beyond its expiry the zone is served.
    pub serve_past_expiry_secs: u32,
    /// How long versions are kept as history, in seconds, and how many.
    pub history_secs: u32,
    pub history_versions: u32,
    /// Who may copy the zone from here.
    pub allow_transfer: Vec<Admission>,
    /// Who is told of its new versions.
    pub notify_to: Vec<Target>,
    pub any: AnyAnswer,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            serial_went_back: SerialWentBack::default(),
            ixfr_from: IxfrFrom::default(),
            notify: NotifyTrust::default(),
            notify_from: Vec::new(),
            notify_keys: Vec::new(),
            zonemd: ZonemdPolicy::default(),
            shrink_limit: ShrinkLimit::default(),
            hold_secs: 24 * 3600,
            serve_past_expiry_secs: 0,
            history_secs: 30 * 24 * 3600,
            history_versions: 1000,
            allow_transfer: Admission::loopback(),
            notify_to: Vec::new(),
            any: AnyAnswer::default(),
        }
    }
}

/// What is done about contents that are not those that their ZONEMD record is about (RFC 8976).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZonemdPolicy {
    /// They are published, and this is said.
    #[default]
    Warn,
    Refuse,
}

/// How many of its records, in percent, a zone may lose from one version to the next without its owner's word: 1 to
/// 100, where 100 is any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShrinkLimit(pub u8);

impl Default for ShrinkLimit {
    /// Half: whole parts of zones go when scripts break, and hardly ever by intent.
    fn default() -> Self {
        Self(50)
    }
}

/// What is done when a primary shows a serial that is older than ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SerialWentBack {
    /// It is not installed; expiry goes on.
    #[default]
    Wait,
    /// It is fetched whole and installed.
    Accept,
}

/// From which of several primaries differences are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IxfrFrom {
    /// From the one that our version came from; from another one the whole zone is fetched. Two primaries that number
    /// versions of their own would otherwise be mixed, and not all of that is noticed.
    #[default]
    Same,
    /// From any: they all have one history.
    Any,
}

/// Which NOTIFYs wake a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifyTrust {
    /// Those from the address of a primary or another allowed sender, and those signed with a key of the zone.
    #[default]
    Any,
    /// Only signed ones.
    Signed,
}

/// What a query for ANY gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnyAnswer {
    /// One RRset (RFC 8482 §4.1): all of them are wanted by those who have others flooded with them.
    #[default]
    One,
    All,
}
