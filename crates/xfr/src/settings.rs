//! What may be set for a zone, and what follows when nothing is.
//!
//! A [`Setting`] has a name and a value as text; both are read once, here. A zone's [`Settings`] are what differs from
//! the defaults; [`Policy::with`] puts the two together, and only a policy is ever acted upon.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::str::FromStr;

mod named;

use crate::policy::{AnyAnswer, IxfrFrom, NotifyTrust, Policy, SerialWentBack, ShrinkLimit, ZonemdPolicy};
use crate::span;

/// The name of something that may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    RefreshMin,
    RefreshMax,
    RetryMin,
    RetryMax,
    ExpireMin,
    ExpireMax,
    SerialWentBack,
    IxfrFrom,
    Notify,
    NotifyFrom,
    NotifyKeys,
    Zonemd,
    ShrinkLimit,
    HoldFor,
    ServePastExpiry,
    HistoryFor,
    HistoryVersions,
    AllowTransfer,
    NotifyTo,
    Any,
}

/// What is set for one zone: what differs from the defaults, in the words that [`Policy`] writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, String>);

/// Why something cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("{name:?} cannot be set; there are: {}", names())]
    Unknown { name: String },
    #[error("{setting} cannot be {value:?}: {why}")]
    Value { setting: Setting, value: String, why: String },
    #[error("{name}_min ({}) is more than {name}_max ({}): make the first smaller or the second larger", span::text(*.min_secs), span::text(*.max_secs))]
    Order { name: &'static str, min_secs: u32, max_secs: u32 },
}

/// Names and addresses that one setting may list.
const LISTED_MAX: usize = 64;
/// Versions that may be kept of one zone; their octets are bounded too.
const HISTORY_VERSIONS_MAX: u32 = 10_000;
/// The word for something that is not done.
const OFF: &str = "off";
/// The word for a list that nobody is on.
const NOBODY: &str = "nobody";

impl Setting {
    pub const ALL: [Self; 20] = [
        Self::RefreshMin,
        Self::RefreshMax,
        Self::RetryMin,
        Self::RetryMax,
        Self::ExpireMin,
        Self::ExpireMax,
        Self::SerialWentBack,
        Self::IxfrFrom,
        Self::Notify,
        Self::NotifyFrom,
        Self::NotifyKeys,
        Self::Zonemd,
        Self::ShrinkLimit,
        Self::HoldFor,
        Self::ServePastExpiry,
        Self::HistoryFor,
        Self::HistoryVersions,
        Self::AllowTransfer,
        Self::NotifyTo,
        Self::Any,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RefreshMin => "refresh_min",
            Self::RefreshMax => "refresh_max",
            Self::RetryMin => "retry_min",
            Self::RetryMax => "retry_max",
            Self::ExpireMin => "expire_min",
            Self::ExpireMax => "expire_max",
            Self::SerialWentBack => "serial_went_back",
            Self::IxfrFrom => "ixfr_from",
            Self::Notify => "notify",
            Self::NotifyFrom => "notify_from",
            Self::NotifyKeys => "notify_keys",
            Self::Zonemd => "zonemd",
            Self::ShrinkLimit => "shrink_limit",
            Self::HoldFor => "hold_for",
            Self::ServePastExpiry => "serve_past_expiry",
            Self::HistoryFor => "history_for",
            Self::HistoryVersions => "history_versions",
            Self::AllowTransfer => "allow_transfer",
            Self::NotifyTo => "notify_to",
            Self::Any => "any",
        }
    }

    /// What it is for, and what may stand behind its name.
    pub fn about(self) -> &'static str {
        match self {
            Self::RefreshMin => "the shortest time between two checks, such as 30s",
            Self::RefreshMax => "the longest time between two checks, such as 1d",
            Self::RetryMin => "the shortest time before a failed check is made again, such as 10s",
            Self::RetryMax => "the longest time before a failed check is made again, such as 2h",
            Self::ExpireMin => "the shortest time for which a zone is served without a confirmation, such as 1d",
            Self::ExpireMax => "the longest time for which a zone is served without a confirmation, such as 28d",
            Self::SerialWentBack => {
                "what is done when the primaries, all of them, show an older serial: wait (keep ours) or accept (take theirs)"
            }
            Self::IxfrFrom => {
                "from which of several primaries differences are taken: same (which our version came from) or any"
            }
            Self::Notify => "which NOTIFYs are taken: any (from the primaries' addresses too) or signed",
            Self::NotifyFrom => "who else may send NOTIFYs: addresses and blocks such as 192.0.2.0/24",
            Self::NotifyKeys => "the keys that NOTIFYs may be signed with too: their names",
            Self::Zonemd => "what is done about a version whose ZONEMD does not fit: warn (and publish it) or refuse",
            Self::ShrinkLimit => {
                "a version that loses more of its records than this, such as 50%, is held back; off for none"
            }
            Self::HoldFor => "how long it is held back without your word; one that loses 90% or more waits for it",
            Self::ServePastExpiry => "for how long beyond its expiry a zone is served, such as 7d, or off",
            Self::HistoryFor => "how long versions are kept as history, such as 30d",
            Self::HistoryVersions => "how many versions are kept as history at most, 1 to 10000",
            Self::AllowTransfer => {
                "who may copy the zone from here, apart by spaces: blocks of addresses, key=NAME, both as in 192.0.2.0/24,key=NAME, or nobody"
            }
            Self::NotifyTo => {
                "who is told of new versions, apart by spaces: ADDRESS[:PORT][,key=NAME][,source=ADDRESS], or nobody"
            }
            Self::Any => "what a query for ANY gets: one (RRset) or all",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    /// Reads its name, with `-` or `_` between the words.
    fn from_str(name: &str) -> Result<Self, SettingError> {
        let wanted = name.replace('-', "_");
        let found = Self::ALL.into_iter().find(|setting| setting.name() == wanted);
        found.ok_or_else(|| SettingError::Unknown { name: name.to_owned() })
    }
}

