//! The disk fails or is full, and works again: the store says so, loses nothing, and goes on by itself.

#![allow(clippy::unwrap_used)]

mod patches;
mod stream;
mod zones;

use store::{Options, StoreError, StoredContents};
use stream::{Ledger, open};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use zone::{Generation, ZoneId};
use zones::{LARGE_RECORDS, clock, commit, image};

/// How many operations the stream takes on a disk that works, opening included.
async fn operations() -> usize {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    Ledger::default().play(&opened.store, &disk).await;
    disk.operations()
}

#[tokio::test]
async fn any_operation_may_fail_once_and_the_store_goes_on() {
    for failing in 0..operations().await {
        let (disk, mut ledger) = (SimulatedDisk::new(), Ledger::default());
        disk.fail_at(failing);
        let opened = open(&disk).or_else(|_| open(&disk)).unwrap();
        while disk.is_to_fail() {
            ledger.play(&opened.store, &disk).await;
        }
        // What failed is not tried again here; it is enough that the next versions of all zones are committed.
        let errors = ledger.play(&opened.store, &disk).await;
        assert!(errors.is_empty(), "operation {failing} failed: {errors:?}");
        drop(opened);
        ledger.verify(&disk, disk.operations()).unwrap_or_else(|what| panic!("operation {failing} failed: {what}"));
    }
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_keeps_what_was_committed() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    let store = &opened.store;
    let first = commit(1, 1, 1, None);
    let before = (1, first.image.clone());
    store.commit(first).await.unwrap();
    disk.set_room(Some(disk.used()));

    let full = store.commit(commit(2, 1, LARGE_RECORDS, None)).await;
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "an image file: {full:?}");
    let mut zone = 10;
    let full = loop {
        // Free pages inside of the database still take small zones, for a while.
        match store.commit(commit(zone, 1, 1_000, None)).await {
            Ok(()) => zone += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::DiskFull { .. }), "the database: {full:?}");
    assert!(zone < 100);
    assert_eq!(store.history(ZoneId(1)).unwrap().len(), 1, "what was committed can be read");
    store.confirm(ZoneId(1), clock(2));
    store.flush().await.unwrap();

    disk.set_room(None);
    store.commit(commit(2, 1, LARGE_RECORDS, None)).await.unwrap();
    store.commit(commit(1, 2, 2, Some(&before))).await.unwrap();
    assert_eq!(store.history(ZoneId(1)).unwrap().len(), 2);
    drop(opened);
    let zones = open(&disk).unwrap().zones;
    assert_eq!(zones.len() as u64, 2 + zone - 10);
    assert!(zones.iter().all(|zone| matches!(zone.contents, StoredContents::Whole(_))));
}

#[tokio::test]
async fn only_the_zone_whose_file_cannot_be_written_fails() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    // Room for the database to grow, not for the image.
    opened.store.commit(commit(1, 1, 1, None)).await.unwrap();
    disk.set_room(Some(disk.used()));
    let large = tokio::spawn({
        let store = opened.store.clone();
        async move { store.commit(commit(2, 1, LARGE_RECORDS, None)).await }
    });
    opened.store.commit(commit(3, 1, 1, None)).await.unwrap();
    assert!(matches!(large.await.unwrap(), Err(StoreError::DiskFull { .. })));
}

#[tokio::test]
async fn a_damaged_image_harms_no_other_zone_and_is_put_aside() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    for (zone, records) in [(1, 1), (2, LARGE_RECORDS), (3, LARGE_RECORDS)] {
        opened.store.commit(commit(zone, 1, records, None)).await.unwrap();
    }
    drop(opened);
    disk.damage("images/2-1", 100_000);

    let opened = open(&disk).unwrap();
    let damaged: Vec<_> = opened
        .zones
        .iter()
        .filter_map(|zone| match &zone.contents {
            StoredContents::Unusable(what) => Some((zone.zone.0, zone.head.generation.0, what.as_str())),
            StoredContents::Whole(_) => None,
        })
        .collect();
    let sentence = "zone 2: its image images/2-1 has a wrong checksum; it is kept as images/damaged-2-1";
    assert_eq!(damaged, [(2, 1, sentence)]);
    assert!(disk.octets("images/damaged-2-1").is_some() && disk.octets("images/2-1").is_none());

    opened.store.commit(commit(2, 2, LARGE_RECORDS, None)).await.unwrap();
    drop(opened);
    let zones = open(&disk).unwrap().zones;
    assert!(zones.iter().all(|zone| matches!(zone.contents, StoredContents::Whole(_))));
}

