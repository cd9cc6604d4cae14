//! Sockets around `xfr`: asking primaries for their serial, and fetching zones from them.
//!
//! ```text
//! limits   what may happen at a time, and for how long
//! budget   what all transfers under way may hold together
//! slots    a connection's place: among those to its address first, then among all
//! probe    one SOA query: UDP, without EDNS if need be, TCP if need be
//! fetch    one transfer over TCP
//! stream   messages on a TCP connection, each read and write with a deadline
//! ```
//!
//! This crate decides when to give up and nothing else: what octets mean is for `xfr`, what to fetch and what to do
//! about a failure is for its caller. Invariants: nothing waits without a deadline; messages that are not the
//! primary's answer are passed over; no task outlives the call that needs it, so that dropping a call ends it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod fetch;
mod limits;
mod probe;
mod slots;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dns::{Name, Soa};
use tokio::sync::Semaphore;
use xfr::{Key, Outcome, Reason};

pub use limits::{Deadlines, Limits};
pub use xfr::session::Fetch;

use budget::Budget;
pub use budget::Share;
use slots::Slots;

/// Where a zone is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    pub address: SocketAddr,
    /// Signs the requests; the answers must then be signed too.
    pub key: Option<Arc<Key>>,
}

/// What a transfer brought, and what it took.
#[derive(Debug)]
pub struct Fetched {
    pub outcome: Outcome,
    pub octets: u64,
    pub records: u64,
    pub messages: u64,
    /// What the contents count for among all that is under way; kept until they are built or let go of.
    pub share: Share,
}

/// Why a transfer brought nothing, and what came nevertheless.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Failed {
    pub reason: Reason,
    pub octets: u64,
}

/// Everything that goes out to primaries goes through here. Clones share their limits.
#[derive(Clone)]
pub struct Transfers {
    limits: Arc<Limits>,
    slots: Slots,
    probes: Arc<Semaphore>,
    budget: Budget,
}

impl Transfers {
    pub fn new(limits: Limits) -> Self {
        let slots = Slots::new(limits.connections_per_address, limits.connections);
        let probes = Arc::new(Semaphore::new(limits.probes));
        let budget = Budget::new(limits.octets_under_way);
        Self { limits: Arc::new(limits), slots, probes, budget }
    }

    /// The SOA that the primary has now. Over UDP first; over TCP when the answer does not fit, or when UDP does not
    /// get through.
    pub async fn probe(&self, zone: &Name, primary: &Primary) -> Result<Soa, Reason> {
        probe::probe(self, zone, primary).await
    }

    /// One transfer. When IXFR fails, that the whole zone be fetched instead is for the caller, because contents may
    /// also fail later.
    pub async fn fetch(&self, zone: &Name, primary: &Primary, request: Fetch) -> Result<Fetched, Failed> {
        fetch::fetch(self, zone, primary, request).await
    }
}

/// The wall clock, for TSIG alone; in seconds since the Unix epoch.
fn wall_clock_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A message ID that nobody can guess.
fn random_id() -> Result<u16, Reason> {
    let mut octets = [0; 2];
    getrandom::fill(&mut octets)
        .map_err(|_| Reason::Internal { detail: "the system gave no random numbers".into() })?;
    Ok(u16::from_be_bytes(octets))
}