impl Settings {
    /// Sets one, or with None has the default count again.
    ///
    /// # Errors
    /// [`SettingError::Value`]; nothing is changed then.
    pub fn set(&mut self, setting: Setting, value: Option<&str>) -> Result<(), SettingError> {
        let Some(value) = value else {
            self.0.remove(&setting);
            return Ok(());
        };
        let mut policy = Policy::default();
        policy.set(setting, value)?;
        self.0.insert(setting, policy.text(setting));
        Ok(())
    }

    /// As texts by names, in which settings are kept and sent.
    pub fn to_texts(&self) -> BTreeMap<String, String> {
        self.iter().map(|(setting, value)| (setting.to_string(), value.to_owned())).collect()
    }

    /// Reads what [`Settings::to_texts`] wrote, maybe in another version of this program. What this one does not know, or
    /// would not take any more, is as if it were not set, and is given beside the others for the caller to say: no zone is
    /// to be lost because of it.
    pub fn from_texts(texts: &BTreeMap<String, String>) -> (Self, Vec<SettingError>) {
        let mut settings = Self::default();
        let set = |(name, value): (&String, &String)| {
            let setting = name.parse::<Setting>();
            setting.and_then(|setting| settings.set(setting, Some(value))).err()
        };
        let errors = texts.iter().filter_map(set).collect();
        (settings, errors)
    }

    /// Sets each in its turn, or has its default count again.
    ///
    /// # Errors
    /// [`SettingError::Value`]; those before it are changed then.
    pub fn change(&mut self, changes: &[(Setting, Option<String>)]) -> Result<(), SettingError> {
        changes.iter().try_for_each(|(setting, value)| self.set(*setting, value.as_deref()))
    }

    /// Sets all that is set in `others`.
    pub fn take(&mut self, others: &Self) {
        self.0.extend(others.0.clone());
    }

