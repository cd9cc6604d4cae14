//! Who may notify of which zone and copy it, and with which keys: the tables that the sockets ask.

use std::sync::Arc;

use dns::Name;
use inventory::{Changed, Intent, Service, TenantId, Zone, ZoneId};
use server::{Access, Admissions};
use xfr::notify::{Checks, NotifyRule};
use xfr::{Prefix, Setting};

use crate::followed::Followed;
use crate::node::Node;

/// The tables as they are to be from now on: made anew, or those that there are with what has changed. `gone` are zones that
/// were followed until now.
pub(super) fn access(node: &Node, intent: &Intent, changed: &Changed, gone: &[Arc<Followed>]) -> Access {
    let mut access = match changed {
        Changed::Everything => Access { transfer_out: node.transfer_out(), ..Access::default() },
        Changed::Only { .. } => Access::clone(&node.shared.access.load()),
    };
    if let Changed::Only { keys, .. } = changed {
        for (tenant, name) in keys.iter().filter(|key| !intent.keys.contains_key(key)) {
            access.keys.remove(*tenant, name);
        }
        let gone = gone.iter().map(|zone| (zone.id, zone.tenant, &zone.name));
        for (id, tenant, name) in gone.chain(intent.zones.iter().map(|zone| (zone.id, zone.tenant, &zone.name))) {
            forget(&mut access, id, tenant, name);
        }
        for zone in intent.zones.iter().filter_map(|zone| node.zone(zone.id)) {
            admit(&mut access, &zone);
        }
    }
    for ((tenant, _), key) in &intent.keys {
        access.keys.add(*tenant, key.clone());
    }
    for zone in intent.zones.iter().filter(|zone| zone.service.is_answered()) {
        let rules = access.notify.get(&zone.name).map(|rules| &**rules).unwrap_or_default();
        let mut rules = [rules, &[rule(node, zone)]].concat();
        rules.sort_by_key(|rule| rule.zone);
        access.notify.insert(zone.name.clone(), rules.into());
    }
    access
}

fn forget(access: &mut Access, id: ZoneId, tenant: TenantId, name: &Name) {
    let rules = access.notify.get(name).map(|rules| &**rules).unwrap_or_default();
    let others: Vec<NotifyRule> = rules.iter().filter(|rule| rule.zone != id).cloned().collect();
    if others.is_empty() {
        access.notify.remove(name);
    } else {
        access.notify.insert(name.clone(), others.into());
    }
    if access.transfer_out.zones.get(name).is_some_and(|own| own.tenant == tenant) {
        access.transfer_out.zones.remove(name);
    }
}

/// Has those copy the zone who may, if that is set for it.
fn admit(access: &mut Access, zone: &Followed) {
    if let Some(admissions) = admissions(zone) {
        access.transfer_out.zones.insert(zone.name.clone(), admissions);
    }
}

/// What is set for an answered zone itself; none where the defaults count.
pub(crate) fn admissions(zone: &Followed) -> Option<Admissions> {
    let instructions = zone.instructions();
    let is_own = instructions.is_answered() && instructions.settings.has(Setting::AllowTransfer);
    is_own.then(|| Admissions { tenant: zone.tenant, admitted: instructions.policy.allow_transfer.clone() })
}

/// Who may notify of a zone, by addresses and keys.
#[derive(PartialEq)]
pub(crate) struct Callers {
    senders: Arc<[Prefix]>,
    keys: Arc<[Name]>,
}

fn rule(node: &Node, zone: &Zone) -> NotifyRule {
    let instructions = node.zone(zone.id).map(|zone| zone.instructions()).unwrap_or_default();
    let policy = &instructions.policy;
    let one = |primary: &xfr::Primary| Prefix::of_one(primary.address.ip().to_canonical());
    let keys = zone.primaries.iter().filter_map(|primary| primary.key.clone());
    let callers = node.callers.share(Callers {
        senders: zone.primaries.iter().map(one).chain(policy.notify_from.iter().copied()).collect(),
        keys: keys.chain(policy.notify_keys.iter().cloned()).collect(),
    });
    NotifyRule {
        zone: zone.id,
        tenant: zone.tenant,
        senders: callers.senders.clone(),
        keys: callers.keys.clone(),
        trust: policy.notify,
        checks: if zone.service == Service::Paused { Checks::Paused } else { Checks::Made },
    }
}
