//! Free ports of the loopback address, for servers that cannot be told "any" or must come back on the same one.
//!
//! They lie between the ports from which PowerDNS sends its queries and NOTIFYs (10,000 to 19,999) and those which the
//! kernel takes for outgoing connections, so that none is lost between its choice and its use; each is handed out once in
//! this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
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
    // Test programs that run side by side start at different places.
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).expect("below 32,768")));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {} is free", Ipv4Addr::LOCALHOST);
}
