//! How many connections each network has, so that one alone does not take all of them.
//!
//! Counted are IPv4 addresses and IPv6 /64s. Loopback addresses and trusted proxies are not: others are behind them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xfr::Prefix;

use crate::front::Front;

/// Of one network: an office behind one address, each with a few tabs.
const EACH_MAX: usize = 64;

#[derive(Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<Prefix, usize>>>);

/// A connection's place in the crowd, given back when it is dropped.
pub(crate) struct Seat {
    crowd: Crowd,
    /// None for a network that is not counted.
    network: Option<Prefix>,
}

impl Crowd {
    /// None when the network has as many as it may.
    pub(crate) fn seat(&self, address: IpAddr, front: &Front) -> Option<Seat> {
        let address = address.to_canonical();
        if address.is_loopback() || front.trusts(address) {
            return Some(Seat { crowd: self.clone(), network: None });
        }
        let network = Prefix::of_customer(address);
        let mut counts = self.counts();
        let count = counts.entry(network).or_default();
        if *count >= EACH_MAX {
            return None;
        }
        *count += 1;
        Some(Seat { crowd: self.clone(), network: Some(network) })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Prefix, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut counts = self.crowd.counts();
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, EACH_MAX};
    use crate::front::Front;

    #[test]
    fn one_network_has_so_many_connections_and_gets_them_back() {
        let (crowd, front) = (Crowd::default(), Front::default());
        let seat = |address: &str| crowd.seat(address.parse().unwrap(), &front);
        let mut seats: Vec<_> = (0..EACH_MAX).map(|n| seat(&format!("2001:db8:0:1::{n:x}")).unwrap()).collect();
        assert!(seat("2001:db8:0:1:ffff::").is_none());
        assert!(seat("2001:db8:0:2::").is_some() && seat("192.0.2.1").is_some(), "others have theirs");
        seats.pop();
        seats.push(seat("2001:db8:0:1:ffff::").unwrap());
        drop(seats);
        assert!(crowd.counts().is_empty());
    }

    #[test]
    fn those_behind_whom_others_are_have_as_many_as_there_are() {
        let crowd = Crowd::default();
        let front = Front { trusted_proxies: vec!["192.0.2.0/24".parse().unwrap()], ..Front::default() };
        for address in ["127.0.0.1", "::1", "192.0.2.7", "::ffff:192.0.2.7"] {
            let seats: Vec<_> = (0..2 * EACH_MAX).map(|_| crowd.seat(address.parse().unwrap(), &front)).collect();
            assert!(seats.iter().all(Option::is_some), "{address}");
        }
    }
}
