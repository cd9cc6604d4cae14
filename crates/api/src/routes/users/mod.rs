//! Who may sign in.

pub(crate) mod add;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod remove_second_factor;
