//! Who is connected: places for connections, over TCP, TLS and QUIC together, in all, for each network and for each client.
//!
//! Where all are taken, a newcomer gets the place of the oldest connection of the client who has most, if that has more
//! than the newcomer will then have; or else, by the same rule, of the network that has most. Many who hold many cannot
//! keep out one who wants one, be they one client, or the many addresses of one network.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
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
    /// The oldest first.
    by_client: HashMap<Client, VecDeque<Seat>>,
    /// Those that there ever were: no two have one number.
    numbers: u64,
}

/// One taken place.
struct Seat {
    number: u64,
    network: Prefix,
    is_lost: CancellationToken,
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
    client: Client,
    number: u64,
    is_lost: CancellationToken,
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

    /// A place for a connection from `address`, if there is one. The address must be proved where all are taken.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let (network, client) = (Prefix::of_site(address), Client::from(address));
        let mut taken = self.taken();
        let (of_client, of_network) = (taken.of(client), taken.of_network(network));
        if of_client >= self.places_per_client || of_network >= self.places_per_network {
            return None;
        }
        let is_full = taken.all >= self.places;
        if is_full && !taken.take_from_client(of_client + 1) && !taken.take_from_network(of_network + 1) {
            return None;
        }
        let (number, is_lost) = taken.add(client, network);
        Some(Place { connections: self.clone(), client, number, is_lost })
    }

    /// Whether an address that a stranger only claims to have must be proved first: when half of all places are taken, or
    /// half of those that whoever has it may have.
    pub(crate) fn wants_proof(&self, address: IpAddr) -> bool {
        let taken = self.taken();
        taken.all >= self.places / 2 || taken.of(address.into()) >= self.places_per_client / 2
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

impl Taken {
    fn of(&self, client: Client) -> usize {
        self.by_client.get(&client).map_or(0, VecDeque::len)
    }

    fn of_network(&self, network: Prefix) -> usize {
        self.by_network.get(&network).copied().unwrap_or_default()
    }

    fn add(&mut self, client: Client, network: Prefix) -> (u64, CancellationToken) {
        let (number, is_lost) = (self.numbers, CancellationToken::new());
        self.numbers += 1;
        self.all += 1;
        *self.by_network.entry(network).or_default() += 1;
        self.by_client.entry(client).or_default().push_back(Seat { number, network, is_lost: is_lost.clone() });
        (number, is_lost)
    }

    /// Takes a place from the client who has most, if that has more than `newcomers`, so many as the client will have
    /// who wants it.
    fn take_from_client(&mut self, newcomers: usize) -> bool {
        let most = self.by_client.iter().max_by_key(|(_, seats)| seats.len());
        let Some((&client, seats)) = most.filter(|(_, seats)| seats.len() > newcomers) else { return false };
        let oldest = seats[0].number;
        self.take(client, oldest)
    }

    /// The same of networks.
    fn take_from_network(&mut self, newcomers: usize) -> bool {
        let most = self.by_network.iter().max_by_key(|(_, number)| **number);
        let Some((&network, _)) = most.filter(|(_, number)| **number > newcomers) else { return false };
        let of_network = self.by_client.iter().filter(|(_, seats)| seats[0].network == network);
        let oldest = of_network.map(|(client, seats)| (seats[0].number, *client)).min_by_key(|(number, _)| *number);
        oldest.is_some_and(|(number, client)| self.take(client, number))
    }

    fn take(&mut self, client: Client, number: u64) -> bool {
        self.remove(client, number).is_some_and(|seat| {
            seat.is_lost.cancel();
            true
        })
    }

    /// None when it was taken away before.
    fn remove(&mut self, client: Client, number: u64) -> Option<Seat> {
        let seats = self.by_client.get_mut(&client)?;
        let index = seats.iter().position(|seat| seat.number == number)?;
        let seat = seats.remove(index)?;
        if seats.is_empty() {
            self.by_client.remove(&client);
        }
        if let Some(of_network) = self.by_network.get_mut(&seat.network) {
            *of_network -= 1;
            if *of_network == 0 {
                self.by_network.remove(&seat.network);
            }
        }
        self.all -= 1;
        Some(seat)
    }
}

impl Place {
    /// Returns when somebody else has got the place: the connection must end.
    pub(crate) async fn lost(&self) {
        self.is_lost.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.taken().remove(self.client, self.number);
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
        drop(first);
        assert!(admit("2001:db8::3").is_none(), "one IPv6 /64 is one client");
        assert!(admit("198.51.100.1").is_some());
        drop((second, third, fourth));
        let taken = connections.taken();
        assert!(taken.by_client.is_empty() && taken.by_network.is_empty() && taken.all == 0);
    }

    #[test]
    fn where_all_places_are_taken_who_has_most_loses_the_oldest_to_who_has_few() {
        let connections = connections(6, 6, 6);
        let admit = |address| admit(&connections, address).unwrap();
        let mut of_many: Vec<_> = (0..4).map(|_| admit("192.0.2.1")).collect();
        let of_two = [admit("198.51.100.1"), admit("198.51.100.1")];
        let lost = |places: &[Place]| places.iter().map(|place| place.is_lost.is_cancelled()).collect::<Vec<_>>();
        let newcomer = admit("203.0.113.1");
        assert_eq!((lost(&of_many), lost(&of_two)), (vec![true, false, false, false], vec![false; 2]));
        // It was another's before it was dropped.
        drop(of_many.remove(0));
        assert_eq!(connections.taken().all, 6);
        let second = admit("203.0.113.1");
        assert_eq!(lost(&of_many), [true, false, false]);
        assert!(connections.admit("203.0.113.1".parse().unwrap()).is_none(), "nobody has more than two");
        assert!(connections.admit("192.0.2.1".parse().unwrap()).is_none());
        drop((of_many, of_two, newcomer, second));
        let taken = connections.taken();
        assert!(taken.by_client.is_empty() && taken.by_network.is_empty() && taken.all == 0);
    }

    #[test]
    fn where_all_places_are_taken_the_network_with_most_loses_the_oldest_to_another() {
        let connections = connections(6, 4, 1);
        let admit = |address| admit(&connections, address);
        let of_many = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(|address| admit(address).unwrap());
        let of_few = ["198.51.100.1", "198.51.100.2"].map(|address| admit(address).unwrap());
        let lost = |places: &[Place]| places.iter().map(|place| place.is_lost.is_cancelled()).collect::<Vec<_>>();
        let newcomers = [admit("203.0.113.1").unwrap(), admit("203.0.113.2").unwrap()];
        assert_eq!((lost(&of_many), lost(&of_few)), (vec![true, true, false, false], vec![false; 2]));
        assert!(admit("203.0.113.3").is_none() && admit("192.0.2.5").is_none(), "all have two");
        assert!(admit("2001:db8::1").is_some(), "and are more than one");
        drop((of_many, of_few, newcomers));
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
