//! What only a server can do: go and come back, be mute, refuse, belong to somebody else already.

#![allow(clippy::unwrap_used)]

mod place;

use std::time::{Duration, Instant};

use inventory::{
    AddZoneError, ChangeZoneError, Inventory, InventoryError, Location, RemoveKeyError, Service, TenantId, Zone,
    ZoneChange,
};
use place::{BY, Engine, Place, count_zones, key, name, open, zone, zone_by_name};
use sqlx::Connection;
use testing::peer::postgres::{Commits, PASSWORD, Postgres};
use tokio::time::timeout;

const OURS: TenantId = TenantId::DEFAULT;
/// Anything that has to wait for somebody's deadline, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

async fn add(inventory: &Inventory, name: &str) -> Result<(), InventoryError> {
    match inventory.add_zone(&BY, OURS, &zone(name, &["192.0.2.1:53"])).await {
        Ok(_) => Ok(()),
        Err(AddZoneError::Inventory(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

/// An inventory in a cluster of its own.
async fn alone(commits: Commits) -> (Postgres, Location, Inventory) {
    let cluster = Postgres::start(commits);
    cluster.create_database("inventory", None);
    let location = Location::Postgres(cluster.url("inventory").parse().unwrap());
    let inventory = Inventory::open(&location).await.unwrap();
    (cluster, location, inventory)
}

#[track_caller]
fn says_no_password(error: &InventoryError) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains(PASSWORD) && !said.contains("Zaubernuss"), "{said}");
}

#[tokio::test]
async fn another_program_is_refused_until_the_first_has_gone() {
    let (place, inventory) = open(Engine::Postgres).await;
    let refused = Inventory::open(&place.location()).await.err().unwrap();
    assert!(matches!(refused, InventoryError::InUse), "{refused}");
    add(&inventory, "a.example").await.unwrap();
    inventory.close().await;
    let next = place.open().await;
    assert_eq!(count_zones(&next, OURS).await, 1);
    assert!(add(&inventory, "b.example").await.is_err(), "it is closed");
}

/// As when the network has lost a connection: the server has given the lock to somebody else before we know.
#[tokio::test]
async fn who_has_lost_the_lock_cannot_write_and_has_it_again_when_it_is_free() {
    let (place, first) = open(Engine::Postgres).await;
    let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND database = \
               (SELECT oid FROM pg_database WHERE datname = current_database())";
    let Place::Database(database) = &place else { unreachable!("it is one") };
    let ended = || Postgres::of_this_program().query(database, end);
    // Nobody else wants it: nobody notices anything.
    assert_eq!(ended().trim(), "1");
    add(&first, "a.example").await.unwrap();
    assert_eq!(ended().trim(), "1");
    let second = place.open().await;
    let refused = add(&first, "b.example").await.unwrap_err();
    assert!(matches!(refused, InventoryError::InUse), "{refused}");
    assert!(first.trouble().is_some_and(|words| words.contains("another running server")));
    add(&second, "c.example").await.unwrap();
    assert_eq!(count_zones(&first, OURS).await, 2, "reading goes on");
    second.close().await;
    add(&first, "d.example").await.unwrap();
    assert_eq!(first.trouble(), None);
}

#[tokio::test]
async fn a_killed_server_is_said_to_be_gone_and_is_used_again_when_it_is_back() {
    let (mut cluster, _, inventory) = alone(Commits::Durable).await;
    add(&inventory, "a.example").await.unwrap();
    let mut changes = inventory.changes();
    changes.mark_unchanged();
    cluster.kill();
    let started = Instant::now();
    for name in ["b.example", "c.example"] {
        let error = add(&inventory, name).await.unwrap_err();
        assert!(matches!(error, InventoryError::Unreachable(_)), "{error}");
        says_no_password(&error);
    }
    let error = inventory.intent().await.unwrap_err();
    assert!(matches!(error, InventoryError::Unreachable(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "it is said at once: {:?}", started.elapsed());
    assert!(inventory.trouble().is_some_and(|words| words.contains("cannot be reached")));
    changes.mark_unchanged();
    cluster.start_again();
    // Nobody asks for anything, and it is known all the same.
    timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    add(&inventory, "d.example").await.unwrap();
    assert_eq!(count_zones(&inventory, OURS).await, 2, "what was confirmed, and nothing else");
    assert_eq!(inventory.trouble(), None);
}

#[tokio::test]
async fn a_mute_server_makes_nobody_wait_for_ever() {
    let (cluster, location, inventory) = alone(Commits::Fleeting).await;
    add(&inventory, "a.example").await.unwrap();
    inventory.intent().await.unwrap();
    cluster.freeze();
    let (adding, reading, opening) = timeout(PATIENCE, async {
        tokio::join!(add(&inventory, "b.example"), inventory.intent(), Inventory::open(&location))
    })
    .await
    .unwrap();
    for error in [adding.unwrap_err(), reading.unwrap_err(), opening.err().unwrap()] {
        assert!(matches!(error, InventoryError::Unreachable(_)), "{error}");
    }
    cluster.thaw();
    // The server finds out first that the one before is gone.
    timeout(PATIENCE, async { while add(&inventory, "c.example").await.is_err() {} }).await.unwrap();
    assert_eq!(count_zones(&inventory, OURS).await, 2);
}

/// Far longer than anybody waits for a statement.
#[tokio::test]
async fn a_server_that_falls_silent_amid_a_change_makes_nobody_wait_for_ever() {
    let (cluster, _, inventory) = alone(Commits::Fleeting).await;
    add(&inventory, "a.example").await.unwrap();
    let pause = |_: &Zone| {
        cluster.freeze();
        Ok::<_, ()>(ZoneChange { service: Some(Service::Paused), ..ZoneChange::default() })
    };
    let name = name("a.example");
    let changed = timeout(2 * PATIENCE, inventory.change_zone(&BY, OURS, &name, pause)).await.unwrap();
    assert!(matches!(changed, Err(ChangeZoneError::Inventory(InventoryError::Unreachable(_)))), "{changed:?}");
    cluster.thaw();
    timeout(PATIENCE, async { while add(&inventory, "b.example").await.is_err() {} }).await.unwrap();
    let zone = zone_by_name(&inventory, OURS, &name).await.unwrap();
    assert_eq!(zone.service, Service::Answering, "the change is not there, as it was said");
}

#[tokio::test]
async fn over_tls_the_server_is_the_one_that_is_meant_or_gets_no_password() {
    let cluster = Postgres::of_this_program();
    cluster.create_database("over_tls", None);
    let at = |parameters: &str| {
        Location::Postgres(format!("{}?sslmode=verify-full{parameters}", cluster.url("over_tls")).parse().unwrap())
    };
    let error = Inventory::open(&at("")).await.err().unwrap();
    assert!(matches!(error, InventoryError::Unreachable(_)), "nobody known vouches for it: {error}");
    let inventory = Inventory::open(&at(&format!("&sslrootcert={}", cluster.authority().display()))).await.unwrap();
    add(&inventory, "a.example").await.unwrap();
    let versions =
        "SELECT DISTINCT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'over_tls'";
    assert_eq!(cluster.query("postgres", versions).trim(), "TLSv1.3");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_check() {
    let cluster = Postgres::of_this_program();
    let url = cluster.url("no_such_database");
    let stranger = cluster.url("postgres").replace("Zaubernuss", "Zaubernusswrong");
    for url in [url, stranger] {
        let error = Inventory::open(&Location::Postgres(url.parse().unwrap())).await.err().unwrap();
        assert!(matches!(error, InventoryError::Refused(_)), "{error}");
        assert!(error.to_string().contains("pg_hba.conf"), "{error}");
        says_no_password(&error);
    }
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let cluster = Postgres::of_this_program();
    let make = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'";
    cluster.query("postgres", make);
    let error = Inventory::open(&Location::Postgres(cluster.url("latin").parse().unwrap())).await.err().unwrap();
    assert!(matches!(error, InventoryError::Unfit(_)) && error.to_string().contains("LATIN1"), "{error}");
}

/// Whatever is set for the database or the user.
#[tokio::test]
async fn what_is_confirmed_is_on_disk() {
    let place = Place::new(Engine::Postgres).await;
    let Place::Database(database) = &place else { unreachable!("it is one") };
    let cluster = Postgres::of_this_program();
    cluster.query(
        database,
        &format!(
            "ALTER DATABASE {database} SET synchronous_commit = off; CREATE TABLE seen (setting TEXT); \
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
             CREATE TRIGGER see AFTER INSERT ON zones EXECUTE FUNCTION see();"
        ),
    );
    let inventory = place.open().await;
    add(&inventory, "a.example").await.unwrap();
    assert_eq!(cluster.query(database, "SELECT setting FROM seen").trim(), "on");
}

#[tokio::test]
async fn who_is_in_the_way_is_waited_for_but_not_for_ever() {
    let (place, inventory) = open(Engine::Postgres).await;
    let other = place.lock().await;
    let error = timeout(PATIENCE, add(&inventory, "a.example")).await.unwrap().unwrap_err();
    assert!(matches!(error, InventoryError::Locked), "{error}");
    place::unlock(other).await;
    add(&inventory, "a.example").await.unwrap();
}

/// As when a program that has lost the lock, and does not know it yet, is at work beside the one that has it.
#[tokio::test]
async fn of_two_removals_that_overlap_the_later_is_overtaken_and_has_done_nothing() {
    let place = Place::new(Engine::Postgres).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    inventory.add_key(&BY, theirs, &key("k.example")).await.unwrap();
    let mut other = place.connect().await;
    let mut earlier = other.begin().await.unwrap();
    for statement in ["DELETE FROM keys WHERE tenant_id = $1", "DELETE FROM tenants WHERE id = $1"] {
        sqlx::query(statement).bind(i64::try_from(theirs.0).unwrap()).execute(&mut *earlier).await.unwrap();
    }
    let removing = tokio::spawn({
        let inventory = inventory.clone();
        async move { inventory.remove_key(&BY, theirs, &name("k.example"), place::keys_of).await }
    });
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut looking = place.connect().await;
    let is_waiting = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut looking).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, is_waiting).await.expect("the removal of the key waits for that of its organisation");
    earlier.commit().await.unwrap();
    let removed = timeout(PATIENCE, removing).await.unwrap().unwrap();
    assert!(matches!(removed, Err(RemoveKeyError::Inventory(InventoryError::Overtaken))), "{removed:?}");
    let written: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE act = 'key.removed'")
        .fetch_one(&mut looking)
        .await
        .unwrap();
    assert_eq!(written, 0, "nothing was removed, and nothing says so");
    // Whoever looks then sees what there is.
    let again = inventory.remove_key(&BY, theirs, &name("k.example"), place::keys_of).await;
    assert!(matches!(again, Err(RemoveKeyError::Unknown(_))), "{again:?}");
    inventory.add_key(&BY, OURS, &key("k.example")).await.unwrap();
}
