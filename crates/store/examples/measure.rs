//! What the store costs on this machine: `cargo run --release -p store --example measure [DIRECTORY]`.
//!
//! It fills a store with 100,000 tiny zones and one large one, and times commits one by one and together, a clean
//! start, a start after a crash, and what redb's two ways to be ready for a crash cost.
//!
//! With `--instructions` alone it counts what commits take instead (this needs valgrind): what a program that makes 2,000 takes
//! more than one that makes 1,000, on all its threads, a thousandth of it. Two runs differ by less than a percent; of commits
//! together, which are one transaction or two, by a few.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use dns::Serial;
use dns::text::zone_from_text;
use store::{ClockFacts, Commit, Head, Options, Step, Store};
use testing::instructions::Counted;
use zone::{Change, Diff, Generation, Image, Limits, ZoneId, advance};

const TINY_ZONES: u64 = 100_000;
const LARGE_RECORDS: usize = 1_000_000;
const CHANGES: u64 = 1_000;

/// Commits of which instructions are counted, beside as many that are counted too and taken off again.
const COUNTED: u64 = 1_000;
/// Under valgrind all takes fifty times as long, and a change costs hardly more in a zone of a million.
const COUNTED_RECORDS: usize = 20_000;

#[derive(Clone, Copy)]
enum Commits {
    /// The first of as many tiny zones, one by one.
    Alone,
    Together,
    /// Of one record of a large zone, one by one.
    Changes,
}

const COUNTED_COMMITS: [(Commits, &str); 3] = [
    (Commits::Alone, "a tiny zone's first version"),
    (Commits::Together, "a tiny zone's first version, among many at once"),
    (Commits::Changes, "a change of a zone of 20,000 records"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--instructions"] => count(),
        ["--one", _] | ["--instructions", ..] => panic!("--instructions stands alone"),
        ["--one", number, times] => {
            let (commits, _) = COUNTED_COMMITS[number.parse::<usize>().unwrap()];
            commit_to_count(commits, times.parse().unwrap());
        }
        _ => measure(arguments.first().map(String::as_str)),
    }
}

/// Instructions a commit: what twice as many take more, so that what a start and an end take by themselves is not in it.
fn count() {
    for (number, (_, what)) in COUNTED_COMMITS.into_iter().enumerate() {
        let of =
            |times: u64| Counted::in_a_run_with(&["--one", &number.to_string(), &times.to_string()], None).total();
        println!("{:>9} instructions  {what}", (of(2 * COUNTED) - of(COUNTED)) / COUNTED);
    }
}

fn commit_to_count(commits: Commits, times: u64) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap().store;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        // As many are made as in the longer run, so that the two runs differ by what is committed alone.
        let mut prepared = match commits {
            Commits::Alone | Commits::Together => {
                let tiny = image(3);
                (0..2 * COUNTED).map(|zone| commit(zone, 1, &tiny)).collect()
            }
            Commits::Changes => {
                let large = image(COUNTED_RECORDS);
                store.commit(commit(TINY_ZONES, 1, &large)).await.unwrap();
                changes_of(large, 2 * COUNTED)
            }
        };
        prepared.truncate(times as usize);
        match commits {
            Commits::Together => together(&store, prepared).await,
            Commits::Alone | Commits::Changes => one_by_one(&store, prepared).await,
        }
    });
}

async fn one_by_one(store: &Store, commits: impl IntoIterator<Item = Commit>) {
    for commit in commits {
        store.commit(commit).await.unwrap();
    }
}

async fn together(store: &Store, commits: impl IntoIterator<Item = Commit>) {
    let committing = commits.into_iter().map(|commit| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(commit).await.unwrap() })
    });
    for committed in committing.collect::<Vec<_>>() {
        committed.await.unwrap();
    }
}

fn measure(directory: Option<&str>) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = directory.map_or(temporary.path().into(), std::path::PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Store::open(&directory, Options::default()).unwrap().store;
    let tiny = image(3);
    println!("a tiny zone's image: {} octets", tiny.as_bytes().len());
    runtime.block_on(async {
        let first = (0..TINY_ZONES).map(|zone| commit(zone, 1, &tiny));
        timed("100,000 tiny zones committed, as many at a time as there is room for", together(&store, first)).await;
        let second = (0..100).map(|zone| commit(zone, 2, &tiny));
        timed("100 commits of tiny zones one after the other, the database large", one_by_one(&store, second)).await;
        let large = image(LARGE_RECORDS);
        println!("the large zone's image: {} octets", large.as_bytes().len());
        timed("the large zone committed", async { store.commit(commit(TINY_ZONES, 1, &large)).await.unwrap() }).await;
        let changes = changes_of(large, CHANGES);
        timed("1,000 changes of it one after the other", one_by_one(&store, changes)).await;
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
fn changes_of(large: Image, count: u64) -> Vec<Commit> {
    let mut image = large;
    let changes = (1..=count).map(|number| {
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
