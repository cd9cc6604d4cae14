//! Months, by which tenants are billed.

use std::fmt;

use super::{Day, Hour};

/// A month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    pub fn of(hour: Hour) -> Self {
        Self::of_day(hour.day())
    }

    /// The date of a day, by counting years from March on, so that a leap day is the last one of its year
    /// (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    fn of_day(Day(day): Day) -> Self {
        // From 1 March of the year 0; of times beyond all calendars the last is as good.
        let days = day.min(1 << 30) + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self { year: u32::try_from(year).unwrap_or(u32::MAX), month: u32::try_from(month).unwrap_or(1) }
    }

    /// 202611 for November of 2026.
    pub(super) fn number(self) -> i64 {
        i64::from(self.year) * 100 + i64::from(self.month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, Month};

    #[test]
    fn days_are_in_their_months() {
        for (day, month) in [
            (0, "1970-01"),
            (58, "1970-02"),
            (59, "1970-03"),
            (364, "1970-12"),
            (365, "1971-01"),
            (11_016, "2000-02"),
            (11_017, "2000-03"),
            (20_778, "2026-11"),
            (20_787, "2026-11"),
            (20_788, "2026-12"),
        ] {
            assert_eq!(Month::of_day(Day(day)).to_string(), month, "{day}");
        }
        Month::of_day(Day(u64::MAX));
    }
}
