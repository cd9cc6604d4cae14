//! `[alerts]`: when owners are told of trouble, and how events come together.

use std::ops::RangeInclusive;
use std::time::Duration;

use inventory::Pace;
use serde::Deserialize;
use toml::Spanned;

use super::file::time_or_off;
use super::problems::Problems;

/// More than so many failures in a row are days: by then a zone is told of as stale, or expiring.
const FAILING_AFTER: RangeInclusive<u32> = 1..=100;
const FAILING_AFTER_UNLESS_SET: u32 = 3;
/// A zone's delegation is looked at at most so often.
const DELEGATION_EVERY_MIN: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Alerts that are held back for longer come too late.
const PACE_MAX: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertsSection {
    gather: Option<Spanned<String>>,
    apart: Option<Spanned<String>>,
    failing_after: Option<Spanned<u32>>,
    look_at_delegations: Option<Spanned<String>>,
}

/// When owners are told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlertSettings {
    pub(crate) pace: Pace,
    /// Attempts in a row.
    pub(crate) failing_after: u32,
    /// How often it is looked at who each zone is delegated to; none for never.
    pub(crate) delegations_every: Option<Duration>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            pace: Pace { gather: Duration::from_secs(30), apart: Duration::from_secs(600) },
            failing_after: FAILING_AFTER_UNLESS_SET,
            delegations_every: Some(DAY),
        }
    }
}

pub(super) fn read_alerts(section: &AlertsSection, problems: &mut Problems) -> AlertSettings {
    let mut settings = AlertSettings::default();
    if let Some(time) = problems.read_if_given(section.gather.as_ref(), pace) {
        settings.pace.gather = time;
    }
    if let Some(time) = problems.read_if_given(section.apart.as_ref(), pace) {
        settings.pace.apart = time;
    }
    if let Some(number) = &section.failing_after {
        settings.failing_after = *number.get_ref();
        if !FAILING_AFTER.contains(number.get_ref()) {
            let message = format!("it is {} to {}", FAILING_AFTER.start(), FAILING_AFTER.end());
            problems.note(number.span().start, message);
        }
    }
    if let Some(every) = problems.read_if_given(section.look_at_delegations.as_ref(), delegations_every) {
        settings.delegations_every = every;
    }
    settings
}

fn pace(text: &str) -> Result<Duration, String> {
    let time = time_or_off(text)?;
    if time > PACE_MAX { Err("it is a day at the most: alerts are to come in time".to_owned()) } else { Ok(time) }
}

fn delegations_every(text: &str) -> Result<Option<Duration>, String> {
    match time_or_off(text)? {
        Duration::ZERO => Ok(None),
        time if time < DELEGATION_EVERY_MIN => {
            Err("it is an hour at the least: delegations change over days".to_owned())
        }
        time => Ok(Some(time)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Configuration;
    use super::AlertSettings;

    fn read(text: &str) -> Result<AlertSettings, String> {
        let read = Configuration::parse(&format!("[alerts]\n{text}\n"));
        read.map(|read| read.alerts).map_err(|problems| problems[0].message.clone())
    }

    #[test]
    fn alerts_are_as_is_set_or_as_most_want_them() {
        assert_eq!(read("").unwrap(), AlertSettings::default());
        let set = read("gather = \"5s\"\napart = \"off\"\nfailing_after = 1\nlook_at_delegations = \"off\"").unwrap();
        assert_eq!((set.pace.gather, set.pace.apart), (Duration::from_secs(5), Duration::ZERO));
        assert_eq!((set.failing_after, set.delegations_every), (1, None));
        assert_eq!(read("look_at_delegations = \"2h\"").unwrap().delegations_every, Some(Duration::from_secs(7200)));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (text, why) in [
            ("gather = \"2d\"", "a day at the most"),
            ("apart = \"soon\"", "off for not at all"),
            ("failing_after = 0", "1 to 100"),
            ("look_at_delegations = \"5m\"", "an hour at the least"),
            ("mail = \"x\"", "unknown field"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
