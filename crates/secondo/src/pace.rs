//! How often a zone is checked because of NOTIFYs that bring nothing.
//!
//! Whoever can forge a primary's address can send NOTIFYs, and each asks that primary something. The first is gone into at
//! once, and so is each that comes after news; after a few checks that brought none the next one waits for a while. Few are
//! none: of a primary that changes all the time, one check brings the version of which the next NOTIFY tells. None is
//! lost: what waits is one check, after the last of them.

use std::time::Duration;

use xfr::Moment;

/// Checks for NOTIFYs that bring nothing are so far apart at the least. A primary that announces a version before it shows
/// it (several servers behind one address) is found out so much later.
const IN_VAIN_APART: Duration = Duration::from_secs(1);

/// So many checks in vain, one after the other, are gone into at once.
const IN_VAIN_AT_ONCE: u8 = 4;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Checks for NOTIFYs since the last one that brought news.
    in_vain: u8,
    /// When the last of them ended.
    in_vain_at: Moment,
    is_waiting: bool,
}

impl Pace {
    /// Whether a NOTIFY is gone into now; if not, it waits.
    pub(crate) fn may_begin(&mut self, now: Moment) -> bool {
        let may_begin = self.next().is_none_or(|next| next <= now);
        self.is_waiting = !may_begin;
        may_begin
    }

    /// When the NOTIFY that waits is gone into.
    pub(crate) fn waits_until(&self) -> Option<Moment> {
        self.next().filter(|_| self.is_waiting)
    }

    /// Whether a NOTIFY has waited for long enough; then it waits no more.
    pub(crate) fn take_due(&mut self, now: Moment) -> bool {
        let is_due = self.waits_until().is_some_and(|until| until <= now);
        self.is_waiting &= !is_due;
        is_due
    }

    /// A check for a NOTIFY has ended.
    pub(crate) fn ended(&mut self, brought_news: bool, now: Moment) {
        self.in_vain = if brought_news { 0 } else { self.in_vain.saturating_add(1) };
        self.in_vain_at = now;
    }

    fn next(&self) -> Option<Moment> {
        (self.in_vain >= IN_VAIN_AT_ONCE).then(|| self.in_vain_at.plus(IN_VAIN_APART))
    }
}

#[cfg(test)]
mod tests {
    use xfr::Moment;

    use super::Pace;

    #[test]
    fn after_some_checks_in_vain_the_next_notify_waits_and_is_not_lost() {
        let mut pace = Pace::default();
        assert!(pace.may_begin(Moment(0)));
        pace.ended(true, Moment(10));
        for moment in 11..15 {
            assert!(pace.may_begin(Moment(moment)), "there was news not long ago");
            pace.ended(false, Moment(20));
        }
        assert!(!pace.may_begin(Moment(21)) && !pace.may_begin(Moment(500)));
        assert_eq!(pace.waits_until(), Some(Moment(1020)));
        assert!(!pace.take_due(Moment(1019)) && pace.take_due(Moment(1020)));
        assert_eq!((pace.waits_until(), pace.take_due(Moment(1021))), (None, false), "one check for all");
        pace.ended(false, Moment(1030));
        assert_eq!(pace.waits_until(), None, "nothing has come since");
        assert!(!pace.may_begin(Moment(1031)), "one at a time");
        assert!(pace.may_begin(Moment(9000)));
        pace.ended(true, Moment(9010));
        pace.ended(false, Moment(9020));
        assert!(pace.may_begin(Moment(9021)), "there was news");
    }
}
