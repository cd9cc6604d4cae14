//! A primary that does what a test tells it to: right answers, and every wrong one that has been seen.
//!
//! ```text
//! let primary = Primary::start();
//! primary.publish("example.", "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
//! primary.behave(Behaviour::HangHalfWay);
//! … let the program under test fetch it from primary.address() …
//! assert_eq!(primary.count(Kind::Axfr), 1);
//! primary.behave_well();
//! primary.publish("example.", …);                        a newer version: IXFR leads from the first one to it
//! assert_eq!(primary.notify("example.", secondary), Some(Rcode::NOERROR));
//! ```
//!
//! With a certificate it is there over TLS too ([`Primary::over_tls`]), at a port of its own.
//!
//! It listens on one port of 127.0.0.1, or of another address of this machine, UDP and TCP, on a thread of its own, so
//! that tests with and without an async runtime can use it, and it gives everything back when dropped. Its waiting
//! blocks: async tests that use it run on several threads. It keeps all versions of a zone and answers IXFR by the steps
//! between them. It is small and slow, and no example of how to write a server.

mod behaviour;
mod connection;
mod message;
mod old_bind;
mod records;
mod respond;
mod script;
mod spoil;
mod state;
#[cfg(test)]
mod tests;
mod tls;
mod versions;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dns::{CLASS_IN, Header, Name, Opcode, Rcode, Type};
use rustls::pki_types::CertificateDer;
use xfr::Key;

pub use behaviour::{Behaviour, InPlaceOfTls, Kind, Order};
pub use connection::Action;
pub use old_bind::OldBind;
pub use script::Script;
use state::Shared;
pub use tls::Hello;

use crate::certificate::Certificate;

