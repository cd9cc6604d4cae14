//! Connections to primaries: opened when there is need, used again and by several exchanges at a time, kept for a while.
//!
//! An exchange takes, in this order: a connection to its primary that nobody uses; a new one, while there are fewer than
//! one address may have; a place beside others on one that is in use. Who must wait waits before his primary's address
//! alone, in the order of coming, each lane in a queue of its own; only a connection that is being opened takes one of
//! all places of its lane. Whoever has waited while others found that the primary cannot be reached opens none. So
//! neither a dead primary nor a long queue before one holds what others need.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Duration, Instant, timeout_at};
use xfr::reason::Waiting;
use xfr::{Reason, Tls};

use crate::connection::{Connection, EXCHANGES_MAX, Exchange, Service, reason_of};
use crate::lanes::{Lane, Lanes};
use crate::limits::Limits;
use crate::network::{Network, Octets};
use crate::patience::Patience;
use crate::reach::{Reach, Target};
use crate::stream::timed_out;
use crate::tls::TlsClient;
use crate::{Primary, random_id};

/// Addresses, and the manners of primaries, that are remembered before some are forgotten.
const REMEMBERED_MAX: usize = 1024;
/// Of a primary that turned requests away because it had many, this part of what an address may have is asked at a time:
/// it has other secondaries too.
const CROWDED_PART: usize = 2;
/// How long a primary's manners are remembered.
const MANNERS_REMEMBERED: Duration = Duration::from_secs(3600);

/// Who is at the other end of a connection, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    source: Option<IpAddr>,
    tls: Option<Tls>,
}

impl Endpoint {
    pub(crate) fn of(primary: &Primary) -> Self {
        Self { address: primary.address, source: primary.source, tls: primary.tls.clone() }
    }

    fn target(&self) -> Target {
        Target::new(self.address, self.source, self.tls.as_ref())
    }
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// One SOA, for which nobody should wait long: it may use any of the connections to the address.
    Probe(Lane),
    Transfer(Lane),
}

impl Purpose {
    const QUEUES: usize = 2 * Lane::COUNT;

    fn lane(self) -> Lane {
        match self {
            Self::Probe(lane) | Self::Transfer(lane) => lane,
        }
    }

    fn queue(self) -> usize {
        match self {
            Self::Probe(lane) => Lane::COUNT + lane.index(),
            Self::Transfer(lane) => lane.index(),
        }
    }

    /// How many of the connections to one address it may make or take.
    fn share_of(self, per_address: usize) -> usize {
        match self {
            Self::Probe(_) => per_address,
            Self::Transfer(lane) => per_address.saturating_sub(lane.left_to_others()).max(1),
        }
    }
}

/// Which connections will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Any,
    /// One on which nothing was asked before.
    Fresh,
}

pub(crate) struct Pool {
    limits: Arc<Limits>,
    network: Arc<dyn Network>,
    tls: TlsClient,
    lanes: Lanes,
    reach: Arc<Reach>,
    addresses: Mutex<BTreeMap<IpAddr, Arc<Address>>>,
}

/// All that is done with one address.
struct Address {
    /// Places for probes over UDP.
    probes: Lanes,
    queues: [tokio::sync::Mutex<()>; Purpose::QUEUES],
    /// There may be room again.
    freed: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Connections that are open or being opened.
    open: usize,
    connections: Vec<(Endpoint, Connection)>,
    /// Primaries that answer once on a connection.
    answering_once: Remembered,
    /// Primaries that turn requests away when they have many: BIND serves ten transfers at a time (`transfers-out`).
    crowded: Remembered,
}

/// Primaries of which something was seen, and when.
#[derive(Default)]
struct Remembered(HashMap<Endpoint, Instant>);

impl Remembered {
    fn note(&mut self, endpoint: &Endpoint) {
        let now = Instant::now();
        self.0.retain(|_, seen| now.duration_since(*seen) < MANNERS_REMEMBERED);
        if self.0.len() < REMEMBERED_MAX {
            self.0.insert(endpoint.clone(), now);
        }
    }

    fn has(&self, endpoint: &Endpoint) -> bool {
        self.0.get(endpoint).is_some_and(|seen| seen.elapsed() < MANNERS_REMEMBERED)
    }
}

/// The right to have one connection to an address.
struct Right(Arc<Address>);

