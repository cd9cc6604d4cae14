//! What people type, read once: zone names, primaries, import lines.
//!
//! The HTTP API, the configuration and the command line all read them here, so that the same text means the same
//! everywhere and a mistake gets the same sentence. Pure: no names are looked up.

mod algorithm;
mod import;
mod name;
mod primary;

pub use algorithm::key_algorithm;
pub use import::{ImportLine, import_line};
pub use name::{key_name, known_zone_name, zone_name};
pub use primary::{DNS_PORT, address, primary, zone_at_primary};
