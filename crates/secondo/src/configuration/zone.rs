//! `[[zone]]` and `[[key]]`: what is here from the start on.

use std::collections::BTreeSet;

use api::doors::NewZone;
use dns::Name;
use serde::Deserialize;
use toml::Spanned;
use xfr::{Algorithm, Key, Primary, Settings};

use super::detail;
use super::file::{SettingsSection, new_zone, setting_name, zone_name};
use super::problems::Problems;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySection {
    name: Option<Spanned<String>>,
    algorithm: Option<Spanned<String>>,
    secret: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneSection {
    name: Option<Spanned<String>>,
    primaries: Option<Vec<Spanned<String>>>,
    key: Option<Spanned<String>>,
    #[serde(default)]
    settings: SettingsSection,
}

impl ZoneSection {
    /// Where it is named, or begins.
    pub(super) fn at(&self, begin: usize) -> usize {
        self.name.as_ref().map_or(begin, |name| name.span().start)
    }
}

/// None where something is wrong with it; `names` are those of before.
pub(super) fn read_key(
    section: &Spanned<KeySection>,
    names: &mut BTreeSet<Name>,
    problems: &mut Problems,
) -> Option<Key> {
    let (at, section) = (section.span().start, section.get_ref());
    let name = problems.required(section.name.as_ref(), at, "name").and_then(|text| {
        let name = problems.read(text, |text| api::text::key_name(text).map_err(detail))?;
        problems.once(names, &name, text, "key");
        Some(name)
    });
    let algorithm = match &section.algorithm {
        Some(text) => problems.read(text, algorithm),
        None => Some(Algorithm::HmacSha256),
    };
    let secret = problems.required(section.secret.as_ref(), at, "secret")?;
    // Of which algorithm it is makes no difference to how it is written, and its name none.
    let (name, algorithm) = (name.unwrap_or_else(Name::root), algorithm.unwrap_or(Algorithm::HmacSha256));
    problems.read(secret, |secret| Key::from_base64(name, algorithm, secret).map_err(|error| error.to_string()))
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let known = api::text::key_algorithm(text).map_err(detail)?;
    known.as_str().parse().map_err(|_| format!("{text:?} is no TSIG algorithm"))
}

/// None where something is wrong with it; `names` are those of before.
pub(super) fn read_zone(
    section: &Spanned<ZoneSection>,
    names: &mut BTreeSet<Name>,
    problems: &mut Problems,
) -> Option<NewZone> {
    let (begin, section) = (section.span().start, section.get_ref());
    let name = zone_name(section.name.as_ref(), begin, names, problems);
    let primaries = problems
        .required(section.primaries.as_ref(), begin, "primaries")
        .and_then(|texts| read_primaries(texts, section.key.as_ref(), problems));
    let settings = read_settings(&section.settings, problems);
    let mut zone = new_zone(name, primaries, section.at(begin), problems)?;
    zone.settings = settings;
    Some(zone)
}

/// Primaries, each with the key unless it names one itself; none where one of them is wrong.
pub(super) fn read_primaries(
    texts: &[Spanned<String>],
    key: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> Option<Vec<Primary>> {
    let key = problems.read_if_given(key, |text| api::text::key_name(text).map_err(detail));
    let read = |text: &Spanned<String>| {
        let primary = problems.read(text, |text| api::text::primary(text).map_err(detail))?;
        Some(Primary { key: primary.key.or_else(|| key.clone()), ..primary })
    };
    // All are looked at, and one that is wrong spoils them.
    texts.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

pub(super) fn read_settings(section: &SettingsSection, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in section {
        let Some(setting) = problems.read(name, setting_name) else { continue };
        problems.read(value, |value| settings.set(setting, Some(value)).map_err(|error| error.to_string()));
    }
    settings
}
