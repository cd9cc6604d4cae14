//! Small changes are durable in the journal, and whatever happens to it or to the database, each has its own octets only.

#![allow(clippy::unwrap_used)]

mod zones;

use std::sync::Arc;

use redb::{ReadableDatabase, TableDefinition};
use store::{DamagedDatabase, Disk, Opened, Options, Store, StoreError};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use zone::ZoneId;
use zones::{LARGE_RECORDS, clock, commit};

const JOURNAL: &str = "zones.journal";
/// Of the journal; its mark is behind them.
const RECORDS_OCTETS: usize = 1 << 20;
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

fn open(disk: &SimulatedDisk) -> Opened {
    Store::open_on(Arc::new(disk.clone()), Options::default()).unwrap()
}

/// What a power cut now leaves, on the unkindest disk.
fn cut(disk: &SimulatedDisk) -> SimulatedDisk {
    disk.cut(disk.operations(), Survival::Nothing, Syncs::Kept)
}

/// Each zone's committed generation.
fn heads(disk: &SimulatedDisk) -> Vec<(u64, u64)> {
    open(disk).zones.iter().map(|zone| (zone.zone.0, zone.head.generation.0)).collect()
}

async fn commit_all(store: &Store, generations: impl IntoIterator<Item = u64>) {
    for generation in generations {
        store.commit(commit(1, generation, 1, None)).await.unwrap();
    }
}

/// A disk that was cut when the journal had generations up to 5, of which the database has the first.
async fn with_a_journal() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, 1..=5).await;
    let cut = cut(&disk);
    assert_eq!(generation_in_the_database(&cut), 1);
    cut
}

/// What the database says of zone 1 by itself: in its row the generation follows form and zone.
fn generation_in_the_database(disk: &SimulatedDisk) -> u64 {
    let zones: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("zones");
    let directory = database_of(disk);
    let database = redb::Database::open(directory.path().join("zones.redb")).unwrap();
    let row = database.begin_read().unwrap().open_table(zones).unwrap().get(1).unwrap().unwrap();
    u64::from_be_bytes(*row.value()[9..].first_chunk().unwrap())
}

/// The database alone, in a directory.
fn database_of(disk: &SimulatedDisk) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("zones.redb"), disk.octets("zones.redb").unwrap()).unwrap();
    directory
}

#[tokio::test]
async fn a_small_change_is_one_write_and_one_sync() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, [1]).await;
    let before = (disk.operations(), disk.syncs());
    commit_all(&opened.store, 2..=11).await;
    assert_eq!((disk.operations() - before.0, disk.syncs() - before.1), (20, 10));
    assert_eq!(heads(&cut(&disk)), [(1, 11)]);
}

#[tokio::test]
async fn more_changes_than_the_journal_holds_are_all_there_at_any_moment() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    let length = disk.octets(JOURNAL).unwrap().len();
    // With their diffs they take some kilobytes each.
    let mut last = None;
    for generation in 1..=1_000 {
        let commit = commit(1, generation, 8, last.as_ref());
        last = Some((generation, commit.image.clone()));
        opened.store.commit(commit).await.unwrap();
        if generation % 50 == 0 {
            let cut = cut(&disk);
            let opened = open(&cut);
            assert_eq!(opened.zones[0].head.generation.0, generation);
            assert_eq!(opened.store.history(ZoneId(1)).unwrap().last().unwrap().generation.0, generation);
        }
    }
    assert_eq!(disk.octets(JOURNAL).unwrap().len(), length);
    drop(opened);
    assert!(generation_in_the_database(&disk) == 1_000, "a store that was closed has all in its database");
}

#[tokio::test]
async fn all_kinds_of_small_changes_are_done_again() {
    let disk = SimulatedDisk::new();
    let store = open(&disk).store;
    for zone in 1..=3 {
        store.commit(commit(zone, 1, 1, None)).await.unwrap();
    }
    store.note(ZoneId(1), b"one".to_vec()).await.unwrap();
    store.note(ZoneId(2), b"two".to_vec()).await.unwrap();
    store.note(ZoneId(2), Vec::new()).await.unwrap();
    store.remove(ZoneId(3)).await.unwrap();
    store.confirm(ZoneId(1), clock(7));
    store.flush().await.unwrap();
    store.know_time(9_000_000).unwrap();
    let opened = open(&cut(&disk));
    let zones: Vec<_> = opened.zones.iter().map(|zone| (zone.zone.0, &*zone.note, zone.clock)).collect();
    assert_eq!(zones, [(1, &b"one"[..], clock(7)), (2, &b""[..], clock(1))]);
    assert_eq!(opened.newest_time_ms, 9_000_000);
}

