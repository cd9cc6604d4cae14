//! What is said about a zone in good time: what is doubtful about its contents, that its signatures run out, that it
//! expires, that a version of it is still held back.
//!
//! Invariant: each thing is said when it comes about, and again only when it has become worse or a while has passed: never
//! with every check.

use std::time::Duration;

use xfr::{Moment, Policy, Timers};
use zone::inspect::{Horizon, Inspection};
use zone::zonemd::Verdict;

use crate::events;
use crate::followed::{Condition, Followed};
use crate::holds::Hold;
use crate::node::Node;
use crate::refresh::ADVANCED_HERE_OCTETS_MAX;

/// Shares of the time until expiry, in percent, at which it is said that no more is left.
const WARNED_LEFT_PERCENT: [u8; 3] = [50, 25, 10];
/// That a version is held back is said so often, as parts of the time that it is held back for.
const HOLD_SAID_PARTS: u32 = 4;

/// What has been said already.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// What was doubtful about the newest version, by codes.
    doubts: Box<[&'static str]>,
    /// The share of the time to expiry, in percent, that was left.
    left_percent: Option<u8>,
    lapse: Lapse,
    /// When it was last said that a version is held back.
    hold_at: Option<Moment>,
    signatures: Signatures,
}

/// How long the signatures of the held version hold.
#[derive(Debug, Default)]
pub(crate) enum Signatures {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// There are none.
    None,
    Until(Box<Horizon>),
}

/// How near the end of the signatures is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Lapse {
    #[default]
    Far,
    Soon,
    Over,
}

impl From<Option<Horizon>> for Signatures {
    fn from(horizon: Option<Horizon>) -> Self {
        horizon.map_or(Self::None, |horizon| Self::Until(Box::new(horizon)))
    }
}

impl Signatures {
    fn until(&self) -> Option<&Horizon> {
        match self {
            Self::Until(horizon) => Some(horizon),
            Self::Unknown | Self::None => None,
        }
    }
}

impl Said {
    /// From now on other contents are held.
    pub(crate) fn set_signatures(&mut self, signatures: Signatures) {
        self.signatures = signatures;
    }

    /// When the first of the signatures ends that the held version needs; none where there are none, or nobody has looked.
    pub(crate) fn signed_until(&self) -> Option<Moment> {
        self.signatures.until().map(|horizon| secs(horizon.at_secs))
    }

    /// The least share of the time until expiry that is warned of and has been reached, if it has not been said yet.
    pub(crate) fn expiry(&mut self, timers: &Timers, now: Moment) -> Option<u8> {
        let reached =
            WARNED_LEFT_PERCENT.into_iter().filter(|percent| left(timers, *percent).is_some_and(|at| at <= now));
        let least = reached.min().filter(|_| !timers.is_expired(now));
        let before = std::mem::replace(&mut self.left_percent, least);
        least.filter(|least| before.is_none_or(|before| *least < before))
    }

    /// Whether it has been said that the zone expires unless somebody confirms it.
    pub(crate) fn expires_soon(&self) -> bool {
        self.left_percent.is_some()
    }

    fn lapse(&mut self, now: Moment) -> Option<Lapse> {
        let lapse = match self.signatures.until() {
            Some(horizon) if secs(horizon.at_secs) <= now => Lapse::Over,
            Some(horizon) if secs(horizon.warned_from_secs()) <= now => Lapse::Soon,
            _ => Lapse::Far,
        };
        let before = std::mem::replace(&mut self.lapse, lapse);
        Some(lapse).filter(|lapse| *lapse > before)
    }

    fn hold(&mut self, hold: &Hold, policy: &Policy, now: Moment) -> bool {
        if !matches!(hold, Hold::Held(_)) {
            self.hold_at = None;
            return false;
        }
        let is_due = self.hold_at.is_none_or(|at| at.plus(hold_said_every(policy)) <= now);
        if is_due {
            self.hold_at = Some(now);
        }
        is_due
    }
}

/// The moments at which something is to be said, some of which may have passed.
pub(crate) fn moments(condition: &Condition, policy: &Policy) -> impl Iterator<Item = Moment> {
    let said = &condition.said;
    let expiry = WARNED_LEFT_PERCENT.map(|percent| left(&condition.timers, percent)).into_iter().flatten();
    let lapse = said.signatures.until().map(|horizon| [horizon.warned_from_secs(), horizon.at_secs].map(secs));
    let hold = said.hold_at.map(|at| at.plus(hold_said_every(policy)));
    expiry.chain(lapse.into_iter().flatten()).chain(hold)
}

/// Says what is to be said by now.
pub(crate) fn say_what_is_due(zone: &Followed, now: Moment) {
    let instructions = zone.instructions();
    let policy = &instructions.policy;
    let mut condition = zone.condition();
    let Condition { said, timers, hold, .. } = &mut *condition;
    let hold = &*hold;
    if let Some(left) = said.expiry(timers, now) {
        let expires_in = timers.expires_at().unwrap_or_default().since(now);
        tracing::warn!(
            zone = %zone.name,
            left_percent = left,
            expires_in_secs = expires_in.as_secs(),
            "no primary has confirmed the zone for long: it expires unless one does"
        );
    }
    let lapse = said.lapse(now);
    if let (Some(lapse), Some(Horizon { at_secs, owner, rtype, .. })) = (lapse, said.signatures.until()) {
        if lapse == Lapse::Over {
            tracing::error!(zone = %zone.name, "the signatures over {owner} {rtype} have run out, and nobody has signed the zone anew: validating resolvers take none of its answers that need them");
        } else {
            let left_secs = secs(*at_secs).since(now).as_secs();
            tracing::warn!(zone = %zone.name, left_secs, "the signatures over {owner} {rtype} run out unless the zone's signer renews them, which it should have done by now");
        }
    }
    if said.hold(hold, policy, now)
        && let Hold::Held(held) = hold
    {
        let ends_in_secs = hold.ends_at(policy).map(|ends_at| ends_at.since(now).as_secs());
        tracing::error!(
            zone = %zone.name,
            serial = held.serial.0,
            lost_percent = held.lost_percent,
            ends_in_secs,
            "a new version has lost so many of the zone's records that it is held back; publish it with `secondo zone publish \
             {name}`, or keep the old one with `secondo zone keep {name}`",
            name = zone.name,
        );
    }
}

