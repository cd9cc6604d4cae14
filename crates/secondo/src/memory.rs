//! Memory that was needed for a while goes back to the system.
//!
//! The allocator keeps what is freed, for whoever wants some next. After a hundred thousand zones have been copied, or read
//! from the inventory, that is more than all that is kept of them, and other programs could use it. So whoever goes through
//! many zones, or a large one, says so, and when it is quiet again, what is free is given back; a first time after the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::node::Node;

/// How often it is looked whether it is quiet.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After fewer zones there is little to give back.
const MANY: u64 = 1_000;
/// With no more zones in [`LOOK_EVERY`] it is quiet: a million zones that are checked every few hours are fewer.
const QUIET_MAX: u64 = 200;

/// A large zone takes as much to go through as one for each so many of its records.
const RECORDS_OF_A_ZONE: u64 = 1_000;

/// How many zones have been gone through, each as often as it was. The start is as many as lead to something.
pub(crate) struct Tide(AtomicU64);

impl Default for Tide {
    fn default() -> Self {
        Self(AtomicU64::new(MANY))
    }
}

impl Tide {
    pub(crate) fn gone_through(&self, zones: usize) {
        self.0.fetch_add(zones as u64, Ordering::Relaxed);
    }

    /// A zone of which so many records have come.
    pub(crate) fn has_received(&self, records: u64) {
        self.0.fetch_add(1 + records / RECORDS_OF_A_ZONE, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Gives memory back after each flood, for ever.
pub(crate) async fn give_memory_back(node: Arc<Node>) {
    let (mut seen, mut given_back_at) = (node.tide.count(), 0);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let count = node.tide.count();
        let is_quiet = count - seen <= QUIET_MAX;
        seen = count;
        if is_quiet && count - given_back_at >= MANY {
            // It takes as long as there is memory, and nobody who answers waits for it: they allocate nothing.
            let _ = tokio::task::spawn_blocking(give_back).await;
            given_back_at = count;
        }
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "there is no safe way to ask the system's allocator for it")]
fn give_back() {
    // SAFETY: it takes any number, and touches nothing but what is free.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators see to it themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}
