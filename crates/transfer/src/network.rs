//! The way out: connections and datagrams to primaries, and what each message to them bears: an ID and the time.
//!
//! A seam, so that the same code that talks to primaries can be run in a simulated network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use xfr::{Destinations, RefusedAddress};

/// No answer to a query of ours is longer than this: we offer [`dns::edns::UDP_OCTETS`], and some send more.
pub(crate) const DATAGRAM_OCTETS_MAX: usize = 4096;

/// A connection's octets.
pub trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

/// A socket that sends datagrams to one address and hears that address alone.
#[async_trait]
pub trait Datagrams: Send + Sync {
    async fn send(&self, message: &[u8]) -> io::Result<()>;

    /// The next datagram's length; what does not fit into `message` is cut off. May be dropped while it waits.
    async fn receive(&self, message: &mut [u8]) -> io::Result<usize>;
}

/// What leads to primaries. Deadlines are for whoever calls; dropping a call ends it.
#[async_trait]
pub trait Network: Send + Sync {
    /// A connection to `to`, from the address `from` if one is given.
    async fn connect(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<Box<dyn Octets>>;

    /// A socket for datagrams to `to`, from a port that nobody can foresee (RFC 5452 §9.2).
    async fn datagrams(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<Box<dyn Datagrams>>;

    /// The address that `to` is asked from; nothing is sent.
    async fn source(&self, _to: SocketAddr, from: Option<IpAddr>) -> io::Result<IpAddr> {
        from.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// A message ID that nobody can guess (RFC 5452 §4.3).
    fn message_id(&self) -> io::Result<u16>;

    /// The wall clock, for TSIG alone; in seconds since the Unix epoch.
    fn wall_clock_secs(&self) -> u64;
}

/// The real one, which sends nothing to an address that is not to be asked: whatever leads there, a setting of today or
/// of before, it ends here.
pub struct Internet {
    destinations: Destinations,
}

impl Internet {
    pub fn new(destinations: Destinations) -> Self {
        Self { destinations }
    }

    /// # Errors
    /// With the refusal inside, which [`refusal_in`] finds again.
    fn judge(&self, to: SocketAddr) -> io::Result<()> {
        let judged = self.destinations.judge(to.ip());
        judged.map_err(|refused| io::Error::new(io::ErrorKind::PermissionDenied, refused))
    }
}

/// That the address is not to be asked, if that is what the error says.
pub(crate) fn refusal_in(error: &io::Error) -> Option<RefusedAddress> {
    error.get_ref()?.downcast_ref().copied()
}

#[async_trait]
impl Network for Internet {
    async fn connect(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<Box<dyn Octets>> {
        self.judge(to)?;
        let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = from {
            socket.bind((from, 0).into())?;
        }
        let stream: TcpStream = socket.connect(to).await?;
        // Only a delay is at stake.
        let _ = stream.set_nodelay(true);
        Ok(Box::new(stream))
    }

    async fn datagrams(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<Box<dyn Datagrams>> {
        self.judge(to)?;
        let any = match to {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((from.unwrap_or(any), 0)).await?;
        // A connected socket hears the primary alone, and also that nothing listens there; and it sends to nobody else, so
        // that each datagram goes to the address that was judged.
        socket.connect(to).await?;
        Ok(Box::new(socket))
    }

    async fn source(&self, to: SocketAddr, from: Option<IpAddr>) -> io::Result<IpAddr> {
        self.judge(to)?;
        let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((from.unwrap_or(any), 0)).await?;
        socket.connect(to).await?;
        Ok(socket.local_addr()?.ip())
    }

    fn message_id(&self) -> io::Result<u16> {
        let mut octets = [0; 2];
        getrandom::fill(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(u16::from_be_bytes(octets))
    }

    fn wall_clock_secs(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

#[async_trait]
impl Datagrams for UdpSocket {
    async fn send(&self, message: &[u8]) -> io::Result<()> {
        self.send(message).await.map(drop)
    }

    async fn receive(&self, message: &mut [u8]) -> io::Result<usize> {
        self.recv(message).await
    }
}
