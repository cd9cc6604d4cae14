//! Points in time as the API says them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since the Unix epoch inside, RFC 3339 in UTC (`2026-11-21T12:00:00.250Z`) outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    unix_ms: u64,
}

impl Time {
    pub fn from_unix_ms(unix_ms: u64) -> Self {
        Self { unix_ms }
    }

    pub fn unix_ms(self) -> u64 {
        self.unix_ms
    }

    /// For people, who need no milliseconds: `2026-11-21 12:00:00Z`.
    pub fn in_seconds(self) -> String {
        self.timestamp().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }

    /// A time beyond the year 9999 is shown as its last moment: RFC 3339 has no later one.
    fn timestamp(self) -> jiff::Timestamp {
        i64::try_from(self.unix_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(jiff::Timestamp::MAX)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

/// The text is no RFC 3339 time since 1970.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no RFC 3339 time since 1970")]
pub struct NotATime(String);

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let unix_ms = unix_ms(text).and_then(|unix_ms| u64::try_from(unix_ms).ok());
        unix_ms.map(|unix_ms| Self { unix_ms }).ok_or_else(|| NotATime(text.to_owned()))
    }
}

/// By its parts: a timestamp of the library's ends a day before the year 9999 does, which people write for "never".
fn unix_ms(text: &str) -> Option<i128> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
    let since_epoch = pieces.date().to_datetime(time).duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    Some(since_epoch.as_millis() - i128::from(offset.seconds()) * 1000)
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_go_to_rfc_3339_and_back() {
        let time = Time::from_unix_ms(1_795_262_400_250);
        assert_eq!(time.to_string(), "2026-11-21T12:00:00.250Z");
        assert_eq!("2026-11-21T12:00:00.250Z".parse(), Ok(time));
        assert_eq!("2026-11-21T13:00:00.25+01:00".parse(), Ok(time));
        assert_eq!("2026-11-21 12:00:00.250z".parse(), Ok(time));
        let never = Time::from_unix_ms(253_402_300_799_000);
        assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(never));
        assert_eq!(never.to_string(), "9999-12-30T22:00:00.999Z");
        for wrong in
            ["2026-11-21T12:00:00", "2026-11-21", "2026-02-30T12:00:00Z", "2026-11-21T25:00:00Z", "12:00Z", ""]
        {
            assert!(wrong.parse::<Time>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_number_of_milliseconds_panics() {
        for unix_ms in [0, 1, i64::MAX as u64, u64::MAX] {
            let _ = Time::from_unix_ms(unix_ms).to_string();
        }
        assert!("1969-12-31T23:59:59Z".parse::<Time>().is_err());
        assert!("yesterday".parse::<Time>().is_err());
    }
}
