//! `secondo audit`: what was changed, by whom.

use api::json::{Audit, AuditEntry};
use serde_json::Value;

use super::failure::Failure;
use super::output::{Format, Output, or_dash, time_text};
use super::server::Server;

pub(super) async fn show(limit: u32, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Audit { entries, .. } = server.get("/audit", &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&entries)?);
    }
    if entries.is_empty() {
        return Ok(output.line("nothing has been changed yet")?);
    }
    Ok(output.table(&["AT", "WHO", "FROM", "WHAT", "ON", "DETAILS"], entries.iter().map(row))?)
}

fn row(entry: &AuditEntry) -> Vec<String> {
    vec![
        time_text(entry.at),
        entry.actor.clone(),
        or_dash(entry.address.as_ref()),
        entry.act.clone(),
        entry.subject.clone(),
        details(&entry.details),
    ]
}

/// On one line, `name=value`.
fn details(details: &Value) -> String {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match details {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect::<Vec<_>>().join(" ")
        }
        Value::Null => String::new(),
        other => shown(other),
    }
}
