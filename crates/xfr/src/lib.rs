//! How a secondary talks to a primary: transfers, TSIG, timers and NOTIFY, as state machines without I/O.
//!
//! ```text
//! primary  a server to copy from: where it is, and how it is to be asked
//! reason   every way an attempt can end badly: code, whose fault, a sentence, what to do
//! probe    which serial does the primary have?               octets in → a serial, or a reason
//! session  AXFR and IXFR                                      octets in → a whole change, or a reason
//! tsig     signing requests, checking answers, and the server's side of both (RFC 8945)
//! timers   when to check again, when a zone expires           (now, random number) → state
//! destinations  which addresses may be asked at all, where strangers name them
//! secondaries  who may copy from us, and who is told of news: as typed
//! policy   what is done about a zone
//! settings what may be set for a zone: words in, and the policy that follows
//! announce NOTIFY to others: what to send when              replies in → what is due
//! notify   may this NOTIFY wake a zone?                       octets in → zones to check and an answer
//! ```
//!
//! Invariants: no socket, no clock, no randomness of its own but for new keys, no async; whatever a stranger sends is
//! bounded and never panics; a transfer that is not whole and verified yields no change.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod announce;
pub mod destinations;
#[doc(hidden)]
pub mod fuzzing;
pub mod moment;
pub mod notify;
pub mod policy;
mod prefix;
mod primary;
pub mod probe;
pub mod reason;
pub mod secondaries;
pub mod session;
pub mod settings;
pub mod span;
pub mod timers;
pub mod tsig;

pub use destinations::{Destinations, RefusedAddress};
pub use moment::Moment;
pub use policy::{AnyAnswer, Policy};
pub use prefix::{NoPrefix, Prefix};
pub use primary::{Alpn, Identity, Pin, Primary, Tls};
pub use probe::{ProbeStep, Shown, SoaProbe};
pub use reason::{Fault, Reason};
pub use secondaries::{Admission, Target};
pub use session::{Outcome, Progress, Session, SessionLimits};
pub use settings::{Setting, SettingError, Settings};
pub use timers::{Bounds, Freshness, Timers};
pub use tsig::{Algorithm, Key};
