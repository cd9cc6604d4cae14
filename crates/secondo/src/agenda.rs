//! What is to be done when: the next event of every zone, in the order of time.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use xfr::Moment;
use zone::ZoneId;

#[derive(Default)]
pub(crate) struct Agenda {
    entries: Mutex<BTreeSet<(Moment, ZoneId)>>,
    /// There is an earlier first entry.
    pub(crate) sooner: Notify,
}

impl Agenda {
    pub(crate) fn add(&self, at: Moment, zone: ZoneId) {
        let mut entries = self.entries();
        entries.insert((at, zone));
        if entries.first() == Some(&(at, zone)) {
            self.sooner.notify_one();
        }
    }

    pub(crate) fn remove(&self, at: Moment, zone: ZoneId) {
        self.entries().remove(&(at, zone));
    }

    /// Takes the zones whose time has come off the agenda, at most `most` of them, the most overdue first.
    pub(crate) fn take_due(&self, now: Moment, most: usize) -> Vec<ZoneId> {
        let mut entries = self.entries();
        let mut due = Vec::new();
        while due.len() < most
            && let Some(&(at, zone)) = entries.first()
            && at <= now
        {
            entries.pop_first();
            due.push(zone);
        }
        due
    }

    /// When the first entry's time comes.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.entries().first().map(|(at, _)| *at)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeSet<(Moment, ZoneId)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use xfr::Moment;
    use zone::ZoneId;

    use super::Agenda;

    #[test]
    fn the_most_overdue_come_first_and_never_too_many() {
        let agenda = Agenda::default();
        for (at, zone) in [(30, 3), (10, 1), (20, 2), (99, 9)] {
            agenda.add(Moment(at), ZoneId(zone));
        }
        agenda.remove(Moment(20), ZoneId(2));
        assert_eq!(agenda.take_due(Moment(50), 1), [ZoneId(1)]);
        assert_eq!(agenda.take_due(Moment(50), 9), [ZoneId(3)]);
        assert_eq!(agenda.take_due(Moment(50), 9), []);
        assert_eq!(agenda.next(), Some(Moment(99)));
    }
}
