//! Examinations of primaries.

pub(crate) mod examine;
