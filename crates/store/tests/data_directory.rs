//! The store on a real directory.

#![allow(clippy::unwrap_used)]

mod zones;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use store::{ClockFacts, HistoryKept, Opened, Options, Store, StoreError, StoredContents};
use zone::{Generation, ZoneId};
use zones::{LARGE_RECORDS, clock, commit, image};

fn open(directory: &Path) -> Opened {
    Store::open(directory, Options::default()).unwrap()
}

fn clock_of(opened: &Opened, zone: u64) -> ClockFacts {
    opened.zones.iter().find(|stored| stored.zone == ZoneId(zone)).unwrap().clock
}

#[tokio::test]
async fn zones_survive_a_restart_small_and_large() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("below/data");
    let opened = open(&directory);
    assert!(opened.zones.is_empty() && opened.newest_time_ms == 0);
    for (zone, records) in [(7, 2), (3, LARGE_RECORDS)] {
        opened.store.commit(commit(zone, 9, records, None)).await.unwrap();
    }
    drop(opened);
    let opened = open(&directory);
    assert_eq!(opened.newest_time_ms, 9_000);
    let found: Vec<_> = opened.zones.iter().map(|zone| (zone.zone.0, zone.head.generation.0, zone.clock)).collect();
    assert_eq!(found, [(3, 9, clock(9)), (7, 9, clock(9))]);
    for (zone, records) in [(0, LARGE_RECORDS), (1, 2)] {
        let stored = &opened.zones[zone];
        let expected = image(stored.zone.0, 9, records);
        let StoredContents::Whole(image) = &stored.contents else { panic!("damaged") };
        assert!(image.as_bytes() == expected.as_bytes());
        assert_eq!(stored.head.digest, image.digest());
        assert!(stored.name.borrow().same_spelling(expected.apex()));
    }
}

#[tokio::test]
async fn a_zones_note_survives_a_restart_and_goes_with_the_zone() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    for zone in [1, 2, 3] {
        opened.store.commit(commit(zone, 9, 2, None)).await.unwrap();
        opened.store.note(ZoneId(zone), b"a note".to_vec()).await.unwrap();
    }
    opened.store.note(ZoneId(2), Vec::new()).await.unwrap();
    opened.store.remove(ZoneId(3)).await.unwrap();
    opened.store.commit(commit(3, 10, 2, None)).await.unwrap();
    // A version that comes later leaves the note as it is.
    opened.store.commit(commit(1, 10, 2, None)).await.unwrap();
    drop(opened);
    let notes: Vec<_> = open(directory.path()).zones.iter().map(|zone| zone.note.clone()).collect();
    assert_eq!(notes, [b"a note".to_vec(), Vec::new(), Vec::new()]);
}

#[test]
fn a_second_server_on_one_directory_is_refused_and_told_where() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    let Err(error) = Store::open(directory.path(), Options::default()) else { panic!("two at once") };
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    drop(opened);
    open(directory.path());
}

#[test]
fn the_directory_and_its_files_are_for_their_user_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("data");
    drop(open(&directory));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("images")), 0o700);
    assert_eq!(mode(&directory.join("zones.redb")), 0o600);
}

#[test]
fn a_directory_that_cannot_be_made_is_named_in_a_sentence() {
    let Err(error) = Store::open(Path::new("/proc/secondo-data"), Options::default()) else {
        panic!("made in /proc")
    };
    let sentence = error.to_string();
    assert!(sentence.contains("/proc/secondo-data") && sentence.contains("our disk"), "{sentence}");
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let newer = redb::Database::open(directory.path().join("zones.redb")).unwrap();
    let transaction = newer.begin_write().unwrap();
    let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 3).unwrap();
    transaction.commit().unwrap();
    drop(newer);
    let Err(error) = Store::open(directory.path(), Options::default()) else { panic!("opened") };
    assert!(matches!(error, StoreError::NewerFormat { found: 3, known: 2 }), "{error}");
}

