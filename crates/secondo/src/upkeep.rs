//! What large zones need beside the way of their changes: their images built anew, and their contents looked at.
//!
//! A change of a large zone is laid over its image, in memory and on disk, and is not looked at closely, so that it costs
//! what it changes. What that leaves undone is done here, for one zone after the other and with nobody waiting for it.
//!
//! Invariant: nothing of what is served changes by it: the zone stays at its version.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use answer::Contents;
use store::StoreError;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use zone::{Image, Limits, Snapshot, ZoneId, inspect};

use crate::followed::Followed;
use crate::node::Node;
use crate::refresh::ADVANCED_HERE_OCTETS_MAX;
use crate::warnings;

/// How soon after a change its zone is looked at: one that changes all the time is, once in a while.
const LOOKED_AT_AFTER: Duration = Duration::from_secs(30);

/// Zones that something is to be done about, and when.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    due: Mutex<BTreeMap<ZoneId, Instant>>,
    sooner: Notify,
}

impl Upkeep {
    /// Notes that a change was laid over the zone's image.
    pub(crate) fn changed(&self, zone: ZoneId, image: &Image, limits: &Limits) {
        let now = Instant::now();
        let due = if image.is_worth_merging(limits) { now } else { now + LOOKED_AT_AFTER };
        let mut all = self.due();
        let noted = all.entry(zone).or_insert(due);
        *noted = due.min(*noted);
        self.sooner.notify_one();
    }

    /// Notes that a version was published at which nobody has looked closely.
    pub(crate) fn look_at(&self, zone: ZoneId) {
        self.due().insert(zone, Instant::now());
        self.sooner.notify_one();
    }

    fn first(&self) -> Option<(Instant, ZoneId)> {
        self.due().iter().map(|(zone, due)| (*due, *zone)).min()
    }

    fn take(&self, zone: ZoneId) {
        self.due().remove(&zone);
    }

    fn due(&self) -> MutexGuard<'_, BTreeMap<ZoneId, Instant>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what is due.
pub(crate) async fn follow_upkeep(node: Arc<Node>) {
    loop {
        let sooner = node.upkeep.sooner.notified();
        match node.upkeep.first() {
            None => sooner.await,
            Some((due, id)) if due <= Instant::now() => {
                // Changes that come from here on are noted again.
                node.upkeep.take(id);
                if let Some(zone) = node.zone(id) {
                    keep_up(&node, &zone).await;
                }
            }
            Some((due, _)) => tokio::select! {
                () = sleep_until(due) => {}
                () = sooner => {}
            },
        }
    }
}

pub(crate) async fn keep_up(node: &Node, zone: &Followed) {
    let Some(held) = zone.condition().held.clone() else { return };
    let image = held.image.clone();
    if image.is_worth_merging(&node.contents_limits) {
        merge(node, zone, &held).await;
    }
    let now_secs = node.clock.now().0 / 1000;
    let Some(inspection) = beside(node, &image.clone(), move || inspect(&image, now_secs)).await else { return };
    warnings::say_doubts(node, zone, &inspection);
    let mut condition = zone.condition();
    // Of a version that has been laid over this one the same is found out later; until then this is what is known.
    if condition.held.as_ref().is_some_and(|now| now.generation == held.generation || !now.image.is_merged()) {
        condition.said.set_signatures(inspection.horizon.into());
    }
}

/// Builds a version's image anew, and has the version of now lie over it.
async fn merge(node: &Node, zone: &Followed, version: &Snapshot) {
    let image = version.image.clone();
    let Some(merged) = beside(node, &version.image, move || image.merged()).await else { return };
    if zone.condition().is_on_disk() {
        match node.store.rebase(zone.id, version.generation, merged.clone()).await {
            // Another image has been written meanwhile.
            Ok(()) | Err(StoreError::NothingToLieOver { .. }) => {}
            Err(error) => {
                tracing::warn!(zone = %zone.name, %error, "the zone's image was built anew and cannot be written");
            }
        }
    }
    let Some(_writing) = zone.write().await else { return };
    let mut condition = zone.condition();
    let Some(held) = &condition.held else { return };
    let Some(image) = held.image.laid_over(&merged, &version.image) else { return };
    let next = Arc::new(Snapshot { generation: held.generation, image });
    let is_served = zone.snapshot().is_some_and(|served| served.generation == next.generation);
    if is_served {
        zone.served.publish(Contents::Live(next.clone()));
    }
    condition.held = Some(next);
}

/// Works on an image, away from the runtime's threads where it is large; none when the program ends.
async fn beside<T: Send + 'static>(
    node: &Node,
    image: &Image,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if image.octets() as u64 <= ADVANCED_HERE_OCTETS_MAX {
        return Some(work());
    }
    node.long_work.begin(work).await.ok()
}
