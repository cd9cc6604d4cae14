//! The simulated network: datagrams and connections to the simulated primaries, in memory and without tasks.
//!
//! A primary works out its answer when it is asked, and the answer arrives a while later: once, twice, late, or never.
//! Octets on a connection keep their order; connections are refused, reset, or go silent.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use dns::Serial;
use testing::primary::Action;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use transfer::{Datagrams, Network, Octets};

use super::message::Asked;
use super::primary::Way;
use super::world::World;
use crate::clock::Machine;

/// Of a hundred datagrams so many are lost, come twice, or come late.
const LOST: u64 = 1;
const TWICE: u64 = 1;
const LATE: u64 = 1;
const LATE_MS: u64 = 3_000;
/// How far from one another answers of one primary arrive.
const JITTER_MS: u64 = 20;

pub(super) struct SimulatedNetwork(pub(super) Arc<World>);

#[async_trait]
impl Network for SimulatedNetwork {
    async fn connect(&self, to: SocketAddr, _: Option<IpAddr>) -> io::Result<Box<dyn Octets>> {
        let (primary, way, latency) = self.0.way_to(to);
        if way == Some(Way::Dark) {
            return std::future::pending().await;
        }
        sleep(latency).await;
        if way == Some(Way::Refused) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(Box::new(Connection {
            world: self.0.clone(),
            primary,
            requests: 0,
            incoming: Vec::new(),
            outgoing: VecDeque::new(),
            is_open: true,
            arrival: Box::pin(sleep(Duration::ZERO)),
        }))
    }

    async fn datagrams(&self, to: SocketAddr, _: Option<IpAddr>) -> io::Result<Box<dyn Datagrams>> {
        let (primary, ..) = self.0.way_to(to);
        Ok(Box::new(Socket { world: self.0.clone(), primary, asked: Mutex::default(), arriving: Mutex::default() }))
    }

    fn message_id(&self) -> io::Result<u16> {
        let mut octets = [0; 2];
        self.0.machine.random(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(u16::from_be_bytes(octets))
    }

    fn wall_clock_secs(&self) -> u64 {
        self.0.machine.wall_clock().as_secs()
    }
}

/// Something on its way to the node.
struct Arriving {
    at: Instant,
    what: io::Result<Vec<u8>>,
    /// The version that it shows when it has arrived.
    shown: Option<(usize, Serial)>,
}

struct Socket {
    world: Arc<World>,
    primary: usize,
    asked: Mutex<Option<Asked>>,
    arriving: Mutex<Vec<Arriving>>,
}

impl Socket {
    fn arriving(&self) -> std::sync::MutexGuard<'_, Vec<Arriving>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Option<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What arrives next, and when.
    fn next(&self) -> Option<(usize, Instant)> {
        let arriving = self.arriving();
        arriving.iter().enumerate().map(|(index, datagram)| (index, datagram.at)).min_by_key(|(_, at)| *at)
    }
}

#[async_trait]
impl Datagrams for Socket {
    async fn send(&self, query: &[u8]) -> io::Result<()> {
        let Some(asked) = Asked::of(query) else { return Ok(()) };
        // The second try of a probe goes without EDNS, from a socket of its own.
        if asked.has_edns {
            self.world.asked_by_datagram(self.primary, &asked);
            *self.asked() = Some(asked);
        }
        let answers = self.world.answer_datagram(self.primary, query);
        let now = Instant::now();
        for what in answers {
            let shown = what.as_ref().ok().and_then(|message| asked.shown(&[message]));
            let shown = shown.map(|serial| (asked.zone, serial));
            for delay_ms in self.world.delays_ms(self.primary) {
                let at = now + Duration::from_millis(delay_ms);
                let what = what.as_ref().map(Vec::clone).map_err(|error| error.kind().into());
                self.arriving().push(Arriving { at, what, shown });
            }
        }
        Ok(())
    }

    async fn receive(&self, message: &mut [u8]) -> io::Result<usize> {
        let Some((index, at)) = self.next() else { return std::future::pending().await };
        sleep_until(at).await;
        let arrived = self.arriving().swap_remove(index);
        if let Some((zone, serial)) = arrived.shown {
            self.world.shown(zone, self.primary, serial);
        }
        let octets = arrived.what?;
        let length = octets.len().min(message.len());
        message[..length].copy_from_slice(&octets[..length]);
        Ok(length)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(asked) = self.asked().take() {
            self.world.gave_up_datagram(self.primary, asked.zone);
        }
    }
}

struct Connection {
    world: Arc<World>,
    primary: usize,
    requests: usize,
    /// Of a request that has not come whole.
    incoming: Vec<u8>,
    outgoing: VecDeque<Arriving>,
    /// Nothing comes any more when it is not.
    is_open: bool,
    arrival: Pin<Box<Sleep>>,
}

impl Connection {
    fn requested(&mut self, query: &[u8]) {
        let Some(asked) = Asked::of(query) else { return };
        self.requests += 1;
        let actions = self.world.answer_request(self.primary, &asked, query, self.requests);
        let messages: Vec<&[u8]> = actions.iter().filter_map(message_of).collect();
        let shown = asked.shown(&messages).map(|serial| (asked.zone, serial));
        let last = messages.len();
        let breaks = self.world.way_of(self.primary) == Some(Way::Resets);
        let mut sent = 0;
        for action in actions {
            let is_message = message_of(&action).is_some();
            sent += usize::from(is_message);
            let shown = shown.filter(|_| sent == last && is_message);
            match action {
                Action::Send(_) if breaks => {
                    self.push(Err(io::ErrorKind::ConnectionReset.into()), Duration::ZERO, None);
                }
                Action::Send(message) => self.push(Ok(framed(&message)), Duration::ZERO, shown),
                Action::Trickle { message, octets, pause } => {
                    let framed = framed(&message);
                    let pieces = framed.chunks(octets);
                    let last_piece = pieces.len() - 1;
                    for (index, piece) in pieces.enumerate() {
                        self.push(Ok(piece.to_vec()), pause, shown.filter(|_| index == last_piece));
                    }
                }
                Action::Close | Action::Cut => self.push(Ok(Vec::new()), Duration::ZERO, None),
                Action::Hang => self.is_open = false,
                Action::Repeat(_) | Action::Part(_) => {
                    unreachable!("no simulated primary sends without end, or a part of a message")
                }
            }
        }
    }

