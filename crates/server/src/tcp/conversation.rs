//! What is said on one connection, over TCP or TLS: queries in, replies and transfers out, beside each other.
//!
//! ```text
//!              ┌─ answered at once ──► replies gathered ─┐  in turn: what has been gathered,
//!   incoming ──┤                                         ├─ then one message of a transfer ──► batch ──► written
//!              └─ a zone is wanted ──► transfers ────────┘  (these in turn too)
//! ```
//!
//! Replies come in no order but this (RFC 7766 §6.2.1.1 and §7): what is asked behind a transfer is answered between its
//! messages, and transfers on one connection share it message by message (RFC 9103 §6.2). Each message is whole and has
//! its request's ID, by which the client knows it.
//!
//! Four things stop reading, so that the client waits in TCP's own way: replies that were not taken, a transfer that waits
//! for a place, a request for one more than [`PER_CONNECTION`], and a message whose ID is that of a transfer under way.
//! No client may send that (RFC 7766 §6.2.1), and whoever does goes by the order of replies: an error under this ID would
//! be taken for the end of the transfer, a reply for a part of it. So it is answered behind that.
//!
//! ```text
//!   deadline   from                                       to
//!   idle       nothing to read, to write or to wait for   a message's first octet       closed
//!   message    a message's first octet                    its last                      cut off
//!   write      the first octet of a batch                 its last is with the kernel   cut off
//! ```
//!
//! What one connection holds at the most, in octets: a message and what came with it (65,537 + 4,096), replies that are
//! gathered or being written (65,535 + 65,537): 200,000. For those who may copy zones, besides, the message of a transfer
//! that is being written (65,537), and for each of [`PER_CONNECTION`] transfers one that is being packed, its table, and one
//! that waits (65,535 + 16,384 + 66,000): 710,000. Buffers of replies grow by doubling, so that they may take twice of what
//! they hold. The kernel has its own (`SEND_OCTETS` in `tcp`).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::End;
use super::incoming::{Incoming, READ_OCTETS};
use crate::counters::Event;
use crate::front::Sender;
use crate::house::{House, frame_into};
use crate::peek::asks_for_transfer;
use crate::transfer_out::{PER_CONNECTION, Piece, Sent, TransferError, Underway};

/// No message is read while so much is gathered or being written, in octets.
const OUTGOING_OCTETS: usize = 65_536;

pub(super) struct Conversation<'c, S> {
    stream: &'c mut S,
    sender: Sender,
    house: &'c House,
    incoming: Incoming,
    /// Replies, each with its length.
    gathered: Vec<u8>,
    batch: Batch,
    /// In the order of their turns.
    transfers: VecDeque<Underway>,
    /// A transfer that waits for a place, or the reply that there is none.
    awaited: Option<Pin<Box<dyn Future<Output = Begun> + Send + 'c>>>,
    /// Whose turn the next batch is, if both have something.
    turn: Turn,
    /// Whether to read before the next batch: neither a client that sends without end nor one that takes without end
    /// keeps the other way shut.
    reads_first: bool,
    /// How it ends when all that is owed is written; none while more is read.
    ending: Option<End>,
    waiting: Option<(Waiting, Instant)>,
    /// How long it may be silent: as it was when it was last answered.
    idle: Duration,
}

/// What is being written.
#[derive(Default)]
struct Batch {
    octets: Vec<u8>,
    written: usize,
    /// None when there is nothing to write.
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Replies,
    Transfers,
}

/// What is waited for from the client, beside its taking what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Message,
    EndOfMessage,
}

/// A transfer, or the reply that there is no place for it.
type Begun = Result<Box<Underway>, Vec<u8>>;

/// What has come to pass.
enum Step {
    Written,
    Begun(Begun),
    Read,
    /// The client has nothing more to say.
    ReadToEnd,
    Replies,
    Piece(Piece),
}

impl<'c, S: AsyncRead + AsyncWrite + Unpin> Conversation<'c, S> {
    pub(super) fn new(stream: &'c mut S, sender: Sender, house: &'c House) -> Self {
        Self {
            stream,
            sender,
            house,
            incoming: Incoming::default(),
            gathered: Vec::new(),
            batch: Batch::default(),
            transfers: VecDeque::new(),
            awaited: None,
            turn: Turn::Replies,
            reads_first: true,
            ending: None,
            waiting: None,
            idle: house.idle(),
        }
    }

