//! Who is connected: places for connections, over TCP, TLS and QUIC together, in all and for each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places; a connection holds one for as long as it lives.
pub(crate) struct Connections {
    places: usize,
    places_per_client: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// Only clients that have a connection: never more entries than places.
    by_client: HashMap<Client, usize>,
}

/// Those who share one set of places: an IPv4 address, or the first 64 bits of an IPv6 address, because a subscriber
/// has all addresses below them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// A place that is taken; it becomes free when this is dropped.
pub(crate) struct Place {
    connections: Arc<Connections>,
    client: Client,
}

impl Connections {
    pub(crate) fn new(places: usize, places_per_client: usize) -> Arc<Self> {
        Arc::new(Self { places, places_per_client, taken: Mutex::default() })
    }

    /// A place for a connection from `address`, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let client = Client::from(address);
        let mut taken = self.taken();
        if taken.all >= self.places {
            return None;
        }
        let of_client = taken.by_client.entry(client).or_default();
        if *of_client >= self.places_per_client {
            if *of_client == 0 {
                taken.by_client.remove(&client);
            }
            return None;
        }
        *of_client += 1;
        taken.all += 1;
        Some(Place { connections: self.clone(), client })
    }

    /// Whether an address that a stranger only claims to have must be proved first: when half of all places are taken, or
    /// half of those that whoever has it may have.
    pub(crate) fn wants_proof(&self, address: IpAddr) -> bool {
        let taken = self.taken();
        let of_client = taken.by_client.get(&Client::from(address)).copied().unwrap_or_default();
        taken.all >= self.places / 2 || of_client >= self.places_per_client / 2
    }

    /// Whether more than half of the places are taken.
    pub(crate) fn is_crowded(&self) -> bool {
        self.taken().all > self.places / 2
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Numbers are right between any two statements, so that a panic elsewhere does not spoil them.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.connections.taken();
        taken.all -= 1;
        if let Some(of_client) = taken.by_client.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                taken.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Connections;

    #[test]
    fn a_client_cannot_take_all_places() {
        let connections = Connections::new(4, 2);
        let admit = |address: &str| connections.admit(address.parse().unwrap());
        let first = admit("192.0.2.1");
        let second = admit("192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(admit("192.0.2.1").is_none() && admit("::ffff:192.0.2.1").is_none());
        assert!(!connections.is_crowded());
        let third = admit("2001:db8::1");
        let fourth = admit("2001:db8::2");
        assert!(third.is_some() && fourth.is_some() && connections.is_crowded());
        assert!(admit("198.51.100.1").is_none(), "all places are taken");
        drop(first);
        assert!(admit("2001:db8::3").is_none(), "one IPv6 /64 is one client");
        assert!(admit("198.51.100.1").is_some());
        drop((second, third, fourth));
        assert!(connections.taken().by_client.is_empty() && connections.taken().all == 0);
    }
}
