//! Opening the sockets: for each address one TCP listener and one UDP socket for each worker; for TLS a TCP listener, for
//! QUIC one UDP socket.
//!
//! The UDP sockets of an address share its port by SO_REUSEPORT, so that the kernel spreads queries over the workers.
//! SO_REUSEPORT would also share the port with any other process of the same user, a second Secondo included, each
//! then getting half of the queries. That is why the first socket is bound *without* the option (which fails if
//! anybody holds the port, whatever their options) and only then opened to the sockets that follow; and why the TCP
//! listener, which nobody can share, is held for as long as we serve.
//!
//! A wildcard address stands for all addresses of its family, also those that this machine gets later, and for no other
//! family: `[::]` is IPv6 alone, whatever the system's default (`net.ipv6.bindv6only`), and `0.0.0.0` stands beside it.
//!
//! Does not do: privileges (a port below 1024 needs them from outside), following addresses that come and go.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::tls::TlsServer;
use crate::udp::batch::{ignore_path_mtu, tell_destination};

/// Connections that wait to be accepted; the kernel takes the lower of this and `net.core.somaxconn`.
const BACKLOG: i32 = 1024;
/// Room for bursts in a socket's receive queue, in octets; the kernel takes the lower of this and `rmem_max`.
const RECEIVE_QUEUE_OCTETS: usize = 4 << 20;
/// How often a UDP worker looks up from an idle socket whether it should stop.
const RECEIVE_PATIENCE: Duration = Duration::from_millis(200);
/// A full send queue is waited for so long; then the answer is dropped, as a full network would drop it.
const SEND_PATIENCE: Duration = Duration::from_millis(200);
/// Ports that the kernel proposed for UDP and that are taken for TCP: so many in a row mean that ports ran out.
const FREE_PORT_TRIES: usize = 32;

/// The sockets of all listen addresses, ready to be served.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) udp: Vec<UdpSocket>,
    pub(crate) tcp: Vec<TcpListener>,
    pub(crate) tls: Option<(Vec<TcpListener>, TlsServer)>,
    pub(crate) quic: Option<(Vec<UdpSocket>, TlsServer)>,
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    quic_addresses: Vec<SocketAddr>,
}

impl Sockets {
    /// The addresses, each for UDP and TCP, with the ports that port 0 became.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses for TLS, with the ports that port 0 became.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Opens these for TLS too, or none of them.
    ///
    /// # Errors
    /// As [`bind`], and when an address is one of those for plain DNS.
    pub fn with_tls(mut self, listen: &[SocketAddr], tls: TlsServer) -> Result<Self, BindError> {
        let mut listeners = Vec::new();
        for address in self.beside_plain(listen, Secured::Tls)? {
            let of_tcp = |error| BindError::of(address, Protocol::Tcp, error);
            let listener = tcp_listener(address).map_err(of_tcp)?;
            self.tls_addresses.push(listener.local_addr().map_err(of_tcp)?.as_socket().unwrap_or(address));
            listeners.push(listener.into());
        }
        self.tls = Some((listeners, tls));
        Ok(self)
    }

    /// The addresses for QUIC, with the ports that port 0 became.
    pub fn quic_addresses(&self) -> &[SocketAddr] {
        &self.quic_addresses
    }

    /// Opens these for QUIC too, or none of them. TLS may have the same: it is TCP.
    ///
    /// # Errors
    /// As [`bind`], and when an address is one of those for plain DNS.
    pub fn with_quic(mut self, listen: &[SocketAddr], tls: TlsServer) -> Result<Self, BindError> {
        let mut sockets = Vec::new();
        for address in self.beside_plain(listen, Secured::Quic)? {
            let of_udp = |error| BindError::of(address, Protocol::Udp, error);
            // Whoever shares the port would get half of the packets: it is not shared.
            let socket = quic_socket(address).map_err(of_udp)?;
            self.quic_addresses.push(socket.local_addr().map_err(of_udp)?.as_socket().unwrap_or(address));
            sockets.push(socket.into());
        }
        self.quic = Some((sockets, tls));
        Ok(self)
    }

    /// Each of these addresses once, if none is in the way of another or of one for plain DNS.
    fn beside_plain(&self, listen: &[SocketAddr], secured: Secured) -> Result<Vec<SocketAddr>, BindError> {
        let mut seen = HashSet::new();
        let once: Vec<SocketAddr> =
            listen.iter().copied().filter(|address| address.port() == 0 || seen.insert(*address)).collect();
        let others: Vec<SocketAddr> = self.addresses.iter().chain(listen).copied().collect();
        for address in &once {
            if self.addresses.contains(address) {
                return Err(BindError::PlainToo { address: *address, secured });
            }
            check_overlap(*address, &others)?;
            self.addresses.iter().try_for_each(|plain| check_overlap(*plain, &[*address]))?;
        }
        Ok(once)
    }
}

