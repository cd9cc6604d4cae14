//! Places for transfers out, in all and for each client: who may copy zones may not thereby keep others from it.
//!
//! Who finds no place waits for one, in the order in which they came, and not for long: what asks us has a deadline of
//! its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::connections::Client;
use crate::limits::Limits;

pub(crate) struct Places {
    all: Arc<Semaphore>,
    per_client: usize,
    wait: Duration,
    /// Only clients that have a place or wait for one.
    clients: Mutex<HashMap<Client, Seats>>,
}

/// The places of one client.
struct Seats {
    free: Arc<Semaphore>,
    /// Who has one or waits for one.
    claims: usize,
}

/// A place that is taken; it becomes free when this is dropped.
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_client: OwnedSemaphorePermit,
    /// Dropped last: it forgets the client.
    _claim: Claim,
}

struct Claim {
    places: Arc<Places>,
    client: Client,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(limits.transfers)),
            per_client: limits.transfers_per_client,
            wait: limits.transfer_wait,
            clients: Mutex::default(),
        })
    }

    /// A place for a transfer to `address`, as soon as there is one; none when that takes too long.
    pub(crate) async fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let (free, claim) = self.claim(address.into());
        let both = async {
            // The client's own first: who waits for that takes nothing of the others'.
            let of_client = free.acquire_owned().await.ok()?;
            let of_all = self.all.clone().acquire_owned().await.ok()?;
            Some(Place { _of_all: of_all, _of_client: of_client, _claim: claim })
        };
        timeout(self.wait, both).await.ok().flatten()
    }

    fn claim(self: &Arc<Self>, client: Client) -> (Arc<Semaphore>, Claim) {
        let mut clients = self.clients();
        let seats = clients
            .entry(client)
            .or_insert_with(|| Seats { free: Arc::new(Semaphore::new(self.per_client)), claims: 0 });
        seats.claims += 1;
        (seats.free.clone(), Claim { places: self.clone(), client })
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<Client, Seats>> {
        // Numbers are right between any two statements, so that a panic elsewhere does not spoil them.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut clients = self.places.clients();
        if let Some(seats) = clients.get_mut(&self.client) {
            seats.claims -= 1;
            if seats.claims == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Place, Places};
    use crate::Limits;

    fn places(transfers: usize, transfers_per_client: usize, transfer_wait: Duration) -> Arc<Places> {
        Places::new(&Limits { transfers, transfers_per_client, transfer_wait, ..Limits::default() })
    }

    async fn take(places: &Arc<Places>, address: &str) -> Option<Place> {
        places.take(address.parse::<IpAddr>().unwrap()).await
    }

    #[tokio::test]
    async fn a_client_cannot_take_all_places_and_nobody_is_remembered_who_has_none() {
        let places = places(3, 2, Duration::ZERO);
        let first = take(&places, "192.0.2.1").await;
        let second = take(&places, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(take(&places, "192.0.2.1").await.is_none());
        let third = take(&places, "2001:db8::1").await;
        assert!(third.is_some());
        assert!(take(&places, "2001:db8::2").await.is_none(), "all places are taken");
        drop(first);
        let fourth = take(&places, "2001:db8::2").await;
        assert!(fourth.is_some());
        drop(second);
        assert!(take(&places, "2001:db8::3").await.is_none(), "one IPv6 /64 is one client");
        drop((third, fourth));
        assert!(places.clients().is_empty() && places.all.available_permits() == 3);
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let places = places(1, 1, Duration::from_secs(60));
        let first = take(&places, "192.0.2.1").await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { take(&places, "192.0.2.2").await.is_some() }
        });
        tokio::task::yield_now().await;
        assert_eq!(places.clients().len(), 2, "one has it and one waits");
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(places.clients().is_empty());
    }
}
