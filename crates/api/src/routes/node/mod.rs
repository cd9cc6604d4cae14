//! The running program itself.

pub(crate) mod health;
pub(crate) mod notifies;
pub(crate) mod openapi;
pub(crate) mod status;