#[tokio::test]
async fn an_image_that_cannot_be_read_now_is_left_for_the_next_start() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    opened.store.commit(commit(1, 1, LARGE_RECORDS, None)).await.unwrap();
    drop(opened);
    disk.refuse_to_map(Some("images/1-1"));
    let opened = open(&disk).unwrap();
    assert!(matches!(&opened.zones[0].contents, StoredContents::Unusable(what) if what.contains("cannot be read")));
    drop(opened);
    disk.refuse_to_map(None);
    let opened = open(&disk).unwrap();
    assert!(matches!(opened.zones[0].contents, StoredContents::Whole(_)));
}

#[tokio::test]
async fn a_bit_flipped_anywhere_in_the_database_never_loses_or_changes_a_zone_in_silence() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    let zones = [(1, LARGE_RECORDS), (2, 1), (3, 2)];
    for (zone, records) in zones {
        opened.store.commit(commit(zone, 1, records, None)).await.unwrap();
    }
    drop(opened);
    let used = disk.octets("zones.redb").unwrap().iter().rposition(|octet| *octet != 0).unwrap();
    let mut refused = 0;
    for offset in (0..100).step_by(3).chain((100..used).step_by(used / 150)) {
        let disk = disk.cut(disk.operations(), Survival::Everything, Syncs::Kept);
        disk.damage("zones.redb", offset);
        match open(&disk) {
            Err(StoreError::Damaged { .. }) => {
                let left = disk.octets("zones.redb").unwrap();
                assert!(left.len() > used, "octet {offset}: the file was cut short or replaced");
                refused += 1;
            }
            Err(error) => panic!("octet {offset}: {error}"),
            Ok(opened) => {
                assert_eq!(opened.zones.len() + opened.unreadable.len(), zones.len(), "octet {offset}");
                for stored in &opened.zones {
                    let StoredContents::Whole(found) = &stored.contents else { continue };
                    let (_, records) = zones[stored.zone.0 as usize - 1];
                    assert!(found.as_bytes() == image(stored.zone.0, 1, records).as_bytes(), "octet {offset}");
                }
                // Closing writes, and redb aborts on some damage that reading does not touch.
                std::mem::forget(opened);
            }
        }
        assert!(disk.octets("images/1-1").is_some(), "octet {offset}");
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn a_damaged_diff_is_said_to_be_and_the_zone_goes_on() {
    // GL#339, GL#2670: nobody may be sent what only looks like a difference.
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    let first = commit(1, 1, LARGE_RECORDS, None);
    let before = (1, first.image.clone());
    opened.store.commit(first).await.unwrap();
    opened.store.commit(commit(1, 2, LARGE_RECORDS, Some(&before))).await.unwrap();
    assert!(opened.store.diff(ZoneId(1), Generation(2)).unwrap().is_some());
    drop(opened);
    // The images are files of their own: in the database only the diff has the records' text.
    let octets = disk.octets("zones.redb").unwrap();
    let text = octets.windows(10).position(|octets| octets == b"0000000001").unwrap();
    disk.damage("zones.redb", text);
    let opened = open(&disk).unwrap();
    let diff = opened.store.diff(ZoneId(1), Generation(2));
    assert!(matches!(&diff, Err(StoreError::Damaged { what }) if what.contains("diff")), "{diff:?}");
    assert!(matches!(opened.zones[0].contents, StoredContents::Whole(_)));
    opened.store.commit(commit(1, 3, LARGE_RECORDS, None)).await.unwrap();
}

#[tokio::test]
async fn a_missing_database_is_not_replaced_while_something_shows_that_it_was_there() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk).unwrap();
    opened.store.commit(commit(1, 1, LARGE_RECORDS, None)).await.unwrap();
    drop(opened);
    store::Disk::remove(&disk, "zones.redb").unwrap();
    let Err(error) = store::Store::open_on(std::sync::Arc::new(disk.clone()), Options::default()) else {
        panic!("an empty store was made");
    };
    assert!(error.to_string().starts_with("zones.redb is missing although images/1-1 is there"), "{error}");
    assert!(disk.octets("images/1-1").is_some());
    // Nor while the journal is, of zones that have no files of their own.
    store::Disk::remove(&disk, "images/1-1").unwrap();
    let opened = store::Store::open_on(std::sync::Arc::new(disk.clone()), Options::default());
    let error = opened.err().expect("an empty store was made");
    assert!(error.to_string().starts_with("zones.redb is missing although zones.journal is there"), "{error}");
    store::Disk::remove(&disk, "zones.journal").unwrap();
    assert!(open(&disk).unwrap().zones.is_empty());
}
