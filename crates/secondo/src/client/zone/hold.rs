//! `secondo zone publish`, `keep`, `freeze` and `thaw`.

use api::json::{HoldOrder, OrderHold, Zone};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash};
use crate::client::server::Server;

pub(crate) async fn order(
    name: &Name,
    order: HoldOrder,
    generation: Option<u64>,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let zone: Zone = server.post_and_wait(&path(name, "/hold"), &OrderHold { order, generation }).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&zone)?);
    }
    let (name, serial) = (&zone.name, or_dash(zone.serial));
    output.line(&match order {
        HoldOrder::Publish => format!("{name} is published with serial {serial}"),
        HoldOrder::Keep => format!("{name} stays at serial {serial} until its primaries have yet another version"),
        HoldOrder::Freeze => {
            format!("{name} is frozen at serial {serial}; when it may change again: secondo zone thaw {name}")
        }
        HoldOrder::Thaw => format!("{name} follows its primaries again"),
    })?;
    Ok(())
}
