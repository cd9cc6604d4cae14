//! Catalog zones: what is read from them, and what follows from that.

#![allow(clippy::unwrap_used)]

mod plan;
mod properties;
mod read;
mod write;

use dns::Name;
use dns::text::zone_from_text;
use zone::catalog::{Broken, Label, Listing};
use zone::{Change, Image, Limits, advance};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

/// A zone of these records, one a line, which may be no catalog.
fn image(catalog: &str, records: &str) -> Image {
    let records: String = records.lines().map(|line| format!("{}\n", line.trim_start())).collect();
    let text = format!("@ 0 SOA invalid. invalid. 7 2 3 4 5\n@ 0 NS invalid.\n{records}");
    let records = zone_from_text(catalog, &text).unwrap();
    advance(name(catalog).borrow(), None, &Change::Full(records), [5; 16], Limits::default()).unwrap().image
}

fn read(catalog: &str, records: &str) -> Result<Listing, Broken> {
    zone::catalog::read(&image(catalog, &format!("version 0 TXT 2\n{records}")))
}

/// A valid catalog.
fn listing(catalog: &str, records: &str) -> Listing {
    read(catalog, records).unwrap()
}
