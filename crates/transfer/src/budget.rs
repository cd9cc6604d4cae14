//! How much all transfers under way may hold together: each is bounded, and hundreds at their bounds would still be more
//! than a machine has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xfr::Reason;

/// What is left for all; clones share it.
#[derive(Clone)]
pub(crate) struct Budget {
    octets_max: u64,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    octets: AtomicU64,
    transfers: AtomicU64,
}

/// What one transfer holds, until this is dropped.
pub struct Share {
    budget: Budget,
    octets: u64,
}

impl Budget {
    pub(crate) fn new(octets_max: u64) -> Self {
        Self { octets_max, held: Arc::default() }
    }

    pub(crate) fn share(&self) -> Share {
        self.held.transfers.fetch_add(1, Relaxed);
        Share { budget: self.clone(), octets: 0 }
    }
}

impl Share {
    /// Counts what the transfer holds by now, in octets.
    ///
    /// # Errors
    /// When all together hold too much and this one more than its part: whoever is small is never the one to go.
    pub(crate) fn grow_to(&mut self, octets: u64) -> Result<(), Reason> {
        let Held { octets: all, transfers } = &*self.budget.held;
        let more = octets - self.octets;
        self.octets = octets;
        let together = all.fetch_add(more, Relaxed) + more;
        let limit = self.budget.octets_max;
        if together > limit && self.octets > limit / transfers.load(Relaxed) {
            return Err(Reason::TooMuchUnderWay { limit });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.octets)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.held.octets.fetch_sub(self.octets, Relaxed);
        self.budget.held.transfers.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn the_large_ones_go_first_and_give_everything_back() {
        let budget = Budget::new(1000);
        let (mut large, mut small) = (budget.share(), budget.share());
        large.grow_to(900).unwrap();
        small.grow_to(90).unwrap();
        small.grow_to(110).unwrap();
        assert_eq!(large.grow_to(901).unwrap_err().code(), "too_much_under_way");
        drop(large);
        small.grow_to(1000).unwrap();
        assert!(small.grow_to(1001).is_err(), "alone it has the whole, and no more");
        drop(small);
        assert!(budget.share().grow_to(1000).is_ok());
    }
}