    pub fn has(&self, setting: Setting) -> bool {
        self.0.contains_key(&setting)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is set, in the order of [`Setting::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Setting, &str)> {
        self.0.iter().map(|(setting, value)| (*setting, value.as_str()))
    }
}

impl Policy {
    /// These as defaults, with what is set for a zone.
    ///
    /// # Errors
    /// [`SettingError::Order`].
    pub fn with(&self, settings: &Settings) -> Result<Self, SettingError> {
        let mut policy = self.clone();
        for (setting, value) in settings.iter() {
            policy.set(setting, value)?;
        }
        policy.check()?;
        Ok(policy)
    }

    /// Whether the numbers go together.
    pub fn check(&self) -> Result<(), SettingError> {
        let bounds = &self.bounds;
        for (name, min_secs, max_secs) in [
            ("refresh", bounds.refresh_min_secs, bounds.refresh_max_secs),
            ("retry", bounds.retry_min_secs, bounds.retry_max_secs),
            ("expire", bounds.expire_min_secs, bounds.expire_max_secs),
        ] {
            if min_secs > max_secs {
                return Err(SettingError::Order { name, min_secs, max_secs });
            }
        }
        Ok(())
    }

    /// Sets one thing, for one zone or as a default.
    ///
    /// # Errors
    /// [`SettingError::Value`]; nothing is changed then.
    pub fn set(&mut self, setting: Setting, value: &str) -> Result<(), SettingError> {
        let wrong = |why: String| SettingError::Value { setting, value: value.to_owned(), why };
        let secs = || span::seconds(value).map_err(|error| wrong(error.to_string()));
        let one_of = |words: [&str; 2]| wrong(format!("it is {} or {}", words[0], words[1]));
        match setting {
            Setting::RefreshMin => self.bounds.refresh_min_secs = secs()?,
            Setting::RefreshMax => self.bounds.refresh_max_secs = secs()?,
            Setting::RetryMin => self.bounds.retry_min_secs = secs()?,
            Setting::RetryMax => self.bounds.retry_max_secs = secs()?,
            Setting::ExpireMin => self.bounds.expire_min_secs = secs()?,
            Setting::ExpireMax => self.bounds.expire_max_secs = secs()?,
            Setting::SerialWentBack => {
                self.serial_went_back = match value {
                    "wait" => SerialWentBack::Wait,
                    "accept" => SerialWentBack::Accept,
                    _ => return Err(one_of(["wait", "accept"])),
                }
            }
            Setting::IxfrFrom => {
                self.ixfr_from = match value {
                    "same" => IxfrFrom::Same,
                    "any" => IxfrFrom::Any,
                    _ => return Err(one_of(["same", "any"])),
                }
            }
            Setting::Notify => {
                self.notify = match value {
                    "any" => NotifyTrust::Any,
                    "signed" => NotifyTrust::Signed,
                    _ => return Err(one_of(["any", "signed"])),
                }
            }
            Setting::NotifyFrom => self.notify_from = list(value).map_err(wrong)?,
            Setting::NotifyKeys => self.notify_keys = list(value).map_err(wrong)?,
            Setting::Zonemd => {
                self.zonemd = match value {
                    "warn" => ZonemdPolicy::Warn,
                    "refuse" => ZonemdPolicy::Refuse,
                    _ => return Err(one_of(["warn", "refuse"])),
                }
            }
            Setting::ShrinkLimit => {
                let percent = match value {
                    OFF => Some(100),
                    value => value.strip_suffix('%').unwrap_or(value).parse().ok(),
                };
                let percent = percent.filter(|percent| (1..=100).contains(percent));
                self.shrink_limit = ShrinkLimit(percent.ok_or_else(|| wrong("it is 1% to 100%, or off".into()))?);
            }
            Setting::HoldFor => self.hold_secs = secs()?,
            Setting::ServePastExpiry => self.serve_past_expiry_secs = if value == OFF { 0 } else { secs()? },
            Setting::HistoryFor => self.history_secs = secs()?,
            Setting::HistoryVersions => {
                let versions = value.parse().ok().filter(|versions| (1..=HISTORY_VERSIONS_MAX).contains(versions));
                let why = || wrong(format!("it is a number from 1 to {HISTORY_VERSIONS_MAX}"));
                self.history_versions = versions.ok_or_else(why)?;
            }
            Setting::AllowTransfer => self.allow_transfer = apart(value).map_err(wrong)?,
            Setting::NotifyTo => self.notify_to = apart(value).map_err(wrong)?,
            Setting::Any => {
                self.any = match value {
                    "one" => AnyAnswer::One,
                    "all" => AnyAnswer::All,
                    _ => return Err(one_of(["one", "all"])),
                }
            }
        }
        Ok(())
    }

    /// What is set, as it would be typed.
    pub fn text(&self, setting: Setting) -> String {
        match setting {
            Setting::RefreshMin => span::text(self.bounds.refresh_min_secs),
            Setting::RefreshMax => span::text(self.bounds.refresh_max_secs),
            Setting::RetryMin => span::text(self.bounds.retry_min_secs),
            Setting::RetryMax => span::text(self.bounds.retry_max_secs),
            Setting::ExpireMin => span::text(self.bounds.expire_min_secs),
            Setting::ExpireMax => span::text(self.bounds.expire_max_secs),
            Setting::SerialWentBack => match self.serial_went_back {
                SerialWentBack::Wait => "wait".into(),
                SerialWentBack::Accept => "accept".into(),
            },
            Setting::IxfrFrom => match self.ixfr_from {
                IxfrFrom::Same => "same".into(),
                IxfrFrom::Any => "any".into(),
            },
            Setting::Notify => match self.notify {
                NotifyTrust::Any => "any".into(),
                NotifyTrust::Signed => "signed".into(),
            },
            Setting::NotifyFrom => joined(&self.notify_from),
            Setting::NotifyKeys => joined(&self.notify_keys),
            Setting::Zonemd => match self.zonemd {
                ZonemdPolicy::Warn => "warn".into(),
                ZonemdPolicy::Refuse => "refuse".into(),
            },
            Setting::ShrinkLimit => match self.shrink_limit {
                ShrinkLimit(100) => OFF.into(),
                ShrinkLimit(percent) => format!("{percent}%"),
            },
            Setting::HoldFor => span::text(self.hold_secs),
            Setting::ServePastExpiry => match self.serve_past_expiry_secs {
                0 => OFF.into(),
                secs => span::text(secs),
            },
            Setting::HistoryFor => span::text(self.history_secs),
            Setting::HistoryVersions => self.history_versions.to_string(),
            Setting::AllowTransfer => joined_apart(&self.allow_transfer),
            Setting::NotifyTo => joined_apart(&self.notify_to),
            Setting::Any => match self.any {
                AnyAnswer::One => "one".into(),
                AnyAnswer::All => "all".into(),
            },
        }
    }
}

/// Reads a list with commas or spaces between.
fn list<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<Vec<T>, String> {
    read_all(text.split([',', ' ']))
}

/// Reads a list with spaces between.
fn apart<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<Vec<T>, String> {
    if text == NOBODY { Ok(Vec::new()) } else { read_all(text.split(' ')) }
}

fn read_all<'t, T: FromStr<Err: fmt::Display>>(words: impl Iterator<Item = &'t str>) -> Result<Vec<T>, String> {
    let words = words.filter(|word| !word.is_empty());
    let listed: Vec<T> =
        words.map(|word| word.parse().map_err(|error: T::Err| error.to_string())).collect::<Result<_, _>>()?;
    if listed.len() > LISTED_MAX {
        return Err(format!("it lists {}, and at most {LISTED_MAX} are allowed", listed.len()));
    }
    Ok(listed)
}

fn joined_apart<T: fmt::Display>(items: &[T]) -> String {
    if items.is_empty() {
        return NOBODY.into();
    }
    let words: Vec<String> = items.iter().map(ToString::to_string).collect();
    words.join(" ")
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    let mut text = String::new();
    for item in items {
        let comma = if text.is_empty() { "" } else { "," };
        write!(text, "{comma}{item}").expect("a String takes everything");
    }
    text
}

fn names() -> String {
    Setting::ALL.map(Setting::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Policy, Setting, SettingError, Settings};

    #[test]
    fn every_setting_is_read_as_it_is_written() {
        let policy = Policy::default();
        for setting in Setting::ALL {
            assert_eq!(setting.name().parse(), Ok(setting));
            assert_eq!(setting.name().replace('_', "-").parse(), Ok(setting));
            let mut other = Policy::default();
            other.set(setting, &policy.text(setting)).unwrap();
            assert_eq!(other, policy, "{setting}");
            assert!(!setting.about().is_empty());
        }
    }

    #[test]
    fn what_is_set_for_a_zone_comes_before_the_defaults() {
        let mut settings = Settings::default();
        for (setting, value) in [
            (Setting::RefreshMax, "120m"),
            (Setting::SerialWentBack, "accept"),
            (Setting::NotifyFrom, "192.0.2.0/24, 2001:db8::1"),
            (Setting::NotifyKeys, "One.example two.example."),
        ] {
            settings.set(setting, Some(value)).unwrap();
        }
        let policy = Policy::default().with(&settings).unwrap();
        assert_eq!(policy.bounds.refresh_max_secs, 7200);
        assert_eq!((policy.notify_from.len(), policy.notify_keys.len()), (2, 2));
        let written: Vec<_> = settings.iter().map(|(setting, value)| format!("{setting}={value}")).collect();
        assert_eq!(
            written,
            [
                "refresh_max=2h",
                "serial_went_back=accept",
                "notify_from=192.0.2.0/24,2001:db8::1/128",
                "notify_keys=One.example.,two.example."
            ]
        );
        settings.set(Setting::RefreshMax, None).unwrap();
        assert_eq!(Policy::default().with(&settings).unwrap().bounds, Policy::default().bounds);
    }

    #[test]
    fn settings_come_back_from_texts_and_what_another_version_wrote_stands_beside_them() {
        let mut settings = Settings::default();
        settings.set(Setting::RefreshMax, Some("2h")).unwrap();
        settings.set(Setting::Notify, Some("signed")).unwrap();
        let mut texts = settings.to_texts();
        assert_eq!(Settings::from_texts(&texts), (settings.clone(), Vec::new()));
        texts.extend([("colour".into(), "red".into()), ("retry_min".into(), "soon".into())]);
        let (read, errors) = Settings::from_texts(&texts);
        assert_eq!((read, errors.len()), (settings, 2), "{errors:?}");
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        assert!("refresh".parse::<Setting>().unwrap_err().to_string().contains("refresh_min, refresh_max"));
        let mut settings = Settings::default();
        for (setting, value) in [
            (Setting::RetryMin, "soon"),
            (Setting::RetryMin, "0s"),
            (Setting::SerialWentBack, "maybe"),
            (Setting::Notify, ""),
            (Setting::NotifyFrom, "192.0.2.0/33"),
            (Setting::NotifyKeys, "a..b"),
            (Setting::ShrinkLimit, "0%"),
            (Setting::ShrinkLimit, "101"),
            (Setting::HistoryVersions, "0"),
            (Setting::ServePastExpiry, "0s"),
            (Setting::AllowTransfer, "192.0.2.0/24,198.51.100.0/24"),
            (Setting::NotifyTo, "ns.example"),
            (Setting::Any, "some"),
        ] {
            let error = settings.set(setting, Some(value)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{setting} cannot be {value:?}: ")), "{error}");
        }
        assert_eq!(settings, Settings::default());
        settings.set(Setting::RetryMin, Some("3h")).unwrap();
        let error = Policy::default().with(&settings).unwrap_err();
        assert!(matches!(error, SettingError::Order { name: "retry", .. }), "{error}");
    }
}
