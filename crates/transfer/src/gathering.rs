//! A large zone is put together while the rest of it comes.
//!
//! ```text
//!  messages ──verified, read──► portion of records ──┬─► written where the image will have them
//!     (here)                                         └─► hashed for the digest          (on threads for long work)
//! ```
//!
//! One portion at a time is worked on, and no thread waits for the primary: while nothing comes, none is taken. A zone that is
//! smaller than a portion never gets here. Invariant: what has been put together is nothing until the transfer is whole.

use std::sync::Arc;

use dns::{Name, Records};
use tokio::task::{JoinError, JoinHandle};
use xfr::{Outcome, Reason, Session};
use zone::{Change, Digest, Incoming, Limits};

use crate::LongWork;

/// Octets of records that are handed over at a time: a few milliseconds of work.
const PORTION_OCTETS: usize = 512 * 1024;

/// A large zone, as far as it has come.
pub(crate) struct Gathering {
    state: State,
    /// Memory of a portion that is done with, for the next one but one.
    room: Records,
    long_work: LongWork,
}

enum State {
    /// Records stay as they came.
    NotWanted,
    /// There has not been a portion yet.
    Waiting(Incoming),
    Working(Work),
}

/// A portion that is worked on.
struct Work {
    records: Arc<Records>,
    writing: JoinHandle<Incoming>,
    hashing: JoinHandle<Digest>,
}

impl Gathering {
    pub(crate) fn new(zone: &Name, within: Option<Limits>, long_work: LongWork) -> Self {
        let state = within.map_or(State::NotWanted, |limits| State::Waiting(Incoming::new(zone.clone(), limits)));
        Self { state, room: Records::new(), long_work }
    }

    /// Hands over what has come, if that is a portion, when the one before is done with.
    pub(crate) async fn go_on(&mut self, session: &mut Session) -> Result<(), Reason> {
        if !matches!(self.state, State::NotWanted) && session.take_whole(PORTION_OCTETS, &mut self.room) {
            let portion = std::mem::take(&mut self.room);
            self.take(portion).await?;
        }
        Ok(())
    }

    /// The end of the transfer: its outcome, and the zone, if it was put together.
    pub(crate) async fn end(mut self, outcome: Outcome) -> Result<(Outcome, Option<Incoming>), Reason> {
        match (outcome, &self.state) {
            (Outcome::Change(Change::Full(rest)), State::Working(_)) => {
                self.take(rest).await?;
                let incoming = self.settled().await?;
                Ok((Outcome::Change(Change::Full(Records::new())), incoming))
            }
            (outcome, _) => Ok((outcome, None)),
        }
    }

    async fn take(&mut self, portion: Records) -> Result<(), Reason> {
        if let Some(incoming) = self.settled().await? {
            self.state = State::Working(Work::begin(incoming, portion, &self.long_work));
        }
        Ok(())
    }

    /// What has been put together, when nothing is worked on any more.
    async fn settled(&mut self) -> Result<Option<Incoming>, Reason> {
        match std::mem::replace(&mut self.state, State::NotWanted) {
            State::NotWanted => Ok(None),
            State::Waiting(incoming) => Ok(Some(incoming)),
            State::Working(work) => {
                let (incoming, room) =
                    work.end().await.map_err(|error| Reason::Internal { detail: error.to_string() })?;
                self.room = room;
                Ok(Some(incoming))
            }
        }
    }
}

impl Work {
    fn begin(mut incoming: Incoming, portion: Records, long_work: &LongWork) -> Self {
        let records = Arc::new(portion);
        let (written, hashed) = (records.clone(), records.clone());
        let hashing = long_work.begin(move || Digest::of(&*hashed));
        let writing = long_work.begin(move || {
            incoming.take(&written);
            incoming
        });
        Self { records, writing, hashing }
    }

    /// What the portion has been added to, and its memory.
    async fn end(self) -> Result<(Incoming, Records), JoinError> {
        let mut incoming = self.writing.await?;
        incoming.count_in(self.hashing.await?);
        Ok((incoming, Arc::try_unwrap(self.records).unwrap_or_default()))
    }
}