#[tokio::test]
async fn what_a_killed_process_left_is_found_as_it_was() {
    let (temporary, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let opened = open(temporary.path());
    for (generation, records) in [(1, 2), (2, 3), (3, LARGE_RECORDS), (4, 1)] {
        opened.store.commit(commit(7, generation, records, None)).await.unwrap();
        opened.store.commit(commit(generation, generation, 1, None)).await.unwrap();
        // Nothing that it does at its end has been done yet.
        std::fs::create_dir_all(left.path().join("images")).unwrap();
        for file in
            ["zones.redb", "zones.journal", "images/7-3"].iter().filter(|file| temporary.path().join(file).exists())
        {
            std::fs::copy(temporary.path().join(file), left.path().join(file)).unwrap();
        }
        let found = open(left.path());
        let heads: Vec<_> = found.zones.iter().map(|zone| (zone.zone.0, zone.head.generation.0)).collect();
        let others = (1..=generation).map(|zone| (zone, zone));
        assert_eq!(heads, others.chain([(7, generation)]).collect::<Vec<_>>());
        assert!(found.zones.iter().all(|zone| matches!(zone.contents, StoredContents::Whole(_))));
    }
}

#[tokio::test]
async fn files_of_others_are_not_touched_and_leftovers_are_swept() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let others = ["inventory.sqlite", "token", "images/damaged-1-1", "images/notes.txt"];
    let leftovers = ["images/1-1", "images/1-2.new"];
    others.iter().chain(&leftovers).for_each(|name| std::fs::write(directory.path().join(name), "x").unwrap());
    drop(open(directory.path()));
    assert!(others.iter().all(|name| directory.path().join(name).exists()));
    assert!(!leftovers.iter().any(|name| directory.path().join(name).exists()));
}

#[tokio::test]
async fn a_removed_zone_stays_removed_with_its_file_and_history() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    opened.store.commit(commit(1, 1, LARGE_RECORDS, None)).await.unwrap();
    opened.store.remove(ZoneId(1)).await.unwrap();
    opened.store.remove(ZoneId(1)).await.unwrap();
    opened.store.confirm(ZoneId(1), clock(5));
    opened.store.flush().await.unwrap();
    assert!(opened.store.history(ZoneId(1)).unwrap().is_empty());
    drop(opened);
    assert!(open(directory.path()).zones.is_empty());
    assert_eq!(std::fs::read_dir(directory.path().join("images")).unwrap().count(), 0);
}

#[tokio::test]
async fn the_old_image_stays_readable_for_who_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    opened.store.commit(commit(1, 1, LARGE_RECORDS, None)).await.unwrap();
    drop(opened);
    let opened = open(directory.path());
    let StoredContents::Whole(mapped) = opened.zones[0].contents.clone() else { panic!("damaged") };
    opened.store.commit(commit(1, 2, 1, None)).await.unwrap();
    opened.store.flush().await.unwrap();
    assert!(!directory.path().join("images/1-1").exists());
    assert!(mapped.as_bytes() == image(1, 1, LARGE_RECORDS).as_bytes());
}

#[tokio::test]
async fn generations_only_grow_and_a_repeated_commit_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    for records in [1, LARGE_RECORDS] {
        let zone = records as u64;
        opened.store.commit(commit(zone, 5, records, None)).await.unwrap();
        opened.store.commit(commit(zone, 5, records, None)).await.unwrap();
        let older = opened.store.commit(commit(zone, 4, records, None)).await;
        assert!(matches!(older, Err(StoreError::NotNewer { committed: Generation(5), .. })), "{older:?}");
        let other = opened.store.commit(commit(zone, 5, records + 1, None)).await;
        assert!(matches!(other, Err(StoreError::NotNewer { .. })), "{other:?}");
        assert_eq!(opened.store.history(ZoneId(zone)).unwrap().len(), 1);
    }
    drop(opened);
    let zones = open(directory.path()).zones;
    assert!(zones.iter().all(|zone| matches!(zone.contents, StoredContents::Whole(_))));
}

#[tokio::test]
async fn steps_that_do_not_lead_to_the_head_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    let before = (1, image(1, 1, 1));
    let mut broken = commit(1, 2, 2, Some(&before));
    broken.head.generation = Generation(3);
    let refused = opened.store.commit(broken).await;
    assert!(matches!(refused, Err(StoreError::BrokenSteps { head: Generation(3), .. })), "{refused:?}");
}

