//! Changes of large zones, which are committed as what leads to them.

use dns::text::zone_from_text;
use dns::{Records, Serial};
use store::{Commit, Head, HistoryKept, Step};
use zone::{Change, Diff, Generation, Image, Limits, ZoneId, advance};

use crate::zones::{clock, name};

/// The commit of a generation that has one record more than the one before, which is large.
pub(crate) fn patch(zone: u64, generation: u64, before: &(u64, Image)) -> Commit {
    let (from, old) = before;
    let name = name(zone);
    let apex: dns::Name = name.parse().unwrap();
    let serial = Serial(generation as u32);
    let mut removed = Records::new();
    removed.push(old.soa_record());
    let added = format!("@ 60 SOA ns host {} 3600 600 86400 60\np{generation} 60 TXT patch\n", serial.0);
    let added = zone_from_text(&name, &added).unwrap();
    let diff = Diff { from: old.serial(), to: serial, removed, added };
    let change = Change::Steps(vec![diff.clone()]);
    let image = advance(apex.borrow(), Some(old), &change, [9; 16], Limits::default()).unwrap().image;
    assert!(!image.is_merged(), "it is large");
    let step = Step { from: Generation(*from), to: Generation(generation), diff };
    Commit {
        zone: ZoneId(zone),
        name: apex,
        head: Head { generation: Generation(generation), serial, digest: image.digest() },
        clock: clock(generation),
        at_ms: generation * 1_000,
        image,
        history: HistoryKept::default(),
        steps: vec![step],
    }
}
