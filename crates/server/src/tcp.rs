//! TCP (RFC 7766): many queries on one connection, answered in their order; over TLS the same, after a handshake.
//!
//! ```text
//!   shaking hands (TLS)
//!      │ handshake deadline: closed
//!      ▼     first octet                 last octet
//!   waiting ─────────────► in a message ────────────► answering ──► writing ──► waiting
//!      │ idle                  │ message deadline                      │ write deadline
//!      ▼                       ▼                                       ▼
//!    closed                  closed                                  closed
//! ```
//!
//! The next query is read only when the replies before it are written, so that a client that does not read is owed
//! no more than what it has asked in one burst, at most [`OUTGOING_OCTETS`] and a message. A message of no octets
//! ends the connection: it is no query, and whoever sends it is lost in the stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use xfr::notify::Channel;

use crate::connections::Place;
use crate::counters::Event;
use crate::desk::wall_clock_secs;
use crate::front::Sender;
use crate::house::{House, LENGTH_OCTETS, write};
use crate::tls::TlsServer;

/// Read at once from a connection, in octets.
const READ_OCTETS: usize = 4096;
/// Replies to pipelined queries are gathered up to here, then written, in octets.
const OUTGOING_OCTETS: usize = 65_536;
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

/// Why a connection ended.
enum End {
    /// The client has closed it, or has nothing more to say.
    Done,
    TimedOut,
    Broken,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
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

async fn connection(stream: TcpStream, address: SocketAddr, _place: Place, wire: Wire, house: Arc<House>) {
    // Replies are written whole; waiting for more to send with them would only delay them.
    let _ = stream.set_nodelay(true);
    // The kernel would let a client that does not read owe us megabytes, and keep them for minutes when it is cut off.
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_OCTETS);
    let conversation = async {
        match wire {
            Wire::Plain => converse(stream, Sender { address, channel: Channel::Tcp }, &house).await,
            // In a box, so that plain connections do not have its size.
            Wire::Tls(tls) => Box::pin(converse_over_tls(stream, &tls, address, &house)).await,
        }
    };
    let end = tokio::select! {
        () = house.stop.cancelled() => return,
        end = conversation => end,
    };
    match end {
        End::TimedOut => house.block.count(Event::TcpTimedOut),
        End::Done | End::Broken => {}
    }
}

async fn converse_over_tls(stream: TcpStream, tls: &TlsServer, address: SocketAddr, house: &House) -> End {
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
            End::Broken
        }
    }
}

/// Answers until the end, and says over TLS that it is one: a transfer that breaks off must not look whole.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, sender: Sender, house: &House) -> End {
    let mut stream = BufReader::with_capacity(READ_OCTETS, stream);
    let end = answer_all(&mut stream, sender, house).await;
    if !matches!(end, End::Broken) {
        // What the kernel does not take at once is not worth a place any longer.
        let _ = timeout(Duration::ZERO, stream.get_mut().shutdown()).await;
    }
    end
}

async fn answer_all<S>(stream: &mut BufReader<S>, sender: Sender, house: &House) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = Vec::new();
    let mut outgoing = Vec::new();
    loop {
        if let Err(end) = read_message(stream, &mut message, house).await {
            return end;
        }
        let transfer = house.answer_into(&mut outgoing, &message, sender);
        let is_more_waiting = has_whole_message(stream.buffer());
        if transfer.is_none() && is_more_waiting && outgoing.len() < OUTGOING_OCTETS {
            continue;
        }
        match timeout(house.limits.write, write(stream.get_mut(), &outgoing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                house.block.count(Event::SendFailed);
                return End::Broken;
            }
            Err(_) => return End::TimedOut,
        }
        outgoing.clear();
        outgoing.shrink_to(READ_OCTETS);
        let Some(transfer) = transfer else { continue };
        let zone = transfer.question.name;
        let sent = transfer.send(stream.get_mut(), house.limits.write, wall_clock_secs).await;
        let is_broken = sent.is_err();
        house.note_transfer(&zone, sender.address, sent);
        if is_broken {
            return End::Broken;
        }
    }
}

/// Reads one message, without its length, into `message`.
async fn read_message<S>(stream: &mut BufReader<S>, message: &mut Vec<u8>, house: &House) -> Result<(), End>
where
    S: AsyncRead + Unpin,
{
    match timeout(house.idle(), stream.fill_buf()).await {
        Err(_) => return Err(End::TimedOut),
        Ok(Err(_)) => return Err(End::Broken),
        Ok(Ok([])) => return Err(End::Done),
        Ok(Ok(_)) => {}
    }
    message.clear();
    message.shrink_to(READ_OCTETS);
    let whole = async {
        let length = u64::from(stream.read_u16().await?);
        // Memory grows with what arrives, not with what the prefix promises.
        let read = stream.take(length).read_to_end(message).await? as u64;
        Ok::<bool, io::Error>(length > 0 && read == length)
    };
    match timeout(house.limits.message, whole).await {
        Err(_) => Err(End::TimedOut),
        Ok(Err(_)) => Err(End::Broken),
        Ok(Ok(false)) => Err(End::Done),
        Ok(Ok(true)) => Ok(()),
    }
}

fn has_whole_message(buffer: &[u8]) -> bool {
    buffer
        .first_chunk()
        .is_some_and(|length| buffer.len() >= LENGTH_OCTETS + usize::from(u16::from_be_bytes(*length)))
}
