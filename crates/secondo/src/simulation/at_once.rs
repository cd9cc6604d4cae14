//! How many checks are made within one second: what is overdue at many zones is to be spread out.

use super::plan::SECOND_MS;

/// Of all checks, this share may be made within one second, and a few more.
const AT_ONCE_PARTS: usize = 4;
const AT_ONCE_FEW: usize = 10;

/// The checks that were made in the last second that there were any.
#[derive(Default)]
pub(super) struct AtOnce {
    second: u64,
    checks: usize,
}

impl AtOnce {
    /// Another check is made, of so many that could be.
    pub(super) fn check(&mut self, now_ms: u64, of_all: usize) -> Result<(), String> {
        let second = now_ms / SECOND_MS;
        let before = if self.second == second { self.checks } else { 0 };
        *self = Self { second, checks: before + 1 };
        if self.checks > of_all / AT_ONCE_PARTS + AT_ONCE_FEW {
            return Err(format!("{} checks of {of_all} are made within a second", self.checks));
        }
        Ok(())
    }
}
