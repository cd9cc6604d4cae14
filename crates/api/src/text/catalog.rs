//! What may be said about catalogs: which names they may list, what members are made of, when removals wait.

use std::time::Duration;

use dns::Name;
use xfr::{Primary, span};

use super::{primary_of, setting_of, zone_name};
use crate::doors::{CatalogChange, GuardChange, MemberTemplate, TemplateChange, check_primaries};
use crate::json;
use crate::problem::{Code, Problem};

/// The word for a guard that nothing waits for.
pub const GUARD_OFF: &str = "off";
/// The most domains that one catalog may list zones of, and the most groups that it may have templates for: people type
/// them, and every member is compared with them.
const LISTED_MAX: usize = 256;

/// Reads what is to be changed about the catalog `name`.
///
/// # Errors
/// [`Code::ZoneNameInvalid`], [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`], [`Code::SettingInvalid`],
/// [`Code::GuardInvalid`], [`Code::BodyInvalid`].
pub fn catalog_change(name: &Name, change: &json::ChangeCatalog) -> Result<CatalogChange, Problem> {
    let json::ChangeCatalog { suffixes, members, groups, guard } = change;
    let suffixes = suffixes.as_deref().map(few).transpose()?;
    let groups = groups.as_ref().map(|groups| if groups.len() > LISTED_MAX { Err(too_many()) } else { Ok(groups) });
    let group = |(group, template): (&String, &json::MemberTemplate)| {
        Ok((group_name(group)?.to_owned(), member_template(name, template)?))
    };
    Ok(CatalogChange {
        suffixes: suffixes.map(|suffixes| suffixes.iter().map(|text| zone_name(text)).collect()).transpose()?,
        members: template_change(name, members)?,
        groups: groups.transpose()?.map(|groups| groups.iter().map(group).collect()).transpose()?,
        guard: guard_change(guard)?,
    })
}

/// Reads what the members of the catalog `name` are made of.
///
/// # Errors
/// [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`], [`Code::SettingInvalid`].
pub fn member_template(name: &Name, template: &json::MemberTemplate) -> Result<MemberTemplate, Problem> {
    let mut read =
        MemberTemplate { primaries: member_primaries(name, &template.primaries)?, ..MemberTemplate::default() };
    for (name, value) in &template.settings {
        let (setting, value) = setting_of(name, Some(value))?;
        let set = read.settings.set(setting, value.as_deref());
        set.map_err(|error| Problem::new(Code::SettingInvalid, error.to_string()))?;
    }
    Ok(read)
}

fn template_change(name: &Name, change: &json::ChangeTemplate) -> Result<TemplateChange, Problem> {
    let primaries = change.primaries.as_ref().map(|primaries| member_primaries(name, primaries));
    let settings = change.settings.iter().map(|(name, value)| setting_of(name, value.as_deref()));
    Ok(TemplateChange { primaries: primaries.transpose()?, settings: settings.collect::<Result<_, _>>()? })
}

fn member_primaries(name: &Name, primaries: &[json::Primary]) -> Result<Vec<Primary>, Problem> {
    let read: Vec<Primary> = primaries.iter().map(primary_of).collect::<Result<_, _>>()?;
    if !read.is_empty() {
        check_primaries(name, &read)?;
    }
    Ok(read)
}

/// Reads how long removals wait.
///
/// # Errors
/// [`Code::GuardInvalid`].
pub fn guard_delay(text: &str) -> Result<Duration, Problem> {
    if text == GUARD_OFF {
        return Ok(Duration::ZERO);
    }
    let secs = span::seconds(text).map_err(|error| {
        Problem::new(Code::GuardInvalid, format!("{error}; write off to have everything go at once"))
    })?;
    Ok(Duration::from_secs(u64::from(secs)))
}

/// Writes how long removals wait.
pub fn guard_delay_text(delay: Duration) -> String {
    match u32::try_from(delay.as_secs()) {
        Ok(0) => GUARD_OFF.to_owned(),
        secs => span::text(secs.unwrap_or(u32::MAX)),
    }
}

fn guard_change(guard: &json::ChangeGuard) -> Result<GuardChange, Problem> {
    if let Some(share) = guard.share_percent.filter(|share| *share > 100) {
        return Err(Problem::new(Code::GuardInvalid, format!("{share} is no share of a hundred: write 0 to 100")));
    }
    let delay = guard.delay.as_deref().map(guard_delay).transpose()?;
    Ok(GuardChange { delay, share_percent: guard.share_percent, zones_min: guard.zones_min })
}

/// A name that a catalog can give (RFC 9432 §4.3.2): one character string of TXT.
fn group_name(group: &str) -> Result<&str, Problem> {
    if group.is_empty() || group.len() > 255 || group.contains(char::is_control) {
        let detail = format!("{group:?} is not a group: a catalog names it in 1 to 255 octets of text");
        return Err(Problem::new(Code::BodyInvalid, detail));
    }
    Ok(group)
}

fn few(suffixes: &[String]) -> Result<&[String], Problem> {
    if suffixes.len() > LISTED_MAX { Err(too_many()) } else { Ok(suffixes) }
}

fn too_many() -> Problem {
    Problem::new(Code::BodyInvalid, format!("a catalog may have {LISTED_MAX} suffixes and as many groups, not more"))
}

#[cfg(test)]
mod tests {
    use super::{guard_delay, guard_delay_text};

    #[test]
    fn a_guard_is_read_and_written() {
        for (text, secs) in [("1d", 86_400), ("90m", 5_400), ("off", 0)] {
            let delay = guard_delay(text).unwrap();
            assert_eq!((delay.as_secs(), guard_delay_text(delay).as_str()), (secs, text));
        }
        assert!(guard_delay("0s").is_err() && guard_delay("never").is_err());
    }
}
