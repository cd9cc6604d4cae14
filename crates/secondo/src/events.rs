//! What organisations are told of: on record for each, and never in the way of what it is about.

use inventory::{NewEvent, Severity, TenantId};

use crate::node::Node;

/// Of a limit, so much of it is near: told before it bites.
const NEAR_PERCENT: u64 = 80;

/// Something to be told.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// A stable word for it.
    pub(crate) kind: &'static str,
    pub(crate) severity: Severity,
    /// The zone, or whatever else it is about; empty for the organisation.
    pub(crate) subject: String,
    pub(crate) message: String,
}

/// Puts it on record for the tenant, in the background. What is told again within a day is told once.
pub(crate) fn tell(node: &Node, tenant: TenantId, event: Event) {
    let Some(inventory) = node.inventory.load_full() else { return };
    let Event { kind, severity, subject, message } = event;
    let event = NewEvent { at: node.clock.now(), kind, severity, subject, message };
    // Simulations have no runtime for it, and no inventory.
    tokio::spawn(async move {
        if let Err(error) = inventory.record_event(tenant, &event).await {
            tracing::warn!(tenant = tenant.0, kind = event.kind, "an event is on no record: {error}");
        }
    });
}

/// Tells that so many of what a plan allows are there, if that is near the limit. `what` is such as "zones"; `subject` the zone
/// that has them, if one has.
pub(crate) fn tell_if_near(node: &Node, tenant: TenantId, limit: Option<u64>, have: u64, what: &str, subject: &str) {
    let Some(limit) = limit.filter(|limit| is_near(have, *limit)) else { return };
    let whose = if subject.is_empty() { "the organisation".to_owned() } else { format!("the zone {subject}") };
    let (kind, severity) =
        if have > limit { ("limit_exceeded", Severity::Error) } else { ("limit_near", Severity::Warning) };
    let message = format!("{whose} has {have} of the {limit} {what} that its plan allows");
    tell(node, tenant, Event { kind, severity, subject: format!("{what} {subject}").trim().to_owned(), message });
}

fn is_near(have: u64, limit: u64) -> bool {
    have.saturating_mul(100) >= limit.saturating_mul(NEAR_PERCENT) && have > 0
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn a_limit_is_near_from_four_fifths_on() {
        for (have, limit, expected) in
            [(79, 100, false), (80, 100, true), (101, 100, true), (0, 0, false), (1, 1, true), (3, 4, false)]
        {
            assert_eq!(is_near(have, limit), expected, "{have} of {limit}");
        }
    }
}
