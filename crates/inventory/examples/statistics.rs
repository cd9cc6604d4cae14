//! What it costs to write down what was asked of 100,000 zones and for 50,000 names, and how long others wait for the writer
//! meanwhile: `cargo run --release -p inventory --example statistics`, for SQLite in a directory of its own; with a URL of a
//! PostgreSQL database behind it, for that.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use inventory::{
    AskedName, AskedZone, By, Hour, Inventory, Location, NewZone, QueryCounts, STATISTICS_AT_ONCE_MAX, TenantId,
    ZoneId,
};
use xfr::{Moment, Primary};

const ZONES: u64 = 100_000;
/// Names that wait at the most in a server, a few of each zone.
const NAMES: u64 = 50_000;
const NOW: Moment = Moment(1_795_262_400_000);

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let location = match std::env::args().nth(1) {
        Some(url) => Location::Postgres(url.parse().unwrap()),
        None => Location::File(directory.path().join("inventory.db")),
    };
    let inventory = Inventory::open(&location).await.unwrap();
    let primary = || Primary::at(([192, 0, 2, 1], 53).into());
    for first in (0..ZONES).step_by(1_000) {
        let zones = (first..first + 1_000)
            .map(|number| NewZone::answering(format!("z{number}.example.").parse().unwrap(), vec![primary()]));
        inventory.import_zones(&By::machine(NOW), TenantId::DEFAULT, &zones.collect::<Vec<_>>()).await.unwrap();
    }
    let counts = QueryCounts { a: 7, answered: 7, ..QueryCounts::default() };
    let rows: Vec<AskedZone> = (1..=ZONES)
        .map(|zone| AskedZone { zone: ZoneId(zone), tenant: TenantId::DEFAULT, hour: Hour::of(NOW), counts })
        .collect();
    let is_over = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn(others_wait(inventory.clone(), is_over.clone()));
    for what in ["new rows", "rows that are there"] {
        let (start, mut longest) = (Instant::now(), Duration::ZERO);
        for portion in rows.chunks(STATISTICS_AT_ONCE_MAX) {
            let begun = Instant::now();
            inventory.add_queries(portion).await.unwrap();
            longest = longest.max(begun.elapsed());
        }
        println!("{what:<20} {ZONES} in {:?}; the longest of {STATISTICS_AT_ONCE_MAX}: {longest:?}", start.elapsed());
    }
    let day = Hour::of(NOW).day();
    let asked = |number: u64| {
        let zone = number % (NAMES / 5);
        let name = format!("n{number}.z{zone}.example.").parse().unwrap();
        AskedName { zone: ZoneId(zone + 1), day, name, queries: 3 }
    };
    let names: Vec<AskedName> = (0..NAMES).map(asked).collect();
    for what in ["new names", "names that are there"] {
        let start = Instant::now();
        for portion in names.chunks(STATISTICS_AT_ONCE_MAX) {
            inventory.add_names(portion).await.unwrap();
        }
        println!("{what:<20} {NAMES} in {:?}", start.elapsed());
    }
    is_over.store(true, Ordering::Relaxed);
    let mut waits = other.await.unwrap();
    waits.sort();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    println!(
        "{:<20} {} changes beside it: median {:?}, p99 {:?}, longest {:?}",
        "others",
        waits.len(),
        at(50),
        at(99),
        at(100)
    );
    inventory.close().await;
}

/// How long each of many small changes took.
async fn others_wait(inventory: Inventory, is_over: Arc<AtomicBool>) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        inventory.reserve_zone_ids(ZoneId(1)).await.unwrap();
        waits.push(begun.elapsed());
    }
    waits
}
