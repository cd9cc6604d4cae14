//! Plans: what organisations may have.

pub(crate) mod all;
pub(crate) mod assign;
pub(crate) mod own;
pub(crate) mod show;
