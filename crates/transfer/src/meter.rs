//! What has come of a transfer so far: known also while it goes on, and when it was given up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xfr::Session;

/// Counts what comes.
#[derive(Debug, Default)]
pub struct Meter {
    octets: AtomicU64,
    records: AtomicU64,
}

/// How much came, whatever came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Of all messages, without the two that say how long each is.
    pub octets: u64,
    pub records: u64,
}

impl Meter {
    pub fn read(&self) -> Received {
        Received { octets: self.octets.load(Relaxed), records: self.records.load(Relaxed) }
    }

    pub(crate) fn show(&self, session: &Session) {
        self.octets.store(session.octets(), Relaxed);
        self.records.store(session.records(), Relaxed);
    }
}
