//! What was asked of zones, and what tenants used.
//!
//! ```text
//! an hour's row ──35 days──▶ folded into its day's row ──2 years──▶ gone          names: a zone's most asked for, by day
//! a month's row of each tenant: stays
//! ```
//!
//! Invariants: what is added to a row that is there is added up; a call writes a bounded number of rows in one transaction, so
//! that nobody waits long for the writer; a zone's rows go with the zone, and come back with it; a tenant's usage stays.

mod counts;
mod fold;
mod kept;
mod month;
mod names;
mod rows;
mod usage;

pub use counts::QueryCounts;
pub(crate) use kept::{give_statistics_back, keep_statistics};
pub use month::Month;
pub use names::{AskedName, NAMES_KEPT};
pub use rows::AskedZone;
pub use usage::{TenantSize, Usage, UsageOf};

/// Rows that are written in one call at the most: some ten milliseconds.
pub const STATISTICS_AT_ONCE_MAX: usize = 512;

/// Hours are kept for so long, as hours: 35 days.
pub const HOURS_KEPT: u64 = 35 * 24;
/// Days are kept for so long: two years.
pub const DAYS_KEPT: u64 = 731;

const HOUR_MS: u64 = 3_600_000;
const HOURS_OF_DAY: u64 = 24;

/// An hour, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u64);

/// A day in UTC, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u64);

impl Hour {
    pub fn of(moment: xfr::Moment) -> Self {
        Self(moment.0 / HOUR_MS)
    }

    pub fn begins(self) -> xfr::Moment {
        xfr::Moment(self.0.saturating_mul(HOUR_MS))
    }

    pub fn day(self) -> Day {
        Day(self.0 / HOURS_OF_DAY)
    }
}

impl Day {
    pub fn begins(self) -> xfr::Moment {
        self.first_hour().begins()
    }

    fn first_hour(self) -> Hour {
        Hour(self.0.saturating_mul(HOURS_OF_DAY))
    }
}
