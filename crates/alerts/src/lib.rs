//! What people and programs are told outside of the console: letters by e-mail, and signed messages to webhooks.
//!
//! ```text
//! Letter ──▶ Post::send ──▶ so many wait at most ──▶ tried, and again after longer and longer ──▶ sent, or said in the log
//!        └─▶ Post::try_once ──▶ sent, or why not: who keeps what waits in a database tries again by itself
//! Message ─▶ Webhooks::send ──▶ sent, or why not
//! ```
//!
//! Invariants: nobody waits for a letter; how many wait is bounded, and so is each try; what others have written (addresses,
//! names of organisations) cannot add a header, a recipient or a line of the protocol; nothing is sent to a webhook at an address
//! that the judge refuses. The only crate that speaks SMTP, and the only one that sends HTTP to strangers.
//!
//! Letters that wait in [`Post::send`] are lost when the program ends: each holds a link that can be asked for again. It deliberately
//! knows no event and no user: what is to be written, and to whom, is the program's to say.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod letter;
mod post;
mod webhook;

pub use letter::{Letter, NotAnAddress, is_sender};
pub use post::{Encryption, Login, MailSettings, Post, TLS_PORT};
pub use webhook::{ClearText, Judge, Message, WebhookSecret, Webhooks};

/// Why something was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It may be sent later.
    Now(String),
    Ever(String),
}

/// An error with what lies below it, on one line.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    on_one_line(&text).take(500).collect()
}

/// What others have written, such that it stays on the line that it is in.
pub fn on_one_line(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_control() { ' ' } else { c })
}
