//! What is to be done when: the next event of every zone, in the order of time.
//!
//! With a million zones an entry takes 24 octets on average, all that lies between entries included, and a zone's timers
//! 40: one timer costs 64. Both are counted by `a_million_timers_take_little_room_and_time`.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use xfr::Moment;
use zone::ZoneId;

#[derive(Default)]
pub(crate) struct Agenda {
    entries: Mutex<BTreeSet<Entry>>,
    /// There is an earlier first entry.
    pub(crate) sooner: Notify,
}

/// Six octets of time and eight of the zone, which compare as the two do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry([u8; 14]);

/// In the year 10889; what is to be done later is looked at then.
const LAST_MS: u64 = (1 << 48) - 1;

impl Entry {
    fn new(at: Moment, zone: ZoneId) -> Self {
        let mut octets = [0; 14];
        octets[..6].copy_from_slice(&at.0.min(LAST_MS).to_be_bytes()[2..]);
        octets[6..].copy_from_slice(&zone.0.to_be_bytes());
        Self(octets)
    }

    fn at(self) -> Moment {
        let mut octets = [0; 8];
        octets[2..].copy_from_slice(&self.0[..6]);
        Moment(u64::from_be_bytes(octets))
    }

    fn zone(self) -> ZoneId {
        let mut octets = [0; 8];
        octets.copy_from_slice(&self.0[6..]);
        ZoneId(u64::from_be_bytes(octets))
    }
}

impl Agenda {
    pub(crate) fn add(&self, at: Moment, zone: ZoneId) {
        let entry = Entry::new(at, zone);
        let mut entries = self.entries();
        entries.insert(entry);
        if entries.first() == Some(&entry) {
            self.sooner.notify_one();
        }
    }

    pub(crate) fn remove(&self, at: Moment, zone: ZoneId) {
        self.entries().remove(&Entry::new(at, zone));
    }

    /// Takes the zones whose time has come off the agenda, at most `most` of them, the most overdue first.
    pub(crate) fn take_due(&self, now: Moment, most: usize) -> Vec<ZoneId> {
        let mut entries = self.entries();
        let mut due = Vec::new();
        while due.len() < most
            && let Some(first) = entries.first().filter(|first| first.at() <= now).copied()
        {
            entries.pop_first();
            due.push(first.zone());
        }
        due
    }

    /// When the first entry's time comes.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.entries().first().map(|first| first.at())
    }

    fn entries(&self) -> MutexGuard<'_, BTreeSet<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dns::{Serial, Soa};
    use rustix::time::{ClockId, clock_gettime};
    use xfr::{Bounds, Moment, Timers};
    use zone::ZoneId;

    use super::{Agenda, Entry};

    const HOUR_MS: u64 = 3_600_000;
    /// What lies around the entries of a B-tree of the standard library that is filled in no order takes this share of
    /// what they take: counted at each allocation, with a million entries, it was 1.71.
    const TREE_SHARE: f64 = 1.71;

    #[test]
    fn entries_are_in_the_order_of_time_whatever_their_numbers() {
        let of = |at, zone| Entry::new(Moment(at), ZoneId(zone));
        assert!(of(1, u64::MAX) < of(2, 0) && of(255, 1) < of(256, 0) && of(7, 255) < of(7, 256));
        let entry = of(1_813_000_000_000, 1 << 60);
        assert_eq!((entry.at(), entry.zone()), (Moment(1_813_000_000_000), ZoneId(1 << 60)));
        assert!(of(u64::MAX, 1).at() > Moment(1 << 47));
    }

    /// Octets of memory that the process has now, as the system counts them.
    fn resident_octets() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    fn processor_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
    }

    /// Goes through two hours of a million zones that are checked every four hours, without asking anybody. Alone and
    /// with `--nocapture` it tells what the memory is.
    #[expect(clippy::print_stdout, reason = "the figures are what it is for")]
    #[test]
    fn a_million_timers_take_little_room_and_time() {
        let room = size_of::<Timers>() as f64 + size_of::<Entry>() as f64 * TREE_SHARE;
        assert!(room <= 64.0, "one timer takes {room} octets");
        let (zones, hours, began_at) = (1_000_000, 2, Moment(1_813_000_000_000));
        let soa =
            Soa { serial: Serial(1), refresh: 4 * 3600 * 20 / 19, retry: 900, expire: 14 * 86_400, minimum: 60 };
        let mut seed = 1_u32;
        let mut chance = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        };
        let before = resident_octets();
        let agenda = Agenda::default();
        let mut timers = Vec::with_capacity(zones);
        for zone in 0..zones {
            let checked = Moment(began_at.0 - u64::from(chance()) % (4 * HOUR_MS));
            let mut own = Timers::pending(&Bounds::default(), checked);
            own.confirmed(&soa, None, &Bounds::default(), checked, chance());
            agenda.add(own.next_event(checked), ZoneId(zone as u64));
            timers.push(own);
        }
        let resident = (resident_octets().saturating_sub(before)) as f64 / zones as f64;
        let (began, mut events) = (processor_time(), 0_u64);
        while let Some(now) = agenda.next().filter(|next| *next < began_at.plus(Duration::from_hours(hours))) {
            for zone in agenda.take_due(now, 256) {
                let own: &mut Timers = &mut timers[zone.0 as usize];
                assert!(own.is_due(now));
                own.confirmed(&soa, None, &Bounds::default(), now, chance());
                agenda.add(own.next_event(now), zone);
                events += 1;
            }
        }
        let took = (processor_time() - began).as_secs_f64();
        let share = took / (hours * 3600) as f64;
        println!(
            "{events} events in {hours} h of {zones} zones took {took:.2} s: {:.4} % of a core; {resident:.1} octets a zone",
            share * 100.0
        );
        assert!(events > 450_000 && share < 0.05, "{events} events, {share} of a core");
    }

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
