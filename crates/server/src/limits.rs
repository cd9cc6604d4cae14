//! How much strangers may take of us: the bounds of everything that waits.

use std::time::Duration;

use crate::rate_limit::RateLimit;

/// Bounds on connections, transfers out, and answers to one network. [`Limits::default`] suits most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at one time, over TCP, TLS and QUIC together. Each may hold some 300 KiB when it does its worst,
    /// over TLS half as much again, over QUIC some 600 KiB.
    pub connections: usize,
    /// Of these, from one network, an IPv4 /24 or an IPv6 /48: so many that it takes several networks to take them all,
    /// and then whoever comes from another one gets a place of theirs.
    pub connections_per_network: usize,
    /// And from one client: an IPv4 address, or an IPv6 /64, of which every subscriber has one.
    pub connections_per_client: usize,
    /// How long a connection may stay without a message (RFC 7766 §6.2.3: "in the order of seconds").
    pub idle: Duration,
    /// The same, while more than half of the connections are taken: silent ones then make room.
    pub idle_when_crowded: Duration,
    /// From the beginning of a handshake, over TLS or QUIC, to its end. While more than half of the connections are taken it has
    /// `idle_when_crowded`.
    pub handshake: Duration,
    /// From a message's first octet to its last. While more than half of the connections are taken it has
    /// `idle_when_crowded`.
    pub message: Duration,
    /// From handing replies to the kernel, or to QUIC, until it has taken them all: a client that does not read is cut off.
    /// While more than half of the connections are taken it has `write_when_crowded`.
    pub write: Duration,
    pub write_when_crowded: Duration,
    /// Transfers out that run at one time.
    pub transfers: usize,
    /// Of these, to one client.
    pub transfers_per_client: usize,
    /// How long a request for a transfer waits for a place, then it is turned away with SERVFAIL: less than the 5 s that
    /// Knot waits for an answer, the others more. On its own connection it waits for its turn before that.
    pub transfer_wait: Duration,
    /// How often one network gets the same answer over UDP; none for as often as it asks.
    pub rate: Option<RateLimit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1000,
            connections_per_network: 250,
            connections_per_client: 50,
            idle: Duration::from_secs(10),
            idle_when_crowded: Duration::from_secs(1),
            handshake: Duration::from_secs(5),
            message: Duration::from_secs(5),
            write: Duration::from_secs(10),
            write_when_crowded: Duration::from_secs(3),
            transfers: 16,
            transfers_per_client: 4,
            transfer_wait: Duration::from_secs(4),
            rate: None,
        }
    }
}
