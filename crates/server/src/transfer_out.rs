//! A zone on its way out: AXFR (RFC 5936), and IXFR answered with differences or with the whole zone (RFC 1995 §4).
//!
//! One snapshot from beginning to end, however long the client takes and whatever is published meanwhile: differences
//! end exactly there, or are not sent. They come from the disk one step at a time, away from the runtime's threads and
//! with a deadline.
//!
//! ```text
//!   Transfer ──begin──► a task that packs ──one message ahead──► Underway ──► its connection, which writes
//! ```
//!
//! Messages are packed in a task of their own, so that a connection can answer queries and write the messages of other
//! transfers while one of them waits for the disk.
//!
//! Does not do: deciding who may have the zone (see the desk), keeping differences, writing to connections and their
//! deadlines.

mod packing;
mod places;
mod told;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dns::{NameBuf, Question, RecordRef, Serial, Type};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use xfr::tsig::ResponseSigner;
use zone::{Diff, Generation, Image, Snapshot, ZoneId};

use crate::differences::Differences;
pub(crate) use packing::Opening;
use packing::Packing;
pub(crate) use places::{Place, Places};
pub(crate) use told::{Outcome, Told};

/// How long differences are waited for.
const DISK_DEADLINE: Duration = Duration::from_secs(5);
/// Transfers that run beside each other on one connection: further requests for one wait where they are. More would only
/// take memory, some 150 KiB each: a connection is no faster for them.
pub(crate) const PER_CONNECTION: usize = 3;
/// Messages that are packed before the connection has written those before them.
const AHEAD: usize = 1;

/// A transfer that was granted and has not begun.
pub(crate) struct Transfer {
    pub(crate) zone: ZoneId,
    pub(crate) snapshot: Arc<Snapshot>,
    /// The version that the client has, if it asks for differences.
    pub(crate) since: Option<Serial>,
    pub(crate) differences: Arc<dyn Differences>,
    pub(crate) question: Question,
    pub(crate) opening: Opening,
    pub(crate) signer: Option<ResponseSigner>,
    /// The reply if it cannot begin for lack of a place.
    pub(crate) turned_away: Vec<u8>,
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Whole,
    Differences,
}

/// Why a transfer ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    #[error("a record of {octets} octets fits into no message")]
    RecordTooLarge { octets: usize },
    #[error("the client did not take a message, or did not end one of its own, in time")]
    TooSlow,
    #[error("a difference was not kept any longer, or could not be read in time")]
    DifferenceLost,
    #[error("the connection ended")]
    ConnectionEnded,
    #[error("a fault of ours")]
    OurFault,
}

/// What a transfer gives to its connection.
pub(crate) enum Piece {
    /// A message without its length.
    Message(Vec<u8>),
    /// Nothing comes behind this.
    End(Result<Sent, TransferError>),
}

/// What a transfer is of.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) id: ZoneId,
    pub(crate) zone: NameBuf,
    pub(crate) serial: Serial,
}

/// A transfer that has begun. It ends with its last piece, or when this is dropped.
pub(crate) struct Underway {
    /// The ID of its messages.
    pub(crate) id: u16,
    pub(crate) subject: Subject,
    pieces: mpsc::Receiver<Piece>,
    /// Its place is its own until the last message is written.
    _place: Arc<Place>,
    _packer: AbortOnDropHandle<()>,
}

impl Underway {
    pub(crate) async fn next(&mut self) -> Piece {
        poll_fn(|context| self.poll_next(context)).await
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Piece> {
        // Without its end there is no more to come only when the task has panicked.
        self.pieces.poll_recv(context).map(|piece| piece.unwrap_or(Piece::End(Err(TransferError::OurFault))))
    }
}

/// Steps that lead to the snapshot, the first of which is here.
struct Steps {
    first: Diff,
    rest: Vec<Generation>,
}

impl Transfer {
    /// Begins to pack what was asked for, and keeps `place` until the last message is written; who waits for the disk
    /// keeps it too.
    ///
    /// `now_secs` gives the wall clock, in seconds since the Unix epoch, for signatures.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn begin(self, place: Place, now_secs: fn() -> u64) -> Underway {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let subject = Subject { id: self.zone, zone: self.question.name, serial: self.snapshot.image.serial() };
        let (id, place) = (self.opening.id, Arc::new(place));
        let packed_at = place.clone();
        let packer = tokio::spawn(async move {
            let sent = self.pack(&sender, &packed_at, now_secs).await;
            // Nobody is told when the connection has ended before.
            let _ = sender.send(Piece::End(sent)).await;
        });
        Underway { id, subject, pieces, _place: place, _packer: AbortOnDropHandle::new(packer) }
    }

