//! One connection to a primary, on which exchanges run side by side (RFC 7766 §6.2.1.1).
//!
//! ```text
//!  Exchange ──request──►┐                    ┌──► socket
//!  Exchange ──request──►┴─ task, one for each ┤
//!  Exchange ◄─messages──┬─ connection  ◄──────┴─── socket
//!  Exchange ◄─messages──┘  (by message ID)
//! ```
//!
//! The task knows octets, messages and their IDs; what they mean, and how long to wait for them, is the exchanges'. Each
//! has its own deadlines, which count whatever else goes on here. Invariants: an exchange that is given up takes the
//! connection with it as soon as no other uses it; nothing is handed to an exchange that did not ask for it, unless it is
//! the only one and has to judge it; the task ends with the last handle of the connection.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use xfr::Reason;

use crate::limits::Deadlines;
use crate::network::{Octets, refusal_in};

/// Octets asked of the socket at a time.
const READ_OCTETS: usize = 64 * 1024;
/// Messages that wait for their exchange: enough that neither waits for the other, and at most 128 KiB.
const MESSAGES_WAITING: usize = 2;
/// Exchanges on one connection at a time.
pub(crate) const EXCHANGES_MAX: usize = 16;

/// A connection; clones are the same one.
#[derive(Clone)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Somebody began, ended or gave up an exchange.
    touched: Notify,
    /// An exchange ended, or the connection did: whoever waits for a place looks again.
    freed: Arc<Notify>,
}

struct State {
    phase: Phase,
    exchanges: BTreeMap<u16, mpsc::Sender<Result<Vec<u8>, Broken>>>,
    /// Requests that are to be sent, with their length before them.
    outgoing: VecDeque<Vec<u8>>,
    /// Octets that have come in all, and when the last did, or the connection if none have.
    octets: u64,
    last_received: Instant,
    service: Service,
    task: Option<AbortHandle>,
}

/// How many exchanges a primary takes on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Many,
    /// It was seen to go mute, or away, after the first.
    One,
}

/// ```text
///  unproven ──an exchange ended well──► proven ──one was given up──► closing ──no exchange left──► closed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Whether the primary answers more than one request on a connection is not known yet.
    Unproven,
    Proven,
    /// No exchange begins here any more.
    Closing,
    Closed,
}

/// Why a connection brings nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Closed,
    Failed(Reason),
}

/// One request on a connection, and the messages that answer it.
pub(crate) struct Exchange {
    connection: Connection,
    id: u16,
    messages: mpsc::Receiver<Result<Vec<u8>, Broken>>,
    ended: bool,
    /// Whether another exchange was answered on this connection before.
    pub(crate) on_used: bool,
}

