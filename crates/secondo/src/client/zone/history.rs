//! `secondo zone history`.

use api::json::{Attempt, History, Version};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;

pub(crate) async fn history(
    name: &Name,
    limit: u32,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let history: History = server.get(&path(name, "/history"), &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&history)?);
    }
    output.line("Versions")?;
    output.table(
        &["PUBLISHED", "SERIAL", "GENERATION", "FROM", "REMOVED", "ADDED"],
        history.versions.iter().map(version_row),
    )?;
    output.line("")?;
    output.line("Attempts")?;
    output.table(
        &["BEGAN", "LAST", "TRIES", "TRIGGER", "KIND", "PRIMARY", "SERIAL", "OCTETS", "MS", "OUTCOME"],
        history.attempts.iter().map(attempt_row),
    )?;
    Ok(())
}

fn version_row(version: &Version) -> Vec<String> {
    vec![
        time_text(version.at),
        version.serial.to_string(),
        version.generation.to_string(),
        or_dash(version.from_serial),
        version.removed.to_string(),
        version.added.to_string(),
    ]
}

fn attempt_row(attempt: &Attempt) -> Vec<String> {
    let outcome = match &attempt.reason {
        Some(reason) => format!("{} ({})", attempt.outcome, reason.code),
        None => attempt.outcome.to_string(),
    };
    vec![
        time_text(attempt.at),
        time_text(attempt.last_at),
        attempt.count.to_string(),
        attempt.trigger.to_string(),
        attempt.kind.to_string(),
        or_dash(attempt.primary.as_ref()),
        or_dash(attempt.to_serial),
        attempt.bytes.to_string(),
        attempt.millis.to_string(),
        outcome,
    ]
}
