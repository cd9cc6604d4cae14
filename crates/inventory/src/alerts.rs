//! Who is told of events outside of the console, of which, and what became of it.
//!
//! ```text
//! events ──> rules that want them ──> a delivery for each, which gathers ──> is due ──> tried ──> sent
//!                                           ▲                                │  ▲        └──> failed, after the last try
//!                                  more events, until the first try          └──┘ again, later
//! ```
//!
//! Invariants: an event is in a delivery of each rule that wants it, or was never on record; what a delivery says does not change
//! once it has been tried, so that whoever gets it twice can tell by its id; what it holds is bounded however many events there
//! are, and of a rule there are two at the most that have not ended, but for tests: one that is tried, and one that gathers
//! meanwhile. An address gets nothing before whoever reads it has said so.
//!
//! Deliberately not here: sending anything.

mod deliveries;
mod digest;
mod rules;

use std::time::Duration;

pub(crate) use deliveries::gather;
pub use deliveries::{DELIVERIES_KEPT, Delivery, DeliveryState, DueDelivery, Tried, TriedState};
pub use digest::{Digest, Group, Told};
pub use rules::{AlertRule, AlertRuleId, Channel, Confirmation, NewAlertRule, RULES_MAX, Wanted};

/// How events come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A delivery waits so long for others that come with its first event.
    pub gather: Duration,
    /// Deliveries of one rule are begun so long after each other.
    pub apart: Duration,
}
