//! Commits share the wait for the disk, and confirmations do not wait for ever.

#![allow(clippy::unwrap_used)]

mod zones;

use std::sync::Arc;
use std::time::Duration;

use store::{Opened, Options, Store};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use zone::ZoneId;
use zones::{LARGE_RECORDS, clock, commit};

fn open(disk: &SimulatedDisk, options: Options) -> Opened {
    Store::open_on(Arc::new(disk.clone()), options).unwrap()
}

#[tokio::test]
async fn what_is_committed_at_the_same_time_is_synced_together() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk, Options::default());
    let before = disk.syncs();
    let commits = (0..2_000).map(|zone| {
        let (store, commit) = (opened.store.clone(), commit(zone, 1, 1, None));
        tokio::spawn(async move { store.commit(commit).await })
    });
    for committed in commits.collect::<Vec<_>>() {
        committed.await.unwrap().unwrap();
    }
    let syncs = disk.syncs() - before;
    assert!(syncs < 200, "{syncs} syncs for 2,000 commits");
}

#[tokio::test]
async fn more_commits_than_the_queue_holds_all_get_their_turn() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk, Options::default());
    let commits = (0..10_000).map(|zone| {
        let records = if zone % 2_500 == 0 { LARGE_RECORDS } else { 0 };
        let (store, commit) = (opened.store.clone(), commit(zone, 1, records, None));
        tokio::spawn(async move { store.commit(commit).await })
    });
    for committed in commits.collect::<Vec<_>>() {
        committed.await.unwrap().unwrap();
    }
    drop(opened);
    assert_eq!(open(&disk, Options::default()).zones.len(), 10_000);
}

#[tokio::test]
async fn a_confirmation_reaches_the_disk_without_being_asked_to() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk, Options { confirmations_late_max: Duration::from_millis(1), ..Options::default() });
    opened.store.commit(commit(1, 1, 1, None)).await.unwrap();
    opened.store.confirm(ZoneId(1), clock(2));
    testing::eventually(Duration::from_secs(10), "the confirmation on disk", || {
        let cut = disk.cut(disk.operations(), Survival::Nothing, Syncs::Kept);
        let found = open(&cut, Options::default()).zones[0].clock;
        (found == clock(2)).then_some(()).ok_or(format!("{found:?}"))
    });
}
