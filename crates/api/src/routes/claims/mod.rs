//! Claims on names that are not proven: for whoever runs the service.

pub(crate) mod approve;
pub(crate) mod disprove;
pub(crate) mod list;
