//! One connection over QUIC, from its handshake to its end: a task for each stream, and an eye on those who say nothing.
//!
//! A connection stays as long as it has something to say: packets that only keep it awake do not count, messages do.
//! Whoever breaks the rules of RFC 9250 §4.3.3 loses the connection; whoever merely fails with one query loses that
//! stream.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quinn::{Connecting, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use xfr::notify::Channel;

use super::Code;
use super::stream::{Misuse, answer};
use crate::connections::Place;
use crate::counters::Event;
use crate::front::Sender;
use crate::house::House;
use crate::transfer_out::PER_CONNECTION;

/// What the streams of one connection share.
pub(super) struct Visit {
    pub(super) sender: Sender,
    pub(super) house: Arc<House>,
    /// Who reads a message longer than a stream's window: one at a time, so that a connection holds no more than one.
    pub(super) long: Semaphore,
    /// Turns of requests for transfers: further ones wait until one before them has ended.
    pub(super) transfers: Semaphore,
    /// When a message last came, or was answered.
    heard_at: Mutex<Instant>,
    /// Streams whose message came and is being answered.
    answering: AtomicUsize,
}

/// A message that is being answered, until this is dropped.
pub(super) struct Answering<'v>(&'v Visit);

/// Shakes hands and answers until the end.
pub(super) async fn receive(
    connecting: Connecting,
    address: SocketAddr,
    place: Place,
    proof: Option<OwnedSemaphorePermit>,
    house: Arc<House>,
) {
    let shaken = tokio::select! {
        () = house.stop.cancelled() => return,
        () = place.lost() => {
            house.block.count(Event::QuicTurnedAway);
            return;
        }
        shaken = timeout(house.handshake(), connecting) => shaken,
    };
    drop(proof);
    let connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            house.block.count(Event::QuicFailed);
            tracing::debug!(from = %address, %error, "a QUIC handshake failed");
            return;
        }
        Err(_) => {
            house.block.count(Event::QuicTimedOut);
            return;
        }
    };
    house.block.count(Event::QuicAccepted);
    let visit = Arc::new(Visit {
        sender: Sender { address, channel: Channel::Quic },
        house,
        long: Semaphore::new(1),
        transfers: Semaphore::new(PER_CONNECTION),
        heard_at: Mutex::new(Instant::now()),
        answering: AtomicUsize::new(0),
    });
    let end = tokio::select! {
        end = visit.converse(&connection) => end,
        () = place.lost() => {
            visit.house.block.count(Event::QuicTurnedAway);
            Some((Code::ExcessiveLoad, "there are too many connections"))
        }
    };
    if let Some((code, why)) = end {
        connection.close(code.into(), why.as_bytes());
    }
}

impl Visit {
    /// Answers every stream, until there is a reason to end the connection; none when it has ended.
    async fn converse(self: &Arc<Self>, connection: &Connection) -> Option<(Code, &'static str)> {
        // No more than streams are allowed; those that are left end with this.
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                () = self.house.stop.cancelled() => return Some((Code::NoError, "")),
                () = self.silence() => {
                    self.house.block.count(Event::QuicTimedOut);
                    return Some((Code::NoError, "no message came for long"));
                }
                Some(answered) = streams.join_next() => match answered {
                    Ok(Ok(())) => {}
                    Ok(Err(Misuse(why))) => {
                        self.house.block.count(Event::QuicMisused);
                        tracing::debug!(from = %self.sender.address, why, "a client breaks the rules of DNS over QUIC");
                        return Some((Code::Protocol, why));
                    }
                    Err(error) => tracing::error!("a stream ended by a fault of ours: {error}"),
                },
                stream = connection.accept_bi() => match stream {
                    Ok((send, receive)) => {
                        streams.spawn(answer(self.clone(), send, receive));
                    }
                    Err(_) => return None,
                },
            }
        }
    }

    /// A message is there, and is being answered until what this returns is dropped.
    pub(super) fn hear(&self) -> Answering<'_> {
        self.answering.fetch_add(1, Ordering::Relaxed);
        self.note_time();
        Answering(self)
    }

    /// Returns when no message has come, and none was answered, for as long as a connection may be idle.
    async fn silence(&self) {
        loop {
            let is_answering = self.answering.load(Ordering::Relaxed) > 0;
            let since = if is_answering { Instant::now() } else { *self.heard_at() };
            let until = since + self.house.idle();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn note_time(&self) {
        *self.heard_at() = Instant::now();
    }

    fn heard_at(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.heard_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.note_time();
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}
