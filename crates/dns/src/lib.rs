//! Names, records and messages as they are on the wire.
//!
//! A thin skin: text (presentation format, zone files, type mnemonics) comes from the `domain` crate, which nothing
//! outside this crate may use. The wire form is ours, because Secondo keeps what the primary sent to the octet:
//! letter case, unknown types, and types whose RDATA others re-order or refuse.
//!
//! Invariants: everything here is pure (no clock, socket, disk or log), bounded by its input, and total: no octets
//! make it panic.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod edns;
#[doc(hidden)]
pub mod fuzzing;
pub mod message;
pub mod name;
pub mod query;
pub mod rdata;
pub mod record;
pub mod rtype;
pub mod serial;
pub mod text;
pub mod writer;

pub use message::{
    Header, Malformed, MessageReader, Opcode, Question, QuestionRef, Rcode, RecordHead, Section, WireRecord,
};
pub use name::{Name, NameBuf, NameError, NameRef};
pub use rdata::Soa;
pub use record::{RecordRef, Records, RecordsError};
pub use rtype::Type;
pub use serial::Serial;
pub use writer::{Full, MessageWriter};

/// The Internet class (RFC 1035 §3.2.4), the only one that Secondo copies and serves.
pub const CLASS_IN: u16 = 1;
/// The Chaos class, for `version.bind` and its like.
pub const CLASS_CH: u16 = 3;
/// "Any class" in a question (RFC 1035 §3.2.5), and the class of a TSIG record.
pub const CLASS_ANY: u16 = 255;
