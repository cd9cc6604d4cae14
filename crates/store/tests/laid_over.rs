//! Versions of large zones that are stored as an earlier one's image and what leads from it to them.

#![allow(clippy::unwrap_used)]

mod patches;
mod zones;

use std::sync::Arc;

use dns::Serial;
use dns::text::zone_from_text;
use patches::patch;
use store::{Commit, Head, HistoryKept, Opened, Options, Store, StoredContents};
use testing::disk::SimulatedDisk;
use zone::{Change, Diff, Generation, Image, Limits, Rejection, ZoneId, advance};
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
        let patch = Commit { history, ..patch(ZONE, generation, &last) };
        last = (generation, patch.image.clone());
        store.commit(patch).await.unwrap();
    }
    drop(store);
    assert_eq!((found(&disk).0, found(&disk).1.digest()), (5, last.1.digest()));
    // As soon as the image is that of a later version, what was before it may go.
    let store = open(&disk).store;
    store.rebase(ZoneId(ZONE), Generation(7), last.1.merged()).await.unwrap_err();
    store.rebase(ZoneId(ZONE), Generation(5), last.1.merged()).await.unwrap();
    let next = Commit { history, ..patch(ZONE, 6, &last) };
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

#[tokio::test]
async fn what_is_read_again_goes_on_to_keep_the_limit_of_names_without_records() {
    let text = |name: &str| zone_from_text(&zones::name(ZONE), name).unwrap();
    let deep = |numbers: std::ops::Range<u32>| -> String {
        numbers.map(|number| format!("{}h{number} 60 A 192.0.2.1\n", "x.".repeat(100))).collect()
    };
    let onward = |old: &Image, change: &Change| {
        let apex: dns::Name = zones::name(ZONE).parse().unwrap();
        advance(apex.borrow(), Some(old), change, [7; 16], Limits::default()).map(|advanced| advanced.image)
    };
    let first = commit(ZONE, 1, 1, None);
    let soa = "@ 60 SOA ns host 1 3600 600 86400 60\n@ 60 NS ns\n";
    // Nearly as many as there may be.
    let image = onward(&first.image, &Change::Full(text(&(soa.to_owned() + &deep(0..1800))))).unwrap();
    let disk = SimulatedDisk::new();
    let store = open(&disk).store;
    let head = Head { digest: image.digest(), ..first.head };
    store.commit(Commit { image: image.clone(), head, ..first }).await.unwrap();
    store.commit(patch(ZONE, 2, &(1, image))).await.unwrap();
    drop(store);
    let (generation, image) = found(&disk);
    assert_eq!((generation, image.is_merged()), (2, false));
    let step = |added: &str| {
        let mut removed = dns::Records::new();
        removed.push(image.soa_record());
        let added = text(&("@ 60 SOA ns host 3 3600 600 86400 60\n".to_owned() + added));
        Change::Steps(vec![Diff { from: Serial(2), to: Serial(3), removed, added }])
    };
    assert!(onward(&image, &step(&deep(1800..1810))).is_ok_and(|next| !next.is_merged()));
    let rejection = onward(&image, &step(&deep(1800..1830))).err();
    assert!(matches!(rejection, Some(Rejection::TooManyEmptyNames { .. })), "{rejection:?}");
}
