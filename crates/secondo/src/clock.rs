//! The node's own clock.
//!
//! It reads the wall clock once, at the start, takes the newest time on disk if that is later, and counts on from
//! there monotonically: setting the system's clock neither expires a zone nor keeps one alive.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use xfr::Moment;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Moment,
}

impl Clock {
    /// A clock that never shows a time before `newest_on_disk`.
    pub(crate) fn starting_no_earlier_than(newest_on_disk: Moment) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Moment(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX));
        Self { started: Instant::now(), started_at: wall.max(newest_on_disk) }
    }

    pub(crate) fn now(&self) -> Moment {
        self.started_at.plus(self.started.elapsed())
    }

    pub(crate) fn started_at(&self) -> Moment {
        self.started_at
    }
}

/// A number that nobody can foresee, for jitter and spreading.
pub(crate) fn random() -> u32 {
    let mut octets = [0; 4];
    // Without randomness nothing is spread, and nothing else is lost.
    let _ = getrandom::fill(&mut octets);
    u32::from_ne_bytes(octets)
}

#[cfg(test)]
mod tests {
    use xfr::Moment;

    use super::Clock;

    #[test]
    fn time_on_disk_that_is_ahead_of_the_wall_clock_wins() {
        let far = Moment(u64::MAX / 2);
        assert!(Clock::starting_no_earlier_than(far).now() >= far);
        let now = Clock::starting_no_earlier_than(Moment(0)).now();
        assert!(now > Moment(1_700_000_000_000) && now < far);
    }
}
