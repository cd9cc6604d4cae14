//! `secondo zone show`.

use api::json::{Attempt, HeldBack, Hold, Origin, SilentPrimary, TransferUnderWay, Zone};
use dns::Name;

use super::change::settings_text;
use super::{path, primaries_text};
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_or_dash, time_text};
use crate::client::server::Server;

pub(crate) async fn show(name: &Name, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let zone: Zone = server.get(&path(name, ""), &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&zone)?);
    }
    output.facts(facts(&zone))?;
    Ok(())
}

fn facts(zone: &Zone) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("name", zone.name.clone()),
        ("state", zone.state.to_string()),
        ("here because", origin_text(zone)),
        ("freshness", zone.freshness.to_string()),
        ("service", zone.service.to_string()),
        ("serial", or_dash(zone.serial)),
        ("generation", or_dash(zone.generation)),
        ("digest", or_dash(zone.digest.as_ref())),
        ("records", or_dash(zone.records)),
        ("primaries", primaries_text(&zone.primaries)),
        ("tags", or_dash(Some(zone.tags.join(" ")).filter(|tags| !tags.is_empty()))),
        ("settings", settings_text(zone)),
        ("last success", time_or_dash(zone.last_success)),
        ("next refresh", time_or_dash(zone.next_refresh)),
        ("expires at", time_or_dash(zone.expires_at)),
    ];
    if zone.answers_until != zone.expires_at {
        facts.push(("answers until", time_or_dash(zone.answers_until)));
    }
    if zone.hold != Hold::None {
        facts.push(("hold", zone.hold.to_string()));
    }
    facts.extend(zone.held_back.as_ref().map(|held_back| ("held back", held_back_text(held_back))));
    facts.extend(zone.warnings.iter().map(|warning| ("warning", format!("{} ({})", warning.message, warning.code))));
    if zone.volatile {
        facts.push((
            "volatile",
            "this version, or what was ordered about the zone, is in memory only: the disk is full".to_owned(),
        ));
    }
    for SilentPrimary { primary, code } in &zone.silent {
        facts.push(("shows nothing", format!("{primary} ({code})")));
    }
    for transfer in &zone.transfers {
        let since = time_text(transfer.since);
        let TransferUnderWay { primary, octets, records, .. } = transfer;
        let text = format!("a transfer from {primary}, begun {since}: {octets} octets, {records} records so far");
        facts.push(("under way", text));
    }
    if let Some(attempt) = &zone.last_attempt {
        facts.push(("last attempt", format!("{} {}", time_text(attempt.last_at), attempt_text(attempt))));
        if let Some(reason) = &attempt.reason {
            facts.push(("reason", format!("{} ({}; fault: {})", reason.message, reason.code, reason.fault)));
            facts.push(("what to do", reason.advice.clone()));
        }
    }
    facts
}

fn held_back_text(held_back: &HeldBack) -> String {
    let serial = held_back.serial;
    match (held_back.lost_percent, held_back.ends_at) {
        (None, _) => format!("serial {serial}, at your word"),
        (Some(lost), Some(ends_at)) => {
            format!("serial {serial}, which lost {lost} % of the records; it is published at {}", time_text(ends_at))
        }
        (Some(lost), None) => format!("serial {serial}, which lost {lost} % of the records; it waits for your word"),
    }
}

fn origin_text(zone: &Zone) -> String {
    match (zone.origin, &zone.catalog) {
        (Origin::Member, Some(catalog)) => format!("it is a member of the catalog {catalog}"),
        (Origin::Catalog, _) => "it is a catalog: followed, and not answered".to_owned(),
        _ => "it was configured".to_owned(),
    }
}

/// What was tried and what came of it, without the reason.
pub(crate) fn attempt_text(attempt: &Attempt) -> String {
    let primary = attempt.primary.as_ref().map(|primary| format!(" from {primary}")).unwrap_or_default();
    format!(
        "{}: {}{primary} ({}), {} octets in {} ms",
        attempt.outcome, attempt.kind, attempt.trigger, attempt.bytes, attempt.millis
    )
}
