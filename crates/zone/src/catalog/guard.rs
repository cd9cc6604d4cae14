//! Which zones may go at once, and which have to wait.
//!
//! A catalog that loses many zones is more often a producer's accident (an empty database, half an export, a script that
//! went astray) than anybody's wish, and what was removed is not answered any more. So a few zones go at once, as the
//! catalog says; many wait, until the catalog has gone without them for so long that somebody would have noticed, or
//! until the owner says that it is meant.
//!
//! What went lately counts with what is to go now: an accident that comes one zone at a time is the same accident.
//! A reset counts as a removal, because it leaves a zone unanswered until it is copied anew.

use std::time::Duration;

use dns::Serial;

use super::{Action, Entry, Member};

/// When zones do not go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// More than this share of all members is many.
    pub share_percent: u8,
    /// Fewer zones than this are never many, however small the catalog is.
    pub zones_min: u32,
    /// How long a zone that has to wait must have been missing. None at all switches the guard off.
    pub delay: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            // Tidying up rarely ends a fifth of what somebody runs within a day; accidents end half of it, or all.
            share_percent: 20,
            // In a catalog of four zones each is a quarter: one or two at a time are still somebody's own work.
            zones_min: 3,
            // What goes wrong in the evening is seen by the next one.
            delay: Duration::from_secs(24 * 3600),
        }
    }
}

/// Whether the owner has said that what is missing may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    NotGiven,
    /// What this version of the catalog does not list may go; a later one is not what the owner has looked at.
    GivenFor(Serial),
}

/// By what right a zone goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Warrant {
    /// At once, because there are few: it counts among [`Holdings::removed_lately`](super::Holdings::removed_lately).
    Ordinary,
    /// It has been missing for as long as the guard asks.
    Waited,
    /// The owner said so.
    Consented,
}

/// A member that the catalog does not list any more under its label.
pub(super) enum Leaving<'a> {
    Unlisted(&'a Member),
    Relabelled { member: &'a Member, entry: &'a Entry, group: Option<String> },
}

impl Leaving<'_> {
    /// What becomes of it.
    pub(super) fn judge(self, measure: &Measure<'_>) -> Action {
        let (Self::Unlisted(member) | Self::Relabelled { member, .. }) = self;
        let warrant = match measure.warrant(member) {
            Ok(warrant) => warrant,
            Err(remaining) => return Action::Hold { zone: member.zone.clone(), remaining },
        };
        match self {
            Self::Unlisted(member) => Action::Remove { zone: member.zone.clone(), warrant },
            Self::Relabelled { entry, group, .. } => {
                Action::Reset { zone: entry.zone.clone(), label: entry.label.clone(), group, warrant }
            }
        }
    }
}

/// What the guard goes by.
pub(super) struct Measure<'a> {
    pub(super) guard: &'a Guard,
    pub(super) members: usize,
    pub(super) leaving: usize,
    /// How many went at once within the delay.
    pub(super) removed_lately: usize,
    pub(super) listed: usize,
    pub(super) is_consented: bool,
}

impl Measure<'_> {
    /// By what right the member goes now, or how long it still has to wait.
    fn warrant(&self, member: &Member) -> Result<Warrant, Duration> {
        let remaining = self.guard.delay.saturating_sub(member.missing_for.unwrap_or_default());
        if self.is_consented {
            return Ok(Warrant::Consented);
        }
        if remaining.is_zero() {
            return Ok(Warrant::Waited);
        }
        // What has begun to wait waits to its end: that others of the many have gone meanwhile makes it no safer.
        if member.missing_for.is_none() && self.are_few() { Ok(Warrant::Ordinary) } else { Err(remaining) }
    }

    fn are_few(&self) -> bool {
        // An empty catalog is a valid one, and what an empty database makes.
        if self.listed == 0 {
            return false;
        }
        let (gone, all) = (self.leaving + self.removed_lately, self.members + self.removed_lately);
        gone < self.guard.zones_min as usize || gone * 100 <= all * usize::from(self.guard.share_percent)
    }
}
