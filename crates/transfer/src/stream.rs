//! Messages on a TCP connection (RFC 1035 §4.2.2), every read and write with a deadline.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use xfr::Reason;
use xfr::reason::{Asked, Waiting};

use crate::limits::Deadlines;

/// Octets asked of the socket at a time.
const READ_OCTETS: usize = 64 * 1024;

/// A connection to a primary on which one answer is awaited.
pub(crate) struct Stream {
    socket: TcpStream,
    asked: Asked,
    deadlines: Deadlines,
    started: Instant,
    /// When all must be over.
    until: Instant,
    /// Octets that have come, and how far messages were taken from them.
    buffer: Vec<u8>,
    taken: usize,
    received_any: bool,
    /// When octets came last, or the connection if none have.
    last_received: Instant,
    /// The current span in which there must be progress.
    span_started: Instant,
    span_octets: u64,
    messages: u64,
}

impl Stream {
    /// Connects. The whole exchange must be over by `until`.
    pub(crate) async fn connect(
        address: SocketAddr,
        asked: Asked,
        deadlines: Deadlines,
        until: Instant,
    ) -> Result<Self, Reason> {
        let started = Instant::now();
        let connecting_until = until.min(started + deadlines.connect);
        let socket = match timeout_at(connecting_until, TcpStream::connect(address)).await {
            Ok(connected) => connected.map_err(|error| reason_of(&error))?,
            Err(_) => return Err(timed_out(Waiting::Connection, started)),
        };
        // Only a delay is at stake.
        let _ = socket.set_nodelay(true);
        let started = Instant::now();
        Ok(Self {
            socket,
            asked,
            deadlines,
            started,
            until,
            buffer: Vec::with_capacity(READ_OCTETS),
            taken: 0,
            received_any: false,
            last_received: started,
            span_started: started,
            span_octets: 0,
            messages: 0,
        })
    }

    /// Sends a message with its length before it, in one write: some servers never put two pieces together
    /// (RFC 7766 §8).
    pub(crate) async fn send(&mut self, message: &[u8]) -> Result<(), Reason> {
        let mut framed = (message.len() as u16).to_be_bytes().to_vec();
        framed.extend(message);
        match timeout(self.deadlines.idle, self.socket.write_all(&framed)).await {
            Ok(sent) => sent.map_err(|error| self.broken(&error)),
            Err(_) => Err(timed_out(Waiting::Answer(self.asked), self.started)),
        }
    }

    /// The next message, without its length.
    pub(crate) async fn message(&mut self) -> Result<&[u8], Reason> {
        loop {
            let rest = &self.buffer[self.taken..];
            if let Some((length, after)) = rest.split_first_chunk() {
                let length = usize::from(u16::from_be_bytes(*length));
                if after.len() >= length {
                    let start = self.taken + 2;
                    self.taken = start + length;
                    self.messages += 1;
                    return Ok(&self.buffer[start..start + length]);
                }
            }
            self.more().await?;
        }
    }

    /// Waits for more octets: any within the idle time, enough of them within each span.
    async fn more(&mut self) -> Result<(), Reason> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.reserve(READ_OCTETS);
        let idle_until = self.last_received + self.deadlines.idle;
        let span_until = self.span_started + self.deadlines.progress;
        let until = idle_until.min(span_until).min(self.until);
        match timeout_at(until, self.socket.read_buf(&mut self.buffer)).await {
            Ok(Ok(0)) => Err(Reason::ConnectionClosed { messages: self.messages }),
            Ok(Ok(octets)) => self.progressed(octets as u64),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_) if until == self.until => Err(self.over()),
            Err(_) if until == idle_until && self.received_any => {
                Err(Reason::Hung { millis: millis_since(self.last_received) })
            }
            Err(_) if until == idle_until => Err(timed_out(Waiting::Answer(self.asked), self.started)),
            // Nothing came, but the span is over: only the sum in it counts.
            Err(_) => self.progressed(0),
        }
    }

    fn progressed(&mut self, octets: u64) -> Result<(), Reason> {
        if octets > 0 {
            self.received_any = true;
            self.last_received = Instant::now();
            self.span_octets += octets;
        }
        let millis = millis_since(self.span_started);
        if self.span_started.elapsed() < self.deadlines.progress {
            return Ok(());
        }
        if self.received_any && self.span_octets < self.deadlines.progress_octets {
            return Err(Reason::TooSlow { octets: self.span_octets, millis });
        }
        self.span_started = Instant::now();
        self.span_octets = 0;
        Ok(())
    }

    /// The reason when the last deadline has passed.
    fn over(&self) -> Reason {
        match (self.asked, self.received_any) {
            (Asked::Soa, _) | (_, false) => timed_out(Waiting::Answer(self.asked), self.started),
            (_, true) => Reason::TookTooLong { secs: self.started.elapsed().as_secs() },
        }
    }

    fn broken(&self, error: &io::Error) -> Reason {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
                Reason::ConnectionClosed { messages: self.messages }
            }
            _ => reason_of(error),
        }
    }
}

pub(crate) fn timed_out(waiting: Waiting, since: Instant) -> Reason {
    Reason::TimedOut { waiting, millis: millis_since(since) }
}

fn millis_since(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What an error of a socket says about the way to the primary.
pub(crate) fn reason_of(error: &io::Error) -> Reason {
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
