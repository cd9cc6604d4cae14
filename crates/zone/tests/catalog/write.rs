//! Catalogs that we make.

use dns::{Name, Serial};
use zone::catalog::{read, write};
use zone::{Change, Limits, ZoneId, advance};

#[test]
fn what_is_written_is_read_as_it_was() {
    let catalog: Name = "Catalog.example.".parse().unwrap();
    let zones: Vec<(ZoneId, Name)> = [(7, "b.test."), (300, "A.test."), (8, "."), (u64::MAX, "c.b.test.")]
        .map(|(id, name)| (ZoneId(id), name.parse().unwrap()))
        .into();
    let records = write(&catalog, Serial(9), zones.iter().map(|(id, name)| (*id, name.borrow()))).unwrap();
    let change = Change::Full(records);
    let image = advance(catalog.borrow(), None, &change, [7; 16], Limits::NONE).unwrap().image;
    let listing = read(&image).unwrap();
    assert_eq!((listing.serial(), listing.catalog()), (Serial(9), &catalog));
    let entries: Vec<String> =
        listing.entries().iter().map(|entry| format!("{} {}", entry.label, entry.zone)).collect();
    assert_eq!(entries, ["8 .", "12c A.test.", "7 b.test.", "ffffffffffffffff c.b.test."]);
}

#[test]
fn a_catalog_without_zones_is_a_catalog() {
    let catalog: Name = "catalog.example.".parse().unwrap();
    let change = Change::Full(write(&catalog, Serial(1), []).unwrap());
    let image = advance(catalog.borrow(), None, &change, [7; 16], Limits::NONE).unwrap().image;
    assert!(read(&image).unwrap().entries().is_empty());
}

#[test]
fn a_name_that_leaves_no_room_for_members_is_refused() {
    let long: Name = format!("{}example.", "abcdefgh.".repeat(26)).parse().unwrap();
    let zone: Name = "a.test.".parse().unwrap();
    assert!(write(&long, Serial(1), [(ZoneId(u64::MAX), zone.borrow())]).is_err());
}
