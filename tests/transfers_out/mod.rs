//! Zones on their way out: whoever copies from us.

pub(crate) mod access;
mod beside;
mod catalog;
mod differences;
mod judges;
mod secondaries;
