//! A directory with an inventory in it, and short ways to write zones.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::path::PathBuf;

use dns::Name;
use inventory::{Inventory, NewZone, TenantId, Zone, ZoneId};
use sqlx::Connection;
use xfr::{Algorithm, Key, Moment, Primary};

pub const NOW: Moment = Moment(1_795_262_400_000);

pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("inventory.sqlite")
    }

    pub async fn open(&self) -> Inventory {
        Inventory::open(&self.path()).await.unwrap()
    }

    /// There is no way to add a tenant yet, so that one is written past the inventory.
    pub async fn open_with_second_tenant(&self) -> (Inventory, TenantId) {
        let inventory = self.open().await;
        let mut connection = self.connect().await;
        sqlx::query("INSERT INTO tenants (id, name) VALUES (2, 'second')").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        (inventory, TenantId(2))
    }

    /// A connection of somebody else's.
    pub async fn connect(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path());
        sqlx::SqliteConnection::connect_with(&options).await.unwrap()
    }
}

pub async fn open() -> (Place, Inventory) {
    let place = Place::new();
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
