//! The line to one primary: datagrams, and a connection of its own for each question, so that what is found is owed to
//! nobody else. Every wait is short and ends with the examination.

use std::net::IpAddr;
use std::sync::Arc;

use dns::Name;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, timeout_at};
use xfr::probe::{EdnsOffer, Transport};
use xfr::reason::{Asked, Waiting};
use xfr::{Key, Pin, ProbeStep, Reason, SoaProbe, Tls};

use super::question::{Answer, Question};
use crate::connection::{Connection, Service};
use crate::limits::Deadlines;
use crate::network::{DATAGRAM_OCTETS_MAX, Octets};
use crate::pool::unreachable_reason;
use crate::stream::{Stream, timed_out};
use crate::{Primary, Transfers, random_id};

/// Nobody sits and waits for longer: who has not begun to answer by then is said to be silent.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// For one exchange on a connection, a transfer's beginning too.
const EXCHANGE_MAX: Duration = Duration::from_secs(10);

pub(super) struct Line<'a> {
    pub(super) transfers: &'a Transfers,
    pub(super) zone: &'a Name,
    pub(super) primary: &'a Primary,
    /// When the examination must be over.
    pub(super) until: Instant,
}

/// How a server over TLS showed itself.
pub(super) struct Handshake {
    pub(super) pin: Option<Pin>,
    pub(super) alpn: Option<String>,
}

impl Line<'_> {
    /// Whether the examination's time is over.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The address of ours that the primary is asked from.
    pub(super) async fn source(&self) -> Option<IpAddr> {
        let source = self.transfers.network.source(self.primary.address, self.primary.source).await;
        source.ok().filter(|source| !source.is_unspecified())
    }

    /// One try at the SOA, and the message that the outcome was read from.
    pub(super) async fn soa(
        &self,
        transport: Transport,
        edns: EdnsOffer,
        key: Option<Arc<Key>>,
    ) -> Result<(ProbeStep, Answer), Reason> {
        if transport == Transport::Tcp {
            let mut stream = self.stream(Asked::Soa).await?;
            let mut probe = SoaProbe::new(self.zone.clone(), stream.id(), key, edns, transport);
            stream.send(&probe.request(self.transfers.wall_clock_secs()));
            let message = stream.message().await?;
            return Ok((probe.receive(&message, self.transfers.wall_clock_secs())?, Answer::of(&message)));
        }
        let mut probe = SoaProbe::new(self.zone.clone(), random_id(&*self.transfers.network)?, key, edns, transport);
        let request = probe.request(self.transfers.wall_clock_secs());
        self.datagrams(&request, |message| match probe.receive(message, self.transfers.wall_clock_secs())? {
            ProbeStep::Ignore(_) => Ok(None),
            step => Ok(Some((step, Answer::of(message)))),
        })
        .await
    }

    /// Another question: over UDP, or over TLS where the primary is asked over nothing else.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Reason> {
        if self.primary.tls.is_some() {
            return self.ask_on_connection(question).await;
        }
        let mut asked = question.with_id(random_id(&*self.transfers.network)?, self.transfers.wall_clock_secs());
        let request = asked.request.clone();
        // What does not fit, or is no answer, anybody may have sent.
        self.datagrams(&request, |message| Ok(asked.read(message, self.transfers.wall_clock_secs()).ok())).await
    }

    pub(super) async fn ask_on_connection(&self, question: Question) -> Result<Answer, Reason> {
        let mut stream = self.stream(Asked::Soa).await?;
        let mut asked = question.with_id(stream.id(), self.transfers.wall_clock_secs());
        stream.send(&asked.request);
        let message = stream.message().await?;
        asked.read(&message, self.transfers.wall_clock_secs())
    }

    /// A connection to the primary, over TLS where it is asked so, with one exchange on it.
    pub(super) async fn stream(&self, asked: Asked) -> Result<Stream, Reason> {
        let mut socket = self.connect().await?;
        if let Some(tls) = &self.primary.tls {
            let (secured, _) = self.shake_hands(socket, tls).await?;
            socket = secured;
        }
        let deadlines = self.deadlines();
        let connection = Connection::new(socket, Service::Many, deadlines, Arc::new(Notify::new()), ());
        let exchange = connection.begin(0, || random_id(&*self.transfers.network))?;
        let no_room = || Reason::Internal { detail: "a new connection had no room".into() };
        let until = self.until.min(Instant::now() + EXCHANGE_MAX);
        Ok(Stream::new(exchange.ok_or_else(no_room)?, asked, deadlines, until))
    }

    /// A handshake and nothing else.
    pub(super) async fn handshake(&self, tls: &Tls) -> Result<Handshake, Reason> {
        let socket = self.connect().await?;
        Ok(self.shake_hands(socket, tls).await?.1)
    }

    /// The pin of whoever answers there, trusted or not: nothing is asked of them.
    pub(super) async fn pin_of_anybody(&self) -> Option<Pin> {
        let socket = self.connect().await.ok()?;
        let look = self.transfers.pool.tls().pin_of_anybody(socket, self.primary.address.ip());
        timeout_at(self.soon(), look).await.ok()?
    }

    async fn connect(&self) -> Result<Box<dyn Octets>, Reason> {
        let began = Instant::now();
        let Primary { address, source, .. } = self.primary;
        match timeout_at(self.soon(), self.transfers.network.connect(*address, *source)).await {
            Ok(connected) => connected.map_err(|error| unreachable_reason(&error, *source)),
            Err(_) => Err(timed_out(Waiting::Connection, began)),
        }
    }

    async fn shake_hands(&self, socket: Box<dyn Octets>, tls: &Tls) -> Result<(Box<dyn Octets>, Handshake), Reason> {
        let began = Instant::now();
        let shaking = self.transfers.pool.tls().shake_hands(socket, self.primary.address.ip(), tls);
        let Ok(secured) = timeout_at(self.soon(), shaking).await else {
            return Err(timed_out(Waiting::Handshake, began));
        };
        let secured = secured?;
        let session = secured.get_ref().1;
        let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        let pin = session.peer_certificates().and_then(<[_]>::first).and_then(crate::tls::pin_of);
        Ok((Box::new(secured), Handshake { pin, alpn }))
    }

    /// Sends a datagram, and waits for one of which `read` makes something.
    async fn datagrams<T>(
        &self,
        request: &[u8],
        mut read: impl FnMut(&[u8]) -> Result<Option<T>, Reason>,
    ) -> Result<T, Reason> {
        let Primary { address, source, .. } = self.primary;
        let failed = |error: std::io::Error| unreachable_reason(&error, *source);
        let began = Instant::now();
        let until = self.until.min(began + self.transfers.limits.deadlines.udp_try);
        let socket = self.transfers.network.datagrams(*address, *source).await.map_err(failed)?;
        socket.send(request).await.map_err(failed)?;
        let mut message = vec![0; DATAGRAM_OCTETS_MAX];
        loop {
            let Ok(received) = timeout_at(until, socket.receive(&mut message)).await else {
                return Err(timed_out(Waiting::Answer(Asked::Soa), began));
            };
            let length = received.map_err(failed)?;
            if let Some(read) = read(&message[..length])? {
                return Ok(read);
            }
        }
    }

    fn soon(&self) -> Instant {
        self.until.min(Instant::now() + self.transfers.limits.deadlines.connect)
    }

    fn deadlines(&self) -> Deadlines {
        let usual = self.transfers.limits.deadlines;
        Deadlines { idle: usual.idle.min(SILENCE_MAX), ..usual }
    }
}
