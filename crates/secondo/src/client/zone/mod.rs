//! `secondo zone …`.

mod change;
mod contents;
mod delegation;
mod history;
mod hold;
mod import;
mod list;
mod notifies;
mod ownership;
pub(super) mod promote;
mod queries;
mod refresh;
mod removed;
mod show;

use std::io::Write;

use api::doors::NewZone;
use api::json::{self, AddZone, HoldOrder, ServiceOrder, Transfer, Zone};
use api::segment_of;
use api::text::Otherwise;
use dns::Name;
use xfr::{Primary, Setting};

use super::command::ZoneAction;
use super::failure::Failure;
use super::output::{Format, Output};
use super::server::Server;

pub(crate) async fn carry_out(
    action: ZoneAction,
    server: &Server,
    output: &mut Output<'_>,
    errors: &mut dyn Write,
) -> Result<(), Failure> {
    match action {
        ZoneAction::Add { name, primaries, settings, tags } => {
            add(name, primaries, &settings, tags, server, output).await
        }
        ZoneAction::List { names: false, wanted } => list::list(&wanted, server, output).await,
        ZoneAction::List { names: true, wanted } => list::names(&wanted, server, output).await,
        ZoneAction::Show { name } => show::show(&name, server, output).await,
        ZoneAction::Refresh { name, full } => {
            let transfer = if full { Transfer::Full } else { Transfer::Incremental };
            refresh::refresh(&name, transfer, server, output).await
        }
        ZoneAction::Set { name, settings, primaries, tags } => {
            change::set(&name, settings, &primaries, tags, server, output).await
        }
        ZoneAction::Pause { name } => change::serve(&name, ServiceOrder::Pause, server, output).await,
        ZoneAction::Resume { name } => change::serve(&name, ServiceOrder::Resume, server, output).await,
        ZoneAction::Disable { name } => change::serve(&name, ServiceOrder::Disable, server, output).await,
        ZoneAction::Enable { name } => change::serve(&name, ServiceOrder::Enable, server, output).await,
        ZoneAction::Publish { name } => hold::order(&name, HoldOrder::Publish, None, server, output).await,
        ZoneAction::Keep { name } => hold::order(&name, HoldOrder::Keep, None, server, output).await,
        ZoneAction::Freeze { name, generation } => {
            hold::order(&name, HoldOrder::Freeze, generation, server, output).await
        }
        ZoneAction::Thaw { name } => hold::order(&name, HoldOrder::Thaw, None, server, output).await,
        ZoneAction::Diff { name, from, to } => {
            stream(&path(&name, &format!("/diff?from={from}&to={to}")), server, output).await
        }
        ZoneAction::History { name, limit } => history::history(&name, limit, server, output).await,
        ZoneAction::Delegation { name } => delegation::delegation(&name, server, output).await,
        ZoneAction::Ownership { name, look } => ownership::ownership(&name, look, server, output).await,
        ZoneAction::HandOver { name, text } => ownership::hand_over(&name, &text, server, output).await,
        ZoneAction::Promote(wanted) => promote::promote(wanted, server, output).await,
        ZoneAction::Export { name, unsigned } => {
            let below = if unsigned { "/export?unsigned=true" } else { "/export" };
            stream(&path(&name, below), server, output).await
        }
        ZoneAction::Records { name, search, rtype, limit } => {
            contents::records(&name, contents::Wanted { search, rtype, limit }, server, output).await
        }
        ZoneAction::Lines { name } => contents::lines(&name, server, output).await,
        ZoneAction::Notifies { name, limit } => notifies::notifies(&name, limit, server, output).await,
        ZoneAction::Queries { name, hours, days } => queries::queries(&name, hours, days, server, output).await,
        ZoneAction::Remove { name, now } => removed::remove(&name, now, server, output).await,
        ZoneAction::Restore { name } => removed::restore(&name, server, output).await,
        ZoneAction::Removed => removed::list(server, output).await,
        ZoneAction::Import { file, format, primaries } => {
            let wanted = import::Wanted { format, otherwise: Otherwise { primaries } };
            import::import(&file, &wanted, server, output, errors).await
        }
    }
}

async fn add(
    name: Name,
    primaries: Vec<Primary>,
    settings: &[(Setting, Option<String>)],
    tags: Vec<String>,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    // Checked here too, so that a primary given twice is a mistake in typing.
    let zone = NewZone::new(name, primaries)?;
    let set = |(setting, value): &(Setting, Option<String>)| Some((setting.to_string(), value.clone()?));
    let zone = AddZone {
        name: zone.name().to_string(),
        primaries: zone.primaries().iter().map(json::Primary::from).collect(),
        settings: settings.iter().filter_map(set).collect(),
        tags,
    };
    let added: Zone = server.post("/zones", &zone).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&added)?);
    }
    let name = &added.name;
    output.line(&format!("added the zone {name}; see how its transfer goes with `secondo zone show {name}`"))?;
    Ok(())
}

/// Writes a text as it comes.
async fn stream(path: &str, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut pieces = server.stream(path).await?;
    while let Some(piece) = pieces.next().await? {
        output.raw(piece.as_ref())?;
    }
    Ok(output.flush()?)
}

fn path(name: &Name, below: &str) -> String {
    format!("/zones/{}{below}", segment_of(name))
}

/// The primaries on one line, as they would be typed.
pub(super) fn primaries_text(primaries: &[json::Primary]) -> String {
    let text = |primary: &json::Primary| match api::text::primary_of(primary) {
        Ok(primary) => primary.to_string(),
        // Of a newer server, maybe.
        Err(_) => primary.address.clone(),
    };
    primaries.iter().map(text).collect::<Vec<_>>().join(" ")
}
