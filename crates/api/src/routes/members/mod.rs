//! Who belongs to the caller's organisation.

pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod show;
