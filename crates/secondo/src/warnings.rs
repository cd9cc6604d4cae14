//! What is said about a zone in good time, in the log and to its owner: what is doubtful about its contents, that its signatures
//! run out, that it expires, that a version of it is still held back.
//!
//! Invariant: each thing is said when it comes about, and again only when it has become worse or a while has passed: never
//! with every check.

use std::net::SocketAddr;
use std::time::Duration;

use api::json::Time;
use dns::Serial;
use inventory::{EventKind, Severity};
use xfr::{Moment, Policy, Reason, Timers};
use zone::inspect::{Horizon, Inspection};
use zone::zonemd::Verdict;

use crate::attempt::Attempt;
use crate::events::{self, Event};
use crate::followed::{Condition, Followed};
use crate::holds::Hold;
use crate::node::Node;
use crate::refresh::{ADVANCED_HERE_OCTETS_MAX, Refreshed};

/// Shares of the time until expiry, in percent, at which it is said that no more is left.
const WARNED_LEFT_PERCENT: [u8; 4] = [75, 50, 25, 10];

/// A check has ended so long after its time, well or not.
const CHECKED_WITHIN: Duration = Duration::from_secs(60);

/// That a version is held back is said so often, as parts of the time that it is held back for.
const HOLD_SAID_PARTS: u32 = 4;

