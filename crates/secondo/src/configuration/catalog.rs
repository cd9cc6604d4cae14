//! `[[catalog]]`, and the file of groups that `secondo catalog add --groups` reads: the same words in both.

use std::collections::BTreeMap;

use api::doors::{CatalogChange, GuardChange, MemberTemplate, NewCatalog, NewZone, TemplateChange, check_primaries};
use serde::Deserialize;
use toml::Spanned;
use xfr::{Primary, Settings};

use super::zone::{read_primaries, read_settings};
use super::{SettingsSection, Wrong, checked, detail};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogSection {
    pub(super) name: Spanned<String>,
    primaries: Vec<Spanned<String>>,
    #[serde(default)]
    key: Option<Spanned<String>>,
    #[serde(default)]
    suffixes: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    member_primaries: Vec<Spanned<String>>,
    #[serde(default)]
    member_key: Option<Spanned<String>>,
    /// Of the members.
    #[serde(default)]
    settings: SettingsSection,
    #[serde(default)]
    guard: GuardSection,
    #[serde(default)]
    group: BTreeMap<String, GroupSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GuardSection {
    delay: Option<Spanned<String>>,
    share_percent: Option<Spanned<u8>>,
    zones_min: Option<u32>,
}

/// What the members of a group are made of.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GroupSection {
    primaries: Vec<Spanned<String>>,
    key: Option<Spanned<String>>,
    settings: SettingsSection,
}

/// Reads a file of groups: a table for each, `[gold]`.
///
/// # Errors
/// A sentence with the line.
pub(crate) fn groups(text: &str) -> Result<BTreeMap<String, MemberTemplate>, String> {
    let wrong = |at: usize, message: &str| format!("line {}: {message}", super::line_at(text, at));
    let sections: BTreeMap<String, GroupSection> =
        toml::from_str(text).map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message()))?;
    read_groups(&sections, None).map_err(|Wrong { at, message }| wrong(at, &message))
}

pub(super) fn read_catalog(section: &CatalogSection) -> Result<NewCatalog, Wrong> {
    let name = checked(&section.name, |text| api::text::zone_name(text).map_err(detail))?;
    let at = section.name.span().start;
    let primaries = read_primaries(&section.primaries, section.key.as_ref())?;
    let zone = NewZone::new(name, primaries).map_err(|problem| Wrong { at, message: detail(problem) })?;
    let suffix = |text: &Spanned<String>| checked(text, |text| api::text::zone_name(text).map_err(detail));
    let suffixes = section.suffixes.as_ref().map(|suffixes| suffixes.iter().map(suffix).collect());
    let members = template(&section.member_primaries, section.member_key.as_ref(), &section.settings)?;
    let groups = read_groups(&section.group, section.member_key.as_ref())?;
    let rules = CatalogChange {
        suffixes: suffixes.transpose()?,
        members: TemplateChange {
            primaries: Some(members.primaries),
            settings: members.settings.iter().map(|(setting, value)| (setting, Some(value.to_owned()))).collect(),
        },
        groups: Some(groups),
        guard: read_guard(&section.guard)?,
    };
    Ok(NewCatalog { zone, rules })
}

fn read_groups(
    sections: &BTreeMap<String, GroupSection>,
    key: Option<&Spanned<String>>,
) -> Result<BTreeMap<String, MemberTemplate>, Wrong> {
    let group = |(name, section): (&String, &GroupSection)| {
        let key = section.key.as_ref().or(key);
        Ok((name.clone(), template(&section.primaries, key, &section.settings)?))
    };
    sections.iter().map(group).collect()
}

fn template(
    primaries: &[Spanned<String>],
    key: Option<&Spanned<String>>,
    settings: &SettingsSection,
) -> Result<MemberTemplate, Wrong> {
    let read: Vec<Primary> = read_primaries(primaries, key)?;
    if let Some(first) = primaries.first() {
        let wrong = |problem| Wrong { at: first.span().start, message: detail(problem) };
        check_primaries(&dns::Name::root(), &read).map_err(wrong)?;
    }
    let mut template = MemberTemplate { primaries: read, settings: Settings::default() };
    read_settings(&mut template.settings, settings)?;
    Ok(template)
}

