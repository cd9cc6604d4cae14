//! Who is told of a new version.
//!
//! Only of what is answered and on disk: what lives in memory may be gone after a crash, and a secondary that is ahead of us
//! would not come back. Not told is whoever the version came from: of two servers that follow each other neither would
//! come to rest.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dns::Name;
use xfr::Setting;
use xfr::announce::{News, Recipient};
use zone::{Image, TenantId, ZoneId};

use crate::followed::{Durability, Followed};
use crate::node::Node;

/// So long after each other zones are told of when the program starts: a hundred in a second.
const APART_AT_START: Duration = Duration::from_millis(10);

/// Has those told who are to be told of the zone's version.
pub(crate) fn tell(node: &Node, zone: &Followed) {
    let instructions = zone.instructions();
    if instructions.policy.notify_to.is_empty() || !instructions.is_answered() {
        return;
    }
    let came_from = {
        let condition = zone.condition();
        if condition.durability == Durability::Volatile {
            return;
        }
        condition.came_from
    };
    if let Some(snapshot) = zone.snapshot() {
        // What is said for all zones is said by whoever runs the service, with keys of theirs.
        let owner = if instructions.settings.has(Setting::NotifyTo) { zone.tenant } else { TenantId::DEFAULT };
        let targets = Targets { owner, all: &instructions.policy.notify_to };
        announce(node, (zone.id, &zone.name), &snapshot.image, targets, came_from);
    }
}

/// Who is to be told of a zone's version.
pub(crate) struct Targets<'a> {
    /// Whose keys they are told with.
    pub(crate) owner: TenantId,
    pub(crate) all: &'a [xfr::Target],
}

/// Has these told of a zone's version, but for the one that it came from.
pub(crate) fn announce(
    node: &Node,
    (id, name): (ZoneId, &Name),
    image: &Image,
    targets: Targets<'_>,
    came_from: Option<SocketAddr>,
) {
    let Some(announcer) = node.announcer.get() else { return };
    let others = targets.all.iter().filter(|target| Some(target.address) != came_from);
    let recipients: Vec<Recipient> =
        others.filter_map(|target| recipient(node, name, targets.owner, target)).collect();
    if !recipients.is_empty() {
        announcer.announce(News::of(id, name.clone(), image.soa_record()), recipients);
    }
}

/// None where its key is not here: telling without it would tell others, and it would not be believed.
fn recipient(node: &Node, zone: &Name, owner: TenantId, target: &xfr::Target) -> Option<Recipient> {
    let key = match &target.key {
        None => None,
        Some(name) => {
            let key = node.shared.access.load().keys.get(owner, name).cloned();
            if key.is_none() && is_first(node, owner, name) {
                tracing::warn!(%zone, to = %target.address, key = %name, "nobody is notified there, because the key is not here: add it with `secondo key add`");
            }
            Some(key?)
        }
    };
    Some(Recipient { address: target.address, source: target.source, key })
}

/// Whether it is the first time that this key is missed, so that it is said once.
fn is_first(node: &Node, owner: TenantId, key: &Name) -> bool {
    node.missed_keys.lock().unwrap_or_else(PoisonError::into_inner).insert((owner, key.clone()))
}

/// Tells of all zones once: what was published before the program ended may not have been heard of.
pub(crate) async fn tell_all(node: Arc<Node>) {
    for zone in node.zones() {
        if !zone.instructions().policy.notify_to.is_empty() {
            tell(&node, &zone);
            tokio::time::sleep(APART_AT_START).await;
        }
    }
}