/// Nobody has confirmed a zone for so many of its refresh intervals: it is stale enough to tell of.
const STALE_AFTER_REFRESHES: u32 = 2;
/// At so many checks in a row the primaries disagree before that is told.
const DISAGREEMENTS: u8 = 3;
const DAY_SECS: u64 = 24 * 3600;

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
    /// Whether the owner has been told of something that is to be told to be over.
    pub(crate) is_troubled: bool,
    /// Whether one of these things is that the zone is stale.
    is_stale: bool,
    /// At so many checks in a row the primaries have shown different serials.
    disagreements: u8,
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
        // Of a zone that is checked seldom much of that time passes between two checks, and nothing is amiss.
        if timers.failures() == 0 && now < timers.next_check().plus(CHECKED_WITHIN) {
            self.left_percent = None;
            return None;
        }
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
pub(crate) fn say_what_is_due(node: &Node, zone: &Followed, now: Moment) {
    let instructions = zone.instructions();
    let policy = &instructions.policy;
    let mut condition = zone.condition();
    let Condition { said, timers, hold, .. } = &mut *condition;
    let hold = &*hold;
    if let Some(left) = said.expiry(timers, now) {
        let expires_in = timers.expires_at().unwrap_or_default().since(now);
        said.is_troubled = true;
        events::tell_of(node, zone, expiring(zone, left, expires_in));
        tracing::warn!(
            zone = %zone.name,
            left_percent = left,
            expires_in_secs = expires_in.as_secs(),
            "no primary has confirmed the zone for long: it expires unless one does"
        );
    }
    let lapse = said.lapse(now);
    if let (Some(lapse), Some(Horizon { at_secs, owner, rtype, .. })) = (lapse, said.signatures.until()) {
        let until = Time::from_unix_ms(secs(*at_secs).0);
        if lapse == Lapse::Over {
            let message = format!(
                "the signatures over {owner} {rtype} of the zone {} ran out at {until}: validating resolvers take none of its \
                 answers that need them; see that the zone's signer runs",
                zone.name
            );
            let event = Event::of_zone(zone, EventKind::SignaturesEnd, Severity::Error, message);
            events::tell_of(node, zone, event.at_stage("over"));
            tracing::error!(zone = %zone.name, "the signatures over {owner} {rtype} have run out, and nobody has signed the zone anew: validating resolvers take none of its answers that need them");
        } else {
            let left_secs = secs(*at_secs).since(now).as_secs();
            let message = format!(
                "the signatures over {owner} {rtype} of the zone {} run out at {until} unless its signer renews them, which \
                 it should have done by now",
                zone.name
            );
            let event = Event::of_zone(zone, EventKind::SignaturesEnd, Severity::Warning, message);
            events::tell_of(node, zone, event.at_stage("soon"));
            tracing::warn!(zone = %zone.name, left_secs, "the signatures over {owner} {rtype} run out unless the zone's signer renews them, which it should have done by now");
        }
    }
    if said.hold(hold, policy, now)
        && let Hold::Held(held) = hold
    {
        let ends_in_secs = hold.ends_at(policy).map(|ends_at| ends_at.since(now).as_secs());
        let message = format!(
            "version {} of the zone {} has lost {} % of its records, and is held back: publish it, or keep the one before, \
             on the zone's page",
            held.serial.0, zone.name, held.lost_percent
        );
        said.is_troubled = true;
        events::tell_of(node, zone, Event::of_zone(zone, EventKind::VersionHeld, Severity::Error, message));
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

/// That so much of the time until expiry is left.
fn expiring(zone: &Followed, left_percent: u8, expires_in: Duration) -> Event {
    let message = format!(
        "no primary has confirmed the zone {} for long: it expires in {} unless one does",
        zone.name,
        rough(expires_in)
    );
    let severity = if left_percent > 10 { Severity::Warning } else { Severity::Error };
    Event::of_zone(zone, EventKind::Expiring, severity, message).at_stage(left_percent.to_string())
}

/// Says what is doubtful about new contents, when other things are than before: a zone that changes every minute says it
/// once.
pub(crate) fn say_doubts(node: &Node, zone: &Followed, inspection: &Inspection) {
    let mut codes: Vec<&'static str> = inspection.warnings.counts().map(|(code, _)| code).collect();
    let is_other = !matches!(inspection.zonemd, Verdict::Absent | Verdict::Verified { .. });
    if is_other {
        codes.push("zonemd");
    }
    let before = std::mem::replace(&mut zone.condition().said.doubts, codes.clone().into());
    if *before == *codes || codes.is_empty() {
        return;
    }
    let first = inspection.warnings.named().first().map(ToString::to_string).unwrap_or_default();
    let zonemd = if is_other { format!(" (its ZONEMD record: {})", inspection.zonemd.code()) } else { String::new() };
    let message = format!(
        "the zone {} has faults that validating resolvers mind{zonemd}: {}; the zone's page has all of them",
        zone.name,
        if first.is_empty() { codes.join(", ") } else { first.clone() }
    );
    events::tell_of(node, zone, Event::of_zone(zone, EventKind::ContentsDoubtful, Severity::Warning, message));
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

/// Tells the owner what follows from an attempt that has just ended.
pub(crate) fn tell_of_attempt(node: &Node, zone: &Followed, attempt: &Attempt) {
    match &attempt.result {
        Ok(Refreshed::Published | Refreshed::Unchanged) => tell_if_well(node, zone),
        Ok(Refreshed::Held(_)) | Err(Reason::Overtaken | Reason::ZoneRemoved) => {}
        Err(reason) => tell_of_failure(node, zone, attempt, reason),
    }
}

fn tell_if_well(node: &Node, zone: &Followed) {
    let was_troubled = {
        let mut condition = zone.condition();
        let is_held_back = matches!(condition.hold, Hold::Held(_) | Hold::OverLimit { .. });
        let do_agree = condition.said.disagreements < DISAGREEMENTS;
        let is_well = !is_held_back && do_agree && condition.held.is_some();
        condition.said.is_stale = false;
        is_well && std::mem::take(&mut condition.said.is_troubled)
    };
    if was_troubled {
        let message = format!("the zone {} is as its primaries have it, and confirmed by them", zone.name);
        events::tell_of(node, zone, Event::of_zone(zone, EventKind::Recovered, Severity::Info, message));
    }
}

fn tell_of_failure(node: &Node, zone: &Followed, attempt: &Attempt, reason: &Reason) {
    let now = node.clock.now();
    let (failures, became_stale) = {
        let mut condition = zone.condition();
        let confirmed_at =
            condition.timers.confirmed_at().filter(|_| condition.held.is_some() && !condition.timers.is_expired(now));
        let unconfirmed = confirmed_at.map(|at| now.since(at));
        let stale = unconfirmed.filter(|since| *since >= condition.timers.refresh() * STALE_AFTER_REFRESHES);
        let was_stale = std::mem::replace(&mut condition.said.is_stale, stale.is_some());
        (condition.timers.failures(), stale.filter(|_| !was_stale))
    };
    let mut told = Vec::new();
    // And again after twice as many, and so on, so that a zone that fails for weeks is told of now and then.
    let failing_after = node.alerts.settings.failing_after;
    if failures.is_multiple_of(failing_after) && (failures / failing_after).is_power_of_two() {
        let from = attempt.primary.map(|primary| format!(" from {primary}")).unwrap_or_default();
        let message = format!(
            "the zone {} could not be copied{from} for the {} time in a row: {reason}; {}",
            zone.name,
            ordinal(failures),
            reason.advice(&zone.name)
        );
        told.push(Event::of_zone(zone, EventKind::TransferFailing, Severity::Warning, message));
    }
    if let Reason::SerialWentBack { ours, theirs } = reason
        && failures.is_power_of_two()
    {
        let message = format!(
            "the primary of the zone {} shows the serial {}, which is older than {}: nothing older is taken, unless the zone's \
             settings say so",
            zone.name, theirs.0, ours.0
        );
        told.push(Event::of_zone(zone, EventKind::SerialWentBack, Severity::Warning, message));
    }
    if let Some(unconfirmed) = became_stale {
        let message = format!(
            "no primary has confirmed the zone {} for {}: it may have changed there, and is answered as it was",
            zone.name,
            rough(unconfirmed)
        );
        told.push(Event::of_zone(zone, EventKind::Stale, Severity::Warning, message));
    }
    zone.condition().said.is_troubled |= !told.is_empty();
    told.into_iter().for_each(|event| events::tell_of(node, zone, event));
}

/// Tells the owner when the primaries show different serials check after check: while a change makes its way to all of them
/// they do so once or twice.
pub(crate) fn tell_of_disagreement(node: &Node, zone: &Followed, shown: &[(SocketAddr, Serial)]) {
    let disagree = shown.windows(2).any(|pair| pair[0].1 != pair[1].1);
    let is_lasting = {
        let mut condition = zone.condition();
        let said = &mut condition.said;
        said.disagreements = if disagree { said.disagreements.saturating_add(1) } else { 0 };
        said.is_troubled |= said.disagreements == DISAGREEMENTS;
        said.disagreements == DISAGREEMENTS
    };
    if is_lasting {
        let shown: Vec<String> = shown.iter().map(|(primary, serial)| format!("{primary} has {serial}")).collect();
        let message = format!(
            "the primaries of the zone {} have shown different serials at {DISAGREEMENTS} checks in a row: {}; the newest is \
             served",
            zone.name,
            shown.join(", ")
        );
        events::tell_of(node, zone, Event::of_zone(zone, EventKind::PrimariesDisagree, Severity::Warning, message));
    }
}

/// Tells the owner that the zone is not answered any more.
pub(crate) fn tell_that_expired(node: &Node, zone: &Followed) {
    let message = format!(
        "the zone {} has expired: no primary has confirmed it for as long as its SOA, or what is set for it, allows; it is \
         answered with SERVFAIL until one does",
        zone.name
    );
    zone.condition().said.is_troubled = true;
    events::tell_of(node, zone, Event::of_zone(zone, EventKind::Expired, Severity::Error, message));
}

/// When so much of the time until expiry, in percent, is left.
fn left(timers: &Timers, percent: u8) -> Option<Moment> {
    let (confirmed_at, expires_at) = (timers.confirmed_at()?, timers.expires_at()?);
    let left = expires_at.since(confirmed_at) * u32::from(percent) / 100;
    Some(Moment(expires_at.0.saturating_sub(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))))
}

/// In the largest unit of which there are two.
fn rough(time: Duration) -> String {
    let secs = time.as_secs();
    let units = [(DAY_SECS, "days"), (3600, "hours"), (60, "minutes")];
    let found = units.into_iter().find(|(unit, _)| secs >= 2 * unit);
    found.map_or_else(|| format!("{secs} seconds"), |(unit, name)| format!("{} {name}", secs / unit))
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
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
