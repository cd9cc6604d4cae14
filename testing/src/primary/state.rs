//! What a scripted primary holds, shared between the test and its thread.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dns::Name;
use xfr::Key;

use super::behaviour::{Behaviour, Kind};
use super::versions::Versions;

#[derive(Default)]
pub(super) struct State {
    pub(super) zones: HashMap<Name, Versions>,
    pub(super) behaviours: Vec<Behaviour>,
    pub(super) keys: Vec<Arc<Key>>,
    pub(super) counts: [u64; Kind::COUNT],
    pub(super) connections: u64,
    pub(super) connections_most: u64,
}

impl State {
    pub(super) fn publish(&mut self, name: Name, origin: &str, text: &str) {
        self.zones.entry(name).or_default().publish(origin, text);
    }

    pub(super) fn behaves(&self, behaviour: &Behaviour) -> bool {
        self.behaviours.contains(behaviour)
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
