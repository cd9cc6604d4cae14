//! Whether the next version of a zone is published, held back, or refused; and what is known of one that is held back.
//!
//! ```text
//!            lost too much                    owner: publish, or its time is up
//!   none ───────────────────► held ────────────────────────────────────────────► none
//!    ▲ │                       │ owner: keep            a newer version
//!    │ │ owner: freeze         └──────────────► kept ─────────────────► judged anew
//!    │ └────────► frozen
//!    └──── thaw ────┘
//! ```
//!
//! The decision is pure. A version that is held back does no harm and costs no confirmation: the primary is there, and it
//! is we who do not publish what it has.

use std::net::SocketAddr;
use std::time::Duration;

use dns::Serial;
use xfr::policy::ZonemdPolicy;
use xfr::{Moment, Policy, Reason};
use zone::zonemd::Verdict;
use zone::{Advanced, Image};

/// Zones with fewer records may lose as many as they like: a few records are a large share of so few.
const GUARDED_RECORDS_MIN: u64 = 100;
/// A version that has lost so much, in percent, never comes about by itself.
const WAITS_FOR_THE_OWNER_PERCENT: u8 = 90;

/// What is to be done with the next version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The source holds what we hold.
    Unchanged,
    Publish,
    /// It has lost so much of the records, in percent.
    Hold {
        lost_percent: u8,
    },
    /// It has more records than the plan allows, and than the one before.
    OverLimit {
        records: u64,
        limit: u64,
    },
}

/// Why the next version is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Something newer, if it is sane.
    Newer,
    /// The same, and the owner, or time, has said that it may have lost records.
    Released(Released),
    /// Something newer or older, if it is sane: all primaries have gone back, and that is accepted. One that shows an older
    /// version may give a newer one all the same.
    NewerOrOlder,
    /// Whatever it is: the owner has asked for the whole zone, or ours has expired.
    Anything,
}

/// A version that was held back and is to be published; and what may be in its place, since it may have to be fetched
/// again, and the primary may have something newer by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Released {
    serial: Serial,
    /// So much, in percent, may another version have lost.
    lost_percent_max: u8,
    /// The owner had kept it back, and has thought better of it.
    was_kept: bool,
}

impl Released {
    /// Whether it means the version that is held back now, or allows for it.
    pub(crate) fn is_about(self, held: &HeldBack) -> bool {
        self.allows(held.serial, held.lost_percent)
    }

    /// Whether the owner has said since that what is served is to be kept.
    pub(crate) fn is_overtaken(self, hold: &Hold) -> bool {
        matches!(hold, Hold::Kept { .. }) && !self.was_kept
    }

    fn allows(self, serial: Serial, lost_percent: u8) -> bool {
        serial == self.serial || lost_percent <= self.lost_percent_max
    }
}

/// Decides about `next`, where `held` is the newest version that was published.
///
/// # Errors
/// When it is neither to be published nor to be held back.
pub(crate) fn decide(
    held: Option<&Image>,
    next: &Image,
    verdict: Verdict,
    policy: &Policy,
    records_max: Option<u64>,
    want: Want,
) -> Result<Decision, Reason> {
    if held.is_some_and(|held| held.digest() == next.digest()) {
        return Ok(Decision::Unchanged);
    }
    // Before anybody's word about the version: a plan is not the zone's owner's to set.
    let records = next.record_count();
    if let Some(limit) = records_max.filter(|limit| records > *limit) {
        match held {
            None => return Err(Reason::OverLimit { serial: next.serial(), records, limit }),
            // One that was too large already may become smaller.
            Some(held) if records > held.record_count() => return Ok(Decision::OverLimit { records, limit }),
            Some(_) => {}
        }
    }
    let contradicts =
        matches!(verdict, Verdict::Mismatch { .. } | Verdict::SerialMismatch { .. } | Verdict::Duplicate { .. });
    if contradicts && policy.zonemd == ZonemdPolicy::Refuse {
        return Err(Reason::ZonemdFailed { detail: verdict.to_string() });
    }
    let Some(held) = held else { return Ok(Decision::Publish) };
    if want == Want::Anything {
        return Ok(Decision::Publish);
    }
    let (ours, theirs) = (held.serial(), next.serial());
    if ours == theirs {
        return Err(Reason::SerialNotRaised { serial: ours });
    }
    if !theirs.is_newer_than(ours) {
        return match want {
            Want::NewerOrOlder => Ok(Decision::Publish),
            _ => Err(Reason::of_older_serial(ours, theirs)),
        };
    }
    let lost_percent = lost_percent(held.record_count(), next.record_count());
    let is_guarded = held.record_count() >= GUARDED_RECORDS_MIN && lost_percent > policy.shrink_limit.0;
    let is_released = matches!(want, Want::Released(released) if released.allows(theirs, lost_percent));
    if is_guarded && !is_released {
        return Ok(Decision::Hold { lost_percent });
    }
    Ok(Decision::Publish)
}