impl Connection {
    /// Takes over an open connection. `freed` is told when there is room on it again, `held` is dropped when it is
    /// closed.
    pub(crate) fn new(
        socket: Box<dyn Octets>,
        service: Service,
        deadlines: Deadlines,
        freed: Arc<Notify>,
        held: impl Send + 'static,
    ) -> Self {
        let state = State {
            phase: Phase::Unproven,
            exchanges: BTreeMap::new(),
            outgoing: VecDeque::new(),
            octets: 0,
            last_received: Instant::now(),
            service,
            task: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), touched: Notify::new(), freed });
        let task = tokio::spawn({
            let shared = shared.clone();
            async move {
                let broken = run(&shared, socket, deadlines).await;
                shared.close(&broken);
                // Nobody may find it open and its place free: they would count one connection too few.
                drop(held);
            }
        });
        shared.state().task = Some(task.abort_handle());
        Self { shared }
    }

    /// Begins an exchange if there is room for one more than `load`; `id` says which message ID to use, and is asked
    /// again while that is taken.
    pub(crate) fn begin(
        &self,
        load: usize,
        mut id: impl FnMut() -> Result<u16, Reason>,
    ) -> Result<Option<Exchange>, Reason> {
        let mut state = self.shared.state();
        if state.exchanges.len() > load || matches!(state.phase, Phase::Closing | Phase::Closed) {
            return Ok(None);
        }
        if state.phase == Phase::Unproven && !state.exchanges.is_empty() {
            return Ok(None);
        }
        let mut chosen = id()?;
        while state.exchanges.contains_key(&chosen) {
            chosen = id()?;
        }
        let (sender, messages) = mpsc::channel(MESSAGES_WAITING);
        state.exchanges.insert(chosen, sender);
        let on_used = state.phase == Phase::Proven;
        drop(state);
        self.shared.touched.notify_one();
        Ok(Some(Exchange { connection: self.clone(), id: chosen, messages, ended: false, on_used }))
    }

    /// How many exchanges are under way.
    pub(crate) fn load(&self) -> usize {
        self.shared.state().exchanges.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.state().phase == Phase::Closed
    }

    /// Octets that have come, and when the last did.
    pub(crate) fn received(&self) -> (u64, Instant) {
        let state = self.shared.state();
        (state.octets, state.last_received)
    }

    /// Whether other exchanges than one are under way.
    pub(crate) fn is_shared(&self) -> bool {
        self.load() > 1
    }

    /// Closes at once; what is under way fails.
    pub(crate) fn close(&self) {
        let mut state = self.shared.state();
        state.phase = Phase::Closed;
        state.exchanges.clear();
        if let Some(task) = state.task.take() {
            task.abort();
        }
        drop(state);
        self.shared.freed.notify_waiters();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock has changed single fields only: they are still true.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, broken: &Broken) {
        let exchanges = {
            let mut state = self.state();
            state.phase = Phase::Closed;
            std::mem::take(&mut state.exchanges)
        };
        self.freed.notify_waiters();
        for (_, exchange) in exchanges {
            // Full or gone: it finds the channel's end instead.
            let _ = exchange.try_send(Err(broken.clone()));
        }
    }
}

impl Exchange {
    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends a message with its length before it, in one write: some servers never put two pieces together
    /// (RFC 7766 §8).
    pub(crate) fn send(&self, message: &[u8]) {
        let mut framed = (message.len() as u16).to_be_bytes().to_vec();
        framed.extend(message);
        self.connection.shared.state().outgoing.push_back(framed);
        self.connection.shared.touched.notify_one();
    }

    /// The next message, without its length. May be dropped while it waits.
    pub(crate) async fn message(&mut self) -> Result<Vec<u8>, Broken> {
        self.messages.recv().await.unwrap_or(Err(Broken::Closed))
    }

    /// The answer is whole: others may use the connection.
    pub(crate) fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let shared = &self.connection.shared;
        let mut state = shared.state();
        state.exchanges.remove(&self.id);
        state.phase = match (state.phase, self.ended, state.service) {
            (Phase::Unproven, true, Service::Many) => Phase::Proven,
            (Phase::Unproven, true, Service::One) => Phase::Closing,
            // More may come of an answer that nobody waits for.
            (Phase::Unproven | Phase::Proven, false, _) => Phase::Closing,
            (phase, ..) => phase,
        };
        drop(state);
        shared.touched.notify_one();
        shared.freed.notify_waiters();
    }
}

/// Reads and writes until the connection is of no more use, and says why.
async fn run(shared: &Shared, mut socket: Box<dyn Octets>, deadlines: Deadlines) -> Broken {
    let mut buffer = Vec::with_capacity(READ_OCTETS);
    let mut taken = 0;
    let mut last_used = Instant::now();
    loop {
        while let Some(message) = next_message(&buffer, &mut taken) {
            if let Err(broken) = hand_over(shared, message).await {
                return broken;
            }
        }
        buffer.drain(..taken);
        taken = 0;
        buffer.reserve(READ_OCTETS);
        let (outgoing, is_idle, is_over) = {
            let mut state = shared.state();
            let is_idle = state.exchanges.is_empty();
            (state.outgoing.pop_front(), is_idle, is_idle && state.phase == Phase::Closing)
        };
        if is_over {
            // Also what TLS wants to say at its end; nobody waits for it.
            let _ = timeout(deadlines.unused, socket.shutdown()).await;
            return Broken::Closed;
        }
        if let Some(request) = outgoing {
            // Each by itself: of several in one TLS record, NSD 4.6 answers the first alone.
            let written = async {
                socket.write_all(&request).await?;
                socket.flush().await
            };
            // Requests are small: a socket that takes none for so long has nobody at its other end.
            match timeout(deadlines.idle, written).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return broken_by(&error),
                Err(_) => return Broken::Closed,
            }
            continue;
        }
        if !is_idle {
            last_used = Instant::now();
        }
        tokio::select! {
            biased;
            read = socket.read_buf(&mut buffer) => match read {
                Ok(0) => return Broken::Closed,
                Ok(octets) => {
                    last_used = Instant::now();
                    let mut state = shared.state();
                    state.octets += octets as u64;
                    state.last_received = last_used;
                }
                Err(error) => return broken_by(&error),
            },
            () = shared.touched.notified() => {}
            () = tokio::time::sleep_until(last_used + deadlines.unused), if is_idle => {
                let mut state = shared.state();
                if state.exchanges.is_empty() {
                    state.phase = Phase::Closing;
                }
            }
        }
    }
}

