//! `secondo zone list`.

use api::json::{Origin, Service, Zone, Zones};

use super::primaries_text;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_or_dash};
use crate::client::server::Server;

/// How many zones are asked for at once.
const PAGE: u32 = 1_000;

pub(crate) async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let zones = all(server).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&zones)?);
    }
    if zones.is_empty() {
        return Ok(output.line("there are no zones; add one with `secondo zone add NAME --primary ADDR`")?);
    }
    let rows = zones.into_iter().map(|zone| {
        vec![
            zone.name,
            zone.state.to_string(),
            or_dash(zone.serial),
            or_dash(zone.records),
            time_or_dash(zone.last_success),
            primaries_text(&zone.primaries),
        ]
    });
    Ok(output.table(&["NAME", "STATE", "SERIAL", "RECORDS", "LAST SUCCESS", "PRIMARIES"], rows)?)
}

/// The names of those that are answered, for programs that take one a line.
pub(crate) async fn names(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let is_answered =
        |zone: &Zone| zone.origin != Origin::Catalog && matches!(zone.service, Service::Answering | Service::Paused);
    let names: Vec<String> = all(server).await?.into_iter().filter(is_answered).map(|zone| zone.name).collect();
    if output.format() == Format::Json {
        return Ok(output.json(&names)?);
    }
    Ok(names.iter().try_for_each(|name| output.line(name))?)
}

async fn all(server: &Server) -> Result<Vec<Zone>, Failure> {
    let mut zones = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE.to_string())];
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
