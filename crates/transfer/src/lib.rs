//! Sockets around `xfr`: asking primaries for their serial, and fetching zones from them.
//!
//! ```text
//! probe       one SOA query: UDP, without EDNS if need be, a connection if need be
//! fetch       one transfer
//!   └► stream       the messages that answer one request, each wait with a deadline
//!   └► pool         which connection is used, and who waits for one
//!        └► connection   exchanges side by side on one connection
//!        └► tls          who the primary is, when it is asked over TLS
//!        └► network      sockets
//! limits      what may happen at a time, and for how long
//! lanes       places for NOTIFY, refresh and first transfer
//! budget      what all transfers under way may hold together
//! ```
//!
//! This crate decides when to give up and nothing else: what octets mean is for `xfr`, what to fetch and what to do
//! about a failure is for its caller. Invariants: nothing waits without a deadline; messages that are not the
//! primary's answer are passed over; dropping a call ends it, and with it the connection if nobody else uses that; what
//! is to go over TLS never goes in clear text.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod connection;
mod fetch;
mod lanes;
mod limits;
mod network;
mod pool;
mod probe;
mod stream;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use dns::{Name, Soa};
use xfr::{Key, Outcome, Reason, Tls};

pub use budget::Share;
pub use lanes::Lane;
pub use limits::{Deadlines, Limits};
pub use network::{Datagrams, Internet, Network, Octets};
pub use tls::{OurCertificate, TlsClient};
pub use xfr::session::Fetch;

use budget::Budget;
use lanes::Lanes;
use pool::Pool;

/// Where a zone is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    pub address: SocketAddr,
    /// Signs the requests; the answers must then be signed too.
    pub key: Option<Arc<Key>>,
    /// The address of ours that it is asked from; none to let the system choose.
    pub source: Option<IpAddr>,
    /// Set when it is asked over TLS, and then over nothing else.
    pub tls: Option<Tls>,
}

impl Primary {
    /// One that is asked in clear text, unsigned, from any address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, key: None, source: None, tls: None }
    }
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

/// Everything that goes out to primaries goes through here. Clones share their limits and connections.
#[derive(Clone)]
pub struct Transfers {
    limits: Arc<Limits>,
    network: Arc<dyn Network>,
    pool: Arc<Pool>,
    probes: Arc<Lanes>,
    budget: Budget,
}

impl Transfers {
    pub fn new(limits: Limits, network: Arc<dyn Network>, tls: TlsClient) -> Self {
        let limits = Arc::new(limits);
        let pool = Arc::new(Pool::new(limits.clone(), network.clone(), tls));
        let probes = Arc::new(Lanes::new(limits.probes));
        let budget = Budget::new(limits.octets_under_way);
        Self { limits, network, pool, probes, budget }
    }

    /// The SOA that the primary has now. Over UDP first; over TCP when the answer does not fit, or when UDP does not
    /// get through; over TLS alone where that is wanted.
    pub async fn probe(&self, zone: &Name, primary: &Primary, lane: Lane) -> Result<Soa, Reason> {
        probe::probe(self, zone, primary, lane).await
    }

    /// One transfer. When IXFR fails, that the whole zone be fetched instead is for the caller, because contents may
    /// also fail later.
    pub async fn fetch(&self, zone: &Name, primary: &Primary, request: Fetch, lane: Lane) -> Result<Fetched, Failed> {
        fetch::fetch(self, zone, primary, request, lane).await
    }

    fn wall_clock_secs(&self) -> u64 {
        self.network.wall_clock_secs()
    }
}

/// A message ID that nobody can guess.
fn random_id(network: &dyn Network) -> Result<u16, Reason> {
    let failed = |error| Reason::Internal { detail: format!("the system gave no random numbers: {error}") };
    network.message_id().map_err(failed)
}
