//! What is asked of zones, and what tenants use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// How long what one point tells of took.
    QueryStep {
        Hour = "hour",
        /// A day in UTC.
        Day = "day",
    }
}

/// Numbers of queries by the type that they asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueriesByType {
    pub a: u64,
    pub aaaa: u64,
    pub ns: u64,
    pub mx: u64,
    pub txt: u64,
    pub soa: u64,
    pub https: u64,
    /// Of any other type.
    pub other: u64,
}

/// Numbers of queries by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueriesByResult {
    /// Records of the type that was asked for, or an alias.
    pub answered: u64,
    /// The name is there, and has nothing of the type.
    pub nodata: u64,
    /// The name is not there.
    pub nxdomain: u64,
    /// A part of the zone that is delegated.
    pub referral: u64,
    /// SERVFAIL and the like.
    pub failed: u64,
}

/// How often a zone was asked: each query is counted once by its type and once by what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryNumbers {
    pub total: u64,
    pub by_type: QueriesByType,
    pub by_result: QueriesByResult,
}

/// What was asked in one hour or day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryPoint {
    /// When it began.
    pub at: Time,
    #[serde(flatten)]
    pub queries: QueryNumbers,
}

/// A name that was asked for often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopName {
    /// In lower case.
    #[schema(example = "www.example.org.")]
    pub name: String,
    /// About: of a server that is asked much, one query in 1,024 has its name looked at.
    pub queries: u64,
}

/// What was asked of a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ZoneQueries {
    pub step: QueryStep,
    /// One for each hour or day, in their order, also where nothing was asked; the last one is not over yet.
    pub points: Vec<QueryPoint>,
    /// The sum of all points.
    pub sum: QueryNumbers,
    /// How many of a hundred queries asked for names that are not there; none when there was no query.
    pub nxdomain_percent: Option<f64>,
    /// Since when the names were counted: the beginning of the first day, for they are counted by days, and kept for 35.
    pub names_since: Time,
    /// The names that were asked for most, the most asked for first.
    pub names: Vec<TopName>,
}

/// A month in UTC: `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
}

/// The text is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no month: write the year and the month, as in 2026-11")]
pub struct NotAMonth(String);

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        // Whatever somebody sends: the error says the beginning of it.
        let wrong = || NotAMonth(text.chars().take(32).collect());
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let number = |digits: &str, count: usize| {
            let is_number = digits.len() == count && digits.bytes().all(|octet| octet.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| is_number)
        };
        let (year, month) = (number(year, 4).ok_or_else(wrong)?, number(month, 2).ok_or_else(wrong)?);
        if (1..=12).contains(&month) { Ok(Self { year, month }) } else { Err(wrong()) }
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Month {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9]{4}-[0-9]{2}$"))
            .examples([serde_json::json!("2026-11")])
            .into()
    }
}

impl ToSchema for Month {}

/// What an organisation used in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationUsage {
    /// Its number, which is never given to another one.
    pub id: u64,
    /// Its name as it was when it last used something.
    pub organisation: String,
    pub queries: u64,
    /// The most zones that it had at one time.
    pub zones: u64,
    /// The most records that all its zones held at one time.
    pub records: u64,
}

/// What was used in a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    pub month: Month,
    /// The caller's own; for operators that of all, in the order of their names.
    pub organisations: Vec<OrganisationUsage>,
}

#[cfg(test)]
mod tests {
    use super::Month;

    #[test]
    fn months_are_read_and_what_is_none_is_not() {
        assert_eq!("2026-11".parse(), Ok(Month { year: 2026, month: 11 }));
        assert_eq!(Month { year: 2027, month: 1 }.to_string(), "2027-01");
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "+026-11", "2026-11-01", "=1+1", "२०२६-११"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
