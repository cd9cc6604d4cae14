//! Zones of the fake that were removed.

use api::doors::{Caller, Removal, Removals};
use api::json::{self, Time};
use api::{Code, Problem};
use async_trait::async_trait;
use dns::Name;

use super::Fake;

#[async_trait]
impl Removals for Fake {
    async fn remove(&self, _: &Caller, name: &Name, removal: Removal) -> Result<(), Problem> {
        let (mut zones, mut kept) = (self.zones.lock().unwrap(), self.removed.lock().unwrap());
        match (zones.remove(&super::lower(name)), removal) {
            (Some(zone), Removal::Kept) => _ = kept.insert(super::lower(name), zone),
            (Some(_), Removal::AtOnce) => {}
            (None, Removal::AtOnce) if kept.remove(&super::lower(name)).is_some() => {}
            (None, _) => return Err(super::unknown(name)),
        }
        Ok(())
    }

    async fn removed(&self, _: &Caller, limit: u32) -> Result<Vec<json::RemovedZone>, Problem> {
        let kept = self.removed.lock().unwrap();
        let shown = kept.values().map(|zone| json::RemovedZone {
            name: zone.name.clone(),
            removed_at: Time::from_unix_ms(1_795_262_400_000),
            deleted_at: Time::from_unix_ms(1_795_867_200_000),
        });
        Ok(shown.take(limit as usize).collect())
    }

    async fn restore(&self, _: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        let zone = self.removed.lock().unwrap().remove(&super::lower(name));
        let zone = zone.ok_or_else(|| Problem::new(Code::ZoneUnknown, "no removed zone of this name is kept"))?;
        self.zones.lock().unwrap().insert(super::lower(name), zone.clone());
        Ok(zone)
    }
}
