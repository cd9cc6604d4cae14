//! `secondo catalog show`.

use api::json::{Catalog, CatalogMember, CatalogMembers, MemberState, MemberTemplate};
use dns::Name;
use serde::Serialize;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;
use crate::client::zone::primaries_text;

/// How many members are asked for at once.
const PAGE: u32 = 1_000;

/// A catalog with all that it lists.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    catalog: Catalog,
    listed: Vec<CatalogMember>,
}

pub(crate) async fn show(name: &Name, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let catalog: Catalog = server.get(&path(name, ""), &[]).await?;
    let listed = all(name, server).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&Whole { catalog, listed })?);
    }
    output.facts(facts(&catalog))?;
    if listed.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let rows = listed.into_iter().map(|member| {
        let about = about(&member);
        vec![member.name, member.state.to_string(), or_dash(member.label), or_dash(member.group), about]
    });
    output.table(&["ZONE", "STATE", "LABEL", "GROUP", ""], rows)?;
    if catalog.waiting_count > 0 {
        let serial = catalog.followed_serial.map(|serial| format!(" --serial {serial}")).unwrap_or_default();
        output.line(&format!(
            "\nthose that wait go at once with `secondo catalog accept {}{serial}`, and stay when they are listed again",
            catalog.zone.name
        ))?;
    }
    Ok(())
}

fn facts(catalog: &Catalog) -> Vec<(&'static str, String)> {
    let zone = &catalog.zone;
    let mut facts = vec![
        ("name", zone.name.clone()),
        ("state", zone.state.to_string()),
        ("serial", or_dash(zone.serial)),
        ("followed", catalog.followed_serial.map_or_else(|| "-".into(), |serial| format!("at serial {serial}"))),
        ("primaries", primaries_text(&zone.primaries)),
        ("may list", may_list(&catalog.suffixes)),
        ("members", template_text(&catalog.members, "the catalog's primaries")),
    ];
    for (group, template) in &catalog.groups {
        facts.push(("group", format!("{group}: {}", template_text(template, "primaries as for others"))));
    }
    let guard = &catalog.guard;
    facts.push((
        "guard",
        format!(
            "{} zones or more that are more than {} % of all go after {}",
            guard.zones_min, guard.share_percent, guard.delay
        ),
    ));
    if let Some(fault) = &catalog.fault {
        facts.push(("fault", format!("the newest version cannot be followed, members stay as they are: {fault}")));
    }
    facts
}

fn may_list(suffixes: &[String]) -> String {
    match suffixes {
        [] => "nothing".to_owned(),
        suffixes if suffixes.iter().any(|suffix| suffix == ".") => "zones of every name".to_owned(),
        suffixes => format!("zones at or below {}", suffixes.join(" ")),
    }
}

fn template_text(template: &MemberTemplate, otherwise: &str) -> String {
    let primaries =
        if template.primaries.is_empty() { otherwise.to_owned() } else { primaries_text(&template.primaries) };
    let settings = template.settings.iter().map(|(name, value)| format!(" {}={value}", name.replace('_', "-")));
    format!("{primaries}{}", settings.collect::<String>())
}

fn about(member: &CatalogMember) -> String {
    let why = member.why.clone().unwrap_or_default();
    match (member.state, member.since, member.until) {
        (MemberState::Waiting, Some(since), Some(until)) => {
            format!("not listed since {}, goes after {}", time_text(since), time_text(until))
        }
        _ => why,
    }
}

async fn all(name: &Name, server: &Server) -> Result<Vec<CatalogMember>, Failure> {
    let mut members = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(after.take().map(|name| ("after", name)));
        let page: CatalogMembers = server.get(&path(name, "/members"), &query).await?;
        // A page without members is the last whatever it says, so that this always ends.
        after = page.next.filter(|_| !page.members.is_empty());
        members.extend(page.members);
        if after.is_none() {
            return Ok(members);
        }
    }
}
