//! One message in, one reply out: the same for every transport.

use std::net::SocketAddr;
use std::num::NonZero;
use std::time::Duration;

use answer::{Asker, Persona, Scratch, Transport, ZoneTable};
use dns::Header;
use xfr::notify::Channel;

use crate::counters::{Block, Event, Tally};
use crate::desk::Desk;
use crate::heard::{Latest, Shelf, Who};
use crate::peek::{Way, way};
use crate::queries::{Notes, Sheet};
use crate::transfer_out::Transfer;

/// What one thread needs to answer: memory, numbers, the NOTIFYs that came and what was asked.
#[derive(Default)]
pub(crate) struct Bench {
    pub(crate) scratch: Scratch,
    pub(crate) tally: Tally,
    pub(crate) heard: Vec<(Who, Latest)>,
    pub(crate) queries: Notes,
}

impl Bench {
    /// Hands over what was counted and heard.
    pub(crate) fn pour(&mut self, block: &Block, shelf: &Shelf, sheet: &Sheet) {
        self.queries.pour(sheet);
        let lost = shelf.pour(&mut self.heard);
        self.tally.count_many(Event::NotifyUnrecorded, lost);
        block.pour(&mut self.tally);
    }
}

/// What messages are answered from, of what others replace: taken once for a message, or for a batch of them.
#[derive(Clone, Copy)]
pub(crate) struct Stock<'a> {
    pub(crate) zones: &'a ZoneTable,
    pub(crate) catalogs: &'a ZoneTable,
    pub(crate) persona: &'a Persona,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
}

impl Sender {
    /// What fits into an answer.
    pub(crate) fn transport(&self) -> Transport {
        match self.channel {
            Channel::Udp => Transport::Udp,
            Channel::Tcp | Channel::Tls | Channel::Quic => Transport::Tcp,
        }
    }

    /// What `answer` is to know of it; `idle` is how long its connection may be without a message.
    pub(crate) fn asker(&self, idle: Duration) -> Asker {
        let tenths = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
        let (keepalive, padding) = match self.channel {
            Channel::Udp => (None, None),
            Channel::Tcp => (Some(tenths), None),
            Channel::Tls => (Some(tenths), PADDING),
            // RFC 9250 §5.5.2: QUIC itself says how long.
            Channel::Quic => (None, PADDING),
        };
        Asker { transport: self.transport(), address: self.address.ip(), keepalive, padding }
    }
}

/// What RFC 8467 §4.1 recommends, in octets.
const PADDING: Option<NonZero<u16>> = NonZero::new(468);

pub(crate) enum Reply {
    Nothing,
    /// So many octets of the buffer.
    Message(usize),
    /// A stream of messages; never over UDP.
    Transfer(Box<Transfer>),
}

/// Answers `message` into `out`, which holds what the transport can carry at the most.
pub(crate) fn reply(
    message: &[u8],
    sender: Sender,
    stock: Stock<'_>,
    desk: &Desk,
    bench: &mut Bench,
    out: &mut [u8],
) -> Reply {
    bench.tally.count(match sender.channel {
        Channel::Udp => Event::UdpMessage,
        Channel::Tcp => Event::TcpMessage,
        Channel::Tls => Event::TlsMessage,
        Channel::Quic => Event::QuicMessage,
    });
    let reply = match way(message) {
        Way::Drop => Reply::Nothing,
        Way::Answer => {
            let outcome = desk.answer(message, sender, stock, bench, out);
            bench.queries.note(&outcome, message);
            let outcome = desk.limit(outcome, sender, bench, out);
            if outcome.length > 0 {
                bench.tally.count_reply(outcome.rcode);
                Reply::Message(outcome.length)
            } else {
                Reply::Nothing
            }
        }
        Way::Desk => desk.reply(message, sender, stock, bench, out),
    };
    match &reply {
        Reply::Nothing => bench.tally.count(Event::Dropped),
        Reply::Message(_) if Header::parse(out).is_some_and(|header| header.has(Header::TC)) => {
            bench.tally.count(Event::Truncated);
        }
        Reply::Message(_) | Reply::Transfer(_) => {}
    }
    reply
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use answer::{Persona, UDP_OCTETS_MAX, ZoneTable};
    use arc_swap::ArcSwap;
    use dns::message::MESSAGE_OCTETS_MAX;
    use dns::{Header, Opcode, Type};
    use tokio::sync::mpsc;
    use xfr::notify::Channel;
    use xfr::tsig::{Algorithm, Key, sign_request};

    use super::{Bench, Reply, Sender, Stock, reply};
    use crate::desk::Desk;
    use crate::{Access, Limits, Shared};

    #[test]
    fn no_damage_to_any_octet_of_any_kind_of_message_makes_it_panic() {
        let key = Key::new("key.".parse().unwrap(), Algorithm::HmacSha256, vec![7; 32]).unwrap();
        let key = Arc::new(key);
        let mut access = Access::default();
        access.keys.add(zone::TenantId::DEFAULT, key.clone());
        let (zones, persona) = (ZoneTable::default(), Persona::default());
        let stock = Stock { zones: &zones, catalogs: &zones, persona: &persona };
        let shared = Shared {
            zones: Arc::default(),
            catalogs: Arc::default(),
            access: Arc::new(ArcSwap::from_pointee(access)),
            persona: Arc::default(),
            differences: Arc::new(crate::NothingKept),
            now: Arc::new(|| xfr::Moment(0)),
        };
        let (notifies, _receiver) = mpsc::channel(1);
        let desk = Desk::new(shared, notifies, &Limits { transfers: 1, ..Limits::default() });
        let mut bench = Bench::default();
        let mut out = vec![0; MESSAGE_OCTETS_MAX];
        let mut send = |message: &[u8]| {
            for (channel, octets) in [(Channel::Udp, UDP_OCTETS_MAX), (Channel::Tcp, MESSAGE_OCTETS_MAX)] {
                let sender = Sender { address: ([127, 0, 0, 1], 53000).into(), channel };
                let Reply::Message(length) = reply(message, sender, stock, &desk, &mut bench, &mut out[..octets])
                else {
                    continue;
                };
                let header = Header::parse(&out[..length]).unwrap();
                assert!(header.is_response() && header.id.to_be_bytes() == message[..2]);
            }
        };
        for (opcode, qtype) in [(Opcode::QUERY, Type::A), (Opcode::QUERY, Type::IXFR), (Opcode::NOTIFY, Type::SOA)] {
            let flags = Header::request_flags(opcode);
            let mut message = Header { id: 4711, flags, counts: [1, 0, 0, 1] }.to_octets().to_vec();
            message.extend(b"\x07example\0");
            message.extend(qtype.0.to_be_bytes());
            message.extend([0, 1]);
            message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
            sign_request(&mut message, key.clone(), crate::desk::wall_clock_secs());
            for at in 0..message.len() {
                send(&message[..at]);
                for bit in 0..8 {
                    message[at] ^= 1 << bit;
                    send(&message);
                    message[at] ^= 1 << bit;
                }
            }
        }
    }
}
