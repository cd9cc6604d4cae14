//! Who is told of a new version.
//!
//! Only of what is answered and on disk: what lives in memory may be gone after a crash, and a secondary that is ahead of us
//! would not come back. Not told is whoever the version came from: of two servers that follow each other neither would
//! come to rest.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dns::Name;
use xfr::announce::{News, Recipient};
use zone::{Image, ZoneId};

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
        announce(node, (zone.id, &zone.name), &snapshot.image, &instructions.policy.notify_to, came_from);
    }
}

/// Has these told of a zone's version, but for the one that it came from.
pub(crate) fn announce(
    node: &Node,
    (id, name): (ZoneId, &Name),
    image: &Image,
    targets: &[xfr::Target],
    came_from: Option<SocketAddr>,
) {
    let Some(announcer) = node.announcer.get() else { return };
    let recipients: Vec<Recipient> = targets
        .iter()
        .filter(|target| Some(target.address) != came_from)
        .filter_map(|target| recipient(node, name, target))
        .collect();
    if !recipients.is_empty() {
        announcer.announce(News::of(id, name.clone(), image.soa_record()), recipients);
    }
}

/// None where its key is not here: telling without it would tell others, and it would not be believed.
fn recipient(node: &Node, zone: &Name, target: &xfr::Target) -> Option<Recipient> {
    let key = match &target.key {
        None => None,
        Some(name) => {
            let key = node.shared.access.load().keys.get(name).cloned();
            if key.is_none() && is_first(node, name) {
                tracing::warn!(%zone, to = %target.address, key = %name, "nobody is notified there, because the key is not here: add it with `secondo key add`");
            }
            Some(key?)
        }
    };
    Some(Recipient { address: target.address, source: target.source, key })
}

/// Whether it is the first time that this key is missed, so that it is said once.
fn is_first(node: &Node, key: &Name) -> bool {
    node.missed_keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
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
