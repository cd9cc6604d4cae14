//! Asking a primary for its SOA.
//!
//! ```text
//! UDP with EDNS ── no answer ──► UDP without EDNS ── no answer, or nothing listens ──► TCP
//!       │ ╲ it does not take EDNS ──────▲                                                ▲
//!       │  ╲ truncated ──────────────────────────────────────────────────────────────────┘
//!       ▼
//!      SOA
//! ```
//!
//! The second try goes without EDNS because old firewalls drop what they do not know; and a primary whose UDP does not
//! get through may still be reached over TCP. A message that is no answer to the query counts as none: nobody who can
//! only guess keeps us from asking over TCP, where guessing is harder. All of it has one deadline.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use dns::{Name, Soa};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use xfr::probe::{EdnsOffer, Transport};
use xfr::reason::{Asked, Waiting};
use xfr::{ProbeStep, Reason, SoaProbe};

use crate::stream::{Stream, reason_of, timed_out};
use crate::{Primary, Transfers, random_id, wall_clock_secs};

/// No answer to a query of ours is longer: we offer 1232 octets.
const UDP_OCTETS_MAX: usize = 4096;

pub(crate) async fn probe(transfers: &Transfers, zone: &Name, primary: &Primary) -> Result<Soa, Reason> {
    let until = Instant::now() + transfers.limits.deadlines.probe;
    let mut edns = EdnsOffer::Offered;
    loop {
        match over_udp(transfers, zone, primary, edns, until).await {
            Ok(ProbeStep::Soa(soa)) => return Ok(soa),
            Ok(ProbeStep::UseTcp) => return over_tcp(transfers, zone, primary, edns, until).await,
            Ok(ProbeStep::WithoutEdns) => edns = EdnsOffer::Without,
            // Nothing came, or nothing but what anybody could have sent.
            Ok(ProbeStep::Ignore(_)) | Err(Reason::TimedOut { .. }) if edns == EdnsOffer::Offered => {
                edns = EdnsOffer::Without;
            }
            Ok(ProbeStep::Ignore(_)) | Err(Reason::TimedOut { .. } | Reason::Unreachable { .. }) => {
                return over_tcp(transfers, zone, primary, edns, until).await;
            }
            Err(reason) => return Err(reason),
        }
    }
}

/// One query over UDP. Its source port is the kernel's choice, random like its ID.
async fn over_udp(
    transfers: &Transfers,
    zone: &Name,
    primary: &Primary,
    edns: EdnsOffer,
    until: Instant,
) -> Result<ProbeStep, Reason> {
    let Ok(_place) = timeout_at(until, transfers.probes.acquire()).await else {
        return Err(Reason::Busy { secs: transfers.limits.deadlines.probe.as_secs() });
    };
    let started = Instant::now();
    let until = until.min(started + transfers.limits.deadlines.udp_try);
    let any: SocketAddr = match primary.address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed = |error: std::io::Error| reason_of(&error);
    let socket = UdpSocket::bind(any).await.map_err(failed)?;
    // A connected socket hears the primary alone, and also that nothing listens there.
    socket.connect(primary.address).await.map_err(failed)?;
    let mut probe = SoaProbe::new(zone.clone(), random_id()?, primary.key.clone(), edns, Transport::Udp);
    socket.send(&probe.request(wall_clock_secs())).await.map_err(failed)?;
    let mut message = vec![0; UDP_OCTETS_MAX];
    let mut ignored = None;
    loop {
        let Ok(received) = timeout_at(until, socket.recv(&mut message)).await else {
            let silence = timed_out(Waiting::Answer(Asked::Soa), started);
            return ignored.map_or(Err(silence), |reason| Ok(ProbeStep::Ignore(reason)));
        };
        let length = received.map_err(failed)?;
        match probe.receive(&message[..length], wall_clock_secs())? {
            ProbeStep::Ignore(reason) => ignored = Some(reason),
            step => return Ok(step),
        }
    }
}

async fn over_tcp(
    transfers: &Transfers,
    zone: &Name,
    primary: &Primary,
    mut edns: EdnsOffer,
    until: Instant,
) -> Result<Soa, Reason> {
    let deadlines = transfers.limits.deadlines;
    let left = until.saturating_duration_since(Instant::now());
    let _slot = transfers.slots.take(primary.address.ip(), left).await?;
    loop {
        let mut probe = SoaProbe::new(zone.clone(), random_id()?, primary.key.clone(), edns, Transport::Tcp);
        let mut stream = Stream::connect(primary.address, Asked::Soa, deadlines, until).await?;
        stream.send(&probe.request(wall_clock_secs())).await?;
        match probe.receive(stream.message().await?, wall_clock_secs())? {
            ProbeStep::Soa(soa) => return Ok(soa),
            ProbeStep::WithoutEdns if edns == EdnsOffer::Offered => edns = EdnsOffer::Without,
            ProbeStep::Ignore(reason) => return Err(reason),
            ProbeStep::WithoutEdns | ProbeStep::UseTcp => {
                return Err(Reason::Internal { detail: "a probe over TCP asked for what it had".into() });
            }
        }
    }
}
