//! The ledger: every attempt to bring a zone up to its source, with its outcome and reason; and every NOTIFY.
//!
//! ```text
//! record() ──try_send──▶ queue (bounded) ──▶ one writer task ──one transaction a batch──▶ rows
//! ```
//!
//! Invariants: recording never waits; what does not fit into the queue, or cannot be written, is dropped and counted,
//! and delays nobody. Consecutive checks of one primary without news are one row with a count, and so are consecutive
//! failures for one reason. A zone has at most [`ATTEMPTS_MAX`] rows, and as many of NOTIFYs, none older than 90 days
//! or, where nothing happens, a day more. How many rows NOTIFYs become does not depend on how many there are.

mod age;
mod attempt;
mod attempt_rows;
mod kept;
mod notify;
mod notify_rows;
mod read;
mod writer;

pub(crate) use kept::{give_attempts_back, keep_attempts};

pub use attempt::{Attempt, Kind, Outcome, RecordedAttempt, RecordedReason, Trigger};
pub use notify::{Notify, NotifySender, NotifySpan, StrangerNotify};
pub use writer::Ledger;

/// The most rows of one zone.
pub const ATTEMPTS_MAX: u32 = 1_000;
/// How long a row is kept after its last try, in milliseconds: 90 days.
const KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
