//! The node's own clock, and the machine that it takes time and chance from.
//!
//! It reads the wall clock once, at the start, takes the newest time on disk if that is later, and counts on from
//! there monotonically: setting the system's clock neither expires a zone nor keeps one alive. Time in which the machine
//! was suspended counts: nobody confirmed the zones meanwhile.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use xfr::Moment;

/// A run begins so much later than the newest time on disk, at the least: what an earlier one counted from its own beginning,
/// in memory only, must not be counted again.
const STARTS_APART: Duration = Duration::from_millis(10);

/// What gives time and chance.
///
/// A seam, so that a simulation can have its own.
pub(crate) trait Machine: Debug + Send + Sync {
    /// The wall clock, since the Unix epoch; anybody may set it at any time.
    fn wall_clock(&self) -> Duration;

    /// Time since the machine was booted, also that in which it was suspended.
    fn since_boot(&self) -> Duration;

    /// Fills `octets` with what nobody can foresee.
    fn random(&self, octets: &mut [u8]) -> Result<(), getrandom::Error>;
}

/// The machine that the program runs on.
#[derive(Debug)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    fn wall_clock(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// CLOCK_BOOTTIME, which goes on while the machine is suspended; std's `Instant` stands still then.
    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let secs = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(secs, nanos)
    }

    fn random(&self, octets: &mut [u8]) -> Result<(), getrandom::Error> {
        getrandom::fill(octets)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    machine: Arc<dyn Machine>,
    /// By the clock that counts since the machine was booted.
    started: Duration,
    started_at: Moment,
    wall_at_start: Moment,
}

impl Clock {
    /// A clock that never shows a time before `newest_on_disk`.
    pub(crate) fn starting_no_earlier_than(newest_on_disk: Moment) -> Self {
        Self::on(Arc::new(ThisMachine), newest_on_disk)
    }

    /// The same by the time of a machine of the caller's.
    pub(crate) fn on(machine: Arc<dyn Machine>, newest_on_disk: Moment) -> Self {
        let wall = Moment(u64::try_from(machine.wall_clock().as_millis()).unwrap_or(u64::MAX));
        // Later than all that was, so that no two runs begin at one time where the wall clock lags behind.
        let started_at = wall.max(newest_on_disk.plus(STARTS_APART));
        Self { started: machine.since_boot(), machine, started_at, wall_at_start: wall }
    }

    pub(crate) fn now(&self) -> Moment {
        self.started_at.plus(self.machine.since_boot().saturating_sub(self.started))
    }

    /// How far the time on disk, which was taken, was ahead of the wall clock.
    pub(crate) fn ahead_of_the_wall(&self) -> Duration {
        self.started_at.since(self.wall_at_start)
    }

    pub(crate) fn started_at(&self) -> Moment {
        self.started_at
    }

    pub(crate) fn machine(&self) -> &dyn Machine {
        &*self.machine
    }

    /// A number that nobody can foresee, for jitter and spreading.
    pub(crate) fn random(&self) -> u32 {
        let mut octets = [0; 4];
        // Without randomness nothing is spread, and nothing else is lost.
        let _ = self.machine.random(&mut octets);
        u32::from_ne_bytes(octets)
    }
}

/// What the machine's clock shows now, in Unix seconds: for others, who hold it against theirs. Nothing here follows from it.
pub(crate) fn wall_secs() -> u64 {
    ThisMachine.wall_clock().as_secs()
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
