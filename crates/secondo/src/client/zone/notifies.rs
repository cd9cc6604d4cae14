//! `secondo zone notifies`.

use api::json::{Notify, ZoneNotifies};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;

pub(crate) async fn notifies(
    name: &Name,
    limit: u32,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let ZoneNotifies { notifies } = server.get(&path(name, "/notifies"), &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&notifies)?);
    }
    if notifies.is_empty() {
        return Ok(output.line(&format!("no NOTIFY has come for {name}; have its primary send them here"))?);
    }
    let titles = ["FIRST", "LAST", "COUNT", "FROM", "BY", "KEY", "SERIAL", "OUTCOME", "WHY"];
    Ok(output.table(&titles, notifies.iter().map(row))?)
}

fn row(notify: &Notify) -> Vec<String> {
    let outcome = match &notify.reason {
        Some(reason) => format!("{} ({})", notify.outcome, reason.code),
        None => notify.outcome.to_string(),
    };
    vec![
        time_text(notify.at),
        time_text(notify.last_at),
        notify.count.to_string(),
        notify.from.clone(),
        notify.transport.to_string(),
        or_dash(notify.signed_by.as_ref()),
        or_dash(notify.serial),
        outcome,
        notify.reason.as_ref().map(|reason| reason.message.clone()).unwrap_or_default(),
    ]
}
