//! `[[zone]]` and `[[key]]`: what is here from the start on.

use api::doors::NewZone;
use serde::Deserialize;
use toml::Spanned;
use xfr::{Algorithm, Key, Primary, Settings};

use super::{SettingsSection, Wrong, checked, detail, setting_name};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySection {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    algorithm: Option<Spanned<String>>,
    secret: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneSection {
    pub(super) name: Spanned<String>,
    primaries: Vec<Spanned<String>>,
    #[serde(default)]
    key: Option<Spanned<String>>,
    #[serde(default)]
    settings: SettingsSection,
}

pub(super) fn read_key(section: &KeySection) -> Result<Key, Wrong> {
    let name = checked(&section.name, |text| api::text::key_name(text).map_err(detail))?;
    let algorithm = match &section.algorithm {
        Some(text) => checked(text, algorithm)?,
        None => Algorithm::HmacSha256,
    };
    checked(&section.secret, |secret| {
        Key::from_base64(name.clone(), algorithm, secret).map_err(|error| error.to_string())
    })
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let known = api::text::key_algorithm(text).map_err(detail)?;
    known.as_str().parse().map_err(|_| format!("{text:?} is no TSIG algorithm"))
}

pub(super) fn read_zone(section: &ZoneSection) -> Result<NewZone, Wrong> {
    let name = checked(&section.name, |text| api::text::zone_name(text).map_err(detail))?;
    let primaries = read_primaries(&section.primaries, section.key.as_ref())?;
    let at = section.name.span().start;
    let mut zone = NewZone::new(name, primaries).map_err(|problem| Wrong { at, message: detail(problem) })?;
    read_settings(&mut zone.settings, &section.settings)?;
    Ok(zone)
}

/// Primaries, each with the key unless it names one itself.
pub(super) fn read_primaries(
    texts: &[Spanned<String>],
    key: Option<&Spanned<String>>,
) -> Result<Vec<Primary>, Wrong> {
    let key = key.map(|text| checked(text, |text| api::text::key_name(text).map_err(detail))).transpose()?;
    let read = |text: &Spanned<String>| {
        let primary = checked(text, |text| api::text::primary(text).map_err(detail))?;
        Ok(Primary { key: primary.key.or_else(|| key.clone()), ..primary })
    };
    texts.iter().map(read).collect()
}

pub(super) fn read_settings(settings: &mut Settings, section: &SettingsSection) -> Result<(), Wrong> {
    for (name, value) in section {
        let setting = checked(name, setting_name)?;
        checked(value, |value| settings.set(setting, Some(value)).map_err(|error| error.to_string()))?;
    }
    Ok(())
}
