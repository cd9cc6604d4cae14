//! `[[catalog]]`, and the file of groups that `secondo catalog add --groups` reads: the same words in both.

use std::collections::{BTreeMap, BTreeSet};

use api::doors::{CatalogChange, GuardChange, MemberTemplate, NewCatalog, TemplateChange, check_primaries};
use dns::Name;
use serde::Deserialize;
use toml::Spanned;
use xfr::Primary;

use super::file::{SettingsSection, new_zone, zone_name};
use super::problems::Problems;
use super::zone::{read_primaries, read_settings};
use super::{detail, shape};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogSection {
    name: Option<Spanned<String>>,
    primaries: Option<Vec<Spanned<String>>>,
    key: Option<Spanned<String>>,
    suffixes: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    member_primaries: Vec<Spanned<String>>,
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
/// A sentence with the first line where something is wrong.
pub(crate) fn groups(text: &str) -> Result<BTreeMap<String, MemberTemplate>, String> {
    let mut problems = Problems::new(false);
    let sections: BTreeMap<String, GroupSection> = shape::read(text, &mut problems);
    let groups = read_groups(&sections, None, &mut problems);
    match problems.placed(text).first() {
        None => Ok(groups),
        Some(first) => Err(format!("line {}: {}", first.line, first.message)),
    }
}

/// None where something is wrong with it; `names` are those of the zones before.
pub(super) fn read_catalog(
    section: &Spanned<CatalogSection>,
    names: &mut BTreeSet<Name>,
    problems: &mut Problems,
) -> Option<NewCatalog> {
    let (begin, section) = (section.span().start, section.get_ref());
    let name = zone_name(section.name.as_ref(), begin, names, problems);
    let at = section.name.as_ref().map_or(begin, |name| name.span().start);
    let primaries = problems
        .required(section.primaries.as_ref(), begin, "primaries")
        .and_then(|texts| read_primaries(texts, section.key.as_ref(), problems));
    let zone = new_zone(name, primaries, at, problems);
    let mut suffix = |text: &Spanned<String>| problems.read(text, |text| api::text::zone_name(text).map_err(detail));
    let suffixes = section.suffixes.as_ref().map(|suffixes| suffixes.iter().filter_map(&mut suffix).collect());
    let members = template(&section.member_primaries, section.member_key.as_ref(), &section.settings, problems);
    let groups = read_groups(&section.group, section.member_key.as_ref(), problems);
    let rules = CatalogChange {
        suffixes,
        members: TemplateChange {
            primaries: Some(members.primaries),
            settings: members.settings.iter().map(|(setting, value)| (setting, Some(value.to_owned()))).collect(),
        },
        groups: Some(groups),
        guard: read_guard(&section.guard, problems),
    };
    Some(NewCatalog { zone: zone?, rules })
}

fn read_groups(
    sections: &BTreeMap<String, GroupSection>,
    key: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> BTreeMap<String, MemberTemplate> {
    let group = |(name, section): (&String, &GroupSection)| {
        let key = section.key.as_ref().or(key);
        (name.clone(), template(&section.primaries, key, &section.settings, problems))
    };
    sections.iter().map(group).collect()
}

fn template(
    primaries: &[Spanned<String>],
    key: Option<&Spanned<String>>,
    settings: &SettingsSection,
    problems: &mut Problems,
) -> MemberTemplate {
    let read: Vec<Primary> = read_primaries(primaries, key, problems).unwrap_or_default();
    if let Some(first) = primaries.first()
        && !read.is_empty()
        && let Err(problem) = check_primaries(&Name::root(), &read)
    {
        problems.note(first.span().start, detail(problem));
    }
    MemberTemplate { primaries: read, settings: read_settings(settings, problems) }
}

fn read_guard(section: &GuardSection, problems: &mut Problems) -> GuardChange {
    let share = section.share_percent.as_ref();
    if let Some(share) = share.filter(|share| *share.get_ref() > 100) {
        problems.note(share.span().start, "there is no share of more than a hundred");
    }
    let delay = |text: &str| api::text::guard_delay(text).map_err(detail);
    GuardChange {
        delay: problems.read_if_given(section.delay.as_ref(), delay),
        share_percent: share.map(|share| *share.get_ref()),
        zones_min: section.zones_min,
    }
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
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
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
            let problems = Configuration::parse(&text).unwrap_err();
            assert!(problems[0].message.contains(says), "{text}: {problems:?}");
            assert_eq!((problems.len(), problems[0].line), (1, line), "{text}: {problems:?}");
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
