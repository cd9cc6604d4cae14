//! Zones: the list, creating one, and the pages of one.

pub(crate) mod delegation;
pub(crate) mod diff;
pub(crate) mod export;
mod form;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod new;
pub(crate) mod order;
pub(crate) mod records;
pub(crate) mod remove;
pub(crate) mod settings;
pub(crate) mod show;
mod steps;

use crate::doors::Membership;
use crate::path::segment_of;

/// The path of a zone's page.
fn path(tenant: &Membership, zone: &dns::Name) -> String {
    format!("{}/zones/{}", super::page::base(tenant), segment_of(zone))
}
