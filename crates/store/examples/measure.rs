//! What the store costs on this machine: `cargo run --release -p store --example measure [DIRECTORY]`.
//!
//! It fills a store with 100,000 tiny zones and one large one, and times commits one by one and together, a clean
//! start, a start after a crash, and what redb's two ways to be ready for a crash cost.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use dns::Serial;
use dns::text::zone_from_text;
use store::{ClockFacts, Commit, Head, Options, Step, Store};
use zone::{Change, Diff, Generation, Image, Limits, ZoneId, advance};

const TINY_ZONES: u64 = 100_000;
const LARGE_RECORDS: usize = 1_000_000;
const CHANGES: u64 = 1_000;

fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = std::env::args().nth(1).map_or(temporary.path().into(), std::path::PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Store::open(&directory, Options::default()).unwrap().store;
    let tiny = image(3);
    println!("a tiny zone's image: {} octets", tiny.as_bytes().len());
    runtime.block_on(async {
        timed("100,000 tiny zones committed, 4,096 at a time", async {
            let commits = (0..TINY_ZONES).map(|zone| {
                let (store, commit) = (store.clone(), commit(zone, 1, &tiny));
                tokio::spawn(async move { store.commit(commit).await.unwrap() })
            });
            for committed in commits.collect::<Vec<_>>() {
                committed.await.unwrap();
            }
        })
        .await;
        timed("100 commits of tiny zones one after the other, the database large", async {
            for zone in 0..100 {
                store.commit(commit(zone, 2, &tiny)).await.unwrap();
            }
        })
        .await;
        let large = image(LARGE_RECORDS);
        println!("the large zone's image: {} octets", large.as_bytes().len());
        timed("the large zone committed", async { store.commit(commit(TINY_ZONES, 1, &large)).await.unwrap() }).await;
        let changes = changes_of(large);
        timed("1,000 changes of it one after the other", async {
            for change in changes {
                store.commit(change).await.unwrap();
            }
        })
        .await;
        (0..TINY_ZONES).for_each(|zone| store.confirm(ZoneId(zone), clock(3)));
        timed("100,000 confirmations flushed", async { store.flush().await.unwrap() }).await;
    });
    let crashed = directory.join("crashed");
    copy(&directory, &crashed);
    let start = Instant::now();
    drop(store);
    report("closed", start.elapsed());
    println!("zones.redb: {} octets", directory.join("zones.redb").metadata().unwrap().len());
    start_of("clean start", &directory);
    start_of("start after a crash", &crashed);
    start_of("a second start there", &crashed);
    std::fs::remove_dir_all(&crashed).unwrap();

    let alone = Store::open(&crashed, Options::default()).unwrap().store;
    runtime.block_on(alone.commit(commit(TINY_ZONES, 1, &image(LARGE_RECORDS)))).unwrap();
    drop(alone);
    start_of("clean start, the large zone alone", &crashed);
    start_of("once more", &crashed);
    std::fs::remove_dir_all(crashed).unwrap();
}

fn start_of(what: &str, directory: &Path) {
    let start = Instant::now();
    let opened = Store::open(directory, Options::default()).unwrap();
    report(&format!("{what}, {} zones", opened.zones.len()), start.elapsed());
    let large = opened.zones.iter().filter(|zone| zone.zone.0 == TINY_ZONES).count();
    assert!(large == 1 && opened.unreadable.is_empty());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("images")).unwrap();
    for entry in std::fs::read_dir(from.join("images")).unwrap() {
        let name = entry.unwrap().file_name();
        std::fs::copy(from.join("images").join(&name), to.join("images").join(&name)).unwrap();
    }
    for name in ["zones.redb", "zones.journal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

async fn timed(what: &str, work: impl Future<Output = ()>) {
    let start = Instant::now();
    work.await;
    report(what, start.elapsed());
}

fn report(what: &str, took: Duration) {
    println!("{:>9.1} ms  {what}", took.as_secs_f64() * 1_000.0);
}

fn image(records: usize) -> Image {
    let mut text = String::from("@ 60 SOA ns host 1 3600 600 86400 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
    for record in 0..records {
        writeln!(text, "name{record} 60 A 192.0.2.7").unwrap();
    }
    let records = zone_from_text("example.", &text).unwrap();
    let apex: dns::Name = "example.".parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image
}

/// Of one record each.
fn changes_of(large: Image) -> Vec<Commit> {
    let mut image = large;
    let changes = (1..=CHANGES).map(|number| {
        let (from, to) = (number as u32, number as u32 + 1);
        let soa = |serial: u32| format!("@ 60 SOA ns host {serial} 3600 600 86400 60\n");
        let records = |text: String| zone_from_text("example.", &text).unwrap();
        let diff = Diff {
            from: Serial(from),
            to: Serial(to),
            removed: records(soa(from)),
            added: records(soa(to) + &format!("new{number} 60 A 192.0.2.7\n")),
        };
        let apex: dns::Name = "example.".parse().unwrap();
        let change = Change::Steps(vec![diff]);
        let advanced = advance(apex.borrow(), Some(&image), &change, [7; 16], Limits::default()).unwrap();
        image = advanced.image;
        let (from, to) = (Generation(number), Generation(number + 1));
        let steps = advanced.diffs.into_iter().map(|diff| Step { from, to, diff }).collect();
        Commit { steps, ..commit(TINY_ZONES, number + 1, &image) }
    });
    changes.collect()
}

fn commit(zone: u64, generation: u64, image: &Image) -> Commit {
    Commit {
        zone: ZoneId(zone),
        name: format!("zone{zone}.example.").parse().unwrap(),
        head: Head { generation: Generation(generation), serial: image.serial(), digest: image.digest() },
        clock: clock(generation),
        at_ms: generation,
        image: image.clone(),
        history: store::HistoryKept::default(),
        steps: Vec::new(),
    }
}

fn clock(at_ms: u64) -> ClockFacts {
    ClockFacts { last_confirmed_ms: at_ms, expires_at_ms: at_ms + 86_400_000, next_check_ms: at_ms + 1 }
}
