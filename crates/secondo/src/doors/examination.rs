//! Examining a zone at its primaries, with the keys and certificates that are here.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::doors::{Actor, Caller, NewZone};
use api::{Code, Problem, json};
use dns::Name;
use inventory::{Notify, NotifySender, TenantId};
use tokio::sync::{Semaphore, SemaphorePermit};
use transfer::doctor::{Notifies, Ours, Patient, Takes};
use xfr::notify::Decline;
use xfr::policy::SerialWentBack;
use xfr::{Key, Moment};

use super::House;
use crate::followed::Source;
use crate::{examination, notifies};

/// Examinations at a time: people ask for them, and each keeps a handful of sockets.
const EXAMINATIONS_MAX: usize = 8;
/// How long one waits for the others.
const PLACE_WITHIN: Duration = Duration::from_secs(20);
/// Rows of NOTIFYs that are looked through for one of a primary.
const NOTIFIES_MAX: u32 = 1_000;

/// Examinations that one tenant may have at a time, and begin within a minute: each asks servers of whoever's choice.
const EACH_AT_ONCE_MAX: usize = 2;
const EACH_PER_MINUTE_MAX: usize = 10;
const MINUTE_MS: u64 = 60_000;

/// Places for those under way, and what each tenant has had of them.
pub(crate) struct Examinations {
    places: Semaphore,
    had: Mutex<HashMap<TenantId, Had>>,
}

#[derive(Default)]
struct Had {
    under_way: usize,
    /// Within the last minute.
    begun_at: VecDeque<Moment>,
}

/// A place among those that are under way, until this is dropped.
pub(super) struct Place<'a> {
    _one_of: Option<OneOf<'a>>,
    _permit: SemaphorePermit<'a>,
}

/// One tenant's examination, until this is dropped.
struct OneOf<'a>(&'a Examinations, TenantId);

impl Default for Examinations {
    fn default() -> Self {
        Self { places: Semaphore::new(EXAMINATIONS_MAX), had: Mutex::default() }
    }
}

impl Examinations {
    /// Counts one more of the tenant's.
    ///
    /// # Errors
    /// [`Code::RateLimited`].
    fn one_of(&self, tenant: TenantId, now: Moment) -> Result<OneOf<'_>, Problem> {
        let mut all = self.had();
        let had = all.entry(tenant).or_default();
        had.begun_at.retain(|at| now.0 < at.0.saturating_add(MINUTE_MS));
        if had.under_way >= EACH_AT_ONCE_MAX {
            let detail =
                format!("{EACH_AT_ONCE_MAX} examinations of the organisation's are under way: wait for one to end");
            return Err(Problem::new(Code::RateLimited, detail));
        }
        if had.begun_at.len() >= EACH_PER_MINUTE_MAX {
            let detail = format!(
                "the organisation has had {EACH_PER_MINUTE_MAX} examinations within a minute: try again in one"
            );
            return Err(Problem::new(Code::RateLimited, detail));
        }
        had.under_way += 1;
        had.begun_at.push_back(now);
        Ok(OneOf(self, tenant))
    }

    fn had(&self) -> MutexGuard<'_, HashMap<TenantId, Had>> {
        self.had.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OneOf<'_> {
    fn drop(&mut self) {
        if let Some(had) = self.0.had().get_mut(&self.1) {
            had.under_way = had.under_way.saturating_sub(1);
        }
    }
}

impl House {
    pub(super) async fn examination(
        &self,
        caller: &Caller,
        zone: &NewZone,
        own_addresses: Vec<IpAddr>,
    ) -> Result<json::Examination, Problem> {
        let tenant = caller.tenant;
        // Addresses that nothing is sent to are said where they would be asked, as everything that is wrong with a primary.
        let chosen = |primary: &xfr::Primary| primary.source.map(|source| (source, primary.address));
        zone.primaries()
            .iter()
            .filter_map(chosen)
            .try_for_each(|(source, server)| self.check_source(source, server))?;
        let sources =
            zone.primaries().iter().map(|primary| self.source(tenant, primary)).collect::<Result<Vec<_>, _>>()?;
        let patient = Patient {
            zone: zone.name().clone(),
            primaries: sources.into_iter().map(|source| source.primary).collect(),
            own_addresses: own_addresses.into_iter().chain(self.addresses()).collect(),
            notifies: self.notifies(tenant, zone).await,
            ours: self.ours(tenant, zone.name()),
        };
        let _place = self.place_to_ask(caller).await?;
        let examined = self.node.transfers.examine(&patient).await;
        Ok(examination::shown(&patient, &examined, &self.dns))
    }

