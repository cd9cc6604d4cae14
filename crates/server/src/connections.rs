//! Who is connected: places for connections, over TCP, TLS and QUIC together, in all, for each network and for each client.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xfr::Prefix;

use crate::limits::Limits;

/// The places; a connection holds one for as long as it lives.
pub(crate) struct Connections {
    places: usize,
    places_per_network: usize,
    places_per_client: usize,
    taken: Mutex<Taken>,
}

/// Only those who have a connection: never more entries than places.
#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<Prefix, usize>,
    by_client: HashMap<Client, usize>,
}

/// Those who share one set of places: an IPv4 address, or the first 64 bits of an IPv6 address, because a subscriber
/// has all addresses below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
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
    network: Prefix,
    client: Client,
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            places: limits.connections,
            places_per_network: limits.connections_per_network,
            places_per_client: limits.connections_per_client,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection from `address`, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let (network, client) = (Prefix::of_site(address), Client::from(address));
        let mut taken = self.taken();
        let is_room = taken.all < self.places
            && number(&taken.by_network, &network) < self.places_per_network
            && number(&taken.by_client, &client) < self.places_per_client;
        if !is_room {
            return None;
        }
        taken.all += 1;
        *taken.by_network.entry(network).or_default() += 1;
        *taken.by_client.entry(client).or_default() += 1;
        Some(Place { connections: self.clone(), network, client })
    }

    /// Whether an address that a stranger only claims to have must be proved first: when half of all places are taken, or
    /// half of those that whoever has it may have.
    pub(crate) fn wants_proof(&self, address: IpAddr) -> bool {
        let taken = self.taken();
        let of_client = number(&taken.by_client, &Client::from(address));
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
        give_back(&mut taken.by_network, &self.network);
        give_back(&mut taken.by_client, &self.client);
    }
}

fn number<K: Eq + Hash>(taken: &HashMap<K, usize>, whose: &K) -> usize {
    taken.get(whose).copied().unwrap_or_default()
}

fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, whose: &K) {
    if let Some(number) = taken.get_mut(whose) {
        *number -= 1;
        if *number == 0 {
            taken.remove(whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Connections, Place};
    use crate::Limits;

    fn connections(
        connections: usize,
        connections_per_network: usize,
        connections_per_client: usize,
    ) -> Arc<Connections> {
        let limits = Limits { connections, connections_per_network, connections_per_client, ..Limits::default() };
        Connections::new(&limits)
    }

    fn admit(connections: &Arc<Connections>, address: &str) -> Option<Place> {
        connections.admit(address.parse().unwrap())
    }

    #[test]
    fn a_client_cannot_take_all_places() {
        let connections = connections(4, 4, 2);
        let admit = |address| admit(&connections, address);
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
        let taken = connections.taken();
        assert!(taken.by_client.is_empty() && taken.by_network.is_empty() && taken.all == 0);
    }

    #[test]
    fn the_clients_of_one_network_cannot_take_all_places_together() {
        let connections = connections(8, 2, 1);
        let admit = |address| admit(&connections, address);
        let held = [admit("192.0.2.1"), admit("192.0.2.2"), admit("2001:db8:1:1::1"), admit("2001:db8:1:2::1")];
        assert!(held.iter().all(Option::is_some));
        assert!(admit("192.0.2.3").is_none() && admit("2001:db8:1:3::1").is_none());
        assert!(admit("192.0.3.1").is_some() && admit("2001:db8:2:1::1").is_some(), "other networks");
        drop(held);
        assert!(admit("192.0.2.3").is_some());
        assert!(connections.taken().by_network.is_empty());
    }
}
