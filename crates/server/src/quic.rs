//! DNS over QUIC (RFC 9250): the socket of one address, and who is let in.
//!
//! ```text
//!   first packet ──► is there room to believe it? ──no──► Retry: come again with our token (RFC 9000 §8.1.2)
//!        │ yes
//!        ▼
//!   a place among all connections? ──no──► CONNECTION_REFUSED
//!        │ yes
//!        ▼
//!   shaking hands ──► visit: one stream for each query
//!        │ handshake deadline: dropped
//! ```
//!
//! An address is not proved before the handshake is over: anybody can write any into a first packet. So those who have
//! not proved theirs have few places ([`UNPROVED_PARTS`]), and whoever finds none, or comes when many of the places for
//! that address are taken, is sent away with a token that only the true owner of the address receives. Before the proof
//! we send three octets for each received at the most (RFC 9000 §8.1), which quinn sees to.
//!
//! Who may do what goes by the address, and a place is counted under it: therefore a connection does not move to
//! another one (RFC 9000 §9: `disable_active_migration`). No early data: it can be replayed (RFC 9250 §4.5). No datagrams,
//! no streams of the client's that go one way only, no keep-alive from us.
//!
//! Does not do: what is said on a connection (see `visit` and `stream`), padding.

mod stream;
mod visit;

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, IdleTimeout, Incoming, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::counters::Event;
use crate::house::House;
use crate::limits::Limits;
use crate::tls::TlsServer;

/// Queries that one client may have under way on one connection.
const STREAMS_MAX: u32 = 32;
/// Of each stream so much is taken before we have read it, in octets: any ordinary query.
const STREAM_WINDOW_OCTETS: u32 = 4096;
/// Replies that were handed over and not acknowledged, of one connection, in octets. Bounds what a client costs that does
/// not read; at 50 ms round trip it lets 5 MB a second through.
const SEND_WINDOW_OCTETS: u64 = 256 << 10;
/// Of a handshake's messages so much is put in order; no client of ours has a certificate to send.
const HANDSHAKE_OCTETS_MAX: usize = 8 << 10;
/// First packets that wait to be looked at, which takes microseconds; further ones are refused.
const INCOMING_MAX: usize = 1024;
/// What may come behind a first packet before it is looked at, of one connection and of all, in octets.
const INCOMING_OCTETS_MAX: (u64, u64) = (16 << 10, 4 << 20);
/// Those who have not proved their address get one of so many places.
const UNPROVED_PARTS: usize = 8;
/// How long clients are told, at the end, that it is one.
const FAREWELL: Duration = Duration::from_millis(300);

/// How a connection or a stream ends, as RFC 9250 §4.3 numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    NoError = 0x0,
    Internal = 0x1,
    Protocol = 0x2,
    RequestCancelled = 0x3,
    ExcessiveLoad = 0x4,
}

impl From<Code> for VarInt {
    fn from(code: Code) -> Self {
        Self::from_u32(code as u32)
    }
}

/// The places of those who have not proved their address.
pub(crate) fn unproved(limits: &Limits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((limits.connections / UNPROVED_PARTS).max(1)))
}

/// Makes `socket` one that speaks QUIC, and shows what `tls` shows.
///
/// # Errors
/// When the runtime does not take the socket.
pub(crate) fn endpoint(socket: UdpSocket, tls: &TlsServer, limits: &Limits) -> io::Result<Endpoint> {
    let server = Some(configuration(tls, limits));
    Endpoint::new(EndpointConfig::default(), server, socket, Arc::new(TokioRuntime))
}

fn configuration(tls: &TlsServer, limits: &Limits) -> ServerConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(STREAMS_MAX.into())
        .max_concurrent_uni_streams(0_u32.into())
        .stream_receive_window(STREAM_WINDOW_OCTETS.into())
        // So that no stream that is not read takes the others' room.
        .receive_window((STREAM_WINDOW_OCTETS * STREAMS_MAX).into())
        .send_window(SEND_WINDOW_OCTETS)
        .crypto_buffer_size(HANDSHAKE_OCTETS_MAX)
        .datagram_receive_buffer_size(None)
        // Who has vanished is forgotten by then. The visit is to come before that: it says why, also to who is only silent.
        .max_idle_timeout(Some(IdleTimeout::try_from(limits.idle * 2).unwrap_or(VarInt::MAX.into())));
    let mut configuration = ServerConfig::with_crypto(tls.quic());
    configuration
        .transport_config(Arc::new(transport))
        .migration(false)
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_OCTETS_MAX.0)
        .incoming_buffer_size_total(INCOMING_OCTETS_MAX.1);
    configuration
}

/// Lets connections in until the house is stopped.
pub(crate) async fn accept(endpoint: Endpoint, tls: TlsServer, unproved: Arc<Semaphore>, house: Arc<House>) {
    let configuration = configuration(&tls, &house.limits);
    loop {
        let incoming = tokio::select! {
            () = house.stop.cancelled() => break,
            incoming = endpoint.accept() => incoming,
        };
        let Some(incoming) = incoming else { break };
        let Some((incoming, proof)) = proved(incoming, &unproved, &house) else { continue };
        let address = incoming.remote_address();
        let Some(place) = house.connections.admit(address.ip()) else {
            house.block.count(Event::QuicTurnedAway);
            incoming.refuse();
            continue;
        };
        // Tokens go by the endpoint's own configuration, the certificate by what is shown now.
        let mut shown = configuration.clone();
        shown.crypto = tls.quic();
        match incoming.accept_with(Arc::new(shown)) {
            Ok(connecting) => {
                house.tasks.spawn(visit::receive(connecting, address, place, proof, house.clone()));
            }
            Err(error) => {
                house.block.count(Event::QuicFailed);
                tracing::debug!(from = %address, %error, "a QUIC connection could not begin");
            }
        }
    }
    endpoint.close(Code::NoError.into(), b"");
    // Who does not hear it finds out.
    let _ = timeout(FAREWELL, endpoint.wait_idle()).await;
}

/// Gives the connection back with the place among the unproved, if it needs one; sends it away to prove its address
/// otherwise.
fn proved(
    incoming: Incoming,
    unproved: &Arc<Semaphore>,
    house: &House,
) -> Option<(Incoming, Option<OwnedSemaphorePermit>)> {
    if incoming.remote_address_validated() || !incoming.may_retry() {
        return Some((incoming, None));
    }
    if !house.connections.wants_proof(incoming.remote_address().ip())
        && let Ok(proof) = unproved.clone().try_acquire_owned()
    {
        return Some((incoming, Some(proof)));
    }
    house.block.count(Event::QuicRetried);
    // It may retry: that was asked above.
    let _ = incoming.retry();
    None
}
