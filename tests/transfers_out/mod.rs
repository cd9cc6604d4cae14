//! Zones on their way out: whoever copies from us.

mod access;
mod beside;
mod catalog;
mod differences;
mod judges;
mod secondaries;