/// The share of its records that a zone has lost, in percent, rounded up unless some are left.
fn lost_percent(before: u64, after: u64) -> u8 {
    let lost = before.saturating_sub(after);
    let most = if after > 0 { 99 } else { 100 };
    u8::try_from((lost * 100).div_ceil(before.max(1))).map_or(most, |percent| percent.min(most))
}

/// Whether a newer version is kept from being published.
#[derive(Clone, Debug, Default)]
pub(crate) enum Hold {
    #[default]
    None,
    Held(Box<HeldBack>),
    /// The owner keeps what is served until there is a version after this one.
    Kept {
        serial: Serial,
    },
    /// The newest version has more records than the plan allows.
    OverLimit {
        serial: Serial,
        records: u64,
        limit: u64,
    },
    /// Nothing is published until the zone is thawed.
    Frozen,
}

/// A version that has lost too much.
#[derive(Clone, Debug)]
pub(crate) struct HeldBack {
    pub(crate) serial: Serial,
    pub(crate) lost_percent: u8,
    /// Since when any version has been held back in a row.
    pub(crate) since: Moment,
    /// None after a start: it is fetched again when it is to be published.
    pub(crate) version: Option<Box<Advanced>>,
    /// The primary that it came from.
    pub(crate) came_from: Option<SocketAddr>,
}

impl Hold {
    /// When it ends by itself.
    pub(crate) fn ends_at(&self, policy: &Policy) -> Option<Moment> {
        match self {
            Self::Held(held) if held.lost_percent < WAITS_FOR_THE_OWNER_PERCENT => {
                Some(held.since.plus(Duration::from_secs(u64::from(policy.hold_secs))))
            }
            _ => None,
        }
    }

    /// What the owner means by saying that it is to be published: the version that they were shown, or one that has lost
    /// no more.
    pub(crate) fn released_by_owner(&self) -> Option<Released> {
        match self {
            Self::Held(held) => {
                Some(Released { serial: held.serial, lost_percent_max: held.lost_percent, was_kept: false })
            }
            Self::Kept { serial } => Some(Released { serial: *serial, lost_percent_max: 0, was_kept: true }),
            Self::None | Self::OverLimit { .. } | Self::Frozen => None,
        }
    }

    /// What comes about by itself: the newest version, unless that has to wait for the owner.
    pub(crate) fn released_by_time(&self) -> Option<Released> {
        let Self::Held(held) = self else { return None };
        let lost_percent_max = WAITS_FOR_THE_OWNER_PERCENT - 1;
        Some(Released { serial: held.serial, lost_percent_max, was_kept: false })
    }

    /// Why a version with this serial, which is newer than ours, is not even fetched; none if it is.
    pub(crate) fn keeps_back(&self, serial: Serial) -> Option<Reason> {
        match self {
            Self::Frozen => Some(Reason::ZoneFrozen { serial }),
            Self::Held(held) if held.serial == serial => {
                Some(Reason::VersionHeld { serial, lost_percent: held.lost_percent })
            }
            Self::Kept { serial: kept } if *kept == serial => Some(Reason::VersionKept { serial }),
            Self::OverLimit { serial: over, records, limit } if *over == serial => {
                Some(Reason::OverLimit { serial, records: *records, limit: *limit })
            }
            _ => None,
        }
    }

    /// Whether a version is held back that came from this primary.
    pub(crate) fn came_from(&self, primary: Option<SocketAddr>) -> bool {
        matches!(self, Self::Held(held) if held.came_from.is_some() && held.came_from == primary)
    }

    /// Ends when the plan allows for another number of records.
    pub(crate) fn ends_with_another_limit(&mut self) -> bool {
        let is_over = matches!(self, Self::OverLimit { .. });
        if is_over {
            *self = Self::None;
        }
        is_over
    }

    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self, Self::Frozen)
    }
}

