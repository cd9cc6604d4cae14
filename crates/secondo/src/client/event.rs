//! `secondo event list`: what the organisation was told.

use api::json::{Event, Events};
use clap::Subcommand;

use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

#[derive(Debug, Subcommand)]
pub(crate) enum EventAction {
    /// List what your organisation was told, newest first: limits that are near, names that are lost.
    #[command(after_help = "Example:\n  secondo event list --limit 20")]
    List {
        /// How many events to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

pub(super) async fn carry_out(action: EventAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let EventAction::List { limit } = action;
    let Events { events, .. } = server.get("/events", &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&events)?);
    }
    if events.is_empty() {
        return Ok(output.line("nothing has happened that the organisation was to be told of")?);
    }
    let row = |event: Event| {
        vec![time_text(event.at), event.severity.to_string(), event.kind, event.subject, event.message]
    };
    Ok(output.table(&["AT", "SEVERITY", "KIND", "ON", "WHAT"], events.into_iter().map(row))?)
}
