//! The simulated machine: time that the runtime's paused clock drives, a wall clock that is set at will, chance from
//! the seed.
//!
//! True time is what passes in the world. It goes on while the node is down and while its machine is suspended; the
//! runtime's time stands still in both.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use testing::dice::Dice;
use tokio::time::Instant;

use crate::clock::Machine;

/// The wall clock at the beginning of a simulation, in Unix milliseconds: in the summer of 2027.
const WALL_AT_FIRST_MS: i64 = 1_813_000_000_000;

#[derive(Debug)]
pub(super) struct SimulatedMachine {
    /// When the runtime of this life was started, if one is.
    started: Mutex<Option<Instant>>,
    /// True time that passed outside of this runtime's: before it, and while the machine was suspended.
    outside_ms: AtomicU64,
    /// How far the wall clock is from true time.
    wall_offset_ms: AtomicI64,
    dice: Mutex<Dice>,
}

impl SimulatedMachine {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            started: Mutex::new(None),
            outside_ms: AtomicU64::new(0),
            wall_offset_ms: AtomicI64::new(WALL_AT_FIRST_MS),
            dice: Mutex::new(dice),
        }
    }

    /// The runtime that this is called on is the machine's from now on.
    pub(super) fn start(&self) {
        *self.started() = Some(Instant::now());
    }

    /// The runtime ends; true time goes on from here when the next one starts.
    pub(super) fn stop(&self) {
        let now = self.now_ms();
        *self.started() = None;
        self.outside_ms.store(now, Relaxed);
    }

    /// Time that passes while nothing runs.
    pub(super) fn pass(&self, millis: u64) {
        self.outside_ms.fetch_add(millis, Relaxed);
    }

    pub(super) fn set_wall_clock(&self, by_ms: i64) {
        self.wall_offset_ms.fetch_add(by_ms, Relaxed);
    }

    /// True time.
    pub(super) fn now_ms(&self) -> u64 {
        self.now().as_millis() as u64
    }

    fn now(&self) -> Duration {
        let inside = self.started().map_or(Duration::ZERO, |started| started.elapsed());
        inside + Duration::from_millis(self.outside_ms.load(Relaxed))
    }

    fn started(&self) -> MutexGuard<'_, Option<Instant>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for SimulatedMachine {
    fn wall_clock(&self) -> Duration {
        let wall_ms = self.now_ms().cast_signed() + self.wall_offset_ms.load(Relaxed);
        Duration::from_millis(wall_ms.try_into().unwrap_or_default())
    }

    fn since_boot(&self) -> Duration {
        self.now()
    }

    fn random(&self, octets: &mut [u8]) -> Result<(), getrandom::Error> {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in octets.chunks_mut(8) {
            chunk.copy_from_slice(&dice.throw().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
