//! What may happen at a time, and for how long.

use std::time::Duration;

use xfr::SessionLimits;

/// Bounds of everything that this crate does.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections to one address at a time. Eight keep a primary busy and leave it able to serve others.
    pub connections_per_address: usize,
    /// Connections to all addresses at a time, shared out among the lanes: far below any system's limit of open files.
    pub connections: usize,
    /// Probes over UDP at a time, each with a socket of its own, shared out among the lanes.
    pub probes: usize,
    /// Of these, to one address, shared out among the lanes too: a primary of ten thousand zones is asked for all of them
    /// at a start, and one of them may have news.
    pub probes_per_address: usize,
    /// Octets received by all transfers under way, which they hold in memory.
    pub octets_under_way: u64,
    pub deadlines: Deadlines,
    pub session: SessionLimits,
    /// A large zone is put together within these while it comes; none to have its records as they came.
    pub gathered_within: Option<zone::Limits>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_address: 8,
            connections: 256,
            probes: 1024,
            probes_per_address: 64,
            octets_under_way: 4 << 30,
            deadlines: Deadlines::default(),
            session: SessionLimits::default(),
            gathered_within: None,
        }
    }
}

/// How long we wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For the answer to one SOA query over UDP; there are two tries.
    pub udp_try: Duration,
    /// For a whole probe, all tries and TCP included, but not what it waits for places.
    pub probe: Duration,
    /// For the places of a probe or a transfer. Long, because a primary of a thousand zones has a queue.
    pub slot: Duration,
    /// For a connection, and then for TLS on it.
    pub connect: Duration,
    /// For the first octets of an answer on a connection that was used before: then a new one is tried. Some primaries
    /// answer once and are mute afterwards.
    pub reused: Duration,
    /// How long a connection is kept without use. Primaries close theirs after 2 s to 2 min.
    pub unused: Duration,
    /// For the next octets of an answer. A primary may have to read a large zone from its disk before the first.
    pub idle: Duration,
    /// In each such span of a transfer there must come at least `progress_octets`: a trickle does not hold a place.
    pub progress: Duration,
    pub progress_octets: u64,
    /// For a whole transfer.
    pub transfer: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            udp_try: Duration::from_secs(2),
            probe: Duration::from_secs(10),
            slot: Duration::from_secs(600),
            connect: Duration::from_secs(5),
            reused: Duration::from_secs(5),
            unused: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            progress: Duration::from_secs(60),
            progress_octets: 16 * 1024,
            transfer: Duration::from_secs(4 * 3600),
        }
    }
}
