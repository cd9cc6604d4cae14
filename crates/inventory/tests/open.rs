//! Opening, on real database files: made, private, damaged, locked, too new.

#![allow(clippy::unwrap_used)]

mod place;

use std::os::unix::fs::PermissionsExt;

use inventory::{Inventory, InventoryError, TenantId};
use place::{NOW, Place, open, zone};

#[tokio::test]
async fn a_missing_file_is_made_and_only_its_owner_may_read_it() {
    let (place, inventory) = open().await;
    inventory.add_zone(TenantId::DEFAULT, &zone("example.org", &["192.0.2.1:53"]), NOW).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", place.path().display());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn a_missing_directory_is_said() {
    let place = Place::new();
    let error = Inventory::open(&place.path().join("below")).await.err().unwrap();
    assert!(matches!(error, InventoryError::Unopenable { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_damaged_and_left_as_it_is() {
    let place = Place::new();
    let garbage = "this is not a database\n".repeat(500);
    std::fs::write(place.path(), &garbage).unwrap();
    let error = Inventory::open(&place.path()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Damaged(_)), "{error}");
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), garbage);
}

#[tokio::test]
async fn a_database_whose_pages_are_overwritten_is_said_to_be_damaged() {
    let (place, inventory) = open().await;
    let zones: Vec<_> = (0..500).map(|n| zone(&format!("z{n}.example"), &["192.0.2.1:53"])).collect();
    inventory.import_zones(TenantId::DEFAULT, &zones, NOW).await.unwrap();
    inventory.close().await;
    let mut octets = std::fs::read(place.path()).unwrap();
    // The first page, which holds the tables' definitions, stays.
    octets[4096..].fill(0xa5);
    std::fs::write(place.path(), octets).unwrap();
    let error = match Inventory::open(&place.path()).await {
        Ok(inventory) => inventory.intent().await.err().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(error, InventoryError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_said_to_be() {
    let place = Place::new();
    place.open().await.close().await;
    let mut other = place.connect().await;
    sqlx::query("PRAGMA locking_mode = EXCLUSIVE").execute(&mut other).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = Inventory::open(&place.path()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Locked), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_keeps_its_rows() {
    let place = Place::new();
    let inventory = place.open().await;
    inventory.add_zone(TenantId::DEFAULT, &zone("example.org", &["192.0.2.1:53"]), NOW).await.unwrap();
    inventory.close().await;
    let mut newer = place.connect().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', TRUE, x'00', 0)",
    )
    .execute(&mut newer)
    .await
    .unwrap();
    let error = Inventory::open(&place.path()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Newer { found: 9999, .. }), "{error}");
    let zones: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM zones").fetch_one(&mut newer).await.unwrap();
    assert_eq!(zones, 1);
}