    async fn pack(
        mut self,
        pieces: &mpsc::Sender<Piece>,
        place: &Arc<Place>,
        now_secs: fn() -> u64,
    ) -> Result<Sent, TransferError> {
        let steps = self.steps(place).await;
        let mut room = packing::Room::default();
        let (opening, signer) = (self.opening.clone(), self.signer.take());
        let mut packing = Packing::new(&mut room, opening, &self.question, signer, pieces, now_secs);
        let image = &self.snapshot.image;
        let Some(Steps { first, rest }) = steps else {
            packing.put_all(whole(image)).await?;
            packing.finish().await?;
            return Ok(Sent::Whole);
        };
        // RFC 1995 §4: the newest SOA around the steps, of each what goes before what comes.
        packing.put_all(std::iter::once(image.soa_record())).await?;
        packing.put_all(records(&first)).await?;
        drop(first);
        for to in rest {
            let step = self.step(place, to).await?;
            packing.put_all(records(&step)).await?;
        }
        packing.put_all(std::iter::once(image.soa_record())).await?;
        packing.finish().await?;
        Ok(Sent::Differences)
    }

    /// The steps from the client's version, unless the whole zone is less, or they are not there.
    async fn steps(&self, place: &Arc<Place>) -> Option<Steps> {
        let from = self.since?;
        let (differences, zone, snapshot) = (self.differences.clone(), self.zone, self.snapshot.clone());
        away(place, move || {
            let way = differences.way(zone, from, &snapshot)?;
            if way.records > snapshot.image.record_count() {
                return None;
            }
            let (first, rest) = way.steps.split_first()?;
            Some(Steps { first: differences.step(zone, *first)?, rest: rest.to_vec() })
        })
        .await
        .flatten()
    }

    async fn step(&self, place: &Arc<Place>, to: Generation) -> Result<Diff, TransferError> {
        let (differences, zone) = (self.differences.clone(), self.zone);
        let step = away(place, move || differences.step(zone, to)).await;
        step.flatten().ok_or(TransferError::DifferenceLost)
    }
}

/// Does what may wait for the disk where it holds nobody up. A thread that waits for ever keeps the transfer's place, so
/// that there are never more of them than places.
async fn away<T: Send + 'static>(place: &Arc<Place>, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = place.clone();
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    timeout(DISK_DEADLINE, working).await.ok()?.ok()
}

/// The records of a whole zone in their order: its SOA, all others, its SOA (RFC 5936 §2.2).
fn whole(image: &Image) -> impl Iterator<Item = RecordRef<'_>> {
    let soa = image.soa_record();
    let rest = image.records().filter(|record| record.rtype != Type::SOA);
    std::iter::once(soa).chain(rest).chain(std::iter::once(soa))
}

/// The records of differences in one answer.
pub(crate) fn differences<'a>(image: &'a Image, steps: &'a [Diff]) -> impl Iterator<Item = RecordRef<'a>> + Clone {
    let soa = image.soa_record();
    std::iter::once(soa).chain(steps.iter().flat_map(records)).chain(std::iter::once(soa))
}

/// The records of one step: the old SOA and what goes, the new SOA and what comes.
fn records(step: &Diff) -> impl Iterator<Item = RecordRef<'_>> + Clone {
    [&step.removed, &step.added].into_iter().flat_map(|records| {
        let is_soa = |record: &RecordRef<'_>| record.rtype == Type::SOA;
        records.iter().filter(is_soa).chain(records.iter().filter(move |record| !is_soa(record)))
    })
}
