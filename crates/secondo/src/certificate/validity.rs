//! From when until when a certificate is good, read from its DER (RFC 5280 §4.1), and how near its end is.
//!
//! Reads nothing else of it: whether it can be shown at all others find out.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Whoever renews certificates by hand has two weeks.
const WARNED_BEFORE_END_SECS: u64 = 14 * 24 * 3600;
/// Certificates that are good for days only are renewed at two thirds of their time, at the latest.
const WARNED_LIFE_PARTS: u64 = 4;
/// The second warning comes when so little is left of the time after the first, as one part of so many.
const LAST_WARNING_PARTS: u64 = 4;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which certificates of version 1 leave out.
const EXPLICIT_0: u8 = 0xa0;

/// Both in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) begins_at_secs: u64,
    pub(super) ends_at_secs: u64,
}

/// How near the end of a certificate is; what is later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    Far,
    Early,
    Soon { days_left: u64 },
    Last { days_left: u64 },
    Over,
}

impl Validity {
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(certificate, SEQUENCE)?;
        let (mut fields, _) = expect(certificate, SEQUENCE)?;
        if fields.first() == Some(&EXPLICIT_0) {
            (_, _, fields) = element(fields)?;
        }
        // The serial number, the signature's algorithm and the issuer.
        for _ in 0..3 {
            (_, _, fields) = element(fields)?;
        }
        let (validity, _) = expect(fields, SEQUENCE)?;
        let (tag, begins_at, rest) = element(validity)?;
        let begins_at_secs = time(tag, begins_at)?;
        let (tag, ends_at, _) = element(rest)?;
        Some(Self { begins_at_secs, ends_at_secs: time(tag, ends_at)? })
    }

    pub(super) fn nearness(&self, now_secs: u64) -> Nearness {
        if now_secs < self.begins_at_secs {
            return Nearness::Early;
        }
        let Some(left_secs) = self.ends_at_secs.checked_sub(now_secs).filter(|left| *left > 0) else {
            return Nearness::Over;
        };
        let life_secs = self.ends_at_secs - self.begins_at_secs;
        let warned_secs = WARNED_BEFORE_END_SECS.min(life_secs / WARNED_LIFE_PARTS);
        let days_left = left_secs / (24 * 3600);
        if left_secs <= warned_secs / LAST_WARNING_PARTS {
            Nearness::Last { days_left }
        } else if left_secs <= warned_secs {
            Nearness::Soon { days_left }
        } else {
            Nearness::Far
        }
    }
}

impl Nearness {
    /// What is to be said of a certificate, to go behind its name.
    pub(super) fn warning(self) -> Option<String> {
        match self {
            Self::Far => None,
            Self::Early => {
                Some("is not good yet by this machine's clock: who checks certificates takes none of it".into())
            }
            Self::Soon { days_left: 0 } | Self::Last { days_left: 0 } => Some("ends within a day".into()),
            Self::Soon { days_left } | Self::Last { days_left } => Some(format!("ends in {days_left} days")),
            Self::Over => Some("has ended: who checks certificates takes none of it".into()),
        }
    }
}

fn time(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    // RFC 5280 §4.1.2.5.1: years of two digits are those from 1950 on.
    let text = match tag {
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    let secs = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    // Before 1970 is long ago in any case.
    Some(u64::try_from(secs).unwrap_or_default())
}

/// The contents of an element that must have this tag, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, contents, rest) = element(der)?;
    (found == tag).then_some((contents, rest))
}

/// Tag, contents, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // The length's own length; certificates are shorter than 2³² octets.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

#[cfg(test)]
mod tests {
    use testing::certificate::{Authority, Certificate};

    use super::{GENERALIZED_TIME, Nearness, UTC_TIME, Validity, time};

    #[test]
    fn from_when_until_when_a_certificate_is_good_stands_in_it() {
        let expired = Authority::new().expired_server(&["dns.example"]).chain();
        let year_2001 = Validity { begins_at_secs: 978_307_200, ends_at_secs: 1_009_756_800 };
        assert_eq!(Validity::of(&expired[0]), Some(year_2001));
        assert_eq!(
            Validity::of(&Certificate::of_nobody().chain()[0]).map(|good| good.nearness(1_800_000_000)),
            Some(Nearness::Far)
        );
        for octets in 0..expired[0].len() {
            // Cut anywhere, it is no certificate, and no panic.
            assert_eq!(Validity::of(&expired[0][..octets]), None);
        }
        assert_eq!(time(UTC_TIME, b"500101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(GENERALIZED_TIME, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(time(GENERALIZED_TIME, b"2050010100000"), None);
    }

    #[test]
    fn the_end_of_a_certificate_is_told_two_weeks_before_or_when_a_quarter_of_its_time_is_left() {
        let day = 24 * 3600;
        let year = Validity { begins_at_secs: 1_000 * day, ends_at_secs: 1_365 * day };
        let nearness = |days_left: u64| year.nearness((1_365 - days_left) * day);
        assert_eq!((nearness(366), nearness(365), nearness(15)), (Nearness::Early, Nearness::Far, Nearness::Far));
        assert_eq!((nearness(14), nearness(4)), (Nearness::Soon { days_left: 14 }, Nearness::Soon { days_left: 4 }));
        assert_eq!((nearness(3), nearness(0)), (Nearness::Last { days_left: 3 }, Nearness::Over));
        let week = Validity { begins_at_secs: 0, ends_at_secs: 8 * day };
        assert_eq!(
            (week.nearness(5 * day), week.nearness(6 * day)),
            (Nearness::Far, Nearness::Soon { days_left: 2 })
        );
    }
}
