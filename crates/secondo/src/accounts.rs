//! What it takes to know who somebody is: passwords, codes, secrets, and patience with those who try.

pub(crate) mod first_start;
pub(crate) mod letters;
pub(crate) mod password;
mod patience;
pub(crate) mod second_factor;
pub(crate) mod secret;
pub(crate) mod tries;
