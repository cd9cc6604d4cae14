//! What a scripted primary holds, shared between the test and its thread.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dns::Name;
use rustls::pki_types::CertificateDer;
use xfr::Key;

use super::behaviour::{Behaviour, Kind};
use super::message::Transport;
use super::tls::Hello;
use super::versions::Versions;
use crate::certificate::Certificate;

#[derive(Default)]
pub(super) struct State {
    pub(super) zones: HashMap<Name, Versions>,
    pub(super) behaviours: Vec<Behaviour>,
    pub(super) keys: Vec<Arc<Key>>,
    /// What it shows over TLS, where it speaks TLS at all.
    pub(super) certificate: Option<Certificate>,
    pub(super) counts: [u64; Kind::COUNT],
    pub(super) connections: u64,
    pub(super) connections_most: u64,
    pub(super) accepted_over_tcp: u64,
    pub(super) accepted_over_tls: u64,
    /// The most requests that came on one connection.
    pub(super) requests_most: usize,
    pub(super) hellos: Vec<Hello>,
    /// For each handshake that came to its end, the client's certificate if it showed one.
    pub(super) handshakes: Vec<Option<CertificateDer<'static>>>,
}

impl State {
    pub(super) fn publish(&mut self, name: Name, origin: &str, text: &str) {
        self.zones.entry(name).or_default().publish(origin, text);
    }

    pub(super) fn behaves(&self, behaviour: &Behaviour) -> bool {
        self.behaviours.contains(behaviour)
    }

    /// How many connections of this kind have come.
    pub(super) fn accepted(&mut self, transport: Transport) -> &mut u64 {
        if transport == Transport::Tls { &mut self.accepted_over_tls } else { &mut self.accepted_over_tcp }
    }

    /// What the first behaviour that `pick` knows says.
    pub(super) fn told<T>(&self, pick: impl Fn(&Behaviour) -> Option<T>) -> Option<T> {
        self.behaviours.iter().find_map(pick)
    }

    /// The primary's own idea of the time, in seconds since the Unix epoch.
    pub(super) fn clock_secs(&self) -> u64 {
        let ahead = self.told(|behaviour| match behaviour {
            Behaviour::ClockAhead(secs) => Some(*secs),
            _ => None,
        });
        wall_clock_secs().saturating_add_signed(ahead.unwrap_or(0))
    }
}

/// The state, and a bell that rings when it changes.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `enough`, and says whether it came to that in time.
    pub(super) fn wait(&self, patience: Duration, enough: impl Fn(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !enough(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        enough(&state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn wall_clock_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
