//! A place with an inventory in it, on either engine, and short ways to write zones.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dns::Name;
use inventory::{Actor, By, Inventory, Location, NewZone, TenantId, Zone, ZoneId};
use sqlx::{AnyConnection, Connection};
use testing::peer::postgres::Postgres;
use xfr::{Algorithm, Key, Moment, Primary};

pub const NOW: Moment = Moment(1_795_262_400_000);

/// Who does something, where it does not matter who.
pub const BY: By = By { actor: Actor::Machine, address: None, at: NOW };

/// Which database a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Runs each of the cases, functions that take an [`Engine`], on both: `sqlite::NAME` and `postgres::NAME`.
#[macro_export]
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::place::Engine::Sqlite).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case($crate::place::Engine::Postgres).await;
            })*
        }
    };
}

/// A place for an inventory: a directory, or a database with a name of its own.
pub enum Place {
    Directory(tempfile::TempDir),
    Database(String),
}

/// The database of which others are copies: making all tables anew takes longer.
const TEMPLATE: &str = "template_inventory";

impl Place {
    pub async fn new(engine: Engine) -> Self {
        static HAS_TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if engine == Engine::Sqlite {
            return Self::Directory(tempfile::tempdir().unwrap());
        }
        HAS_TEMPLATE
            .get_or_init(async || {
                Postgres::of_this_program().create_database(TEMPLATE, None);
                Self::Database(TEMPLATE.into()).open().await.close().await;
            })
            .await;
        let database = format!("inventory_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Postgres::of_this_program().create_database(&database, Some(TEMPLATE));
        Self::Database(database)
    }

    /// The file, which only SQLite has.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.path().join("inventory.sqlite"),
            Self::Database(_) => panic!("a database of PostgreSQL is no file"),
        }
    }

    pub fn location(&self) -> Location {
        match self {
            Self::Directory(_) => Location::File(self.path()),
            Self::Database(name) => Location::Postgres(Postgres::of_this_program().url(name).parse().unwrap()),
        }
    }

    pub async fn open(&self) -> Inventory {
        Inventory::open(&self.location()).await.unwrap()
    }

    pub async fn open_with_second_tenant(&self) -> (Inventory, TenantId) {
        let inventory = self.open().await;
        let tenant = inventory.add_tenant(&BY, "second").await.unwrap();
        (inventory, tenant)
    }

    /// A connection of somebody else's.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = match self {
            Self::Directory(_) => format!("sqlite://{}", self.path().display()),
            Self::Database(name) => Postgres::of_this_program().url(name),
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    /// Has somebody else in the middle of writing; whoever wants to write waits until [`unlock`].
    pub async fn lock(&self) -> AnyConnection {
        let mut other = self.connect().await;
        let statements = match self {
            Self::Directory(_) => "BEGIN IMMEDIATE",
            Self::Database(_) => "BEGIN; LOCK TABLE zones, attempts, notifies IN ACCESS EXCLUSIVE MODE",
        };
        sqlx::raw_sql(statements).execute(&mut other).await.unwrap();
        other
    }
}

pub async fn unlock(mut other: AnyConnection) {
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
}

pub async fn open(engine: Engine) -> (Place, Inventory) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    (place, inventory)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn primary(address: &str) -> Primary {
    Primary::at(address.parse().unwrap())
}

pub fn zone(text: &str, primaries: &[&str]) -> NewZone {
    NewZone::answering(name(text), primaries.iter().map(|address| primary(address)).collect())
}

pub fn key(text: &str) -> Key {
    Key::new(name(text), Algorithm::HmacSha256, vec![7; 32]).unwrap()
}

pub async fn zones_of(inventory: &Inventory, tenant: TenantId) -> Vec<Zone> {
    let zones = inventory.intent().await.unwrap().zones;
    zones.into_iter().filter(|zone| zone.tenant == tenant).collect()
}

pub async fn zone_by_name(inventory: &Inventory, tenant: TenantId, name: &Name) -> Option<Zone> {
    zones_of(inventory, tenant).await.into_iter().find(|zone| zone.name == *name)
}

pub async fn zone_by_id(inventory: &Inventory, tenant: TenantId, id: ZoneId) -> Option<Zone> {
    zones_of(inventory, tenant).await.into_iter().find(|zone| zone.id == id)
}

pub async fn count_zones(inventory: &Inventory, tenant: TenantId) -> usize {
    zones_of(inventory, tenant).await.len()
}

/// The keys that the templates of these tests name, as in `{"key=k.example":true}`.
pub fn keys_of(template: &str) -> Vec<Name> {
    template.split('"').filter_map(|text| text.strip_prefix("key=")).map(name).collect()
}
