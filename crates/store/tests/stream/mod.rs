//! A stream of commits over several zones, small and large, and what is known of each after any operation of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use store::{Opened, Options, Origin, Store, StoreError, StoredContents};
use testing::disk::SimulatedDisk;
use zone::{Generation, Image, ZoneId};

use crate::patches::patch;
use crate::zones::{LARGE_RECORDS, clock, commit};

/// What happens in the stream, one after the other; what is in one step happens at once.
pub(crate) enum Event {
    /// These zones get a version with so many text records.
    Commit(&'static [(u64, usize)]),
    /// These zones, which are large, get a version with one more record, laid over what is there.
    Patch(&'static [u64]),
    /// The image of the zone's version before the last takes the place of the stored one.
    Merge(u64),
    Remove(u64),
    /// All zones are confirmed once more and that is flushed.
    Confirm,
}

/// Small and large zones, growing and shrinking over the limit, removed, and come back.
pub(crate) const STREAM: &[Event] = &[
    Event::Commit(&[(1, 1), (2, 3), (3, 1)]),
    Event::Commit(&[(5, LARGE_RECORDS)]),
    Event::Commit(&[(1, 2)]),
    Event::Commit(&[(2, LARGE_RECORDS)]),
    Event::Confirm,
    Event::Commit(&[(5, LARGE_RECORDS), (1, 1), (3, 2)]),
    Event::Patch(&[5]),
    Event::Patch(&[5, 2]),
    Event::Remove(3),
    Event::Merge(5),
    Event::Patch(&[5]),
    Event::Commit(&[(2, 2)]),
    Event::Commit(&[(4, LARGE_RECORDS)]),
    Event::Remove(5),
    Event::Commit(&[(3, 1), (1, 3)]),
    Event::Commit(&[(4, LARGE_RECORDS + 1)]),
    Event::Patch(&[4]),
    Event::Confirm,
    Event::Patch(&[4]),
    Event::Patch(&[4]),
    Event::Merge(4),
    Event::Commit(&[(1, 2)]),
];

/// One state of a zone and when it came about, counted in operations of the disk.
struct Known {
    /// None: it is not there.
    version: Option<(u64, Image)>,
    /// Handed in when so many operations were done.
    from: usize,
    /// Said to be durable when so many operations were done; never for what failed.
    durable_at: Option<usize>,
}

/// What the store was told, and what it said.
#[derive(Default)]
pub(crate) struct Ledger {
    zones: BTreeMap<u64, Vec<Known>>,
    generation: u64,
}

impl Ledger {
    /// Plays the stream; errors are noted and the stream goes on, as a node does. Returns the errors.
    pub(crate) async fn play(&mut self, store: &Store, disk: &SimulatedDisk) -> Vec<StoreError> {
        let mut errors = Vec::new();
        for event in STREAM {
            self.generation += 1;
            let from = disk.operations();
            match event {
                Event::Commit(zones) => {
                    let commits = zones.iter().map(|(zone, records)| {
                        let commit = commit(*zone, self.generation, *records, self.last(*zone));
                        let (store, zone, image) = (store.clone(), *zone, commit.image.clone());
                        (zone, image, tokio::spawn(async move { store.commit(commit).await }))
                    });
                    for (zone, image, committed) in commits.collect::<Vec<_>>() {
                        let version = Some((self.generation, image));
                        self.note(zone, version, from, committed.await.unwrap(), disk, &mut errors);
                    }
                }
                Event::Patch(zones) => {
                    for zone in *zones {
                        // After what failed there may be nothing to lie over.
                        let is_large = |(_, image): &&(u64, Image)| image.octets() > 256 << 10;
                        let Some(before) = self.last(*zone).filter(is_large) else { continue };
                        let commit = patch(*zone, self.generation, before);
                        let version = Some((self.generation, commit.image.clone()));
                        let committed = store.commit(commit).await;
                        self.note(*zone, version, from, committed, disk, &mut errors);
                    }
                }
                Event::Merge(zone) => {
                    let durable = self.zones[zone].iter().filter(|known| known.durable_at.is_some());
                    let version = durable.rev().filter_map(|known| known.version.as_ref()).nth(1);
                    if let Some((generation, image)) = version {
                        let merged = store.rebase(ZoneId(*zone), Generation(*generation), image.merged()).await;
                        errors.extend(merged.err());
                    }
                }
                Event::Remove(zone) => {
                    let removed = store.remove(ZoneId(*zone)).await;
                    self.note(*zone, None, from, removed, disk, &mut errors);
                }
                Event::Confirm => {
                    self.zones.keys().for_each(|zone| store.confirm(ZoneId(*zone), clock(self.generation)));
                    errors.extend(store.flush().await.err());
                }
            }
        }
        errors
    }

    fn last(&self, zone: u64) -> Option<&(u64, Image)> {
        let known = self.zones.get(&zone)?;
        known.iter().rev().find(|known| known.durable_at.is_some())?.version.as_ref()
    }

    fn note(
        &mut self,
        zone: u64,
        version: Option<(u64, Image)>,
        from: usize,
        result: Result<(), StoreError>,
        disk: &SimulatedDisk,
        errors: &mut Vec<StoreError>,
    ) {
        let durable_at = result.is_ok().then(|| disk.operations());
        errors.extend(result.err());
        self.zones.entry(zone).or_default().push(Known { version, from, durable_at });
    }

    /// Says what is wrong with a disk whose power went when `operations` were done; the store is opened on it.
    pub(crate) fn verify(&self, disk: &SimulatedDisk, operations: usize) -> Result<(), String> {
        let opened = open(disk).map_err(|error| error.to_string())?;
        if !opened.unreadable.is_empty() {
            return Err(format!("unreadable: {:?}", opened.unreadable));
        }
        if opened.journal_lost {
            return Err("the journal is said to be lost".into());
        }
        if opened.changes_lost > 0 {
            return Err(format!("{} changes are said to be lost", opened.changes_lost));
        }
        let mut expected_files = BTreeSet::from(["zones.redb".to_string(), "zones.journal".to_string()]);
        let mut found = BTreeMap::new();
        for zone in &opened.zones {
            let StoredContents::Whole(image) = &zone.contents else {
                let StoredContents::Unusable(what) = &zone.contents else { unreachable!() };
                return Err(what.clone());
            };
            if image.as_bytes().len() > 256 << 10 {
                // The image of a version that others were laid over has its generation.
                let own = format!("images/{}-", zone.zone);
                let of_head = format!("{own}{}", zone.head.generation);
                let files = store::Disk::list(disk).unwrap();
                let is_its = |name: &String| name.starts_with(&own) && image.is_merged() == (*name == of_head);
                expected_files.extend(files.into_iter().filter(is_its).take(1));
            }
            if zone.clock.last_confirmed_ms > self.generation * 1_000 {
                return Err(format!("zone {}: confirmed in the future", zone.zone));
            }
            verify_history(&opened.store, zone.zone, zone.head.generation)?;
            found.insert(zone.zone.0, (zone.head.generation.0, image.clone()));
        }
        for (zone, known) in &self.zones {
            let found = found.remove(zone);
            // The last state that was durable by then, and whatever was handed in after it.
            let last = known.iter().rposition(|known| known.durable_at.is_some_and(|at| at <= operations));
            let may = &known[last.unwrap_or(0)..];
            let fits = may
                .iter()
                .filter(|known| known.from < operations || known.durable_at.is_some_and(|at| at <= operations))
                .any(|known| same(known.version.as_ref(), found.as_ref()));
            let never_there = last.is_none() && found.is_none();
            if !fits && !never_there {
                let generation = found.map(|(generation, _)| generation);
                return Err(format!("zone {zone} is at {generation:?}, which is lost, torn or never was"));
            }
        }
        if !found.is_empty() {
            return Err(format!("zones from nowhere: {:?}", found.keys()));
        }
        drop(opened);
        let files: BTreeSet<_> = store::Disk::list(disk).unwrap().into_iter().collect();
        if files != expected_files {
            return Err(format!("files {files:?} instead of {expected_files:?}"));
        }
        Ok(())
    }
}

fn same(known: Option<&(u64, Image)>, found: Option<&(u64, Image)>) -> bool {
    match (known, found) {
        (Some((known, image)), Some((found, octets))) => {
            known == found && image.merged().as_bytes() == octets.merged().as_bytes()
        }
        (known, found) => known.is_none() && found.is_none(),
    }
}

/// History ends at the head, and the diff that leads there is one.
fn verify_history(store: &Store, zone: ZoneId, head: Generation) -> Result<(), String> {
    let history = store.history(zone).map_err(|error| error.to_string())?;
    let newest = history.last().ok_or_else(|| format!("zone {zone} has no history"))?;
    if newest.generation != head {
        return Err(format!("zone {zone}: history ends at {} instead of {head}", newest.generation));
    }
    let diff = store.diff(zone, head).map_err(|error| error.to_string())?;
    match newest.origin {
        Origin::Step { .. } if diff.is_none_or(|diff| diff.to != newest.serial) => {
            Err(format!("zone {zone}: the diff to {head} is missing"))
        }
        _ => Ok(()),
    }
}

/// Opens the store on a simulated disk.
pub(crate) fn open(disk: &SimulatedDisk) -> Result<Opened, StoreError> {
    Store::open_on(Arc::new(disk.clone()), Options::default())
}
