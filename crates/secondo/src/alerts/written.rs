//! How a delivery is written: a letter for people, JSON for programs.

use std::fmt::Write as _;

use alerts::{Letter, NotAnAddress, on_one_line};
use api::json::Time;
use inventory::{Delivery, Group, Told};
use serde_json::json;

/// A letter that says all that the delivery tells, the worst first.
pub(super) fn letter(to: &str, delivery: &Delivery, console: &str) -> Result<Letter, NotAnAddress> {
    let digest = &delivery.digest;
    let headlines: Vec<String> = digest.groups.iter().map(headline).collect();
    let subject = format!("Secondo: {}", headlines.join(", "));
    let mut text = String::new();
    for (group, headline) in digest.groups.iter().zip(&headlines) {
        let _ = writeln!(text, "{} ({})\n", capitalized(headline), group.severity);
        for told in &group.first {
            let _ = writeln!(
                text,
                "  {}  {}",
                Time::from_unix_ms(told.at_ms),
                on_one_line(&told.message).collect::<String>()
            );
        }
        let more = group.count - group.first.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        "All events: {console}\n\nYou get this because an alert rule of your organisation sends it to this address. Its \
         owners can change or remove the rule on the page Alerts.\n"
    );
    Letter::new(to, &subject, text)
}

/// The same at each try.
pub(super) fn message_id(delivery: &Delivery) -> String {
    format!("alert_{}", delivery.id)
}

/// What a webhook is sent.
pub(super) fn message(delivery: &Delivery) -> String {
    let told = |told: &Told| {
        let at = Time::from_unix_ms(told.at_ms).to_string();
        json!({ "at": at, "subject": told.subject, "message": told.message })
    };
    let group = |group: &Group| {
        let first: Vec<_> = group.first.iter().map(told).collect();
        json!({
            "kind": group.kind, "severity": group.severity, "headline": headline(group), "count": group.count,
            "first": first,
        })
    };
    let groups: Vec<_> = delivery.digest.groups.iter().map(group).collect();
    json!({
        "type": "secondo.alert",
        "timestamp": Time::from_unix_ms(delivery.created_at.0).to_string(),
        "data": {
            "severity": delivery.digest.severity().as_str(), "events": delivery.digest.count(), "groups": groups,
        },
    })
    .to_string()
}

/// What has happened, and to how many, or to which.
fn headline(group: &Group) -> String {
    let Some(kind) = group.event_kind() else { return format!("{} × {}", group.count, group.kind) };
    let (one, many) = kind.headline();
    match (group.count, group.first.first()) {
        (1, Some(told)) if !told.subject.is_empty() => format!("{one}: {}", told.subject),
        (1, _) => one.to_owned(),
        (count, _) => format!("{count} {many}"),
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
