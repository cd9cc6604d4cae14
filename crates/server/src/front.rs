//! One message in, one reply out: the same for every transport.

use std::net::SocketAddr;

use answer::{Scratch, Transport, ZoneTable};
use dns::Header;

use crate::counters::{Event, Tally};
use crate::desk::Desk;
use crate::peek::{Way, way};
use crate::transfer_out::Transfer;

/// What one thread needs to answer: memory and numbers.
#[derive(Default)]
pub(crate) struct Bench {
    pub(crate) scratch: Scratch,
    pub(crate) tally: Tally,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
}

pub(crate) enum Reply {
    Nothing,
    /// So many octets of the buffer.
    Message(usize),
    /// A stream of messages; over TCP only.
    Transfer(Box<Transfer>),
}

/// Answers `message` into `out`, which holds what the transport can carry at the most.
pub(crate) fn reply(
    message: &[u8],
    sender: Sender,
    zones: &ZoneTable,
    desk: &Desk,
    bench: &mut Bench,
    out: &mut [u8],
) -> Reply {
    bench.tally.count(match sender.transport {
        Transport::Udp => Event::UdpMessage,
        Transport::Tcp => Event::TcpMessage,
    });
    let reply = match way(message) {
        Way::Drop => Reply::Nothing,
        Way::Answer => {
            let outcome = answer::answer(message, zones, sender.transport, &mut bench.scratch, out);
            if outcome.length > 0 {
                bench.tally.count_reply(outcome.rcode);
                Reply::Message(outcome.length)
            } else {
                Reply::Nothing
            }
        }
        Way::Desk => desk.reply(message, sender, zones, bench, out),
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