/// What DNS goes in where it is not plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    Tls,
    Quic,
}

impl fmt::Display for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "TLS",
            Self::Quic => "QUIC",
        })
    }
}

/// The two protocols of plain DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Udp,
    Tcp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// Why an address cannot be listened on, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("no address to listen on was given: name at least one, such as 127.0.0.1:5300")]
    NoAddress,
    #[error(
        "cannot listen on both {wildcard} and {address}: the first already covers the second; leave one of them out"
    )]
    Overlapping { wildcard: SocketAddr, address: SocketAddr },
    #[error(
        "cannot listen on {address} for plain DNS and for {secured}: give {secured} a port of its own, usually 853"
    )]
    PlainToo { address: SocketAddr, secured: Secured },
    #[error(
        "cannot listen on {address}: {protocol} port {} is taken by another program, perhaps by a Secondo that runs \
         already; stop it or choose another port (`ss -lnp 'sport = :{}'` shows who has it)",
        address.port(), address.port()
    )]
    Taken { address: SocketAddr, protocol: Protocol },
    #[error(
        "cannot listen on {address}: this user may not open {protocol} port {}; choose a port from 1024 on, or allow it \
         with `AmbientCapabilities=CAP_NET_BIND_SERVICE` in the systemd unit or `setcap cap_net_bind_service=+ep` on \
         the program",
        address.port()
    )]
    NotPermitted { address: SocketAddr, protocol: Protocol },
    #[error(
        "cannot listen on {address}: this machine does not have the address {}; `ip address` lists those it has",
        address.ip()
    )]
    NotOurAddress { address: SocketAddr },
    #[error("cannot listen on {address}: this machine has no {}", if address.is_ipv6() { "IPv6" } else { "IPv4" })]
    NoSuchFamily { address: SocketAddr },
    #[error("cannot listen on {address} ({protocol}): {error}")]
    Other { address: SocketAddr, protocol: Protocol, error: io::Error },
}

impl BindError {
    fn of(address: SocketAddr, protocol: Protocol, error: io::Error) -> Self {
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::AddrInUse, _) => Self::Taken { address, protocol },
            (io::ErrorKind::PermissionDenied, _) => Self::NotPermitted { address, protocol },
            (io::ErrorKind::AddrNotAvailable, _) => Self::NotOurAddress { address },
            (_, Some(libc::EAFNOSUPPORT)) => Self::NoSuchFamily { address },
            _ => Self::Other { address, protocol, error },
        }
    }
}

/// Opens all sockets, or none: what was opened before an error is closed again.
///
/// `workers` is the number of UDP sockets, and so of threads, for each address; 0 counts as 1. An address that is
/// named twice is opened once. Port 0 becomes a free port, the same for UDP and TCP.
pub fn bind(listen: &[SocketAddr], workers: usize) -> Result<Sockets, BindError> {
    if listen.is_empty() {
        return Err(BindError::NoAddress);
    }
    let mut sockets = Sockets {
        udp: Vec::new(),
        tcp: Vec::new(),
        tls: None,
        quic: None,
        addresses: Vec::new(),
        tls_addresses: Vec::new(),
        quic_addresses: Vec::new(),
    };
    let mut seen = HashSet::new();
    for address in listen.iter().filter(|address| address.port() == 0 || seen.insert(**address)) {
        check_overlap(*address, listen)?;
        let (first, listener) = open_both(*address)?;
        let of_udp = |error| BindError::of(*address, Protocol::Udp, error);
        let opened = first.local_addr().ok().and_then(|address| address.as_socket()).unwrap_or(*address);
        if workers > 1 {
            first.set_reuse_port(true).map_err(of_udp)?;
        }
        sockets.udp.push(first.into());
        for _ in 1..workers {
            let socket = udp_socket(opened).map_err(of_udp)?;
            socket.set_reuse_port(true).and_then(|()| socket.bind(&opened.into())).map_err(of_udp)?;
            sockets.udp.push(socket.into());
        }
        sockets.tcp.push(listener.into());
        sockets.addresses.push(opened);
    }
    Ok(sockets)
}

/// A wildcard address and another of its family and port exclude each other; told apart from a port that another
/// program holds, because here the fault is in the list.
fn check_overlap(wildcard: SocketAddr, listen: &[SocketAddr]) -> Result<(), BindError> {
    let covered = |other: &&SocketAddr| {
        **other != wildcard && other.port() == wildcard.port() && other.is_ipv4() == wildcard.is_ipv4()
    };
    match listen.iter().find(covered) {
        Some(other) if wildcard.ip().is_unspecified() && wildcard.port() != 0 => {
            Err(BindError::Overlapping { wildcard, address: *other })
        }
        _ => Ok(()),
    }
}