fn read_guard(section: &GuardSection) -> Result<GuardChange, Wrong> {
    let share = section.share_percent.as_ref();
    if let Some(share) = share.filter(|share| *share.get_ref() > 100) {
        let message = "there is no share of more than a hundred".to_owned();
        return Err(Wrong { at: share.span().start, message });
    }
    let delay = |text: &Spanned<String>| checked(text, |text| api::text::guard_delay(text).map_err(detail));
    Ok(GuardChange {
        delay: section.delay.as_ref().map(delay).transpose()?,
        share_percent: share.map(|share| *share.get_ref()),
        zones_min: section.zones_min,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::configuration::Configuration;

    #[test]
    fn a_catalog_is_read_with_its_groups_and_its_guard() {
        let configuration = Configuration::parse(
            "[[catalog]]\nname = \"cat.example\"\nprimaries = [\"192.0.2.1\"]\nkey = \"k\"\nsuffixes = [\"example\"]\n\
             member_primaries = [\"192.0.2.2\"]\nsettings = { refresh_max = \"2h\" }\nguard = { delay = \"1s\" }\n\
             [catalog.group.gold]\nprimaries = [\"192.0.2.3,tls\"]\nsettings = { notify = \"signed\" }\n\
             [catalog.group.plain]\n",
        )
        .unwrap_or_else(|wrong| panic!("{}", wrong.message));
        let catalog = &configuration.catalogs[0];
        assert_eq!(catalog.zone.primaries()[0].key, Some("k.".parse().unwrap()));
        let members = &catalog.rules.members;
        let primaries = members.primaries.as_ref().unwrap();
        assert_eq!((primaries[0].to_string().as_str(), members.settings.len()), ("192.0.2.2:53", 1));
        let groups = catalog.rules.groups.as_ref().unwrap();
        assert_eq!((groups["gold"].primaries[0].address.port(), groups["plain"].primaries.len()), (853, 0));
        assert_eq!(catalog.rules.guard.delay, Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_is_wrong_about_a_catalog_is_said_with_its_line() {
        let start = "[[catalog]]\nname = \"cat.example\"\nprimaries = [\"192.0.2.1\"]\n";
        for (more, line, says) in [
            ("suffixes = [\"a..b\"]\n", 4, "a..b"),
            ("member_primaries = [\"192.0.2.1\", \"192.0.2.1:53\"]\n", 4, "twice"),
            ("guard = { delay = \"never\" }\n", 4, "no length of time"),
            ("guard = { share_percent = 101 }\n", 4, "hundred"),
            ("\n[catalog.group.gold]\nservice = \"paused\"\n", 6, "unknown field"),
            ("[[zone]]\nname = \"CAT.example.\"\nprimaries = [\"192.0.2.1\"]\n", 2, "there twice"),
        ] {
            let text = format!("{start}{more}");
            let wrong = Configuration::parse(&text).unwrap_err();
            assert!(wrong.message.contains(says), "{text}: {}", wrong.message);
            assert_eq!(text[..wrong.at].matches('\n').count() + 1, line, "{text}: {}", wrong.message);
        }
    }

    #[test]
    fn a_file_of_groups_says_what_the_configuration_says() {
        let read = super::groups("[gold]\nprimaries = [\"192.0.2.3\"]\nkey = \"k\"\n[lead]\n").unwrap();
        assert_eq!(read["gold"].primaries[0].to_string(), "192.0.2.3:53,key=k.");
        assert!(super::groups("[gold]\nprimaries = [\"nowhere\"]\n").unwrap_err().starts_with("line 2: "));
        assert!(super::groups("gold = 7\n").is_err());
    }
}
