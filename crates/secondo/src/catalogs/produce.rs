//! Makes a catalog (RFC 9432) of all zones that are served, for other servers to follow.
//!
//! ```text
//! the table of answered zones has changed ─┐
//! a zone has got its first version        ─┴─> list ─> write ─> advance ─> commit ─> publish, tell
//! ```
//!
//! It lies in the store under an id that no zone has, with a history like any other: so its serial never goes back, it is
//! there at once when the program starts, and differences of it are sent.
//!
//! Invariants: durable before visible; catalogs that we follow are never listed, nor this one; a zone whose copy has
//! expired or was damaged stays listed, because whoever follows us would delete theirs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use answer::{Contents, ServedZone, ZoneTable};
use dns::{Name, Serial};
use store::{ClockFacts, Commit, Head, HistoryKept, Step, StoredContents, StoredZone};
use zone::catalog::{read, write};
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId, advance};

use crate::node::{Node, last_generation_used};
use crate::telling::{Targets, announce};

/// The inventory counts from 1.
pub(crate) const OWN_ID: ZoneId = ZoneId(0);
/// What changes within this time is one version.
const TOGETHER: Duration = Duration::from_millis(500);
/// A large catalog takes its time; making it may take one part of so many.
const PARTS: u32 = 5;
/// When it could not be made or written.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The catalog that is made here.
pub(crate) struct Own {
    name: Name,
    served: Arc<ServedZone>,
    held: Option<Arc<Snapshot>>,
    /// The last one used.
    generation: Generation,
}

impl Own {
    /// The catalog as it was when the program ended, which is given to those who may have it from now on.
    pub(crate) fn restored(node: &Node, name: Name, stored: Option<StoredZone>) -> Self {
        let committed = stored.as_ref().map_or(Generation(0), |stored| stored.head.generation);
        let generation = last_generation_used(committed, node.clock.now());
        let held = stored.filter(|stored| stored.name == name).and_then(|stored| match stored.contents {
            StoredContents::Whole(image) => Some(Arc::new(Snapshot { generation: committed, image })),
            StoredContents::Unusable(what) => {
                tracing::error!(catalog = %name, "the catalog that is made here is lost and made anew: {what}");
                None
            }
        });
        let contents = held.clone().map_or(Contents::Absent, Contents::Live);
        let served = Arc::new(ServedZone::new(OWN_ID, TenantId::DEFAULT, name.clone(), contents));
        node.shared.catalogs.store(Arc::new(ZoneTable::new([served.clone()])));
        Self { name, served, held, generation }
    }

    /// Keeps it as the zones are, for ever.
    pub(crate) async fn keep(&mut self, node: &Arc<Node>) {
        self.tell(node);
        loop {
            let began = Instant::now();
            let pause = match self.bring_up(node).await {
                Ok(()) => TOGETHER.max(began.elapsed() * PARTS),
                Err(error) => {
                    tracing::error!(catalog = %self.name, "the catalog cannot be made, and stays as it is: {error:#}");
                    node.catalogs.listed_otherwise.notify_one();
                    AGAIN_AFTER
                }
            };
            tokio::time::sleep(pause).await;
            node.catalogs.listed_otherwise.notified().await;
        }
    }

