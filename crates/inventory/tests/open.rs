//! Opening, on real databases: made, private, damaged, locked, too new.

#![allow(clippy::unwrap_used)]

mod place;

use std::os::unix::fs::PermissionsExt;

use inventory::{Inventory, InventoryError, Location, TenantId};
use place::{BY, Engine, Place, open, zone};

on_both_engines!(a_database_of_a_newer_version_is_refused_and_keeps_its_rows);

#[tokio::test]
async fn a_missing_file_is_made_and_only_its_owner_may_read_it() {
    let (place, inventory) = open(Engine::Sqlite).await;
    inventory.add_zone(&BY, TenantId::DEFAULT, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", place.path().display());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn a_missing_directory_is_said() {
    let place = Place::new(Engine::Sqlite).await;
    let error = Inventory::open(&Location::File(place.path().join("below"))).await.err().unwrap();
    assert!(matches!(error, InventoryError::Unopenable { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_damaged_and_left_as_it_is() {
    let place = Place::new(Engine::Sqlite).await;
    let garbage = "this is not a database\n".repeat(500);
    std::fs::write(place.path(), &garbage).unwrap();
    let error = Inventory::open(&place.location()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Damaged(_)), "{error}");
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), garbage);
}

#[tokio::test]
async fn a_database_whose_pages_are_overwritten_is_said_to_be_damaged() {
    let (place, inventory) = open(Engine::Sqlite).await;
    let zones: Vec<_> = (0..500).map(|n| zone(&format!("z{n}.example"), &["192.0.2.1:53"])).collect();
    inventory.import_zones(&BY, TenantId::DEFAULT, &zones).await.unwrap();
    inventory.close().await;
    let mut octets = std::fs::read(place.path()).unwrap();
    // The first page, which holds the tables' definitions, stays.
    octets[4096..].fill(0xa5);
    std::fs::write(place.path(), octets).unwrap();
    let error = match Inventory::open(&place.location()).await {
        Ok(inventory) => inventory.intent().await.err().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(error, InventoryError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_said_to_be() {
    let place = Place::new(Engine::Sqlite).await;
    place.open().await.close().await;
    let mut other = place.connect().await;
    sqlx::query("PRAGMA locking_mode = EXCLUSIVE").execute(&mut other).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = Inventory::open(&place.location()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Locked), "{error}");
}

async fn a_database_of_a_newer_version_is_refused_and_keeps_its_rows(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    inventory.add_zone(&BY, TenantId::DEFAULT, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    inventory.close().await;
    let mut newer = place.connect().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', TRUE, $1, 0)",
    )
    .bind(vec![0_u8])
    .execute(&mut newer)
    .await
    .unwrap();
    let error = Inventory::open(&place.location()).await.err().unwrap();
    assert!(matches!(error, InventoryError::Newer { found: 9999, .. }), "{error}");
    let zones: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM zones").fetch_one(&mut newer).await.unwrap();
    assert_eq!(zones, 1);
}

#[tokio::test]
async fn a_file_may_have_any_name() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("a %20?b#c").join("..").join("a %20?b#c");
    std::fs::create_dir(directory.path().join("a %20?b#c")).unwrap();
    let location = Location::File(below.join("ü & 'x'.db"));
    for zones in 0..2 {
        let inventory = Inventory::open(&location).await.unwrap();
        assert_eq!(inventory.intent().await.unwrap().zones.len(), zones);
        let name = format!("z{zones}.example");
        inventory.add_zone(&BY, TenantId::DEFAULT, &zone(&name, &["192.0.2.1:53"])).await.unwrap();
        inventory.close().await;
    }
    let names = std::fs::read_dir(directory.path().join("a %20?b#c")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, ["ü & 'x'.db"], "and nothing is left beside it");
}

/// What is in one folder of migrations and not in the other is missed here.
#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let columns = async |engine, statement| -> Vec<(String, String)> {
        let (place, inventory) = open(engine).await;
        inventory.close().await;
        let mut columns: Vec<(String, String)> =
            sqlx::query_as(statement).fetch_all(&mut place.connect().await).await.unwrap();
        columns.retain(|(table, _)| !table.starts_with("_sqlx"));
        columns
    };
    let of_sqlite = "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.name";
    let of_postgres = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
                       WHERE table_schema = current_schema() ORDER BY table_name COLLATE \"C\", column_name COLLATE \"C\"";
    let sqlite = columns(Engine::Sqlite, of_sqlite).await;
    assert!(sqlite.len() > 50, "{sqlite:?}");
    assert_eq!(sqlite, columns(Engine::Postgres, of_postgres).await);
}
