//! xfr
