//! What people are told outside of the console: for now letters by e-mail, as others have asked for them.
//!
//! ```text
//! Letter ──▶ Post::send ──▶ so many wait at most ──▶ tried, and again after longer and longer ──▶ sent, or said in the log
//! ```
//!
//! Invariants: nobody waits for a letter; how many wait is bounded, and so is each try; what others have written (addresses,
//! names of organisations) cannot add a header, a recipient or a line of the protocol. The only crate that speaks SMTP.
//!
//! Letters that wait are lost when the program ends: each holds a link that can be asked for again. It deliberately knows no
//! event and no user: what is to be written, and to whom, is the program's to say.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod letter;
mod post;

pub use letter::{Letter, NotAnAddress, is_sender};
pub use post::{Encryption, Login, MailSettings, Post, TLS_PORT};
