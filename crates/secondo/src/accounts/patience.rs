//! So many at once, and then one after each while: of each key for itself (GCRA, as for cells of ATM).
//!
//! What is remembered is bounded: keys whose whole patience is there again are forgotten. In memory: a restart forgives.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is remembered is tidied when so much has come together.
const REMEMBERED_MAX: usize = 10_000;

/// How many at once, and how long it takes until there is one more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) burst: u32,
    pub(crate) each: Duration,
}

pub(crate) struct Patience<K> {
    measure: Measure,
    /// When all of it is there again.
    whole_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Patience<K> {
    pub(crate) fn new(measure: Measure) -> Self {
        Self { measure, whole_at: Mutex::default() }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long it takes until there is one again.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let Measure { burst, each } = self.measure;
        let mut whole_at = self.lock();
        if whole_at.len() > REMEMBERED_MAX {
            whole_at.retain(|_, at| *at > now);
        }
        let whole = whole_at.get(&key).copied().unwrap_or(now).max(now) + each;
        let missing = whole.duration_since(now).saturating_sub(each * burst);
        if missing.is_zero() {
            whole_at.insert(key, whole);
            return Ok(());
        }
        Err(missing)
    }

    /// Gives one back that was taken.
    pub(crate) fn give_back(&self, key: &K) {
        if let Some(at) = self.lock().get_mut(key) {
            *at = at.checked_sub(self.measure.each).unwrap_or(*at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.whole_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Measure, Patience, REMEMBERED_MAX};

    #[test]
    fn there_are_so_many_at_once_and_then_one_after_each_while() {
        let patience = Patience::new(Measure { burst: 3, each: Duration::from_secs(10) });
        let start = Instant::now();
        let take = |secs| patience.take("a", start + Duration::from_secs(secs));
        assert!(take(0).is_ok() && take(0).is_ok() && take(1).is_ok());
        assert_eq!(take(1), Err(Duration::from_secs(9)));
        assert_eq!(take(9), Err(Duration::from_secs(1)), "what is refused costs nothing");
        assert!(take(10).is_ok() && take(10).is_err() && take(20).is_ok());
        assert!(patience.take("b", start).is_ok());
        // A day later there are no more at once than in the beginning.
        assert!(take(86_400).is_ok() && take(86_400).is_ok() && take(86_400).is_ok() && take(86_400).is_err());
        patience.give_back(&"a");
        assert!(take(86_400).is_ok() && take(86_400).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let patience = Patience::new(Measure { burst: 1, each: Duration::from_secs(1) });
        let start = Instant::now();
        for number in 0..10 * REMEMBERED_MAX {
            let now = start + Duration::from_millis(number as u64);
            patience.take(number, now).unwrap();
        }
        assert!(patience.lock().len() <= REMEMBERED_MAX + 1);
    }
}