    fn push(&mut self, what: io::Result<Vec<u8>>, pause: Duration, shown: Option<(usize, Serial)>) {
        if !self.is_open {
            return;
        }
        let soonest = Instant::now() + self.world.latency(self.primary);
        let at = self.outgoing.back().map_or(soonest, |before| before.at.max(soonest)) + pause;
        self.is_open = what.as_ref().is_ok_and(|octets| !octets.is_empty());
        self.outgoing.push_back(Arriving { at, what, shown });
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever reads here also writes, and looks again afterwards.
        let Some(at) = self.outgoing.front().map(|next| next.at) else { return Poll::Pending };
        if at > Instant::now() {
            self.arrival.as_mut().reset(at);
            ready!(self.arrival.as_mut().poll(context));
        }
        let Some(arrived) = self.outgoing.pop_front() else { return Poll::Pending };
        let mut octets = arrived.what?;
        if octets.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let taken = octets.len().min(out.remaining());
        out.put_slice(&octets[..taken]);
        if taken < octets.len() {
            octets.drain(..taken);
            self.outgoing.push_front(Arriving { what: Ok(octets), ..arrived });
        } else if let Some((zone, serial)) = arrived.shown {
            self.world.shown(zone, self.primary, serial);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.incoming.extend(octets);
        while let Some((length, rest)) = self.incoming.split_first_chunk()
            && let Some(query) = rest.get(..usize::from(u16::from_be_bytes(*length)))
        {
            let query = query.to_vec();
            self.incoming.drain(..2 + query.len());
            self.requested(&query);
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl World {
    /// Which primary this is, what is wrong with the way to it, and how long a packet there and back takes.
    fn way_to(&self, to: SocketAddr) -> (usize, Option<Way>, Duration) {
        let primary = self.state().primary_at(to);
        (primary, self.way_of(primary), self.latency(primary))
    }

    fn way_of(&self, primary: usize) -> Option<Way> {
        self.state().primaries[primary].way()
    }

    fn latency(&self, primary: usize) -> Duration {
        let mut state = self.state();
        let jitter_ms = state.dice.below(JITTER_MS);
        Duration::from_millis(state.primaries[primary].latency_ms + jitter_ms)
    }

    /// After how long each copy of a datagram arrives.
    fn delays_ms(&self, primary: usize) -> Vec<u64> {
        let latency_ms = self.latency(primary).as_millis() as u64;
        let dice = &mut self.state().dice;
        match dice.below(100) {
            chance if chance < LOST => Vec::new(),
            chance if chance < LOST + TWICE => vec![latency_ms, latency_ms + dice.below(LATE_MS)],
            chance if chance < LOST + TWICE + LATE => vec![latency_ms + dice.below(LATE_MS)],
            _ => vec![latency_ms],
        }
    }

    fn answer_datagram(&self, primary: usize, query: &[u8]) -> Vec<io::Result<Vec<u8>>> {
        let primary = &mut self.state().primaries[primary];
        match primary.way() {
            Some(Way::Dark) => Vec::new(),
            Some(Way::Refused) => vec![Err(io::ErrorKind::ConnectionRefused.into())],
            Some(Way::Resets) | None => {
                let actions = primary.script.datagram(query);
                actions.iter().filter_map(message_of).map(|message| Ok(message.to_vec())).collect()
            }
        }
    }

    fn answer_request(&self, primary: usize, asked: &Asked, query: &[u8], number: usize) -> Vec<Action> {
        self.asked_by_connection(primary, asked);
        let primary = &mut self.state().primaries[primary];
        match primary.way() {
            // It was there when the connection was made.
            Some(Way::Dark | Way::Refused) => vec![Action::Hang],
            Some(Way::Resets) | None => primary.script.request(query, number),
        }
    }
}

fn message_of(action: &Action) -> Option<&[u8]> {
    match action {
        Action::Send(message) | Action::Trickle { message, .. } => Some(message),
        _ => None,
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut octets = (message.len() as u16).to_be_bytes().to_vec();
    octets.extend(message);
    octets
}
