//! What a transfer, a probe and a NOTIFY may look like, as sentences.

#![allow(clippy::unwrap_used)]

mod announce;
mod axfr;
mod corpus;
mod ixfr;
mod notify;
mod probe;
mod properties;
mod script;
mod timers;
