//! TCP (RFC 7766): connections and how they end; over TLS the same, after a handshake.
//!
//! ```text
//!   accepted ──► shaking hands (TLS) ──► conversation ──► closed (FIN): all that was owed is written, or it is idle
//!                     │ handshake deadline      │ message or write deadline, or its place is given to another
//!                     ▼                         ▼
//!                  cut off                   cut off (RST): nothing of it stays with the kernel
//! ```
//!
//! Does not do: what is said (see `conversation`).

mod conversation;
mod incoming;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use xfr::notify::Channel;

use crate::connections::Place;
use crate::counters::Event;
use crate::front::Sender;
use crate::house::House;
use crate::tls::TlsServer;
use conversation::Conversation;

/// What the kernel may hold of what a client has not taken yet, in octets; it doubles that for its own needs.
const SEND_OCTETS: usize = 131_072;
/// When connections cannot be accepted, most likely for lack of file descriptors.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// What connections of one listener speak.
#[derive(Clone)]
pub(crate) enum Wire {
    Plain,
    Tls(TlsServer),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client has closed it, has nothing more to say, or has said nothing for long.
    Done,
    /// The client has missed a deadline: it did not end its message, or did not take what it had asked for.
    CutOff,
    /// There is no connection any more, or a transfer on it has failed and must not look whole.
    Broken,
}

/// Accepts connections until the house is stopped.
pub(crate) async fn accept(listener: TcpListener, wire: Wire, house: Arc<House>) {
    loop {
        let accepted = tokio::select! {
            () = house.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => match house.connections.admit(address.ip()) {
                Some(place) => {
                    house.block.count(Event::TcpAccepted);
                    house.tasks.spawn(connection(stream, address, place, wire.clone(), house.clone()));
                }
                None => house.block.count(Event::TcpTurnedAway),
            },
            Err(error) => {
                tracing::debug!(%error, "accepting a TCP connection failed");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

async fn connection(mut stream: TcpStream, address: SocketAddr, place: Place, wire: Wire, house: Arc<House>) {
    // Replies are written whole; waiting for more to send with them would only delay them.
    let _ = stream.set_nodelay(true);
    // The kernel would let a client that does not read owe us megabytes.
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_OCTETS);
    let conversation = async {
        match wire {
            Wire::Plain => converse(&mut stream, Sender { address, channel: Channel::Tcp }, &house).await,
            // In a box, so that plain connections do not have its size.
            Wire::Tls(tls) => Box::pin(converse_over_tls(&mut stream, &tls, address, &house)).await,
        }
    };
    let end = tokio::select! {
        () = house.stop.cancelled() => return,
        () = place.lost() => {
            house.block.count(Event::TcpTurnedAway);
            End::CutOff
        }
        end = conversation => end,
    };
    if end == End::CutOff {
        // The kernel would keep what was not taken for minutes, without a connection that counts. RST, and not FIN.
        let _ = stream.set_zero_linger();
    }
}

async fn converse_over_tls(stream: &mut TcpStream, tls: &TlsServer, address: SocketAddr, house: &House) -> End {
    match timeout(house.handshake(), tls.shake_hands(stream)).await {
        Ok(Ok(stream)) => {
            house.block.count(Event::TlsAccepted);
            converse(stream, Sender { address, channel: Channel::Tls }, house).await
        }
        Ok(Err(error)) => {
            house.block.count(Event::TlsFailed);
            tracing::debug!(from = %address, %error, "a TLS handshake failed");
            End::Broken
        }
        Err(_) => {
            house.block.count(Event::TlsTimedOut);
            End::CutOff
        }
    }
}

/// Answers until the end, and says over TLS that it is one: a transfer that breaks off must not look whole.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, sender: Sender, house: &House) -> End {
    let end = Conversation::new(&mut stream, sender, house).hold().await;
    if end == End::Done {
        // What the kernel does not take at once is not worth a place any longer.
        let _ = timeout(Duration::ZERO, stream.shutdown()).await;
    }
    end
}
