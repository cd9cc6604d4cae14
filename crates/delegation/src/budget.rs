//! How much one walk may cost, whatever servers say.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{Spent, Trouble};

/// Bounds of one walk, with all that it asks on the way.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Datagrams and connections. A walk through three cuts takes about eight; a name in `ip6.arpa` has thirty labels
    /// without a cut; the rest is for dead servers and for name servers without glue.
    pub queries: u32,
    /// From the first query to the last. Somebody may sit before a page and wait for it.
    pub time: Duration,
    /// For one answer over UDP: three times the way around the earth and back.
    pub udp_try: Duration,
    /// For one answer over TCP, the connection included.
    pub tcp_try: Duration,
    /// How long the root's referrals are good for other walks. They say two days themselves, and change over weeks.
    pub tlds_kept: Duration,
}

/// Cuts between the root and the zone. Each is deeper than the one before, and no name in use has more than eight.
pub(crate) const DEPTH_MAX: usize = 16;
/// Names between two cuts that are asked for one by one before the zone itself is: `ip6.arpa` has 32 (RFC 3596 §2.5).
pub(crate) const EMPTY_IN_A_ROW_MAX: usize = 34;
/// Addresses that are tried for one step.
pub(crate) const TRIES_MAX: usize = 8;
/// Name servers of one cut whose addresses are looked for. A referral of many such names is a known way to have others
/// flooded (NXNSAttack, CVE-2020-12662).
pub(crate) const GLUELESS_MAX: usize = 4;
/// How deep walks to addresses of name servers lie within each other.
pub(crate) const NESTING_MAX: usize = 3;

impl Default for Limits {
    fn default() -> Self {
        Self {
            queries: 120,
            time: Duration::from_secs(40),
            udp_try: Duration::from_millis(1500),
            tcp_try: Duration::from_secs(4),
            tlds_kept: Duration::from_secs(3600),
        }
    }
}

/// What is left to one walk.
pub(crate) struct Budget {
    limits: Limits,
    until: Instant,
    queries: AtomicU32,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, until: Instant::now() + limits.time, queries: AtomicU32::new(0) }
    }

    /// The right to send one query, which must be over by the moment that this gives if it may take `patience`.
    ///
    /// # Errors
    /// When the walk has had all that it may have.
    pub(crate) fn take(&self, patience: Duration) -> Result<Instant, Trouble> {
        let now = Instant::now();
        if now >= self.until {
            return Err(Trouble::Spent(Spent::Time { secs: self.limits.time.as_secs() }));
        }
        if self.queries.fetch_add(1, Ordering::Relaxed) >= self.limits.queries {
            return Err(Trouble::Spent(Spent::Queries { limit: self.limits.queries }));
        }
        Ok(self.until.min(now + patience))
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}
