//! Transaction signatures (RFC 8945): both sides share a secret and sign what they send.
//!
//! ```text
//! key       a secret with its name and algorithm
//! mac       HMAC over octets, whichever of the six algorithms it is
//! record    the TSIG record at the end of a message: finding, reading, writing
//! client    signing our requests, checking the primary's answers, one or a stream of messages
//! server    checking requests that come to us, signing our answers, answering what does not verify
//! ```
//!
//! Invariants: nothing of a signed message is believed before its MAC is verified, the MAC before the time, in
//! constant time; secrets are never shown but by [`Key::secret_base64`]; letter case in the names of keys and
//! algorithms does not matter; shortened MACs are never accepted (RFC 8945 §5.2.2.1 leaves that to local policy).

mod client;
mod key;
mod mac;
mod record;
mod server;

#[cfg(test)]
mod tests;

pub use client::{ResponseVerifier, Signature, sign_request};
pub use key::{Algorithm, Key, KeyError};
pub use record::TSIG_OCTETS_MAX;
pub use server::{ResponseSigner, SignedRequest, TsigError, TsigFailure, Verified, verify_request};

/// How far two clocks may differ, in seconds (RFC 8945 §10 recommends 300).
pub const FUDGE_SECS: u16 = 300;

/// Messages without a signature that may follow a signed one (RFC 8945 §5.3.1).
pub const UNSIGNED_IN_A_ROW_MAX: u64 = 99;
