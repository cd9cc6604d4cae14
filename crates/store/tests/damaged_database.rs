//! The database is damaged in many places: it is put aside, if that is wanted, nothing is deleted, and the store works.

#![allow(clippy::unwrap_used)]

mod zones;

use std::sync::Arc;

use store::{DamagedDatabase, Disk, Opened, Options, Store, StoreError, StoredContents};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use zones::{LARGE_RECORDS, commit, image};

const DATABASE: &str = "zones.redb";
const ZONES: u64 = 40;
const SEEDS: u64 = 40;
const PAGE_OCTETS: usize = 4096;
const UNIX_SECS: u64 = 1_800_000_000;

fn open(disk: &SimulatedDisk) -> Result<Opened, StoreError> {
    let damaged = DamagedDatabase::IsPutAside { unix_secs: UNIX_SECS };
    Store::open_on(Arc::new(disk.clone()), Options { damaged, ..Options::default() })
}

fn records(zone: u64) -> usize {
    if zone <= 3 { LARGE_RECORDS } else { 300 }
}

/// What a server that was killed leaves.
async fn killed() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    for zone in 1..=ZONES {
        let first = commit(zone, 1, records(zone), None);
        let before = (1, first.image.clone());
        opened.store.commit(first).await.unwrap();
        opened.store.commit(commit(zone, 2, records(zone) + 1, Some(&before))).await.unwrap();
    }
    copy(&disk)
}

fn copy(disk: &SimulatedDisk) -> SimulatedDisk {
    disk.cut(disk.operations(), Survival::Everything, Syncs::Kept)
}

/// Writes octets by chance over ten pages.
fn damage(disk: &SimulatedDisk, seed: u64) {
    let pages = disk.octets(DATABASE).unwrap().len() / PAGE_OCTETS;
    let mut state = seed;
    let mut roll = || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    for _ in 0..10 {
        let page = roll() as usize % pages;
        let octets: Vec<u8> = (0..PAGE_OCTETS).map(|_| roll() as u8).collect();
        let from = page * PAGE_OCTETS;
        disk.spoil(DATABASE, |file| file[from..from + PAGE_OCTETS].copy_from_slice(&octets));
    }
}

fn cut_short(disk: &SimulatedDisk, octets: usize) {
    disk.spoil(DATABASE, |file| file.truncate(octets));
}

fn names(disk: &SimulatedDisk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.sort();
    names
}

/// Nothing that was there is gone, and what comes is kept.
async fn has_begun_anew(disk: &SimulatedDisk, opened: Opened) {
    let put_aside = opened.put_aside.clone().unwrap();
    assert_eq!(put_aside.name, format!("zones.redb.damaged-{UNIX_SECS}"));
    assert!(opened.zones.is_empty() && opened.unreadable.is_empty());
    opened.store.commit(commit(7, 3, LARGE_RECORDS, None)).await.unwrap();
    drop(opened);
    let opened = open(disk).unwrap();
    assert_eq!(opened.put_aside, None, "it is not damaged any more");
    assert!(matches!(&opened.zones[..], [only] if only.zone.0 == 7));
    drop(opened);
    let journal = format!("zones.journal.damaged-{UNIX_SECS}");
    let images = ["images/7-3", "images/damaged-1-2", "images/damaged-2-2", "images/damaged-3-2"];
    let expected = images.into_iter().chain(["zones.journal", &journal, DATABASE, &put_aside.name]);
    assert_eq!(names(disk), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_with_damaged_pages_is_put_aside_or_gives_each_zone_whole_or_not_at_all() {
    let killed = killed().await;
    let mut put_aside = 0;
    for seed in 0..SEEDS {
        let disk = copy(&killed);
        damage(&disk, seed);
        let opened = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        if opened.put_aside.is_some() {
            put_aside += 1;
            has_begun_anew(&disk, opened).await;
            continue;
        }
        assert_eq!(opened.zones.len() + opened.unreadable.len(), ZONES as usize, "seed {seed}");
        for stored in &opened.zones {
            let StoredContents::Whole(found) = &stored.contents else { continue };
            let zone = stored.zone.0;
            assert!(found.as_bytes() == image(zone, 2, records(zone) + 1).as_bytes(), "seed {seed}");
        }
        // Closing writes, and redb aborts on some damage that reading does not touch.
        std::mem::forget(opened);
    }
    assert!((1..SEEDS).contains(&put_aside), "{put_aside} of {SEEDS} show one of the two only");
}

#[tokio::test]
async fn half_a_database_and_an_empty_one_are_put_aside() {
    let killed = killed().await;
    for octets in [killed.octets(DATABASE).unwrap().len() / 2, PAGE_OCTETS, 0] {
        let disk = copy(&killed);
        cut_short(&disk, octets);
        let opened = open(&disk).unwrap_or_else(|error| panic!("{octets} octets: {error}"));
        has_begun_anew(&disk, opened).await;
    }
}

#[tokio::test]
async fn one_that_was_put_aside_before_is_kept_too() {
    let disk = killed().await;
    for number in 0..3 {
        cut_short(&disk, PAGE_OCTETS);
        let name = open(&disk).unwrap().put_aside.unwrap().name;
        assert_eq!(name, format!("zones.redb.damaged-{}", UNIX_SECS + number));
    }
    assert_eq!(names(&disk).iter().filter(|name| name.starts_with("zones.redb.damaged-")).count(), 3);
}

#[tokio::test]
async fn what_is_not_damaged_is_not_put_aside() {
    let killed = killed().await;
    // A disk that fails, or is full.
    let disk = copy(&killed);
    disk.fail_at(disk.operations());
    assert!(matches!(open(&disk), Err(StoreError::Io { .. })));
    assert_eq!(names(&disk), names(&killed));
    assert_eq!(open(&disk).unwrap().zones.len() as u64, ZONES);
    // A database that is somewhere else.
    let disk = copy(&killed);
    disk.rename(DATABASE, "elsewhere").unwrap();
    assert!(matches!(open(&disk), Err(StoreError::Damaged { .. })));
    disk.rename("elsewhere", DATABASE).unwrap();
    assert_eq!(open(&disk).unwrap().zones.len() as u64, ZONES);
    // Nobody wants it.
    let disk = copy(&killed);
    cut_short(&disk, PAGE_OCTETS);
    assert!(matches!(Store::open_on(Arc::new(disk.clone()), Options::default()), Err(StoreError::Damaged { .. })));
    // There is no room for another.
    disk.set_room(Some(disk.used()));
    assert!(matches!(open(&disk), Err(StoreError::DiskFull { .. })));
    let left: Vec<String> = names(&disk).into_iter().filter(|name| name != "zones.redb.new").collect();
    assert_eq!(left, names(&killed));
}

#[tokio::test]
async fn the_power_may_go_at_any_moment_while_it_is_put_aside() {
    let disk = killed().await;
    cut_short(&disk, PAGE_OCTETS);
    drop(open(&disk).unwrap());
    for operations in 0..=disk.operations() {
        for survival in [Survival::Nothing, Survival::Everything, Survival::Some(operations as u64)] {
            let cut = disk.cut(operations, survival, Syncs::Kept);
            let opened = open(&cut).unwrap_or_else(|error| panic!("after {operations}, {survival:?}: {error}"));
            opened.store.commit(commit(7, 3, 1, None)).await.unwrap();
            let names = names(&cut);
            let kept = |beginning: &str| names.iter().filter(|name| name.starts_with(beginning)).count();
            assert!(kept("zones.redb.damaged-") == 1 && kept("images/damaged-") == 3, "{operations}: {names:?}");
        }
    }
}