#[tokio::test]
async fn confirmations_are_written_by_themselves_and_older_ones_never_win() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { confirmations_late_max: Duration::ZERO, ..Options::default() };
    let opened = Store::open(directory.path(), options).unwrap();
    opened.store.commit(commit(1, 1, 1, None)).await.unwrap();
    opened.store.confirm(ZoneId(1), clock(5));
    opened.store.confirm(ZoneId(1), clock(4));
    // The next commit's facts are older than the confirmation: it is the confirmation that stays.
    opened.store.commit(commit(1, 2, 1, None)).await.unwrap();
    drop(opened);
    let opened = open(directory.path());
    assert_eq!(clock_of(&opened, 1), clock(5));
    assert_eq!(opened.newest_time_ms, 5_000);
    opened.store.know_time(7_000).unwrap();
    opened.store.know_time(6_000).unwrap();
    opened.store.confirm(ZoneId(1), clock(4));
    opened.store.commit(commit(1, 6, 1, None)).await.unwrap();
    drop(opened);
    let opened = open(directory.path());
    assert_eq!((clock_of(&opened, 1), opened.newest_time_ms), (clock(6), 7_000));
}

#[tokio::test]
async fn history_goes_from_the_oldest_on_by_number_and_age() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    let kept = HistoryKept { versions_max: 3, age_max: Duration::from_secs(10) };
    let generations = async |commits: &[u64]| {
        let mut before = None;
        for generation in commits {
            let mut commit = commit(1, *generation, *generation as usize % 7, before.as_ref());
            commit.history = kept;
            before = Some((*generation, commit.image.clone()));
            opened.store.commit(commit).await.unwrap();
        }
        let history = opened.store.history(ZoneId(1)).unwrap();
        history.iter().map(|version| version.generation.0).collect::<Vec<_>>()
    };
    assert_eq!(generations(&[1, 2]).await, [1, 2]);
    assert_eq!(generations(&[3, 4]).await, [2, 3, 4]);
    // A generation is a second in these tests: at 13, what went before 3 has been gone for longer than ten.
    assert_eq!(generations(&[13]).await, [3, 4, 13]);
    assert_eq!(generations(&[100]).await, [13, 100], "it was served until now");
    assert!(opened.store.diff(ZoneId(1), Generation(4)).unwrap().is_none());
}

#[tokio::test]
async fn history_takes_no_more_octets_than_the_zone_or_a_mebibyte_besides_the_newest_step() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    // Each version replaces all records: a diff is twice the zone, some 600 KiB.
    let mut before = None;
    for generation in 1..=6 {
        let commit = commit(1, generation, LARGE_RECORDS, before.as_ref());
        before = Some((generation, commit.image.clone()));
        opened.store.commit(commit).await.unwrap();
    }
    let history = opened.store.history(ZoneId(1)).unwrap();
    assert_eq!(history.iter().map(|version| version.generation.0).collect::<Vec<_>>(), [4, 5, 6]);
    let octets = |generation: u64| {
        let diff = opened.store.diff(ZoneId(1), Generation(generation)).unwrap();
        diff.map(|diff| diff.octets() as u64)
    };
    assert_eq!(octets(4), None, "what it led from is not kept");
    assert!(octets(5).unwrap() > 500 << 10 && octets(5).unwrap() <= 1 << 20);
    assert!(octets(6).is_some());
}

#[tokio::test]
async fn the_version_before_one_that_replaces_everything_can_be_served_again_and_what_led_there_too() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path());
    let kept = HistoryKept { versions_max: 3, age_max: Duration::from_secs(10) };
    let mut before = None;
    let mut commit_next = async |generation: u64, records: usize| {
        let mut commit = commit(1, generation, records, before.as_ref());
        commit.history = kept;
        before = Some((generation, commit.image.clone()));
        opened.store.commit(commit).await.unwrap();
        let history = opened.store.history(ZoneId(1)).unwrap();
        let generations: Vec<_> = history.iter().map(|version| version.generation.0).collect();
        let diff = |generation: &u64| opened.store.diff(ZoneId(1), Generation(*generation)).unwrap().is_some();
        assert!(generations.iter().skip(1).all(diff), "{generations:?}");
        generations
    };
    // A diff of some 2 MiB, where no other may take more than one.
    assert_eq!(commit_next(1, 4_000).await, [1]);
    assert_eq!(commit_next(2, 4_000).await, [1, 2]);
    assert_eq!(commit_next(3, 4_000).await, [2, 3], "the steps before are older ones now");
    assert_eq!(commit_next(4, 1).await, [3, 4], "also when little is left of it");
    assert_eq!(commit_next(5, 2).await, [3, 4, 5]);
    assert_eq!(commit_next(6, 3).await, [4, 5, 6]);
    // The zone did not change for longer than anything is kept.
    assert_eq!(commit_next(100, 4_000).await, [6, 100]);
}
