//! Which part of the list of zones somebody wants to see, and in which order.

use dns::Name;

use crate::json::{AttemptOutcome, State, ZoneOrder};

/// A part of an organisation's list of zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneList {
    /// Only zones behind this place.
    pub after: Option<ListPlace>,
    /// 1 to 1,000.
    pub limit: u32,
    /// A part of the name, in lower case; empty for any.
    pub find: String,
    pub state: Option<State>,
    /// How the last attempt has ended; any, if none is said.
    pub last_attempt: Option<AttemptOutcome>,
    /// One that is among the zone's tags, in lower case.
    pub tag: Option<String>,
    pub order: ZoneOrder,
    pub direction: Direction,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// As [`ZoneOrder`] says.
    #[default]
    Usual,
    Reversed,
}

/// Where a page of the list has ended. A zone that has got another place meanwhile is missed or seen twice; those that have
/// not are seen once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlace {
    /// What the order goes by: 0 in the order of names.
    pub rank: u64,
    pub name: Name,
}

/// Zones, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    pub zones: Vec<crate::json::Zone>,
    /// None on the last page.
    pub next: Option<ListPlace>,
}
