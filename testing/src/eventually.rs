//! Waiting for what a process from outside will show: asking again and again, until a deadline.
//!
//! Only for processes that offer no event to wait on. What was seen last is part of the failure.

use std::time::{Duration, Instant};

/// The pause between two looks, in milliseconds: short beside anything that tests wait for.
const PAUSE_MILLIS: u64 = 15;

/// Calls `attempt` until it succeeds and returns what it found.
///
/// # Panics
/// At the caller's line, when the deadline passes: with `what` was awaited and what the last attempt said.
#[track_caller]
pub fn eventually<T>(deadline: Duration, what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(found) => return found,
            Err(seen) if started.elapsed() >= deadline => {
                panic!("waited {:.1} s for {what}; seen last: {seen}", started.elapsed().as_secs_f32())
            }
            Err(_) => pause(),
        }
    }
}

/// Calls `attempt` as long as `during` lasts, and fails as soon as it does: for what must *not* happen.
///
/// # Panics
/// At the caller's line, with what the attempt said.
#[track_caller]
pub fn throughout(during: Duration, what: &str, mut attempt: impl FnMut() -> Result<(), String>) {
    let started = Instant::now();
    while started.elapsed() < during {
        if let Err(seen) = attempt() {
            panic!("{what}: after {:.1} s: {seen}", started.elapsed().as_secs_f32());
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where nothing tells us when to look again")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(PAUSE_MILLIS));
}
