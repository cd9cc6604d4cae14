//! Zones made for tests, and the commits that store them.

use std::fmt::Write as _;

use dns::Serial;
use dns::text::zone_from_text;
use store::{ClockFacts, Commit, Head, Step};
use zone::{Change, Generation, Image, Limits, ZoneId, advance, between};

/// Enough text records for an image above the 256 KiB that the database holds itself.
pub(crate) const LARGE_RECORDS: usize = 1_400;

/// A zone's contents: an SOA with this serial and so many text records of 200 octets.
pub(crate) fn image(zone: u64, serial: u32, records: usize) -> Image {
    let name = name(zone);
    let mut text = format!("@ 60 SOA ns host {serial} 3600 600 86400 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
    for record in 0..records {
        writeln!(text, "t{record} 60 TXT \"{serial:0>10}{:x>190}\"", "").unwrap();
    }
    let records = zone_from_text(&name, &text).unwrap();
    let apex: dns::Name = name.parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image
}

pub(crate) fn name(zone: u64) -> String {
    format!("Zone{zone}.example.")
}

/// The commit of a generation; serial and times follow from it.
pub(crate) fn commit(zone: u64, generation: u64, records: usize, before: Option<&(u64, Image)>) -> Commit {
    let serial = Serial(generation as u32);
    let image = image(zone, serial.0, records);
    let steps = before.map(|(from, old)| {
        let (from, to) = (Generation(*from), Generation(generation));
        Step { from, to, diff: between(old, &image) }
    });
    Commit {
        zone: ZoneId(zone),
        name: name(zone).parse().unwrap(),
        head: Head { generation: Generation(generation), serial, digest: image.digest() },
        clock: clock(generation),
        at_ms: generation * 1_000,
        image,
        history: store::HistoryKept::default(),
        steps: steps.into_iter().collect(),
    }
}

pub(crate) fn clock(generation: u64) -> ClockFacts {
    let confirmed = generation * 1_000;
    ClockFacts { last_confirmed_ms: confirmed, expires_at_ms: confirmed + 86_400_000, next_check_ms: confirmed + 1 }
}
