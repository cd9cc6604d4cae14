//! The order in which the records of a transfer come (RFC 5936 §2.2, RFC 1995 §4).
//!
//! ```text
//!           SOA            other record, or we asked for AXFR           the first SOA again
//!  Start ────────► Second ───────────────────────────────────► Whole ──────────────────────► Ended
//!                    │  our own SOA                                                             ▲
//!                    └──────────────► Removing ◄──────── Adding ─────────────────────────────────┤
//!                    │                   │  next SOA        ▲  SOA: next step, or the first again │
//!                    │                   └──────────────────┘                                    │
//!                    └───────────────────────────────────────────────────────────────────────────┘
//!                      a lone SOA of our serial: nothing new
//! ```
//!
//! Where one message ends and the next begins means nothing, with one exception: a first message that holds one SOA
//! and no more answers an IXFR request entirely, unless its serial is newer than ours. Invariants: SOA records stand at
//! the apex or fail the transfer; steps follow each other without a gap, each nearer to the announced serial.

use dns::{Name, RecordRef, Records, Serial, Soa, Type, rdata};
use zone::{Change, Diff};

use super::Outcome;
use crate::reason::Reason;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Second,
    Whole,
    Removing,
    Adding,
    Ended(End),
    /// An SOA came that should have been the first one again. Whether it stood at the end or in the middle only the
    /// rest of the message shows.
    Mismatched(Serial),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Unchanged,
    Whole,
    Steps,
}

/// Puts a transfer together from its records.
pub(super) struct Assembly {
    zone: Name,
    /// The serial that we hold, when we asked for IXFR.
    ours: Option<Serial>,
    steps_max: u64,
    state: State,
    /// The first record: the version to which the transfer leads.
    announced: Serial,
    announced_rdata: Vec<u8>,
    /// The first record alone, and then the whole zone, if that is what comes.
    whole: Records,
    /// Octets of records of the whole zone that somebody has taken.
    octets_taken: u64,
    steps: Vec<Diff>,
    octets_of_steps: u64,
}

impl Assembly {
    pub(super) fn new(zone: Name, ours: Option<Serial>, steps_max: u64) -> Self {
        Self {
            zone,
            ours,
            steps_max,
            state: State::Start,
            announced: Serial::default(),
            announced_rdata: Vec::new(),
            whole: Records::new(),
            octets_taken: 0,
            steps: Vec::new(),
            octets_of_steps: 0,
        }
    }

    /// Memory that the records take, also those that somebody has taken, in octets.
    pub(super) fn octets(&self) -> u64 {
        self.whole.octets() as u64 + self.octets_taken + self.octets_of_steps
    }

    /// See [`super::Session::take_whole`].
    pub(super) fn take_whole(&mut self, octets_min: usize, room: &mut Records) -> bool {
        if self.state != State::Whole || self.whole.octets() < octets_min {
            return false;
        }
        self.octets_taken += self.whole.octets() as u64;
        room.clear();
        std::mem::swap(&mut self.whole, room);
        true
    }

    pub(super) fn record(&mut self, record: RecordRef<'_>) -> Result<(), Reason> {
        if record.rtype == Type::SOA {
            return self.soa(record);
        }
        match self.state {
            State::Start => return Err(Reason::NoSoa),
            // RFC 1995 §4: an answer whose second record is not an SOA is a whole zone.
            State::Second | State::Whole => {
                self.state = State::Whole;
                self.whole.push(record);
            }
            State::Removing | State::Adding => self.push_to_step(record),
            State::Ended(_) => return Err(Reason::RecordsAfterEnd),
            State::Mismatched(serial) => return Err(Reason::SoaInTheMiddle { serial }),
        }
        Ok(())
    }

    /// What the transfer brought, if it is over.
    pub(super) fn end_of_message(&mut self) -> Result<Option<Outcome>, Reason> {
        match self.state {
            State::Start => Err(Reason::NoSoa),
            State::Second => self.lone_soa(),
            State::Whole | State::Removing | State::Adding => Ok(None),
            State::Mismatched(last) => Err(Reason::SoaMismatch { first: self.announced, last }),
            State::Ended(End::Unchanged) => Ok(Some(Outcome::Unchanged(self.announced))),
            State::Ended(End::Whole) => Ok(Some(Outcome::Change(Change::Full(std::mem::take(&mut self.whole))))),
            State::Ended(End::Steps) => Ok(Some(Outcome::Change(Change::Steps(std::mem::take(&mut self.steps))))),
        }
    }