enum Found {
    Exchange(Exchange),
    Right(Right, Service),
    Nothing,
}

impl Pool {
    pub(crate) fn new(limits: Arc<Limits>, network: Arc<dyn Network>, tls: TlsClient, reach: Arc<Reach>) -> Self {
        let lanes = Lanes::new(limits.connections);
        Self { limits, network, tls, lanes, reach, addresses: Mutex::default() }
    }

    pub(crate) fn tls(&self) -> &TlsClient {
        &self.tls
    }

    /// Begins an exchange with a primary, as soon as there is room.
    pub(crate) async fn exchange(
        &self,
        endpoint: &Endpoint,
        purpose: Purpose,
        wanted: Wanted,
        patience: &mut Patience,
    ) -> Result<Exchange, Reason> {
        let address = self.address(endpoint.address.ip().to_canonical());
        let (right, service) = {
            let queue = &address.queues[purpose.queue()];
            let _first = patience.place(queue.lock()).await?;
            loop {
                let mut freed = pin!(address.freed.notified());
                freed.as_mut().enable();
                match find(&address, endpoint, purpose, wanted, &self.limits, &*self.network)? {
                    Found::Exchange(exchange) => return Ok(exchange),
                    Found::Right(right, service) => {
                        self.may_still_ask(endpoint, purpose.lane())?;
                        break (right, service);
                    }
                    Found::Nothing => patience.place(freed).await?,
                }
            }
        };
        let place = patience.place(self.place(purpose.lane())).await?;
        let socket = self.open(endpoint, patience.primary_until()).await?;
        let held = (right, place);
        let connection = Connection::new(socket, service, self.limits.deadlines, address.freed.clone(), held);
        let exchange = connection.begin(0, || random_id(&*self.network))?;
        address.state().connections.push((endpoint.clone(), connection));
        exchange.ok_or_else(|| Reason::Internal { detail: "a new connection had no room".into() })
    }

    /// A place for a probe over UDP to this address; how long that is waited for is the caller's.
    pub(crate) async fn probe_place(&self, address: IpAddr, lane: Lane) -> OwnedSemaphorePermit {
        // Whoever waits, or holds a place, keeps the address from being forgotten.
        self.address(address.to_canonical()).probes.take(lane).await
    }

    /// A connection to this primary failed on which others had been answered: from now on it is asked once on each.
    pub(crate) fn note_answers_once(&self, endpoint: &Endpoint) {
        self.address(endpoint.address.ip().to_canonical()).state().answering_once.note(endpoint);
    }

    /// A primary has turned a transfer away. Whether that may be because it had more of them at a time than it serves: then
    /// from now on no request lies beside another on one connection.
    pub(crate) fn note_turned_away(&self, endpoint: &Endpoint) -> bool {
        let address = self.address(endpoint.address.ip().to_canonical());
        let mut state = address.state();
        let shared = |(other, connection): &(Endpoint, Connection)| other == endpoint && connection.load() > 1;
        if state.connections.iter().any(shared) {
            state.crowded.note(endpoint);
        }
        state.crowded.has(endpoint)
    }

    /// A place of the lane; when all are taken, a connection that nobody uses gives its up.
    async fn place(&self, lane: Lane) -> OwnedSemaphorePermit {
        if let Some(place) = self.lanes.try_take(lane) {
            return place;
        }
        let addresses: Vec<Arc<Address>> = self.addresses().values().cloned().collect();
        addresses.iter().for_each(|address| address.state().close_unused());
        self.lanes.take(lane).await
    }

    /// Those who waited while others found that their primary is dead do not find it out again, one after the other. Who
    /// asks by hand wants to know.
    fn may_still_ask(&self, endpoint: &Endpoint, lane: Lane) -> Result<(), Reason> {
        match lane {
            Lane::Request => Ok(()),
            Lane::Notify | Lane::Refresh | Lane::First => self.reach.may_still_ask(endpoint.target()),
        }
    }

    async fn open(&self, endpoint: &Endpoint, until: Instant) -> Result<Box<dyn Octets>, Reason> {
        let opened = self.connect(endpoint, until).await;
        // Before the next one has the right to a connection.
        self.reach.note(endpoint.target(), &opened);
        opened
    }