    /// Answers until the end.
    pub(super) async fn hold(mut self) -> End {
        let end = self.hold_until_end().await;
        if end == End::CutOff {
            self.give_up_transfers(|| TransferError::TooSlow);
        }
        end
    }

    async fn hold_until_end(&mut self) -> End {
        loop {
            self.answer();
            if let Some(end) = self.ending.filter(|_| self.owes_nothing()) {
                return end;
            }
            match self.step().await {
                Ok(step) => self.go_on(step),
                Err(end) => return end,
            }
        }
    }

    /// Answers the whole messages that are there, as far as there is room for their replies.
    fn answer(&mut self) {
        while self.has_room()
            && let Some(message) = self.incoming.message()
        {
            if message.is_empty() {
                // It is no query, and whoever sends it is lost in the stream.
                self.end(End::Done);
                return;
            }
            if !self.is_its_turn(message) {
                return;
            }
            if let Some(transfer) = self.house.answer_into(&mut self.gathered, message, self.sender) {
                self.awaited = Some(Box::pin(self.house.begin_transfer(*transfer, self.sender.address)));
            }
            self.incoming.take();
            self.waiting = None;
            self.idle = self.house.idle();
        }
    }

    fn is_its_turn(&self, message: &[u8]) -> bool {
        let id = message.first_chunk().map(|id| u16::from_be_bytes(*id));
        let is_apart = self.transfers.iter().all(|transfer| Some(transfer.id) != id);
        is_apart && (self.transfers.len() < PER_CONNECTION || !asks_for_transfer(message))
    }

    fn has_room(&self) -> bool {
        self.awaited.is_none() && self.gathered.len() + self.batch.left() < OUTGOING_OCTETS
    }

    fn reads(&self) -> bool {
        self.ending.is_none() && self.has_room() && self.incoming.message().is_none()
    }

    fn owes_nothing(&self) -> bool {
        let is_answered = self.incoming.message().is_none() && self.gathered.is_empty() && !self.batch.is_under_way();
        is_answered && self.transfers.is_empty() && self.awaited.is_none()
    }

    /// Reads no more, and ends so when all that is owed is written.
    fn end(&mut self, end: End) {
        self.incoming = Incoming::default();
        self.ending = Some(end);
    }

    /// Waits for the next step; an end when it does not come in time, or the connection is broken.
    async fn step(&mut self) -> Result<Step, End> {
        let (deadline, end) = self.deadline();
        let stepping = poll_fn(|context| self.poll_step(context));
        let step = match deadline {
            Some(deadline) => timeout_at(deadline, stepping).await.ok(),
            None => Some(stepping.await),
        };
        // A client that sends without end what gets no reply would keep the timer from being looked at.
        match step.filter(|step| !(matches!(step, Ok(Step::Read)) && self.batch.is_overdue())) {
            None => {
                self.house.block.count(Event::TcpTimedOut);
                Err(end)
            }
            Some(Ok(step)) => Ok(step),
            Some(Err(_)) => {
                if self.batch.is_under_way() {
                    self.house.block.count(Event::SendFailed);
                }
                Err(End::Broken)
            }
        }
    }