/// The first UDP socket, still exclusive, and the TCP listener on the same port.
fn open_both(address: SocketAddr) -> Result<(Socket, Socket), BindError> {
    let mut tries_left = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries_left -= 1;
        let of_udp = |error| BindError::of(address, Protocol::Udp, error);
        let first = udp_socket(address).map_err(of_udp)?;
        first.bind(&address.into()).map_err(of_udp)?;
        let port = first.local_addr().map_err(of_udp)?.as_socket().map_or(address.port(), |opened| opened.port());
        let opened = SocketAddr::new(address.ip(), port);
        match tcp_listener(opened) {
            Ok(listener) => return Ok((first, listener)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries_left > 0 => {}
            Err(error) => return Err(BindError::of(opened, Protocol::Tcp, error)),
        }
    }
}

fn udp_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if address.ip().is_unspecified() {
        // An answer must come from the address that was asked, or the client ignores it.
        tell_destination(&socket, address)?;
    }
    ignore_path_mtu(&socket, address)?;
    // Best effort: the kernel's own size serves too.
    let _ = socket.set_recv_buffer_size(RECEIVE_QUEUE_OCTETS);
    socket.set_read_timeout(Some(RECEIVE_PATIENCE))?;
    socket.set_write_timeout(Some(SEND_PATIENCE))?;
    Ok(socket)
}

fn quic_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Best effort: the kernel's own size serves too.
    let _ = socket.set_recv_buffer_size(RECEIVE_QUEUE_OCTETS);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn tcp_listener(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // For connections of an earlier run that linger in TIME_WAIT; a living listener still excludes us.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, UdpSocket};

    use socket2::{Domain, Socket, Type};

    use super::{BindError, Protocol, bind};

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn port_zero_becomes_one_port_for_udp_and_tcp() {
        let sockets = bind(&[any(), any()], 3).unwrap();
        assert_eq!((sockets.udp.len(), sockets.tcp.len()), (6, 2));
        for (index, address) in sockets.addresses().iter().enumerate() {
            assert_ne!(address.port(), 0);
            assert_eq!(sockets.tcp[index].local_addr().unwrap(), *address);
            assert!(sockets.udp[3 * index..3 * index + 3].iter().all(|udp| udp.local_addr().unwrap() == *address));
        }
    }

    #[test]
    fn every_worker_gets_its_share() {
        // The first socket joins the group only after it was bound; this would show if it were left out of it.
        let sockets = bind(&[any()], 4).unwrap();
        for _ in 0..400 {
            UdpSocket::bind(any()).unwrap().send_to(b"x", sockets.addresses()[0]).unwrap();
        }
        let mut octets = [0; 8];
        for (index, socket) in sockets.udp.iter().enumerate() {
            socket.recv(&mut octets).unwrap_or_else(|error| panic!("worker {index} got nothing: {error}"));
        }
    }

    #[test]
    fn a_second_secondo_of_the_same_user_is_refused() {
        let first = bind(&[any()], 2).unwrap();
        let address = first.addresses()[0];
        assert!(matches!(bind(&[address], 2), Err(BindError::Taken { .. })));
        let wildcard = SocketAddr::new("0.0.0.0".parse().unwrap(), address.port());
        let error = bind(&[wildcard], 2).unwrap_err();
        assert!(error.to_string().contains("taken by another program"), "{error}");
        drop(first);
        bind(&[address], 2).unwrap();
    }

    #[test]
    fn a_port_that_others_hold_and_would_share_is_found() {
        let other = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        other.set_reuse_port(true).unwrap();
        other.bind(&any().into()).unwrap();
        let address = other.local_addr().unwrap().as_socket().unwrap();
        let result = bind(&[address], 1);
        assert!(matches!(result, Err(BindError::Taken { protocol: Protocol::Udp, .. })), "{result:?}");

        let listener = TcpListener::bind(any()).unwrap();
        let address = listener.local_addr().unwrap();
        let result = bind(&[address], 1);
        assert!(matches!(result, Err(BindError::Taken { protocol: Protocol::Tcp, .. })), "{result:?}");
        UdpSocket::bind(address).expect("the UDP port was given back");
    }

    #[test]
    fn wrong_addresses_are_told_apart() {
        assert!(matches!(bind(&[], 1), Err(BindError::NoAddress)));
        let elsewhere = bind(&["192.0.2.1:5300".parse().unwrap()], 1).unwrap_err();
        assert!(elsewhere.to_string().contains("does not have the address 192.0.2.1"), "{elsewhere}");
        let both = ["0.0.0.0:5300".parse().unwrap(), "127.0.0.1:5300".parse().unwrap()];
        assert!(matches!(bind(&both, 1), Err(BindError::Overlapping { .. })));
    }

    #[test]
    fn ipv4_and_ipv6_wildcards_stand_side_by_side() {
        let first = bind(&["0.0.0.0:0".parse().unwrap()], 2).unwrap();
        let second = SocketAddr::new("::".parse().unwrap(), first.addresses()[0].port());
        match bind(&[second], 2) {
            Ok(_) | Err(BindError::NoSuchFamily { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
