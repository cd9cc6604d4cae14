//! `secondo zone remove`, `restore` and `removed`.

use api::json::{RemovedZones, Zone};
use api::segment_of;
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;

pub(crate) async fn remove(name: &Name, now: bool, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    server.delete(&path(name, if now { "?now=true" } else { "" })).await?;
    if output.format() == Format::Text {
        output.line(&match now {
            true => format!("removed the zone {name}, and deleted what it held"),
            false => format!("removed the zone {name}; for 7 days it comes back with `secondo zone restore {name}`"),
        })?;
    }
    Ok(())
}

pub(crate) async fn restore(name: &Name, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let zone: Zone = server.post(&format!("/removed-zones/{}/restore", segment_of(name)), &()).await?;
    match output.format() {
        Format::Json => output.json(&zone)?,
        Format::Text => output.line(&format!("the zone {} is back, and {}", zone.name, zone.state))?,
    }
    Ok(())
}

pub(crate) async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let removed: RemovedZones = server.get("/removed-zones", &[("limit", "1000".to_owned())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&removed)?);
    }
    if removed.zones.is_empty() {
        output.line("no removed zone is kept")?;
    }
    for zone in &removed.zones {
        output.line(&format!("{} was removed {}, and is deleted {}", zone.name, zone.removed_at, zone.deleted_at))?;
    }
    Ok(())
}
