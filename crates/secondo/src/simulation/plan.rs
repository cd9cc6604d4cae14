//! What happens when: each event brings about the next of its kind, so that years need no more memory than a day.

use std::collections::BTreeMap;

use testing::dice::Dice;

pub(super) const SECOND_MS: u64 = 1_000;
pub(super) const MINUTE_MS: u64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;
pub(super) const MONTH_MS: u64 = 30 * DAY_MS;

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The zone's owner makes a new version.
    Change(usize),
    /// A primary that copies from the first one does.
    Copy {
        zone: usize,
        primary: usize,
    },
    Notify {
        zone: usize,
        sender: Sender,
    },
    Breaks(usize),
    Cured(usize),
    WallClockSet,
    Suspended,
    DiskFull,
    DiskHasRoom,
    Stop,
    /// Whether the disk has lost its power meanwhile.
    PowerGone,
    LookAtAll,
    /// Its owner says what is to be done with the zone.
    Order(usize),
    /// So does an owner who sees that something happens.
    OrderAtOnce(usize),
    /// What could not be written of orders is tried again.
    NotesAgain,
    /// News of which the node was told is to be served by now.
    NewsDue(usize),
    /// The zone may not be served any more, unless it was confirmed.
    LookForExpiry(usize),
}

/// Who says that a zone has changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sender {
    Primary(usize),
    /// Somebody who can send from a primary's address, and does so many times.
    Forger(usize),
    Stranger,
}

/// How the node comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The simulation is over, or a promise was broken.
    End,
    /// As the system stops a service.
    Asked,
    Killed,
    /// Nothing unsynced is sure to be there afterwards.
    PowerCut,
}

#[derive(Default)]
pub(super) struct Plan {
    events: BTreeMap<(u64, u64), Event>,
    planned: u64,
}

impl Plan {
    pub(super) fn new(zones: usize, primaries: usize, dice: &mut Dice) -> Self {
        let mut plan = Self::default();
        (0..zones).for_each(|zone| plan.at(dice.wait(DAY_MS), Event::Change(zone)));
        (0..zones).for_each(|zone| plan.at(DAY_MS, Event::LookForExpiry(zone)));
        (0..zones).for_each(|zone| plan.at(dice.wait(8 * DAY_MS), Event::Order(zone)));
        (0..primaries).for_each(|primary| plan.at(dice.wait(3 * DAY_MS), Event::Breaks(primary)));
        plan.at(dice.wait(10 * DAY_MS), Event::WallClockSet);
        plan.at(dice.wait(10 * DAY_MS), Event::Suspended);
        plan.at(dice.wait(10 * DAY_MS), Event::DiskFull);
        plan.at(dice.wait(4 * DAY_MS), Event::Stop);
        plan.at(HOUR_MS, Event::LookAtAll);
        plan
    }

    /// Has something happen; what is planned first happens first.
    pub(super) fn at(&mut self, at_ms: u64, event: Event) {
        self.planned += 1;
        self.events.insert((at_ms, self.planned), event);
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.events.keys().next().map(|(at_ms, _)| *at_ms)
    }

    pub(super) fn take_due(&mut self, now_ms: u64) -> Option<Event> {
        let first = self.events.first_entry().filter(|first| first.key().0 <= now_ms)?;
        Some(first.remove())
    }
}