    async fn connect(&self, endpoint: &Endpoint, until: Instant) -> Result<Box<dyn Octets>, Reason> {
        let patience = self.limits.deadlines.connect;
        let began = Instant::now();
        let connecting = self.network.connect(endpoint.address, endpoint.source);
        let Ok(connected) = timeout_at(until.min(began + patience), connecting).await else {
            return Err(timed_out(Waiting::Connection, began));
        };
        let socket = connected.map_err(|error| unreachable_reason(&error, endpoint.source))?;
        let Some(tls) = &endpoint.tls else { return Ok(socket) };
        let began = Instant::now();
        let shaking = self.tls.shake_hands(socket, endpoint.address.ip(), tls);
        match timeout_at(until.min(began + patience), shaking).await {
            Ok(secured) => Ok(Box::new(secured?)),
            Err(_) => Err(timed_out(Waiting::Handshake, began)),
        }
    }

    fn address(&self, address: IpAddr) -> Arc<Address> {
        let mut addresses = self.addresses();
        if addresses.len() >= REMEMBERED_MAX {
            // Whoever waits holds a reference, and so does each connection.
            let is_in_use = |address: &Arc<Address>| Arc::strong_count(address) > 1 || address.probes.are_taken();
            addresses.retain(|_, address| is_in_use(address));
        }
        addresses.entry(address).or_insert_with(|| Arc::new(Address::new(self.limits.probes_per_address))).clone()
    }

    fn addresses(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Arc<Address>>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the source address and the socket have to do with it.
pub(crate) fn unreachable_reason(error: &std::io::Error, source: Option<IpAddr>) -> Reason {
    match (error.kind(), source) {
        (std::io::ErrorKind::AddrNotAvailable, Some(source)) => Reason::SourceNotHere { source_address: source },
        _ => reason_of(error),
    }
}

fn find(
    address: &Arc<Address>,
    endpoint: &Endpoint,
    purpose: Purpose,
    wanted: Wanted,
    limits: &Limits,
    network: &dyn Network,
) -> Result<Found, Reason> {
    let per_address = limits.connections_per_address;
    let id = || random_id(network);
    let mut state = address.state();
    state.connections.retain(|(_, connection)| !connection.is_closed());
    let to_it = |state: &State| -> Vec<Connection> {
        let to_it = state.connections.iter().filter(|(other, _)| other == endpoint);
        to_it.map(|(_, connection)| connection.clone()).collect()
    };
    let is_crowded = state.crowded.has(endpoint);
    let share = if is_crowded { (per_address / CROWDED_PART).max(1) } else { per_address };
    let may_take_one_more = state.in_use(is_crowded) < purpose.share_of(share);
    if wanted == Wanted::Any && may_take_one_more {
        for connection in to_it(&state) {
            if let Some(exchange) = connection.begin(0, id)? {
                return Ok(Found::Exchange(exchange));
            }
        }
    }
    if may_take_one_more {
        if state.open < per_address {
            state.open += 1;
            let service = if state.answering_once.has(endpoint) { Service::One } else { Service::Many };
            return Ok(Found::Right(Right(address.clone()), service));
        }
        // They are another server's at this address, or have been used before.
        state.close_unused();
    }
    if wanted == Wanted::Any && !is_crowded {
        let mut by_load = to_it(&state);
        by_load.sort_by_key(Connection::load);
        for connection in by_load {
            if let Some(exchange) = connection.begin(EXCHANGES_MAX - 1, id)? {
                return Ok(Found::Exchange(exchange));
            }
        }
    }
    Ok(Found::Nothing)
}

impl Address {
    fn new(probes: usize) -> Self {
        Self {
            probes: Lanes::new(probes),
            queues: Default::default(),
            freed: Arc::new(Notify::new()),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Connections that are used or being opened; or where each request counts, since the primary is crowded, requests.
    fn in_use(&self, is_crowded: bool) -> usize {
        let opening = self.open - self.connections.len();
        let load = |connection: &Connection| if is_crowded { connection.load() } else { connection.load().min(1) };
        opening + self.connections.iter().map(|(_, connection)| load(connection)).sum::<usize>()
    }

    fn close_unused(&mut self) {
        for (_, connection) in self.connections.iter().filter(|(_, connection)| connection.load() == 0) {
            connection.close();
        }
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        self.0.state().open -= 1;
        self.0.freed.notify_waiters();
    }
}
