//! `secondo zone list`.

use api::json::{AttemptOutcome, Origin, Service, Zone, ZoneOrder, Zones};

use super::primaries_text;
use crate::client::command::WantedZones;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_or_dash};
use crate::client::server::Server;

/// How many zones are asked for at once.
const PAGE: u32 = 1_000;

pub(crate) async fn list(wanted: &WantedZones, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let zones = all(wanted, server).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&zones)?);
    }
    if zones.is_empty() && !query_of(wanted).is_empty() {
        return Ok(output.line("no zone fits what is asked for")?);
    }
    if zones.is_empty() {
        return Ok(output.line("there are no zones; add one with `secondo zone add NAME --primary ADDR`")?);
    }
    let rows = zones.into_iter().map(|zone| {
        vec![
            zone.name.clone(),
            state_text(&zone),
            zone.tags.join(" "),
            or_dash(zone.serial),
            or_dash(zone.records),
            time_or_dash(zone.last_success),
            primaries_text(&zone.primaries),
        ]
    });
    Ok(output.table(&["NAME", "STATE", "TAGS", "SERIAL", "RECORDS", "LAST SUCCESS", "PRIMARIES"], rows)?)
}

/// The names of those that are answered, for programs that take one a line.
pub(crate) async fn names(wanted: &WantedZones, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let is_answered =
        |zone: &Zone| zone.origin != Origin::Catalog && matches!(zone.service, Service::Answering | Service::Paused);
    let names: Vec<String> =
        all(wanted, server).await?.into_iter().filter(is_answered).map(|zone| zone.name).collect();
    if output.format() == Format::Json {
        return Ok(output.json(&names)?);
    }
    Ok(names.iter().try_for_each(|name| output.line(name))?)
}

/// A state, and whether the last attempt was in vain.
fn state_text(zone: &Zone) -> String {
    match &zone.last_attempt {
        Some(last) if last.outcome == AttemptOutcome::Failed => format!("{}, failing", zone.state),
        _ => zone.state.to_string(),
    }
}

fn query_of(wanted: &WantedZones) -> Vec<(&'static str, String)> {
    let WantedZones { find, tag, state, failing, sort, reversed } = wanted;
    let fields = [
        ("find", find.clone()),
        ("tag", tag.clone()),
        ("state", state.map(|state| state.to_string())),
        ("last_attempt", failing.then(|| AttemptOutcome::Failed.to_string())),
        ("sort", Some(*sort).filter(|sort| *sort != ZoneOrder::Name).map(|sort| sort.to_string())),
        ("reversed", reversed.then(|| "true".to_owned())),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

async fn all(wanted: &WantedZones, server: &Server) -> Result<Vec<Zone>, Failure> {
    let mut zones = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = query_of(wanted);
        query.push(("limit", PAGE.to_string()));
        query.extend(after.take().map(|name| ("after", name)));
        let page: Zones = server.get("/zones", &query).await?;
        // A page without zones is the last whatever it says, so that this always ends.
        after = page.next.filter(|_| !page.zones.is_empty());
        zones.extend(page.zones);
        if after.is_none() {
            return Ok(zones);
        }
    }
}