/// The next whole message, of which `taken` octets of the buffer were taken before.
fn next_message<'b>(buffer: &'b [u8], taken: &mut usize) -> Option<&'b [u8]> {
    let (length, after) = buffer[*taken..].split_first_chunk()?;
    let message = after.get(..usize::from(u16::from_be_bytes(*length)))?;
    *taken += 2 + message.len();
    Some(message)
}

/// Gives a message to the exchange that it answers, and waits until that has room for it.
async fn hand_over(shared: &Shared, message: &[u8]) -> Result<(), Broken> {
    let sender = {
        let state = shared.state();
        let id = message.first_chunk().map(|id| u16::from_be_bytes(*id));
        match id.and_then(|id| state.exchanges.get(&id)) {
            Some(sender) => sender.clone(),
            // One that is given up is answered still; what else comes, the others may judge when they are asked anew.
            None if state.phase == Phase::Closing => return Ok(()),
            None => match state.exchanges.values().next() {
                Some(only) if state.exchanges.len() == 1 => only.clone(),
                _ => return Err(Broken::Failed(Reason::WrongId)),
            },
        }
    };
    // One that was given up meanwhile has no use for it.
    let _ = sender.send(Ok(message.to_vec())).await;
    Ok(())
}

fn broken_by(error: &io::Error) -> Broken {
    match error.kind() {
        // TLS without its end (RFC 8446 §6.1) is one too: what is not whole is judged as such.
        ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof => Broken::Closed,
        _ => Broken::Failed(crate::tls::reason_of(error)),
    }
}

/// What an error of a socket says about the way to the primary.
pub(crate) fn reason_of(error: &io::Error) -> Reason {
    if let Some(refused) = refusal_in(error) {
        return refused.into();
    }
    let unreachable = |detail: &str| Reason::Unreachable { detail: detail.to_owned() };
    match error.kind() {
        ErrorKind::ConnectionRefused => unreachable("nothing listens there (connection refused)"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            unreachable("there is no route to it")
        }
        ErrorKind::TimedOut => unreachable("the connection timed out"),
        ErrorKind::ConnectionReset => unreachable("the connection was reset"),
        ErrorKind::PermissionDenied => unreachable("a firewall on this machine forbids it"),
        _ => Reason::SocketFailed { detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock, mpsc};

    use tokio::sync::Notify;

    use super::{Connection, Service};
    use crate::limits::Deadlines;

    /// Tells, when it is dropped, whether the connection was closed by then.
    struct Held(Arc<OnceLock<Connection>>, mpsc::Sender<bool>);

    impl Drop for Held {
        fn drop(&mut self) {
            self.1.send(self.0.get().is_some_and(Connection::is_closed)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_connection_is_closed_before_its_place_is_free() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (tell, told) = mpsc::channel();
        let (connection, freed) = (Arc::new(OnceLock::new()), Arc::new(Notify::new()));
        let held = Held(connection.clone(), tell);
        let opened = Connection::new(Box::new(ours), Service::Many, Deadlines::default(), freed.clone(), held);
        assert!(connection.set(opened).is_ok());
        let closed = freed.notified();
        drop(theirs);
        closed.await;
        tokio::task::yield_now().await;
        assert_eq!(told.try_recv(), Ok(true));
    }
}