/// Tells the zone's tenant when it has nearly as many records as the plan allows, or more.
pub(crate) fn tell_of_records(node: &Node, zone: &Followed, records: u64, limit: u64) {
    events::tell_if_near(node, zone.tenant, Some(limit), records, "records", &zone.name.to_string());
}

/// Says what is doubtful about new contents, when other things are than before: a zone that changes every minute says it
/// once.
pub(crate) fn say_doubts(zone: &Followed, inspection: &Inspection) {
    let mut codes: Vec<&'static str> = inspection.warnings.counts().map(|(code, _)| code).collect();
    if !matches!(inspection.zonemd, Verdict::Absent | Verdict::Verified { .. }) {
        codes.push("zonemd");
    }
    let before = std::mem::replace(&mut zone.condition().said.doubts, codes.clone().into());
    if *before == *codes || codes.is_empty() {
        return;
    }
    let first = inspection.warnings.named().first().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(zone = %zone.name, zonemd = inspection.zonemd.code(), ?codes, "the zone has faults that validating resolvers mind: {first}");
}

/// Finds out how long the signatures hold of a version that nobody has looked at since it was read from disk.
pub(crate) async fn look_at_signatures(node: &Node, zone: &Followed) {
    let held = {
        let condition = zone.condition();
        let is_unknown = matches!(condition.said.signatures, Signatures::Unknown);
        condition.held.clone().filter(|_| is_unknown)
    };
    let Some(held) = held else { return };
    let (image, now_secs) = (held.image.clone(), node.clock.now().0 / 1000);
    let is_small = image.as_bytes().len() as u64 <= ADVANCED_HERE_OCTETS_MAX;
    let work = move || zone::inspect::horizon(&image, now_secs);
    // Thousands of small zones are looked at after a start: handing each to another thread takes longer.
    let looked = if is_small { Ok(work()) } else { node.long_work.begin(work).await };
    let Ok(horizon) = looked else { return };
    let mut condition = zone.condition();
    if condition.held.as_ref().is_some_and(|now| now.generation == held.generation) {
        condition.said.signatures = horizon.into();
    }
}

/// When so much of the time until expiry, in percent, is left.
fn left(timers: &Timers, percent: u8) -> Option<Moment> {
    let (confirmed_at, expires_at) = (timers.confirmed_at()?, timers.expires_at()?);
    let left = expires_at.since(confirmed_at) * u32::from(percent) / 100;
    Some(Moment(expires_at.0.saturating_sub(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))))
}

fn hold_said_every(policy: &Policy) -> Duration {
    Duration::from_secs(u64::from((policy.hold_secs / HOLD_SAID_PARTS).max(1)))
}

fn secs(secs: u64) -> Moment {
    Moment(secs.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use dns::{Serial, Type};
    use xfr::{Moment, Policy};
    use zone::inspect::Horizon;

    use super::{Lapse, Said, secs};
    use crate::holds::{HeldBack, Hold};

    #[test]
    fn the_end_of_the_signatures_is_said_a_tenth_of_their_time_before_and_when_it_has_come() {
        let horizon = |at_secs, validity_secs| {
            Some(Horizon { at_secs, owner: "example.".parse().unwrap(), rtype: Type::SOA, validity_secs })
        };
        let mut said = Said::default();
        let mut lapse_at = |at_secs, horizon: Option<Horizon>| {
            if horizon.is_some() {
                said.set_signatures(horizon.into());
            }
            said.lapse(secs(at_secs))
        };
        assert_eq!(lapse_at(0, None), None);
        assert_eq!(lapse_at(10_899, horizon(11_000, 1000)), None);
        assert_eq!(lapse_at(10_900, None), Some(Lapse::Soon));
        assert_eq!(lapse_at(10_901, None), None, "it has been said");
        assert_eq!(lapse_at(11_000, None), Some(Lapse::Over));
        assert_eq!(lapse_at(11_001, None), None);
        // Signed anew, for a month.
        let month = 30 * 24 * 3600;
        assert_eq!(lapse_at(11_002, horizon(20_000 + month, month)), None);
        assert_eq!(lapse_at(20_000 + month - 86_401, None), None);
        assert_eq!(lapse_at(20_000 + month - 86_400, None), Some(Lapse::Soon), "a day at the most");
    }

    #[test]
    fn that_a_version_is_held_back_is_said_at_once_and_again_until_it_is_not() {
        let policy = Policy::default();
        let (serial, since) = (Serial(2), Moment(0));
        let held = Hold::Held(Box::new(HeldBack { serial, lost_percent: 95, since, version: None, came_from: None }));
        let mut said = Said::default();
        let hours: Vec<u64> = (0..=48).filter(|hour| said.hold(&held, &policy, Moment(hour * 3_600_000))).collect();
        assert_eq!(hours, [0, 6, 12, 18, 24, 30, 36, 42, 48]);
        assert!(!said.hold(&Hold::None, &policy, Moment(49 * 3_600_000)));
        assert!(said.hold(&held, &policy, Moment(49 * 3_600_001)), "another one");
    }
}
