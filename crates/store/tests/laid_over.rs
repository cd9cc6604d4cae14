//! Versions of large zones that are stored as an earlier one's image and what leads from it to them.

#![allow(clippy::unwrap_used)]

mod patches;
mod zones;

use std::sync::Arc;

use patches::patch;
use store::{HistoryKept, Opened, Options, Store, StoredContents};
use testing::disk::SimulatedDisk;
use zone::{Generation, Image, ZoneId};
use zones::{LARGE_RECORDS, commit};

const ZONE: u64 = 1;

fn open(disk: &SimulatedDisk) -> Opened {
    Store::open_on(Arc::new(disk.clone()), Options::default()).unwrap()
}

/// The only zone as it is found on the disk.
fn found(disk: &SimulatedDisk) -> (u64, Image) {
    let opened = open(disk);
    let zone = &opened.zones[0];
    let StoredContents::Whole(image) = &zone.contents else { panic!("damaged") };
    (zone.head.generation.0, image.clone())
}

fn files(disk: &SimulatedDisk) -> Vec<String> {
    let files = store::Disk::list(disk).unwrap();
    files.into_iter().filter(|name| name.starts_with("images/")).collect()
}

#[tokio::test]
async fn a_change_of_a_large_zone_writes_no_image_until_its_image_is_built_anew() {
    let disk = SimulatedDisk::new();
    let store = open(&disk).store;
    let whole = commit(ZONE, 1, LARGE_RECORDS, None);
    let mut last = (1, whole.image.clone());
    store.commit(whole).await.unwrap();
    let used = disk.used();
    for generation in 2..6 {
        let patch = patch(ZONE, generation, &last);
        last = (generation, patch.image.clone());
        store.commit(patch).await.unwrap();
    }
    assert_eq!(files(&disk), ["images/1-1"]);
    assert!(disk.used() < used + (64 << 10), "{} octets after {used}", disk.used());
    store.rebase(ZoneId(ZONE), Generation(5), last.1.merged()).await.unwrap();
    drop(store);
    assert_eq!(files(&disk), ["images/1-5"]);
    let (generation, image) = found(&disk);
    assert_eq!((generation, image.digest(), image.is_merged()), (5, last.1.digest(), true));
}

#[tokio::test]
async fn diffs_that_a_stored_image_needs_are_kept_however_little_history_is_wanted() {
    let disk = SimulatedDisk::new();
    let store = open(&disk).store;
    let history = HistoryKept { versions_max: 1, ..HistoryKept::default() };
    let whole = commit(ZONE, 1, LARGE_RECORDS, None);
    let mut last = (1, whole.image.clone());
    store.commit(whole).await.unwrap();
    for generation in 2..6 {
        let patch = store::Commit { history, ..patch(ZONE, generation, &last) };
        last = (generation, patch.image.clone());
        store.commit(patch).await.unwrap();
    }
    drop(store);
    assert_eq!((found(&disk).0, found(&disk).1.digest()), (5, last.1.digest()));
    // As soon as the image is that of a later version, what was before it may go.
    let store = open(&disk).store;
    store.rebase(ZoneId(ZONE), Generation(7), last.1.merged()).await.unwrap_err();
    store.rebase(ZoneId(ZONE), Generation(5), last.1.merged()).await.unwrap();
    let next = store::Commit { history, ..patch(ZONE, 6, &last) };
    let digest = next.image.digest();
    store.commit(next).await.unwrap();
    let kept: Vec<u64> = store.history(ZoneId(ZONE)).unwrap().iter().map(|version| version.generation.0).collect();
    assert_eq!(kept, [5, 6]);
    drop(store);
    assert_eq!(found(&disk).1.digest(), digest);
}

#[tokio::test]
async fn steps_that_do_not_begin_where_the_stored_ones_end_bring_an_image() {
    let disk = SimulatedDisk::new();
    let store = open(&disk).store;
    let whole = commit(ZONE, 1, LARGE_RECORDS, None);
    let first = (1, whole.image.clone());
    store.commit(whole).await.unwrap();
    // A version that lived in memory only.
    let lost = patch(ZONE, 2, &first);
    let next = patch(ZONE, 3, &(2, lost.image));
    let digest = next.image.digest();
    store.commit(next).await.unwrap();
    drop(store);
    assert_eq!(files(&disk), ["images/1-3"]);
    let (generation, image) = found(&disk);
    assert_eq!((generation, image.digest(), image.is_merged()), (3, digest, true));
}
