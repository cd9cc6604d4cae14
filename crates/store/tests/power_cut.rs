//! The power goes after every single operation of the disk: whatever is left, every zone is whole and at least as new
//! as the last version for which `commit` returned.

#![allow(clippy::unwrap_used)]

mod patches;
mod stream;
mod zones;

use store::StoredContents;
use stream::{Ledger, open};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use zones::{LARGE_RECORDS, commit};

/// Plays the stream to its end on a disk that notes everything.
async fn played() -> (SimulatedDisk, Ledger) {
    let (disk, mut ledger) = (SimulatedDisk::new(), Ledger::default());
    let opened = open(&disk).unwrap();
    let errors = ledger.play(&opened.store, &disk).await;
    assert!(errors.is_empty(), "{errors:?}");
    drop(opened);
    (disk, ledger)
}

/// What a cut may leave of unsynced writes: both extremes, and two throws of dice of its own.
fn survivals(operations: usize) -> [Survival; 4] {
    let seed = operations as u64;
    [Survival::Nothing, Survival::Everything, Survival::Some(seed), Survival::Some(!seed)]
}

#[tokio::test]
async fn a_power_cut_anywhere_loses_nothing_that_was_committed() {
    let (disk, ledger) = played().await;
    for operations in 0..=disk.operations() {
        for survival in survivals(operations) {
            let cut = disk.cut(operations, survival, Syncs::Kept);
            if let Err(what) = ledger.verify(&cut, operations) {
                panic!("cut after operation {operations} of {}, {survival:?}: {what}", disk.operations());
            }
        }
    }
}

#[tokio::test]
async fn a_second_power_cut_during_recovery_loses_nothing_either() {
    let (disk, ledger) = played().await;
    // Every third: neighbours recover alike, and each of them is cut again at every operation of its recovery.
    for operations in (0..=disk.operations()).step_by(3) {
        let first = Survival::Some(operations as u64);
        let cut = disk.cut(operations, first, Syncs::Kept);
        drop(open(&cut).unwrap());
        for again in 0..=cut.operations() {
            let second = Survival::Some(again as u64);
            let cut_again = cut.cut(again, second, Syncs::Kept);
            if let Err(what) = ledger.verify(&cut_again, operations) {
                panic!("cut after operation {operations}, {first:?}, and after {again} more, {second:?}: {what}");
            }
        }
    }
}

/// The process is killed, and the power goes after the next start: what that start has read, and acted upon, may not have
/// been synced.
#[tokio::test]
async fn a_power_cut_after_a_kill_and_a_start_loses_nothing_either() {
    let before = 1;
    let operations_max = 12;
    for operations in 0..operations_max {
        let disk = SimulatedDisk::new();
        let opened = open(&disk).unwrap();
        opened.store.commit(commit(1, before, LARGE_RECORDS, None)).await.unwrap();
        disk.lose_power_at(disk.operations() + operations);
        let said = opened.store.commit(commit(1, before + 1, LARGE_RECORDS, None)).await;
        drop(opened);
        // It has not gone: what was written, synced or not, is what the next process finds.
        disk.lose_power_at(usize::MAX);
        // Closing would sync it all.
        std::mem::forget(open(&disk).unwrap());
        for seed in 0..16 {
            let cut = disk.cut(disk.operations(), Survival::Some(seed), Syncs::Kept);
            let zone = open(&cut).unwrap().zones.remove(0);
            if let StoredContents::Unusable(what) = &zone.contents {
                panic!("{operations}: {what}");
            }
            assert!(said.is_err() || zone.head.generation.0 > before, "{operations}: what was committed is lost");
        }
    }
}

/// The tests above can fail: a disk that forgets one kind of sync is found out.
#[tokio::test]
async fn a_sync_left_out_anywhere_is_seen() {
    let (disk, ledger) = played().await;
    let forgotten = [
        Syncs::ForgottenForFiles("zones.redb"),
        Syncs::ForgottenForFiles("zones.journal"),
        Syncs::ForgottenForFiles("images/"),
        Syncs::ForgottenForDirectory(""),
        Syncs::ForgottenForDirectory("images"),
    ];
    for syncs in forgotten {
        let seen = (0..=disk.operations()).any(|operations| {
            let mut cuts = survivals(operations).into_iter().map(|survival| disk.cut(operations, survival, syncs));
            cuts.any(|cut| ledger.verify(&cut, operations).is_err())
        });
        assert!(seen, "nobody noticed {syncs:?}");
    }
}