/// How long [`Primary::wait_for`] and [`Primary::notify`] wait at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// A scripted primary, running until it is dropped.
pub struct Primary {
    address: SocketAddr,
    tls_address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Primary {
    /// Starts one that holds no zone yet, on a port that was free.
    ///
    /// # Panics
    /// When no port or thread can be had.
    pub fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST)
    }

    /// The same at another address of this machine (any of 127.0.0.0/8, or ::1), from which its NOTIFYs come too.
    ///
    /// # Panics
    /// When no port or thread can be had.
    pub fn start_at(address: impl Into<IpAddr>) -> Self {
        let address = address.into();
        let shared = Arc::new(Shared::default());
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let serving = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let sockets = connection::bind(address).await;
                tell.send((sockets.address(), sockets.tls_address())).expect("the test waits for the addresses");
                tokio::select! {
                    () = sockets.serve(serving) => {}
                    _ = stopped => {}
                }
            });
        });
        let (address, tls_address) = told.recv().expect("the primary tells its addresses");
        Self { address, tls_address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// One that holds this zone.
    pub fn with_zone(zone: &str, text: &str) -> Self {
        let primary = Self::start();
        primary.publish(zone, text);
        primary
    }

    /// One that holds no zone yet and also speaks TLS, with this certificate.
    pub fn over_tls(certificate: &Certificate) -> Self {
        let primary = Self::start();
        primary.shared.change(|state| state.certificate = Some(certificate.clone()));
        primary
    }

    /// Where it speaks UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it speaks TLS.
    ///
    /// # Panics
    /// When it was started without.
    pub fn tls_address(&self) -> SocketAddr {
        assert!(self.shared.look(|state| state.certificate.is_some()), "this primary speaks no TLS");
        self.tls_address
    }

    /// Makes this text the newest version of the zone; the versions before it stay for IXFR.
    ///
    /// # Panics
    /// When the text is not a zone with an SOA record.
    pub fn publish(&self, zone: &str, text: &str) {
        let name: Name = zone.parse().expect("the zone's name");
        self.shared.change(|state| state.publish(name, zone, text));
    }

    /// From now on it behaves so too, until [`Primary::behave_well`].
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.change(|state| state.behaviours.push(behaviour));
    }

    pub fn behave_well(&self) {
        self.shared.change(|state| state.behaviours.clear());
    }

    /// Knows this key. Once it knows any, it refuses what is not signed, unless told [`Behaviour::TakesUnsigned`].
    pub fn add_key(&self, key: Arc<Key>) {
        self.shared.change(|state| state.keys.push(key));
    }

    /// How many requests of this kind have come.
    pub fn count(&self, kind: Kind) -> u64 {
        self.shared.look(|state| state.counts[kind as usize])
    }

    /// How many requests of any kind have come.
    pub fn requests(&self) -> u64 {
        self.shared.look(|state| state.counts.iter().sum())
    }

    /// Waits until so many requests of any kind have come.
    ///
    /// # Panics
    /// When they do not come within 20 s.
    pub fn wait_for_requests(&self, count: u64) {
        let came = self.shared.wait(PATIENCE, |state| state.counts.iter().sum::<u64>() >= count);
        assert!(came, "{} of {count} requests came", self.requests());
    }

    /// How many connections it has accepted over plain TCP.
    pub fn connections_over_tcp(&self) -> u64 {
        self.shared.look(|state| state.accepted_over_tcp)
    }

    /// How many it has accepted at the port for TLS, whatever became of them.
    pub fn connections_over_tls(&self) -> u64 {
        self.shared.look(|state| state.accepted_over_tls)
    }

    /// The most requests that came on one connection.
    pub fn most_requests_on_a_connection(&self) -> usize {
        self.shared.look(|state| state.requests_most)
    }

    /// What clients said at the beginning of TLS, also those whose handshake failed.
    pub fn hellos(&self) -> Vec<Hello> {
        self.shared.look(|state| state.hellos.clone())
    }

    /// For each handshake that came to its end on this side, the client's certificate if it showed one.
    pub fn handshakes(&self) -> Vec<Option<CertificateDer<'static>>> {
        self.shared.look(|state| state.handshakes.clone())
    }

    /// The most connections, plain and TLS, that were open at a time.
    pub fn most_connections(&self) -> u64 {
        self.shared.look(|state| state.connections_most)
    }

    /// Waits until nobody is connected any more.
    ///
    /// # Panics
    /// When somebody still is after 20 s.
    pub fn wait_until_alone(&self) {
        assert!(self.shared.wait(PATIENCE, |state| state.connections == 0), "somebody is still connected");
    }

    /// Waits until so many requests of this kind have come.
    ///
    /// # Panics
    /// When they do not come within 20 s.
    pub fn wait_for(&self, kind: Kind, count: u64) {
        let came = self.shared.wait(PATIENCE, |state| state.counts[kind as usize] >= count);
        assert!(came, "{} of {count} requests of kind {kind:?} came", self.count(kind));
    }

    /// Sends a NOTIFY for the zone from this primary's address until it is answered, and gives the answer's code; none
    /// when no answer comes.
    pub fn notify(&self, zone: &str, secondary: SocketAddr) -> Option<Rcode> {
        self.notify_signed(zone, secondary, None)
    }

    /// The same, signed with a key.
    pub fn notify_signed(&self, zone: &str, secondary: SocketAddr, key: Option<Arc<Key>>) -> Option<Rcode> {
        let zone: Name = zone.parse().expect("the zone's name");
        let id = 0x4e4f;
        let flags = Header::request_flags(Opcode::NOTIFY) | Header::AA;
        let mut message = Header { id, flags, counts: [1, 0, 0, 0] }.to_octets().to_vec();
        message.extend(zone.as_wire());
        message.extend(Type::SOA.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        if let Some(key) = key {
            xfr::tsig::sign_request(&mut message, key, state::wall_clock_secs());
        }
        let socket = UdpSocket::bind((self.address.ip(), 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let _ = socket.send_to(&message, secondary);
            let mut answer = [0; 1232];
            let length = socket.recv(&mut answer).unwrap_or(0);
            if let Some(header) = Header::parse(&answer[..length])
                && header.id == id
                && header.is_response()
            {
                return Some(header.rcode());
            }
        }
        None
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