#[tokio::test]
async fn what_was_brought_in_from_the_journal_is_there_after_the_next_crash_and_the_one_after_that() {
    let disk = with_a_journal().await;
    assert_eq!(heads(&cut(&disk)), [(1, 5)]);
    let store = open(&disk).store;
    for generation in 6..9 {
        commit_all(&store, [generation]).await;
        let cut = cut(&disk);
        assert_eq!(heads(&cut), [(1, generation)]);
        assert_eq!(heads(&cut), [(1, generation)]);
    }
}

#[tokio::test]
async fn a_journal_of_another_database_changes_nothing() {
    let (disk, other) = (with_a_journal().await, SimulatedDisk::new());
    let opened = open(&other);
    commit_all(&opened.store, 11..=12).await;
    drop(opened);
    let others = disk.octets(JOURNAL).unwrap();
    other.spoil(JOURNAL, |file| file.clone_from(&others));
    assert_eq!(heads(&other), [(1, 12)]);
}

#[tokio::test]
async fn an_older_copy_of_the_database_is_told_from_the_one_that_the_journal_goes_on_from() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, 1..=3).await;
    let older = cut(&disk).octets("zones.redb").unwrap();
    commit_all(&opened.store, [4]).await;
    // Too much for the journal, which begins anew with the one after it.
    opened.store.commit(commit(2, 1, LARGE_RECORDS / 2, None)).await.unwrap();
    commit_all(&opened.store, [5]).await;
    let cut = cut(&disk);
    assert_eq!(heads(&cut), [(1, 5), (2, 1)]);
    let cut = self::cut(&disk);
    cut.spoil("zones.redb", |file| file.clone_from(&older));
    let opened = Store::open_on(Arc::new(cut), Options::default());
    let Err(StoreError::Damaged { what }) = opened.map(drop) else { panic!("opened") };
    assert!(what.contains("older copy"), "{what}");
}

/// A disk with a database from before a transaction that the journal has not got, and the journal that goes on behind it.
async fn with_an_older_copy() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, [1]).await;
    let older = disk.octets("zones.redb").unwrap();
    let too_large_for_a_record = commit(2, 1, 900, None);
    opened.store.commit(too_large_for_a_record).await.unwrap();
    commit_all(&opened.store, [2]).await;
    let cut = cut(&disk);
    cut.spoil("zones.redb", |file| file.clone_from(&older));
    cut
}

#[tokio::test]
async fn an_older_copy_that_lacks_no_record_but_a_large_change_is_told_apart() {
    let opened = Store::open_on(Arc::new(with_an_older_copy().await), Options::default());
    let Err(StoreError::Damaged { what }) = opened.map(drop) else { panic!("opened") };
    assert!(what.contains("older copy"), "{what}");
}

#[tokio::test]
async fn a_power_cut_while_an_older_copy_is_put_aside_brings_nothing_of_it_back() {
    let disk = with_an_older_copy().await;
    let open = |disk: &SimulatedDisk| {
        let damaged = DamagedDatabase::IsPutAside { unix_secs: 5 };
        Store::open_on(Arc::new(disk.clone()), Options { damaged, ..Options::default() }).unwrap()
    };
    assert!(open(&disk).put_aside.is_some());
    for operations in 0..=disk.operations() {
        for seed in 0..16 {
            let cut = disk.cut(operations, Survival::Some(seed), Syncs::Kept);
            assert!(open(&cut).zones.is_empty(), "{operations} {seed}");
        }
    }
}

#[tokio::test]
async fn a_damaged_journal_gives_what_was_before_the_damage_and_the_store_goes_on() {
    let disk = with_a_journal().await;
    let octets = disk.octets(JOURNAL).unwrap();
    let end = octets[..RECORDS_OCTETS].iter().rposition(|octet| *octet != 0).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for offset in (0..=end).step_by(7) {
        let disk = cut(&disk);
        disk.damage(JOURNAL, offset);
        let [(1, generation)] = heads(&disk)[..] else { panic!("{offset}") };
        seen.insert(generation);
        let opened = open(&disk);
        commit_all(&opened.store, 6..=7).await;
        assert_eq!(heads(&cut(&disk)), [(1, 7)], "{offset}");
    }
    assert_eq!(Vec::from_iter(seen), [1, 2, 3, 4], "each record was damaged once");
}

#[tokio::test]
async fn what_rotted_inside_a_journal_is_said_and_a_record_that_was_half_written_is_not() {
    let disk = with_a_journal().await;
    let octets = disk.octets(JOURNAL).unwrap();
    let end = octets[..RECORDS_OCTETS].iter().rposition(|octet| *octet != 0).unwrap() + 1;
    // Generations 2 to 5 are in four records, which are alike.
    let lost_where = |damage: &dyn Fn(&mut Vec<u8>)| {
        let disk = cut(&disk);
        disk.spoil(JOURNAL, damage);
        let opened = open(&disk);
        (opened.zones[0].head.generation.0, opened.changes_lost)
    };
    assert_eq!(lost_where(&|_| {}), (5, 0));
    for offset in (0..end).step_by(7) {
        let (generation, lost) = lost_where(&|file| file[offset] ^= 0x10);
        let unlost = 5 - generation;
        assert_eq!(
            lost,
            if generation == 4 { 0 } else { unlost },
            "{offset}: the last record may not have been whole"
        );
    }
    for written in (0..end).step_by(7) {
        let (generation, lost) = lost_where(&|file| file[written..].fill(0));
        assert!(generation < 5 && lost == 0, "{written}");
    }
}

