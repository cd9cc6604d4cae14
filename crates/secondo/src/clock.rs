//! The node's own clock.
//!
//! It reads the wall clock once, at the start, takes the newest time on disk if that is later, and counts on from
//! there monotonically: setting the system's clock neither expires a zone nor keeps one alive. Time in which the machine
//! was suspended counts: nobody confirmed the zones meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use xfr::Moment;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// By the clock that counts since the machine was booted.
    started: Duration,
    started_at: Moment,
    wall_at_start: Moment,
}

impl Clock {
    /// A clock that never shows a time before `newest_on_disk`.
    pub(crate) fn starting_no_earlier_than(newest_on_disk: Moment) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Moment(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX));
        Self { started: since_boot(), started_at: wall.max(newest_on_disk), wall_at_start: wall }
    }

    pub(crate) fn now(&self) -> Moment {
        self.started_at.plus(since_boot().saturating_sub(self.started))
    }

    /// How far the time on disk, which was taken, was ahead of the wall clock.
    pub(crate) fn ahead_of_the_wall(&self) -> Duration {
        self.started_at.since(self.wall_at_start)
    }

    pub(crate) fn started_at(&self) -> Moment {
        self.started_at
    }
}

/// CLOCK_BOOTTIME, which goes on while the machine is suspended; std's `Instant` stands still then.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(secs, nanos)
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