    fn soa(&mut self, record: RecordRef<'_>) -> Result<(), Reason> {
        if record.owner != self.zone.borrow() {
            return match self.state {
                State::Start => Err(Reason::NoSoa),
                _ => Err(Reason::ForeignSoa { owner: record.owner.to_name() }),
            };
        }
        let soa = Soa::parse(record.rdata).ok_or(Reason::Malformed(dns::Malformed::Rdata(Type::SOA)))?;
        match self.state {
            State::Start => {
                self.announced = soa.serial;
                self.announced_rdata.extend(record.rdata);
                self.whole.push(record);
                self.state = State::Second;
            }
            State::Second => return self.second_soa(record, soa.serial),
            State::Whole => self.last_soa(record, soa.serial, End::Whole),
            State::Removing => return self.new_soa_of_step(record, soa.serial),
            State::Adding => return self.soa_behind_step(record, soa.serial),
            State::Ended(_) => return Err(Reason::RecordsAfterEnd),
            State::Mismatched(serial) => return Err(Reason::SoaInTheMiddle { serial }),
        }
        Ok(())
    }

    fn second_soa(&mut self, record: RecordRef<'_>, serial: Serial) -> Result<(), Reason> {
        let Some(ours) = self.ours else {
            self.last_soa(record, serial, End::Whole);
            return Ok(());
        };
        if serial == ours && self.announced == ours {
            self.state = State::Ended(End::Unchanged);
            return Ok(());
        }
        if serial == ours {
            in_order(ours, self.announced)?;
            return self.open_step(record, serial);
        }
        if rdata::same(Type::SOA, record.rdata, &self.announced_rdata) {
            // A whole zone that has nothing but its SOA.
            self.state = State::Ended(End::Whole);
            return Ok(());
        }
        Err(Reason::IxfrNotFromOurs { ours, theirs: serial })
    }

    /// The SOA that ends a transfer must be the one that began it.
    fn last_soa(&mut self, record: RecordRef<'_>, serial: Serial, end: End) {
        let same = rdata::same(Type::SOA, record.rdata, &self.announced_rdata);
        self.state = if same { State::Ended(end) } else { State::Mismatched(serial) };
    }

    /// The old SOA of a step: what follows is removed.
    fn open_step(&mut self, record: RecordRef<'_>, from: Serial) -> Result<(), Reason> {
        if self.steps.len() as u64 >= self.steps_max {
            return Err(Reason::IxfrTooManySteps { limit: self.steps_max });
        }
        self.steps.push(Diff { from, to: from, removed: Records::new(), added: Records::new() });
        self.state = State::Removing;
        self.push_to_step(record);
        Ok(())
    }

    /// The new SOA of a step: what follows is added.
    fn new_soa_of_step(&mut self, record: RecordRef<'_>, to: Serial) -> Result<(), Reason> {
        let announced = self.announced;
        let Some(step) = self.steps.last_mut() else { return Err(Reason::NoSoa) };
        // Each step must lead nearer to the end: no cycles, nothing beyond.
        if !to.is_newer_than(step.from) || to != announced && !announced.is_newer_than(to) {
            return Err(Reason::IxfrCycle { from: step.from, to });
        }
        step.to = to;
        self.state = State::Adding;
        if to == announced && !rdata::same(Type::SOA, record.rdata, &self.announced_rdata) {
            return Err(Reason::SoaMismatch { first: announced, last: to });
        }
        self.push_to_step(record);
        Ok(())
    }

    fn soa_behind_step(&mut self, record: RecordRef<'_>, serial: Serial) -> Result<(), Reason> {
        let reached = self.steps.last().map_or(self.announced, |step| step.to);
        if serial != reached {
            return Err(Reason::IxfrGap { expected: reached, found: serial });
        }
        if reached == self.announced {
            self.last_soa(record, serial, End::Steps);
            return Ok(());
        }
        self.open_step(record, serial)
    }

    fn push_to_step(&mut self, record: RecordRef<'_>) {
        let Some(step) = self.steps.last_mut() else { return };
        let records = if self.state == State::Adding { &mut step.added } else { &mut step.removed };
        let before = records.octets();
        records.push(record);
        self.octets_of_steps += (records.octets() - before) as u64;
    }

    /// A message that ends behind the first SOA. To an AXFR request more must come: one record in a message is legal.
    /// To an IXFR request it is the whole answer of a primary that has nothing newer (RFC 1995 §2).
    fn lone_soa(&self) -> Result<Option<Outcome>, Reason> {
        let Some(ours) = self.ours else { return Ok(None) };
        if self.announced == ours {
            return Ok(Some(Outcome::Unchanged(ours)));
        }
        in_order(ours, self.announced).map(|()| None)
    }
}

fn in_order(ours: Serial, theirs: Serial) -> Result<(), Reason> {
    if theirs.is_newer_than(ours) { Ok(()) } else { Err(Reason::of_older_serial(ours, theirs)) }
}