    /// Until when something must come to pass, and how the connection ends if it does not.
    fn deadline(&mut self) -> (Option<Instant>, End) {
        let waiting = match self.reads() {
            true if !self.incoming.is_empty() => Some(Waiting::EndOfMessage),
            true if self.owes_nothing() => Some(Waiting::Message),
            _ => None,
        };
        if waiting != self.waiting.map(|(waiting, _)| waiting) {
            self.waiting = waiting.map(|waiting| {
                let patience = match waiting {
                    Waiting::Message => self.idle,
                    Waiting::EndOfMessage => self.house.message(),
                };
                (waiting, Instant::now() + patience)
            });
        }
        match (self.waiting, self.batch.deadline) {
            (Some((Waiting::Message, deadline)), _) => (Some(deadline), End::Done),
            (Some((Waiting::EndOfMessage, message)), Some(write)) => (Some(message.min(write)), End::CutOff),
            (Some((Waiting::EndOfMessage, deadline)), None) => (Some(deadline), End::CutOff),
            (None, deadline) => (deadline, End::CutOff),
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Step>> {
        if self.batch.is_under_way()
            && let Poll::Ready(written) = self.batch.poll_write(self.stream, context)
        {
            return Poll::Ready(written.map(|()| Step::Written));
        }
        if let Some(awaited) = &mut self.awaited
            && let Poll::Ready(begun) = awaited.as_mut().poll(context)
        {
            return Poll::Ready(Ok(Step::Begun(begun)));
        }
        if self.reads_first
            && let Poll::Ready(step) = self.poll_read(context)
        {
            return Poll::Ready(step);
        }
        if !self.batch.is_under_way()
            && let Poll::Ready(step) = self.poll_batch(context)
        {
            return Poll::Ready(Ok(step));
        }
        if self.reads_first { Poll::Pending } else { self.poll_read(context) }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Step>> {
        if !self.reads() {
            return Poll::Pending;
        }
        let read = self.incoming.poll_read(self.stream, context);
        read.map_ok(|is_more| if is_more { Step::Read } else { Step::ReadToEnd })
    }

    /// What is written next.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let has_replies = !self.gathered.is_empty();
        if has_replies && self.turn == Turn::Replies {
            return Poll::Ready(Step::Replies);
        }
        // Those that are still packed, or wait for the disk, are passed over and keep their turn.
        let ready =
            self.transfers.iter_mut().enumerate().find_map(|(index, transfer)| match transfer.poll_next(context) {
                Poll::Ready(piece) => Some((index, piece)),
                Poll::Pending => None,
            });
        match ready {
            Some((index, piece)) => {
                let transfer = self.transfers.remove(index).expect("it was just there");
                self.transfers.push_back(transfer);
                Poll::Ready(Step::Piece(piece))
            }
            None if has_replies => Poll::Ready(Step::Replies),
            None => Poll::Pending,
        }
    }

    fn go_on(&mut self, step: Step) {
        match step {
            Step::Written => {
                self.batch = Batch::with_room_of(std::mem::take(&mut self.batch.octets));
                self.reads_first = true;
            }
            Step::Begun(begun) => {
                self.awaited = None;
                match begun {
                    Ok(transfer) => self.transfers.push_back(*transfer),
                    Err(turned_away) => frame_into(&mut self.gathered, &turned_away),
                }
            }
            Step::Read => self.reads_first = false,
            Step::ReadToEnd => self.ending = Some(End::Done),
            Step::Replies => {
                std::mem::swap(&mut self.batch.octets, &mut self.gathered);
                self.batch.deadline = Some(Instant::now() + self.house.write());
                self.turn = Turn::Transfers;
            }
            Step::Piece(Piece::Message(message)) => {
                frame_into(&mut self.batch.octets, &message);
                self.batch.deadline = Some(Instant::now() + self.house.write());
                self.turn = Turn::Replies;
            }
            Step::Piece(Piece::End(sent)) => self.end_transfer(sent),
        }
    }

    /// Its messages are written: it is the last in the row, because it had the last turn.
    fn end_transfer(&mut self, sent: Result<Sent, TransferError>) {
        let Some(transfer) = self.transfers.pop_back() else { return };
        if sent.is_err() {
            // What breaks off must not look whole; those beside it may still become so.
            self.end(End::Broken);
        }
        self.house.note_transfer(&transfer.subject, self.sender.address, sent);
    }
}

impl<S> Conversation<'_, S> {
    fn give_up_transfers(&mut self, why: impl Fn() -> TransferError) {
        for transfer in self.transfers.drain(..) {
            self.house.note_transfer(&transfer.subject, self.sender.address, Err(why()));
        }
    }
}

/// However it ends, also when its place is given to another: a transfer that has begun is told of.
impl<S> Drop for Conversation<'_, S> {
    fn drop(&mut self) {
        self.give_up_transfers(|| TransferError::ConnectionEnded);
    }
}

impl Batch {
    fn with_room_of(mut octets: Vec<u8>) -> Self {
        octets.clear();
        octets.shrink_to(READ_OCTETS);
        Self { octets, ..Self::default() }
    }

    fn is_under_way(&self) -> bool {
        self.deadline.is_some()
    }

    fn is_overdue(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    fn left(&self) -> usize {
        self.octets.len() - self.written
    }

    /// Hands all of it to the kernel: what is written over TLS may else wait for more.
    fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.left() > 0 {
            let written = ready!(Pin::new(&mut *stream).poll_write(context, &self.octets[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        Pin::new(stream).poll_flush(context)
    }
}
