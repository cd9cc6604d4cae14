//! What the sockets have seen and done, counted without anybody waiting for anybody.
//!
//! Each thread adds up what it does in a [`Tally`] of plain numbers and pours it into a block of its own now and then
//! (UDP: once a batch). Reading sums the blocks. Numbers only grow; they start at 0 with the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dns::Rcode;

/// Response codes that are told apart; those from here on are counted together (RFC 6895 §2.3 ends at 23).
const RCODES: usize = 24;

/// What is counted beside response codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Messages that came, of whatever kind, by transport.
    UdpMessage,
    TcpMessage,
    TlsMessage,
    QuicMessage,
    /// Messages that got no reply: answers, fragments, senders that cannot be answered.
    Dropped,
    /// Replies that the kernel or the client did not take.
    SendFailed,
    /// UDP replies that had to say "ask over TCP".
    Truncated,
    /// UDP replies beyond the rate limit: sent without their records, and not sent.
    RateSlipped,
    RateDropped,
    NotifyAccepted,
    /// NOTIFYs that were not taken, for whatever reason.
    NotifyRefused,
    /// NOTIFYs that were right but found the queue full, or came before it was known whether they were: the primary gets
    /// no answer over UDP, SERVFAIL over TCP, and sends them again.
    NotifyOverflow,
    /// NOTIFYs of more kinds than can be kept for the ledger; they were answered like any other.
    NotifyUnrecorded,
    /// Messages whose TSIG was wrong (RFC 8945 §5.2).
    TsigFailed,
    /// Zones that were sent whole, differences that were, and transfers out that were refused, turned away for lack of a
    /// place, or cut off.
    TransferSent,
    DifferencesSent,
    TransferRefused,
    TransferFailed,
    /// TCP connections taken, for TLS too, and those closed because there were too many.
    TcpAccepted,
    TcpTurnedAway,
    /// TCP connections closed by a deadline: a message that did not arrive, replies that were not read.
    TcpTimedOut,
    /// Handshakes over TLS that came to their end, failed, or took too long.
    TlsAccepted,
    TlsFailed,
    TlsTimedOut,
    /// QUIC connections whose handshake came to its end, and those whose handshake failed.
    QuicAccepted,
    QuicFailed,
    /// QUIC connections that were sent away to prove their address, and those refused or closed because there were too many.
    QuicRetried,
    QuicTurnedAway,
    /// What a deadline ended over QUIC: a handshake, a message that did not arrive, a reply that was not read, a connection
    /// without messages.
    QuicTimedOut,
    /// QUIC connections closed because the client broke the protocol's rules (RFC 9250 §4.3.3).
    QuicMisused,
}

impl Event {
    pub const ALL: [Self; 30] = [
        Self::UdpMessage,
        Self::TcpMessage,
        Self::TlsMessage,
        Self::QuicMessage,
        Self::Dropped,
        Self::SendFailed,
        Self::Truncated,
        Self::RateSlipped,
        Self::RateDropped,
        Self::NotifyAccepted,
        Self::NotifyRefused,
        Self::NotifyOverflow,
        Self::NotifyUnrecorded,
        Self::TsigFailed,
        Self::TransferSent,
        Self::DifferencesSent,
        Self::TransferRefused,
        Self::TransferFailed,
        Self::TcpAccepted,
        Self::TcpTurnedAway,
        Self::TcpTimedOut,
        Self::TlsAccepted,
        Self::TlsFailed,
        Self::TlsTimedOut,
        Self::QuicAccepted,
        Self::QuicFailed,
        Self::QuicRetried,
        Self::QuicTurnedAway,
        Self::QuicTimedOut,
        Self::QuicMisused,
    ];
}

/// Numbers of events and of replies by response code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    events: [u64; Event::ALL.len()],
    rcodes: [u64; RCODES],
}

impl Tally {
    pub fn of(&self, event: Event) -> u64 {
        self.events[event as usize]
    }

    /// Replies with this response code; all codes above 22 are one number.
    pub fn replies_with(&self, rcode: Rcode) -> u64 {
        self.rcodes[slot(rcode)]
    }

    /// Replies of any response code.
    pub fn replies(&self) -> u64 {
        self.rcodes.iter().sum()
    }

    pub(crate) fn count(&mut self, event: Event) {
        self.events[event as usize] += 1;
    }

    pub(crate) fn count_many(&mut self, event: Event, times: u64) {
        self.events[event as usize] += times;
    }

    pub(crate) fn count_reply(&mut self, rcode: Rcode) {
        self.rcodes[slot(rcode)] += 1;
    }

    fn numbers(&mut self) -> impl Iterator<Item = &mut u64> {
        self.events.iter_mut().chain(&mut self.rcodes)
    }
}

fn slot(rcode: Rcode) -> usize {
    usize::from(rcode.0).min(RCODES - 1)
}

/// One thread's numbers, on cache lines that no other thread writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Block {
    events: [AtomicU64; Event::ALL.len()],
    rcodes: [AtomicU64; RCODES],
}

impl Block {
    /// Adds `tally`, and leaves it at zero.
    pub(crate) fn pour(&self, tally: &mut Tally) {
        for (total, number) in self.totals().zip(tally.numbers()).filter(|(_, number)| **number > 0) {
            total.fetch_add(std::mem::take(number), Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn totals(&self) -> impl Iterator<Item = &AtomicU64> {
        self.events.iter().chain(&self.rcodes)
    }
}

/// The blocks of all threads.
#[derive(Clone, Debug)]
pub struct Counters(Arc<[Arc<Block>]>);

impl Counters {
    pub(crate) fn new(blocks: &[Arc<Block>]) -> Self {
        Self(blocks.into())
    }

    /// The sums over all threads. Numbers of one moment need not fit together to the last event.
    pub fn read(&self) -> Tally {
        let mut sum = Tally::default();
        for block in self.0.iter() {
            for (number, total) in sum.numbers().zip(block.totals()) {
                *number += total.load(Ordering::Relaxed);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dns::Rcode;

    use super::{Block, Counters, Event, Tally};

    #[test]
    fn what_threads_pour_is_summed() {
        let blocks = [Arc::new(Block::default()), Arc::new(Block::default())];
        let mut tally = Tally::default();
        tally.count(Event::UdpMessage);
        tally.count_reply(Rcode::NXDOMAIN);
        tally.count_reply(Rcode(4000));
        blocks[0].pour(&mut tally);
        assert_eq!(tally, Tally::default());
        tally.count_many(Event::UdpMessage, 2);
        blocks[1].pour(&mut tally);
        let sum = Counters::new(&blocks).read();
        assert_eq!((sum.of(Event::UdpMessage), sum.replies_with(Rcode::NXDOMAIN), sum.replies()), (3, 1, 2));
    }

    #[test]
    fn every_event_has_its_own_place() {
        for (place, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, place);
        }
    }
}