#[tokio::test]
async fn a_journal_that_is_gone_or_another_or_cut_off_is_said_once() {
    let disk = with_a_journal().await;
    let after = |damage: &dyn Fn(&SimulatedDisk)| {
        let disk = cut(&disk);
        damage(&disk);
        disk
    };
    let said = |disk: &SimulatedDisk| {
        let opened = open(disk);
        (opened.zones[0].head.generation.0, opened.journal_lost)
    };
    assert_eq!(said(&after(&|_| {})), (5, false));
    let gone = after(&|disk| disk.remove(JOURNAL).unwrap());
    assert_eq!(said(&gone), (1, true));
    for kept in [0, 1, RECORDS_OCTETS] {
        let (generation, is_lost) = said(&after(&|disk| disk.spoil(JOURNAL, |file| file.truncate(kept))));
        assert_eq!((generation, is_lost), (if kept == RECORDS_OCTETS { 5 } else { 1 }, true), "{kept}");
    }
    assert_eq!(said(&after(&|disk| disk.spoil(JOURNAL, |file| file.fill(0)))), (1, true));
    assert_eq!(said(&after(&|disk| disk.spoil(JOURNAL, |file| file.fill(0xa5)))), (1, true));
    // Another store's.
    let other = with_a_journal().await.octets(JOURNAL).unwrap();
    assert_eq!(said(&after(&|disk| disk.spoil(JOURNAL, |file| *file = other.clone()))), (1, true));
    // It goes on with a new one.
    let opened = open(&gone);
    commit_all(&opened.store, 6..=8).await;
    drop(opened);
    assert_eq!(said(&cut(&gone)), (8, false));
}

#[tokio::test]
async fn what_was_in_a_journal_before_it_began_anew_is_no_loss() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, 1..=9).await;
    // Too much for the journal, which begins anew over what was there.
    opened.store.commit(commit(2, 1, LARGE_RECORDS / 2, None)).await.unwrap();
    let found = |damage: &dyn Fn(&mut Vec<u8>)| {
        let disk = cut(&disk);
        disk.spoil(JOURNAL, damage);
        let opened = open(&disk);
        (opened.zones[0].head.generation.0, opened.changes_lost)
    };
    let half_written = |file: &mut Vec<u8>| file[40..80].fill(0xee);
    assert_eq!(found(&|_| {}), (9, 0));
    assert_eq!(found(&half_written), (9, 0));
    commit_all(&opened.store, [10]).await;
    assert_eq!((found(&|_| {}), found(&half_written)), ((10, 0), (9, 0)));
    // Now it was whole.
    commit_all(&opened.store, [11]).await;
    assert_eq!((found(&|_| {}), found(&half_written)), ((11, 0), (9, 2)));
}

#[tokio::test]
async fn without_room_for_a_journal_every_change_is_durable_by_itself() {
    let disk = SimulatedDisk::new();
    drop(open(&disk));
    disk.remove(JOURNAL).unwrap();
    disk.set_room(Some(disk.used() + (128 << 10)));
    let opened = open(&disk);
    commit_all(&opened.store, 1..=2).await;
    assert_eq!(generation_in_the_database(&cut(&disk)), 2);
}

#[tokio::test]
async fn a_database_of_the_form_before_gets_a_journal_with_its_first_transaction() {
    let disk = SimulatedDisk::new();
    let opened = open(&disk);
    commit_all(&opened.store, [1]).await;
    drop(opened);
    let directory = database_of(&disk);
    let before = redb::Database::open(directory.path().join("zones.redb")).unwrap();
    let transaction = before.begin_write().unwrap();
    {
        let mut meta = transaction.open_table(META).unwrap();
        meta.insert("format", 1).unwrap();
        assert!(meta.remove("journal").unwrap().is_some());
        assert!(meta.remove("sequence").unwrap().is_some());
    }
    transaction.commit().unwrap();
    drop(before);
    let octets = std::fs::read(directory.path().join("zones.redb")).unwrap();
    disk.spoil("zones.redb", |file| file.clone_from(&octets));
    disk.remove(JOURNAL).unwrap();
    let opened = open(&disk);
    assert_eq!(opened.zones[0].head.generation.0, 1);
    commit_all(&opened.store, 2..=4).await;
    let cut = cut(&disk);
    assert_eq!(generation_in_the_database(&cut), 2);
    assert_eq!(heads(&cut), [(1, 4)]);
}