    /// A place to ask servers of the caller's choice.
    ///
    /// # Errors
    /// [`Code::RateLimited`], [`Code::TimedOut`].
    pub(super) async fn place_to_ask(&self, caller: &Caller) -> Result<Place<'_>, Problem> {
        // Whoever may read our data may ask from here whatever they like.
        let counts = caller.actor != Actor::Machine;
        let one_of = counts.then(|| self.examinations.one_of(caller.tenant, self.node.clock.now())).transpose()?;
        let Ok(Ok(permit)) = tokio::time::timeout(PLACE_WITHIN, self.examinations.places.acquire()).await else {
            let detail = format!("{EXAMINATIONS_MAX} examinations are under way: try again in a minute");
            return Err(Problem::new(Code::TimedOut, detail));
        };
        Ok(Place { _one_of: one_of, _permit: permit })
    }

    pub(super) fn source(&self, tenant: TenantId, primary: &xfr::Primary) -> Result<Source, Problem> {
        let key =
            |name: &Name| -> Option<Arc<Key>> { self.node.shared.access.load().keys.get(tenant, name).cloned() };
        let source = Source::new(primary.clone(), primary.key.as_ref().and_then(key));
        match source.missing_key() {
            None => Ok(source),
            Some(name) => Err(Problem::new(
                Code::KeyUnknown,
                format!("there is no key {name}: add it with `secondo key add {name}`"),
            )),
        }
    }

    /// Where the world may be asking us: not on this machine alone, and not everywhere.
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let addresses = self.dns.iter().map(std::net::SocketAddr::ip);
        addresses.filter(|address| !address.is_unspecified() && !address.is_loopback())
    }

    /// The version of the zone that is here, and what may come in its place.
    fn ours(&self, tenant: TenantId, zone: &Name) -> Option<Ours> {
        let here = self.node.zone_of(tenant, zone)?;
        let accepts_older = here.instructions().policy.serial_went_back == SerialWentBack::Accept;
        let condition = here.condition();
        let serial = condition.held.as_ref()?.image.serial();
        let takes = match () {
            () if condition.hold.is_frozen() => Takes::None,
            () if accepts_older || condition.timers.is_expired(self.node.clock.now()) => Takes::OlderToo,
            () => Takes::Newer,
        };
        Some(Ours { serial, takes })
    }

    /// What came of the last NOTIFY that somebody sent whom the zone's owner has named, or that may be from a primary.
    async fn notifies(&self, tenant: TenantId, zone: &NewZone) -> Notifies {
        let (Some(here), Some(inventory)) = (self.node.zone_of(tenant, zone.name()), self.node.inventory.load_full())
        else {
            return Notifies::Unknown;
        };
        // What came a moment ago counts too.
        notifies::record(&self.node, &self.heard);
        let Ok(rows) = inventory.notifies(tenant, here.id, NOTIFIES_MAX).await else {
            return Notifies::Unknown;
        };
        let is_meant = |notify: &&Notify| match notify.sender {
            NotifySender::Known(_) => true,
            NotifySender::Strangers(site) => {
                zone.primaries().iter().any(|primary| site.contains(primary.address.ip().to_canonical()))
            }
        };
        let Some(last) = rows.iter().find(is_meant) else { return Notifies::None };
        match last.declined.as_deref().map(Decline::of_code) {
            None => Notifies::Taken,
            Some(Some(why)) => Notifies::Declined { from: sender(&last.sender), why },
            // Another version of this program knows why.
            Some(None) => Notifies::Unknown,
        }
    }
}

fn sender(sender: &NotifySender) -> String {
    match sender {
        NotifySender::Known(address) => address.to_string(),
        NotifySender::Strangers(site) => site.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use inventory::TenantId;
    use xfr::Moment;

    use super::Examinations;

    #[test]
    fn each_tenant_has_so_many_at_a_time_and_in_a_minute() {
        let examinations = Examinations::default();
        let (ours, theirs, now) = (TenantId(2), TenantId(3), Moment(1_000_000));
        let two = [(); 2].map(|()| examinations.one_of(ours, now).unwrap());
        assert!(examinations.one_of(ours, now).is_err());
        assert!(examinations.one_of(theirs, now).is_ok());
        drop(two);
        assert!((2..10).all(|_| examinations.one_of(ours, now).is_ok()));
        assert!(examinations.one_of(ours, Moment(now.0 + 59_999)).is_err());
        assert!(examinations.one_of(ours, Moment(now.0 + 60_000)).is_ok());
    }
}
