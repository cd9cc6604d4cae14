//! Free ports of the loopback address, for servers that cannot be told "any" or must come back on the same one.
//!
//! They lie between the ports from which PowerDNS sends its queries and NOTIFYs (10,000 to 19,999) and those which the
//! kernel takes for outgoing connections, so that none is lost between its choice and its use; each is handed out once in
//! this process.
//!
//! Invariants: no socket is opened to find out whether a port is free. A process that another thread starts meanwhile
//! would have it too until it runs its program, and the port would be taken for whoever it was handed out to.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 20_000;
/// Linux takes ports for outgoing connections from 32,768 on.
const COUNT: u32 = 12_000;

static HANDED_OUT: AtomicU32 = AtomicU32::new(0);

/// An address of the loopback interface whose port is free for UDP and TCP.
///
/// # Panics
/// When there is none left.
pub fn free() -> SocketAddr {
    let taken = taken();
    // Test programs that run side by side start at different places.
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("below 32,768");
        if !taken.contains(&port) {
            return SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        }
    }
    panic!("no port of {} is free", Ipv4Addr::LOCALHOST);
}

/// The ports of this thread's network namespace that any socket has, of whatever address and state.
fn taken() -> HashSet<u16> {
    // proc_net_tcp(5): the second column is the local address and, behind a colon, the port, in hexadecimal digits.
    let port = |line: &str| u16::from_str_radix(line.split_whitespace().nth(1)?.rsplit(':').next()?, 16).ok();
    ["tcp", "tcp6", "udp", "udp6"]
        .into_iter()
        // Without IPv6 its tables are not there.
        .filter_map(|table| std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(port).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_port_that_is_taken_over_either_transport_is_seen() {
        let (tcp, udp) = (free(), free());
        assert!(!taken().contains(&tcp.port()) && !taken().contains(&udp.port()));
        let _tcp = TcpListener::bind(tcp).unwrap();
        let _udp = UdpSocket::bind(udp).unwrap();
        assert!(taken().contains(&tcp.port()) && taken().contains(&udp.port()));
    }
}
