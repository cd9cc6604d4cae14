//! Asking a primary for its SOA.
//!
//! ```text
//! UDP with EDNS ── no answer ──► UDP without EDNS ── no answer, refused, or nothing listens ──► TCP
//!       │ ╲ it does not take EDNS ──────▲                                                         ▲
//!       │  ╲ truncated ───────────────────────────────────────────────────────────────────────────┘
//!       ▼
//!      SOA
//! ```
//!
//! The second try goes without EDNS because old firewalls drop what they do not know; and a primary whose UDP does not
//! get through may still be reached over TCP. A message that is no answer to the query counts as none: nobody who can
//! only guess keeps us from asking over TCP, where guessing is harder. All of it has one deadline; what is waited for
//! places comes on top.
//!
//! Where TLS is wanted, the query goes over the connections that transfers use, and nowhere else.

use dns::Name;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use xfr::probe::{EdnsOffer, Transport};
use xfr::reason::{Asked, Waiting};
use xfr::{ProbeStep, Reason, Shown, SoaProbe};

use crate::lanes::Lane;
use crate::network::DATAGRAM_OCTETS_MAX;
use crate::patience::Patience;
use crate::pool::{Endpoint, Purpose, Wanted, unreachable_reason};
use crate::stream::{Stream, timed_out};
use crate::{Primary, Transfers, random_id};

/// What a probe takes to ask over UDP, until this is dropped.
pub(crate) type Places = [OwnedSemaphorePermit; 2];

/// Places to ask the primary from over UDP; none where that is not to be.
pub(crate) async fn places(
    transfers: &Transfers,
    primary: &Primary,
    lane: Lane,
    patience: &mut Patience,
) -> Result<Option<Places>, Reason> {
    // What goes over TLS goes nowhere else: whoever watches is not even to see which zone it is (RFC 9103 §6.1).
    if primary.tls.is_some() {
        return Ok(None);
    }
    // Before the address first: whoever waits there takes no place that others need.
    let here = patience.place(transfers.pool.probe_place(primary.address.ip(), lane)).await?;
    let place = patience.place(transfers.probes.take(lane)).await?;
    Ok(Some([here, place]))
}

/// Asks over UDP if there are places for that, which are given back as soon as that is over.
pub(crate) async fn probe(
    transfers: &Transfers,
    zone: &Name,
    primary: &Primary,
    lane: Lane,
    patience: Patience,
    places: Option<Places>,
) -> Result<Shown, Reason> {
    let mut query = Query { transfers, zone, primary, lane, patience };
    let (mut edns, mut refused) = (EdnsOffer::Offered, None);
    let Some(places) = places else { return query.over_connection(edns).await };
    loop {
        match query.over_udp(edns).await {
            Ok(ProbeStep::Soa(shown)) => return Ok(shown),
            Ok(ProbeStep::UseTcp) => break,
            Ok(ProbeStep::WithoutEdns) => edns = EdnsOffer::Without,
            // Nothing came, or nothing but what anybody could have sent.
            Ok(ProbeStep::Ignore(_)) | Err(Reason::TimedOut { .. }) if edns == EdnsOffer::Offered => {
                edns = EdnsOffer::Without;
            }
            Ok(ProbeStep::Ignore(_)) | Err(Reason::TimedOut { .. } | Reason::Unreachable { .. }) => break,
            // Knot refuses a catalog that it makes over UDP, whoever asks, and gives it over TCP.
            Err(reason @ Reason::Refused(_)) => {
                refused = Some(reason);
                break;
            }
            Err(reason) => return Err(reason),
        }
    }
    drop(places);
    match (query.over_connection(edns).await, refused) {
        (Err(reason), Some(refused)) if !reason.is_a_whole_answer() => Err(refused),
        (shown, _) => shown,
    }
}

struct Query<'a> {
    transfers: &'a Transfers,
    zone: &'a Name,
    primary: &'a Primary,
    lane: Lane,
    patience: Patience,
}

impl Query<'_> {
    fn probe(&self, id: u16, edns: EdnsOffer, transport: Transport) -> SoaProbe {
        SoaProbe::new(self.zone.clone(), id, self.primary.key.clone(), edns, transport)
    }

    async fn over_udp(&self, edns: EdnsOffer) -> Result<ProbeStep, Reason> {
        let started = Instant::now();
        let until = self.patience.primary_until().min(started + self.transfers.limits.deadlines.udp_try);
        let Primary { address, source, .. } = self.primary;
        let failed = |error: std::io::Error| unreachable_reason(&error, *source);
        let socket = self.transfers.network.datagrams(*address, *source).await.map_err(failed)?;
        let mut probe = self.probe(random_id(&*self.transfers.network)?, edns, Transport::Udp);
        socket.send(&probe.request(self.transfers.wall_clock_secs())).await.map_err(failed)?;
        let mut message = vec![0; DATAGRAM_OCTETS_MAX];
        let mut ignored = None;
        loop {
            let Ok(received) = timeout_at(until, socket.receive(&mut message)).await else {
                let silence = timed_out(Waiting::Answer(Asked::Soa), started);
                return ignored.map_or(Err(silence), |reason| Ok(ProbeStep::Ignore(reason)));
            };
            let length = received.map_err(failed)?;
            match probe.receive(&message[..length], self.transfers.wall_clock_secs())? {
                ProbeStep::Ignore(reason) => ignored = Some(reason),
                step => return Ok(step),
            }
        }
    }

    async fn over_connection(&mut self, mut edns: EdnsOffer) -> Result<Shown, Reason> {
        let endpoint = Endpoint::of(self.primary);
        let mut wanted = Wanted::Any;
        loop {
            let purpose = Purpose::Probe(self.lane);
            let exchange = self.transfers.pool.exchange(&endpoint, purpose, wanted, &mut self.patience).await?;
            let until = self.patience.primary_until();
            let mut stream = Stream::new(exchange, Asked::Soa, self.transfers.limits.deadlines, until);
            let mut probe = self.probe(stream.id(), edns, Transport::Tcp);
            stream.send(&probe.request(self.transfers.wall_clock_secs()));
            let message = match stream.message().await {
                Ok(message) => message,
                // Unless the primary's time is over.
                Err(reason)
                    if wanted == Wanted::Any && stream.may_owe_to_others(&reason) && Instant::now() < until =>
                {
                    wanted = Wanted::Fresh;
                    continue;
                }
                Err(reason) => return Err(reason),
            };
            let step = probe.receive(&message, self.transfers.wall_clock_secs());
            // One message is the whole answer, if it is one at all.
            if !matches!(step, Err(Reason::WrongId | Reason::NotAResponse | Reason::WrongQuestion)) {
                stream.end();
            }
            match step? {
                ProbeStep::Soa(shown) => return Ok(shown),
                ProbeStep::WithoutEdns if edns == EdnsOffer::Offered => edns = EdnsOffer::Without,
                ProbeStep::Ignore(reason) => return Err(reason),
                ProbeStep::WithoutEdns | ProbeStep::UseTcp => {
                    return Err(Reason::Internal { detail: "a probe over TCP asked for what it had".into() });
                }
            }
        }
    }
}
