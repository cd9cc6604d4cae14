//! A scripted primary without sockets: a request's octets in, what is done about it out.
//!
//! For simulated networks, where time and transport are the simulation's.

use dns::{Name, Records};

use super::behaviour::Behaviour;
use super::connection::Action;
use super::message::{Origin, Transport};
use super::respond::respond;
use super::state::State;

/// Versions of a zone that lead on to the newest one by IXFR.
const JOURNAL_MAX: usize = 16;

#[derive(Default)]
pub struct Script(State);

impl Script {
    /// Makes these records the newest version of the zone.
    ///
    /// # Panics
    /// When there is no SOA record among them.
    pub fn publish(&mut self, zone: &Name, records: &Records) {
        let versions = self.0.zones.entry(zone.clone()).or_default();
        versions.publish_records(records);
        versions.keep(JOURNAL_MAX);
    }

    /// From now on it behaves so and in no other way.
    pub fn behave_only(&mut self, behaviour: Option<Behaviour>) {
        self.0.behaviours = behaviour.into_iter().collect();
    }

    /// What is done about a request over UDP.
    pub fn datagram(&mut self, query: &[u8]) -> Vec<Action> {
        respond(&mut self.0, query, Origin { transport: Transport::Udp, number: 1 })
    }

    /// What is done about a request over TCP, which is the connection's `number`th; the first is 1.
    pub fn request(&mut self, query: &[u8], number: usize) -> Vec<Action> {
        respond(&mut self.0, query, Origin { transport: Transport::Tcp, number })
    }
}
