//! What a zone's rows say that is to be done about it.

use inventory::{Intent, PlanStanding, Terms};
use xfr::Setting;
use xfr::policy::ShrinkLimit;
use zone::ZoneId;

use crate::followed::{Instructions, Ownership, Role, Source, Subscription};
use crate::node::Node;

fn role(intent: &Intent, zone: ZoneId) -> Role {
    if intent.catalogs.contains_key(&zone) {
        return Role::Catalog;
    }
    let catalog = intent.members.get(&zone).and_then(|catalog| intent.catalogs.get(catalog));
    catalog.cloned().map_or(Role::Configured, Role::MemberOf)
}

pub(super) fn instructions(node: &Node, intent: &Intent, zone: &inventory::Zone) -> Instructions {
    let source = |primary: &xfr::Primary| Source::new(primary.clone(), intent.key(zone, primary).cloned());
    let terms = intent.terms.get(&zone.tenant);
    let limits = terms.map(Terms::limits).unwrap_or_default();
    let role = role(intent, zone.id);
    let mut policy = node.defaults.load().with(&zone.settings).unwrap_or_else(|error| {
        tracing::error!(zone = %zone.name, "what is set for the zone does not go with the defaults, which count instead: {error}");
        xfr::Policy::clone(&node.defaults.load())
    });
    // What a catalog loses is guarded where zones are counted, and not records; unless its owner wants both.
    if role == Role::Catalog && zone.settings.iter().all(|(setting, _)| setting != Setting::ShrinkLimit) {
        policy.shrink_limit = ShrinkLimit(100);
    }
    Instructions {
        created_at: zone.created_at,
        sources: zone.primaries.iter().map(source).collect(),
        service: zone.service,
        ownership: Ownership::of(zone.proof),
        role,
        settings: zone.settings.clone(),
        policy,
        tags: zone.tags.clone(),
        subscription: match terms.map(|terms| terms.standing(node.clock.now())) {
            Some(PlanStanding::Ended) => Subscription::Ended,
            Some(PlanStanding::InForce | PlanStanding::Grace { .. }) | None => Subscription::InForce,
        },
        records_max: limits.records_max,
        history_days: limits.history_days,
    }
}