    /// Makes a new version if zones have come or gone.
    async fn bring_up(&mut self, node: &Arc<Node>) -> anyhow::Result<()> {
        let (held, name, listing) = (self.held.clone(), self.name.clone(), node.clone());
        let now_secs = node.clock.now().0 / 1000;
        let mut seed = [0; 16];
        node.clock.machine().random(&mut seed).map_err(|error| anyhow::anyhow!("{error}"))?;
        let make = move || -> anyhow::Result<Option<zone::Advanced>> {
            let old = held.as_ref().map(|held| &held.image);
            let before: HashSet<Name> = match old.map(read) {
                Some(Ok(listing)) => listing.entries().iter().map(|entry| entry.zone.clone()).collect(),
                _ => HashSet::new(),
            };
            let zones = list(&listing, &name, &before);
            let records = |serial| write(&name, serial, zones.iter().map(|zone| (zone.id, zone.apex.borrow())));
            let change = |serial| anyhow::Ok(Change::Full(records(serial)?));
            if let Some(old) = old {
                let same = advance(name.borrow(), Some(old), &change(old.serial())?, seed, Limits::NONE)?;
                if same.image.digest() == old.digest() {
                    return Ok(None);
                }
            }
            let serial = next_serial(old.map(zone::Image::serial), now_secs);
            Ok(Some(advance(name.borrow(), old, &change(serial)?, seed, Limits::NONE)?))
        };
        let Some(advanced) = tokio::task::spawn_blocking(make).await?? else { return Ok(()) };
        let from = self.held.as_ref().map(|held| held.generation);
        let generation = Generation(self.generation.0 + 1);
        self.generation = generation;
        let step = |diff| from.map(|from| Step { from, to: generation, diff });
        let image = advanced.image;
        let commit = Commit {
            zone: OWN_ID,
            name: self.name.clone(),
            head: Head { generation, serial: image.serial(), digest: image.digest() },
            clock: ClockFacts::default(),
            at_ms: node.clock.now().0,
            image: image.clone(),
            history: HistoryKept::default(),
            steps: advanced.diffs.into_iter().filter_map(step).collect(),
        };
        node.store.commit(commit).await?;
        let snapshot = Arc::new(Snapshot { generation, image });
        tracing::info!(catalog = %self.name, serial = %snapshot.image.serial(), "the catalog that is made here lists other zones");
        self.held = Some(snapshot.clone());
        self.served.publish(Contents::Live(snapshot));
        self.tell(node);
        Ok(())
    }

    fn tell(&self, node: &Node) {
        if let Some(held) = &self.held {
            let targets = Targets { owner: TenantId::DEFAULT, all: &node.defaults.load().notify_to };
            announce(node, (OWN_ID, &self.name), &held.image, targets, None);
        }
    }
}

/// The zones that belong on it. A zone of which nothing has come yet is not worth following; but one that was listed, or may
/// have been before everything stored was lost, must not vanish from where it was copied to.
fn list(node: &Node, catalog: &Name, before: &HashSet<Name>) -> Vec<Arc<ServedZone>> {
    let has_contents = |zone: &ServedZone| !matches!(zone.contents(), Contents::Absent);
    let is_lost = node.put_aside.is_some();
    let table = node.shared.zones.load();
    let listed = table.iter().filter(|zone| is_lost || has_contents(zone) || before.contains(&zone.apex));
    // A catalog of the same name, which came before this one was wanted, or by another catalog, is answered in its place.
    listed.filter(|zone| zone.apex != *catalog).cloned().collect()
}

/// A serial that is newer than the last one, also if that was lost: then time has gone on.
fn next_serial(last: Option<Serial>, now_secs: u64) -> Serial {
    let now = Serial(now_secs as u32);
    match last {
        Some(last) if !now.is_newer_than(last) => Serial(last.0.wrapping_add(1)),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use dns::Serial;

    use super::next_serial;

    #[test]
    fn the_serial_goes_with_time_and_never_back() {
        assert_eq!(next_serial(None, 1_800_000_000), Serial(1_800_000_000));
        assert_eq!(next_serial(Some(Serial(1_700_000_000)), 1_800_000_000), Serial(1_800_000_000));
        assert_eq!(next_serial(Some(Serial(1_800_000_000)), 1_800_000_000), Serial(1_800_000_001));
        assert_eq!(next_serial(Some(Serial(1_900_000_000)), 1_800_000_000), Serial(1_900_000_001));
        assert_eq!(next_serial(Some(Serial(u32::MAX)), u64::from(u32::MAX)), Serial(0));
    }
}
