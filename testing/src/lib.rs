//! What tests and benchmarks stand on: real name servers as primaries, scripted ones, our own program as a process, a
//! browser, certificates, dice, a disk that forgets, and the counting of instructions.
//!
//! Invariants: tests and benchmarks only, nothing of the product depends on it. Every process, directory and port that is
//! taken here is given back when its owner is dropped, and nobody else's is touched. Waiting for a process from outside is
//! polling with a deadline ([`eventually`]); nothing here sleeps and hopes.

pub mod browser;
pub mod certificate;
pub mod dice;
pub mod disk;
pub mod eventually;
pub mod instructions;
pub mod mail;
pub mod namespace;
pub mod peer;
pub mod port;
pub mod primary;
pub mod process;
pub mod python;
pub mod query;
pub mod secondo;
pub mod tls;
pub mod webhook;
pub mod zone_text;

pub use eventually::eventually;
