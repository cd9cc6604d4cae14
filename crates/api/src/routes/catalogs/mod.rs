//! Catalogs (RFC 9432).

pub(crate) mod accept;
pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod remove;
pub(crate) mod show;
