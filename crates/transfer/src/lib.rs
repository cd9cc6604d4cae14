//! Sockets around `xfr`: asking primaries for their serial, and fetching zones from them.
//!
//! ```text
//! probe       one SOA query: UDP, without EDNS if need be, a connection if need be
//! fetch       one transfer
//!   └► gathering    a large zone is put together while the rest of it comes
//!   └► stream       the messages that answer one request, each wait with a deadline
//!   └► pool         which connection is used, and who waits for one
//!        └► connection   exchanges side by side on one connection
//!        └► tls          who the primary is, when it is asked over TLS
//!        └► network      sockets
//! reach       primaries that failed lately are left alone
//! long_work   who works on large zones
//! limits      what may happen at a time, and for how long
//! patience    waiting for a place is not waiting for the primary
//! doctor      everything that can be asked of a primary, step by step, and what to change there
//! lanes       places for NOTIFY, refresh and first transfer
//! budget      what all transfers under way may hold together
//! meter       what has come of one so far
//! ```
//!
//! This crate decides when to give up and nothing else: what octets mean is for `xfr`, what to fetch and what to do
//! about a failure is for its caller. Invariants: nothing waits without a deadline; messages that are not the
//! primary's answer are passed over; dropping a call ends it, and with it the connection if nobody else uses that; what
//! is to go over TLS never goes in clear text.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod connection;
pub mod doctor;
mod fetch;
mod gathering;
mod lanes;
mod limits;
mod long_work;
mod meter;
mod network;
mod patience;
mod pool;
mod probe;
mod reach;
mod stream;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use dns::Name;
use xfr::{Key, Outcome, Reason, Shown, Tls};
use zone::Incoming;

pub use budget::Share;
pub use lanes::Lane;
pub use limits::{Deadlines, Limits};
pub use long_work::LongWork;
pub use meter::{Meter, Received};
pub use network::{Datagrams, Internet, Network, Octets};
pub use tls::{OurCertificate, TlsClient};
pub use xfr::session::Fetch;

use budget::Budget;
use doctor::{Examination, Patient};
use lanes::Lanes;
use patience::Patience;
use pool::Pool;
use reach::{Reach, Target};

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

/// What a transfer brought.
#[derive(Debug)]
pub struct Fetched {
    pub outcome: Outcome,
    /// A large zone, put together while it came, where [`Limits::gathered_within`] asks for that: then the outcome is a whole
    /// zone without records.
    pub gathered: Option<Incoming>,
    /// What the contents count for among all that is under way; kept until they are built or let go of.
    pub share: Share,
}

/// Everything that goes out to primaries goes through here. Clones share their limits and connections.
#[derive(Clone)]
pub struct Transfers {
    limits: Arc<Limits>,
    network: Arc<dyn Network>,
    pool: Arc<Pool>,
    probes: Arc<Lanes>,
    budget: Budget,
    reach: Arc<Reach>,
    long_work: LongWork,
}

impl Transfers {
    pub fn new(limits: Limits, network: Arc<dyn Network>, tls: TlsClient) -> Self {
        let limits = Arc::new(limits);
        let reach = Arc::<Reach>::default();
        let pool = Arc::new(Pool::new(limits.clone(), network.clone(), tls, reach.clone()));
        let probes = Arc::new(Lanes::new(limits.probes));
        let budget = Budget::new(limits.octets_under_way);
        Self { limits, network, pool, probes, budget, reach, long_work: LongWork::default() }
    }

    /// Who puts large zones together while they come.
    pub fn with_long_work(self, long_work: LongWork) -> Self {
        Self { long_work, ..self }
    }

    /// The version that the primary has now. Over UDP first; over TCP when the answer does not fit, or when UDP does not
    /// get through; over TLS alone where that is wanted.
    ///
    /// A primary that could not be reached a moment ago is not asked, unless in [`Lane::Request`].
    pub async fn probe(&self, zone: &Name, primary: &Primary, lane: Lane) -> Result<Shown, Reason> {
        if lane != Lane::Request {
            self.reach.may_wait(Target::of(primary))?;
        }
        let mut patience = Patience::new(&self.limits.deadlines, self.limits.deadlines.probe);
        let places = probe::places(self, primary, lane, &mut patience).await?;
        // While this one waited, another may have found that the primary cannot be reached.
        self.may_ask(primary, lane)?;
        let probed = probe::probe(self, zone, primary, lane, patience, places).await;
        self.reach.note(Target::of(primary), &probed);
        probed
    }

    /// Shows another certificate to primaries from now on; connections that are open already go on.
    pub fn show_certificate(&self, ours: OurCertificate) {
        self.pool.tls().show(ours);
    }

    /// How long is waited for what.
    pub fn deadlines(&self) -> Deadlines {
        self.limits.deadlines
    }

    /// One transfer. When IXFR fails, that the whole zone be fetched instead is for the caller, because contents may
    /// also fail later. `meter` shows what has come, also of one that is dropped.
    pub async fn fetch(
        &self,
        zone: &Name,
        primary: &Primary,
        request: Fetch,
        lane: Lane,
        meter: &Meter,
    ) -> Result<Fetched, Reason> {
        self.may_ask(primary, lane)?;
        if lane != Lane::Request {
            self.reach.turn(Target::of(primary), self.limits.deadlines.slot).await?;
        }
        let is_ixfr = matches!(request, Fetch::Ixfr { .. });
        let fetched = fetch::fetch(self, zone, primary, request, lane, meter).await;
        let outcome = fetched.as_ref().map(drop).map_err(Clone::clone);
        self.reach.note(Target::of(primary), &outcome);
        self.reach.note_transfer(Target::of(primary), &outcome);
        // FORMERR is what servers from before RFC 1995 say (BIND 4 and 8.1).
        if is_ixfr && matches!(outcome, Err(Reason::NotImp(_) | Reason::FormErr(_))) {
            self.reach.note_no_ixfr(Target::of(primary));
        }
        fetched
    }

    /// Whether it is worth while to ask the primary for differences: not if it has said that it does not know IXFR.
    pub fn may_know_ixfr(&self, primary: &Primary) -> bool {
        self.reach.may_know_ixfr(Target::of(primary))
    }

    /// A NOTIFY came from this address: a primary there that could not be reached is asked again. Since anybody may
    /// have sent it, that happens at most once a minute.
    pub fn heard_from(&self, address: IpAddr) {
        self.reach.heard_from(address);
    }

    fn may_ask(&self, primary: &Primary, lane: Lane) -> Result<(), Reason> {
        match lane {
            Lane::Request => Ok(()),
            Lane::Notify | Lane::Refresh | Lane::First => self.reach.may_ask(Target::of(primary)),
        }
    }

    /// Looks at a zone at its primaries, step by step; over when [`doctor::EXAMINATION_MAX`] is. Nothing is kept.
    pub async fn examine(&self, patient: &Patient) -> Examination {
        doctor::examine(self, patient).await
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
