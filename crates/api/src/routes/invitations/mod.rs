//! Who is to belong to the caller's organisation.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod withdraw;
