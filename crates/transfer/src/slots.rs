//! Places for TCP connections: so many to one address, so many to all.
//!
//! A connection waits for its place among those to its address first and only then takes one of all, so that a queue
//! before one primary never holds what another needs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use xfr::Reason;

/// Addresses that are remembered before those without connections are forgotten.
const ADDRESSES_KEPT: usize = 1024;

#[derive(Clone)]
pub(crate) struct Slots {
    per_address: usize,
    addresses: Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>,
    all: Arc<Semaphore>,
}

/// A connection's place, given back when dropped.
pub(crate) struct Slot {
    _of_address: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Slots {
    pub(crate) fn new(per_address: usize, all: usize) -> Self {
        Self { per_address, addresses: Arc::default(), all: Arc::new(Semaphore::new(all)) }
    }

    pub(crate) async fn take(&self, address: IpAddr, patience: Duration) -> Result<Slot, Reason> {
        let of_address = self.of_address(address.to_canonical());
        let both = async {
            let of_address = of_address.acquire_owned().await?;
            Ok(Slot { _of_address: of_address, _of_all: self.all.clone().acquire_owned().await? })
        };
        match timeout(patience, both).await {
            Ok(slot) => slot.map_err(|_: tokio::sync::AcquireError| Reason::Cancelled),
            Err(_) => Err(Reason::Busy { secs: patience.as_secs() }),
        }
    }

    fn of_address(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= ADDRESSES_KEPT {
            // Whoever holds or awaits a place holds a reference.
            addresses.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        addresses.entry(address).or_insert_with(|| Arc::new(Semaphore::new(self.per_address))).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Slots;
    use xfr::Reason;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_queue_before_one_address_does_not_hold_the_places_of_others() {
        // BIND GL#4215: a dead primary held what the living needed.
        let slots = Slots::new(1, 2);
        let (dead, alive) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let held = slots.take(dead, SOON).await.ok();
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.take(dead, Duration::from_secs(20)).await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(slots.take(alive, SOON).await.is_ok());
        assert_eq!(slots.take(dead, SOON).await.err(), Some(Reason::Busy { secs: 0 }));
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn addresses_without_connections_are_forgotten() {
        let slots = Slots::new(1, 2);
        for number in 0..5000_u32 {
            slots.take(std::net::Ipv4Addr::from(number).into(), SOON).await.unwrap();
        }
        assert!(slots.addresses.lock().unwrap().len() <= super::ADDRESSES_KEPT);
    }
}
