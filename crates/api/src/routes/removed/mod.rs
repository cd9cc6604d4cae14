//! `/removed-zones`.

pub(crate) mod list;
pub(crate) mod restore;
