//! Alert rules, and what was sent by them.

pub(crate) mod deliveries;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod test;
