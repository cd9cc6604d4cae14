//! Examining a zone at its primaries, with the keys and certificates that are here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use api::doors::NewZone;
use api::{Code, Problem, json};
use dns::Name;
use inventory::{TenantId, Trigger};
use tokio::sync::Semaphore;
use transfer::doctor::{Notifies, Patient};
use xfr::Key;

use super::House;
use crate::examination;
use crate::followed::Source;

/// Examinations at a time: people ask for them, and each keeps a handful of sockets.
const EXAMINATIONS_MAX: usize = 8;
/// How long one waits for the others.
const PLACE_WITHIN: Duration = Duration::from_secs(20);
/// Attempts that are looked through for one that came of a NOTIFY.
const ATTEMPTS_MAX: u32 = 1_000;

/// Places for those under way.
pub(crate) struct Examinations(Semaphore);

impl Default for Examinations {
    fn default() -> Self {
        Self(Semaphore::new(EXAMINATIONS_MAX))
    }
}

impl House {
    pub(super) async fn examination(
        &self,
        zone: &NewZone,
        own_addresses: Vec<IpAddr>,
    ) -> Result<json::Examination, Problem> {
        let sources = zone.primaries().iter().map(|primary| self.source(primary)).collect::<Result<Vec<_>, _>>()?;
        let patient = Patient {
            zone: zone.name().clone(),
            primaries: sources.into_iter().map(|source| source.primary).collect(),
            own_addresses: own_addresses.into_iter().chain(self.addresses()).collect(),
            notifies: self.notifies(zone.name()).await,
        };
        let Ok(Ok(_place)) = tokio::time::timeout(PLACE_WITHIN, self.examinations.0.acquire()).await else {
            let detail = format!("{EXAMINATIONS_MAX} examinations are under way: try again in a minute");
            return Err(Problem::new(Code::TimedOut, detail));
        };
        let examined = self.node.transfers.examine(&patient).await;
        Ok(examination::shown(&patient, &examined, self.dns.first().map(std::net::SocketAddr::port)))
    }

    fn source(&self, primary: &xfr::Primary) -> Result<Source, Problem> {
        let key = |name: &Name| -> Option<Arc<Key>> { self.node.shared.access.load().keys.get(name).cloned() };
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

    async fn notifies(&self, name: &Name) -> Notifies {
        let (Some(zone), Some(inventory)) = (self.node.zone_named(name), self.node.inventory.load_full()) else {
            return Notifies::NotSeen;
        };
        let attempts = inventory.attempts(TenantId::DEFAULT, zone.id, None, ATTEMPTS_MAX).await.unwrap_or_default();
        let seen = attempts.iter().any(|recorded| recorded.attempt.trigger == Trigger::Notify);
        if seen { Notifies::Seen } else { Notifies::NotSeen }
    }
}
