//! What people type, read once: zone names, primaries, settings, lists to import; and tables for their spreadsheets.
//!
//! The HTTP API, the configuration and the command line all read them here, so that the same text means the same
//! everywhere and a mistake gets the same sentence. Pure: no names are looked up.

mod account;
mod algorithm;
mod catalog;
mod csv;
mod import;
mod link;
mod lists;
mod name;
mod place;
mod primary;
mod setting;
mod tag;

pub use account::{email, new_token, organisation_name, plan_name, token_name};
pub use algorithm::key_algorithm;
pub use catalog::{GUARD_OFF, catalog_change, guard_delay, guard_delay_text, member_template};
pub use csv::csv_row;
pub use import::{ImportLine, import_line};
pub use lists::{ListFormat, ListLine, Otherwise, likely_format, read_list};
pub use name::{Typed, key_name, known_zone_name, typed_zone_name, unicode_name, zone_name};
pub use place::{place, place_text};
pub use primary::{DNS_OVER_TLS_PORT, DNS_PORT, address, own_address, primary, primary_of, zone_at_primary};
pub use setting::{setting, setting_of};
pub use tag::{listed_tags, tag, tags};
