//! Zones on their way out: whoever copies from us.

mod access;
mod differences;
