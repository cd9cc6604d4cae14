//! What all connections share, whatever they speak, and how one message of theirs is answered.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dns::Rcode;
use dns::message::MESSAGE_OCTETS_MAX;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Shared;
use crate::connections::Connections;
use crate::counters::{Block, Event, Tally};
use crate::desk::{Desk, wall_clock_secs};
use crate::front::{Bench, Reply, Sender, Stock, reply};
use crate::heard::Shelf;
use crate::limits::Limits;
use crate::queries::Sheet;
use crate::transfer_out::{Outcome, Places, Sent, Subject, Told, Transfer, TransferError, Underway};

/// The prefix of each message (RFC 1035 §4.2.2).
pub(crate) const LENGTH_OCTETS: usize = 2;

pub(crate) struct House {
    pub(crate) shared: Shared,
    pub(crate) desk: Arc<Desk>,
    pub(crate) block: Arc<Block>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) sheet: Arc<Sheet>,
    pub(crate) limits: Limits,
    pub(crate) connections: Arc<Connections>,
    pub(crate) transfer_places: Arc<Places>,
    pub(crate) told: Told,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

thread_local! {
    /// One for each thread of the runtime, however many connections there are; never held across an await.
    static BENCH: RefCell<(Bench, Vec<u8>)> = RefCell::new((Bench::default(), vec![0; MESSAGE_OCTETS_MAX]));
}

impl House {
    /// Appends the reply to `message`, with its length, to `outgoing`; a transfer is given back.
    pub(crate) fn answer_into(
        &self,
        outgoing: &mut Vec<u8>,
        message: &[u8],
        sender: Sender,
    ) -> Option<Box<Transfer>> {
        let Shared { zones, catalogs, persona, .. } = &self.shared;
        let (zones, catalogs, persona) = (zones.load(), catalogs.load(), persona.load());
        let stock = Stock { zones: &zones, catalogs: &catalogs, persona: &persona };
        BENCH.with_borrow_mut(|(bench, out)| {
            let reply = reply(message, sender, stock, &self.desk, bench, out);
            bench.pour(&self.block, &self.shelf, &self.sheet);
            match reply {
                Reply::Nothing => None,
                Reply::Message(octets) => {
                    frame_into(outgoing, &out[..octets]);
                    None
                }
                Reply::Transfer(transfer) => Some(transfer),
            }
        })
    }

    /// Begins a transfer as soon as there is a place for it; otherwise the reply that says so.
    pub(crate) async fn begin_transfer(&self, transfer: Transfer, to: SocketAddr) -> Result<Box<Underway>, Vec<u8>> {
        if let Some(place) = self.transfer_places.take(to.ip()).await {
            return Ok(Box::new(transfer.begin(place, wall_clock_secs)));
        }
        let mut tally = Tally::default();
        tally.count(Event::TransferRefused);
        tally.count_reply(Rcode::SERVFAIL);
        self.block.pour(&mut tally);
        tracing::debug!(zone = %transfer.question.name, %to, "no place for a transfer out: all are taken, or all of this client's");
        Err(transfer.turned_away)
    }

    /// Counts and tells what became of a transfer out.
    pub(crate) fn note_transfer(&self, subject: &Subject, to: SocketAddr, sent: Result<Sent, TransferError>) {
        let (event, outcome, what) = match &sent {
            Ok(Sent::Whole) => (Event::TransferSent, Outcome::Sent, "a zone was transferred out"),
            Ok(Sent::Differences) => {
                (Event::DifferencesSent, Outcome::Sent, "differences of a zone were transferred out")
            }
            Err(_) => (Event::TransferFailed, Outcome::CutOff, "a transfer out was cut off"),
        };
        self.block.count(event);
        let Subject { id, zone, serial } = subject;
        let error = sent.err().map(tracing::field::display);
        match self.told.tell(to.ip().into(), *id, outcome, Instant::now()) {
            Some(untold) => {
                let untold = (untold > 0).then_some(untold);
                tracing::info!(%zone, serial = serial.0, %to, error, untold, "{what}");
            }
            None => tracing::debug!(%zone, serial = serial.0, %to, error, "{what}"),
        }
    }

    /// How long a connection may now stay without a message.
    pub(crate) fn idle(&self) -> Duration {
        if self.connections.is_crowded() { self.limits.idle_when_crowded } else { self.limits.idle }
    }

    /// How long a handshake may take now.
    pub(crate) fn handshake(&self) -> Duration {
        self.less_when_crowded(self.limits.handshake, self.limits.idle_when_crowded)
    }

    /// How long a message may now take from its first octet to its last.
    pub(crate) fn message(&self) -> Duration {
        self.less_when_crowded(self.limits.message, self.limits.idle_when_crowded)
    }

    /// How long a client may now take for what is handed to the kernel at once.
    pub(crate) fn write(&self) -> Duration {
        self.less_when_crowded(self.limits.write, self.limits.write_when_crowded)
    }

    fn less_when_crowded(&self, patience: Duration, when_crowded: Duration) -> Duration {
        if self.connections.is_crowded() { patience.min(when_crowded) } else { patience }
    }
}

/// Appends a message with its length.
pub(crate) fn frame_into(outgoing: &mut Vec<u8>, message: &[u8]) {
    outgoing.extend((message.len() as u16).to_be_bytes());
    outgoing.extend(message);
}
