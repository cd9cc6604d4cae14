//! `secondo catalog add | list | show | set | accept | remove`.

mod action;
mod show;

use std::io::Read;
use std::path::Path;

use api::doors::{MemberTemplate, check_primaries};
use api::json::{self, AcceptCatalog, AddCatalog, Catalog, Catalogs, ChangeCatalog, ChangeGuard, ChangeTemplate};
use api::segment_of;
use dns::Name;
use xfr::Primary;

pub(crate) use action::CatalogAction;

use super::failure::Failure;
use super::output::{Format, Output, or_dash};
use super::server::Server;
use action::Rules;

/// The longest file of groups, in octets: what the API takes.
const GROUPS_FILE_OCTETS_MAX: u64 = 64 * 1024;

pub(crate) async fn carry_out(
    action: CatalogAction,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match action {
        CatalogAction::Add { name, primaries, rules } => add(&name, &primaries, &rules, server, output).await,
        CatalogAction::List => list(server, output).await,
        CatalogAction::Show { name } => show::show(&name, server, output).await,
        CatalogAction::Set { name, rules } => set(&name, &rules, server, output).await,
        CatalogAction::Accept { name, serial } => accept(&name, serial, server, output).await,
        CatalogAction::Remove { name } => {
            server.delete(&path(&name, "")).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the catalog {name}; its members stay, as zones of their own"))?;
            }
            Ok(())
        }
    }
}

async fn add(
    name: &Name,
    primaries: &[Primary],
    rules: &Rules,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    // Checked here too, so that a primary given twice is a mistake in typing.
    check_primaries(name, primaries)?;
    let catalog = AddCatalog {
        name: name.to_string(),
        primaries: primaries.iter().map(json::Primary::from).collect(),
        rules: change_of(name, rules)?,
    };
    let added: Catalog = server.post("/catalogs", &catalog).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&added)?);
    }
    let name = &added.zone.name;
    Ok(output.line(&format!("added the catalog {name}; see what it lists with `secondo catalog show {name}`"))?)
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Catalogs { catalogs } = server.get("/catalogs", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&catalogs)?);
    }
    if catalogs.is_empty() {
        return Ok(output.line("there are no catalogs; add one with `secondo catalog add NAME --primary ADDR`")?);
    }
    let rows = catalogs.into_iter().map(|catalog| {
        let state = if catalog.fault.is_some() { "broken".to_owned() } else { catalog.zone.state.to_string() };
        vec![
            catalog.zone.name,
            state,
            or_dash(catalog.zone.serial),
            catalog.member_count.to_string(),
            catalog.waiting_count.to_string(),
            catalog.skipped_count.to_string(),
        ]
    });
    Ok(output.table(&["NAME", "STATE", "SERIAL", "MEMBERS", "WAITING", "SKIPPED"], rows)?)
}

async fn set(name: &Name, rules: &Rules, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let catalog: Catalog = server.patch(&path(name, ""), &change_of(name, rules)?).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&catalog)?);
    }
    Ok(output.line(&format!("{} is changed, and its members follow", catalog.zone.name))?)
}

async fn accept(name: &Name, serial: Option<u32>, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let before: Catalog = server.get(&path(name, ""), &[]).await?;
    let Some(serial) = serial.or(before.followed_serial) else {
        let sentence =
            format!("no version of the catalog {name} has been followed: see `secondo catalog show {name}`");
        return Err(Failure::new("catalog_not_read", sentence));
    };
    let after: Catalog = server.post(&path(name, "/accept"), &AcceptCatalog { serial }).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&after)?);
    }
    let removed = before.waiting_count.saturating_sub(after.waiting_count);
    let kept = after.member_count;
    Ok(output.line(&format!(
        "{removed} zones that {name} does not list at serial {serial} went; {kept} members are here"
    ))?)
}

fn change_of(name: &Name, rules: &Rules) -> Result<ChangeCatalog, Failure> {
    if !rules.member_primaries.is_empty() {
        check_primaries(name, &rules.member_primaries)?;
    }
    let primaries: Vec<_> = rules.member_primaries.iter().map(json::Primary::from).collect();
    let settings = rules.member_settings.iter().map(|(setting, value)| (setting.to_string(), value.clone()));
    let members = ChangeTemplate {
        primaries: (rules.own_primaries || !primaries.is_empty()).then_some(primaries),
        settings: settings.collect(),
    };
    let groups = rules.groups.as_deref().map(read_groups).transpose()?;
    Ok(ChangeCatalog {
        suffixes: (!rules.suffixes.is_empty()).then(|| rules.suffixes.iter().map(ToString::to_string).collect()),
        members,
        groups,
        guard: ChangeGuard {
            delay: rules.guard_delay.clone(),
            share_percent: rules.guard_share,
            zones_min: rules.guard_zones,
        },
    })
}

fn read_groups(file: &Path) -> Result<std::collections::BTreeMap<String, json::MemberTemplate>, Failure> {
    let unreadable = |why: String| {
        Failure::new("file_unreadable", format!("the file of groups {} cannot be read: {why}", file.display()))
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| unreadable(error.to_string()))?;
    let read = opened.take(GROUPS_FILE_OCTETS_MAX + 1).read_to_string(&mut text);
    if read.map_err(|error| unreadable(error.to_string()))? as u64 > GROUPS_FILE_OCTETS_MAX {
        return Err(unreadable(format!("it has more than {GROUPS_FILE_OCTETS_MAX} octets")));
    }
    let groups = crate::configuration::groups(&text).map_err(unreadable)?;
    let shown = |template: MemberTemplate| json::MemberTemplate {
        primaries: template.primaries.iter().map(json::Primary::from).collect(),
        settings: template.settings.to_texts(),
    };
    Ok(groups.into_iter().map(|(group, template)| (group, shown(template))).collect())
}

fn path(name: &Name, below: &str) -> String {
    format!("/catalogs/{}{below}", segment_of(name))
}