#[cfg(test)]
mod tests {
    use dns::text::zone_from_text;
    use xfr::{Moment, Policy, Setting};
    use zone::zonemd::{Algorithm, Scheme, Verdict};
    use zone::{Advanced, Change, Image, Limits};

    use super::{Decision, HeldBack, Hold, Released, Want, decide};

    fn version(serial: u32, hosts: u32) -> Image {
        let hosts: String = (0..hosts).map(|host| format!("h{host} 60 A 192.0.2.1\n")).collect();
        let text = format!("@ 60 SOA ns host {serial} 60 60 600 60\n@ 60 NS ns\n{hosts}");
        let apex: dns::Name = "example.".parse().unwrap();
        let change = Change::Full(zone_from_text("example.", &text).unwrap());
        let advanced: Advanced = zone::advance(apex.borrow(), None, &change, [1; 16], Limits::default()).unwrap();
        advanced.image
    }

    fn decided(before: (u32, u32), after: (u32, u32), policy: &Policy, want: Want) -> Result<Decision, &'static str> {
        let (before, after) = (version(before.0, before.1), version(after.0, after.1));
        decide(Some(&before), &after, Verdict::Absent, policy, None, want).map_err(|reason| reason.code())
    }

    fn released(serial: u32, lost_percent_max: u8) -> Want {
        Want::Released(Released { serial: dns::Serial(serial), lost_percent_max, was_kept: false })
    }

    fn held_back(lost_percent: u8) -> Hold {
        Hold::Held(Box::new(HeldBack {
            serial: dns::Serial(2),
            lost_percent,
            since: Moment(1000),
            version: None,
            came_from: None,
        }))
    }

    #[test]
    fn a_version_that_lost_too_much_is_held_back() {
        let half = Policy::default();
        let mut strict = Policy::default();
        strict.set(Setting::ShrinkLimit, "10%").unwrap();
        let mut off = Policy::default();
        off.set(Setting::ShrinkLimit, "off").unwrap();
        // Two records more than hosts: SOA and NS.
        for (before, after, policy, expected) in [
            (198, 98, &half, Decision::Publish),
            (198, 97, &half, Decision::Hold { lost_percent: 51 }),
            (198, 0, &half, Decision::Hold { lost_percent: 99 }),
            (98, 0, &half, Decision::Hold { lost_percent: 98 }),
            (97, 0, &half, Decision::Publish),
            (198, 178, &strict, Decision::Publish),
            (198, 177, &strict, Decision::Hold { lost_percent: 11 }),
            (198, 0, &off, Decision::Publish),
            (198, 500, &half, Decision::Publish),
        ] {
            assert_eq!(decided((1, before), (2, after), policy, Want::Newer), Ok(expected), "{before} to {after}");
            for want in [released(2, 0), released(9, 99), Want::Anything] {
                assert_eq!(decided((1, before), (2, after), policy, want), Ok(Decision::Publish));
            }
        }
    }

    #[test]
    fn what_has_come_in_the_place_of_a_released_version_is_judged_anew() {
        let policy = Policy::default();
        let decided = |after, want| decided((1, 198), (3, after), &policy, want);
        assert_eq!(decided(80, released(2, 60)), Ok(Decision::Publish), "it has lost no more than what was shown");
        assert_eq!(decided(70, released(2, 60)), Ok(Decision::Hold { lost_percent: 64 }));
        assert_eq!(decided(100, released(2, 0)), Ok(Decision::Publish), "it is not guarded anyway");
        let mut held = held_back(60);
        assert_eq!(
            held.released_by_owner(),
            Some(Released { serial: dns::Serial(2), lost_percent_max: 60, was_kept: false })
        );
        assert_eq!(
            held.released_by_time(),
            Some(Released { serial: dns::Serial(2), lost_percent_max: 89, was_kept: false })
        );
        held = Hold::Kept { serial: dns::Serial(2) };
        assert_eq!(
            held.released_by_owner(),
            Some(Released { serial: dns::Serial(2), lost_percent_max: 0, was_kept: true })
        );
        assert_eq!((held.released_by_time(), Hold::Frozen.released_by_owner()), (None, None));
    }

    #[test]
    fn more_records_than_the_plan_allows_are_not_published_whoever_wants_them() {
        let decided = |before: Option<u32>, after: u32, want| {
            // Two records more than hosts: SOA and NS.
            let (before, after) = (before.map(|hosts| version(1, hosts)), version(2, after));
            let policy = Policy::default();
            let decided = decide(before.as_ref(), &after, Verdict::Absent, &policy, Some(12), want);
            decided.map_err(|reason| reason.code())
        };
        let over = |records| Ok(Decision::OverLimit { records, limit: 12 });
        for want in [Want::Newer, released(2, 100), Want::Anything] {
            assert_eq!(decided(Some(9), 10, want), Ok(Decision::Publish));
            assert_eq!(decided(Some(9), 11, want), over(13));
            assert_eq!(decided(Some(11), 12, want), over(14));
            assert_eq!(decided(Some(14), 12, want), Ok(Decision::Publish), "it has become smaller");
            assert_eq!(decided(None, 10, want), Ok(Decision::Publish));
            assert_eq!(decided(None, 11, want), Err("over_limit"), "there is no other to serve");
        }
        let mut hold = Hold::OverLimit { serial: dns::Serial(2), records: 13, limit: 12 };
        assert!(hold.keeps_back(dns::Serial(2)).is_some() && hold.keeps_back(dns::Serial(3)).is_none());
        assert!(hold.ends_with_another_limit() && !hold.ends_with_another_limit());
        assert!(hold.keeps_back(dns::Serial(2)).is_none());
    }

    #[test]
    fn serials_go_forward_unless_anything_is_wanted() {
        let policy = Policy::default();
        let decided = |before, after, want| decided(before, after, &policy, want);
        for want in [Want::Newer, released(1, 100)] {
            assert_eq!(decided((2, 3), (1, 3), want), Err("serial_went_back"));
            assert_eq!(decided((2, 3), (2, 4), want), Err("serial_not_raised"));
            assert_eq!(decided((2, 3), (2 + (1 << 31), 3), want), Err("serial_incomparable"));
            assert_eq!(decided((u32::MAX, 3), (0, 3), want), Ok(Decision::Publish), "RFC 1982");
        }
        assert_eq!(decided((2, 3), (1, 3), Want::Anything), Ok(Decision::Publish));
        assert_eq!(decided((2, 3), (2, 3), Want::Anything), Ok(Decision::Unchanged));
    }

    #[test]
    fn contents_that_their_zonemd_is_not_about_are_refused_where_that_is_wanted() {
        let (scheme, algorithm) = (Scheme::Simple, Algorithm::Sha384);
        let (zone, zonemd) = (dns::Serial(1), dns::Serial(2));
        let mut refuse = Policy::default();
        refuse.set(Setting::Zonemd, "refuse").unwrap();
        let next = version(1, 3);
        for (verdict, code) in [
            (Verdict::Absent, None),
            (Verdict::Verified { scheme, algorithm }, None),
            (Verdict::Unsupported { scheme: 9, algorithm: 9 }, None),
            (Verdict::Mismatch { scheme, algorithm }, Some("zonemd_failed")),
            (Verdict::Duplicate { scheme, algorithm }, Some("zonemd_failed")),
            (Verdict::SerialMismatch { zone, zonemd }, Some("zonemd_failed")),
        ] {
            assert_eq!(decide(None, &next, verdict, &Policy::default(), None, Want::Newer), Ok(Decision::Publish));
            let refused = decide(None, &next, verdict, &refuse, None, Want::Anything);
            assert_eq!(refused.err().map(|reason| reason.code()), code, "{verdict:?}");
        }
    }

    #[test]
    fn a_hold_ends_by_itself_unless_nearly_everything_is_gone() {
        let policy = Policy::default();
        let held = held_back;
        assert_eq!(held(89).ends_at(&policy), Some(Moment(1000 + 24 * 3600 * 1000)));
        assert_eq!(held(90).ends_at(&policy), None);
        assert_eq!(Hold::Frozen.ends_at(&policy), None);
        assert_eq!(held(89).keeps_back(dns::Serial(2)).map(|reason| reason.code()), Some("version_held"));
        assert_eq!(held(89).keeps_back(dns::Serial(3)), None, "a newer one is looked at");
        let kept = Hold::Kept { serial: dns::Serial(2) };
        assert!(kept.keeps_back(dns::Serial(2)).is_some() && kept.keeps_back(dns::Serial(3)).is_none());
        assert!(Hold::Frozen.keeps_back(dns::Serial(3)).is_some());
    }
}
