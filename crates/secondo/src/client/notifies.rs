//! `secondo notifies`.

use api::json::{StrangerNotifies, StrangerNotify};

use super::failure::Failure;
use super::output::{Format, Output, or_dash, time_text};
use super::server::Server;

pub(crate) async fn show(limit: u32, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let StrangerNotifies { strangers } = server.get("/notifies", &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&strangers)?);
    }
    if strangers.is_empty() {
        return Ok(output.line("no NOTIFY has come for a zone that is not here")?);
    }
    let titles = ["FIRST", "LAST", "COUNT", "FROM", "LAST ADDRESS", "BY", "LAST ZONE", "WHY"];
    Ok(output.table(&titles, strangers.iter().map(row))?)
}

fn row(stranger: &StrangerNotify) -> Vec<String> {
    vec![
        time_text(stranger.at),
        time_text(stranger.last_at),
        stranger.count.to_string(),
        stranger.from.clone(),
        stranger.last_address.clone(),
        stranger.last_transport.to_string(),
        or_dash(stranger.last_zone.as_ref()),
        format!("{} ({})", stranger.last_reason.message, stranger.last_reason.code),
    ]
}
