//! How far back queries are shown.

/// Hours or days up to now; the last one is not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuerySpan {
    /// 1 to [`QuerySpan::HOURS_MAX`].
    Hours(u32),
    /// 1 to [`QuerySpan::DAYS_MAX`].
    Days(u32),
}

impl QuerySpan {
    pub const DAY: Self = Self::Hours(24);
    /// Hours are kept for 35 days.
    pub const HOURS_MAX: u32 = 35 * 24;
    /// Days are kept for two years.
    pub const DAYS_MAX: u32 = 731;

    /// None when they are not kept for so long.
    pub fn hours(hours: u32) -> Option<Self> {
        (1..=Self::HOURS_MAX).contains(&hours).then_some(Self::Hours(hours))
    }

    /// None when they are not kept for so long.
    pub fn days(days: u32) -> Option<Self> {
        (1..=Self::DAYS_MAX).contains(&days).then_some(Self::Days(days))
    }
}
