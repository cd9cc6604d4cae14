//! The judge: watches from outside, knows what the owners published and what the primaries showed, and says when a
//! promise is broken.
//!
//! - A served generation never goes back, and none is used for two versions, restarts or not.
//! - What is served was published, whole.
//! - Nothing is served for longer after a primary last showed it than its SOA allows, whatever the wall clock is set to;
//!   and the node's clock never shows less than what is on disk.
//! - No two attempts for a zone overlap, and none asks twice at a time at one primary.
//! - What is there already is not transferred again, but for the differences that are asked for because of a NOTIFY.
//! - No primary is asked more often than 1.2 times in a refresh interval as long as nothing happens, and never again
//!   before the retry time unless somebody says that there is news, or another primary draws a transfer out.
//! - What has lost too many of its records is published at its owner's word or when its time has come, not before.
//! - What the owner has said holds, from when it is answered and over starts (`word`): nothing is published of a frozen
//!   zone, nothing is asked for one that is paused or disabled, nobody is answered for a disabled one.
//! - News of which a primary that is well has told the node is served within a minute (`news`).
//! - What is overdue at many zones is not asked all at once.
//! - A zone whose primary is well is current within its refresh time, or the longest retry time where attempts had
//!   failed before, and one retry more.
//!
//! It works with the node's clock where the node promises by its clock, and with true time otherwise, and where both go
//! on alike: within one life.

use std::collections::BTreeMap;

use answer::Contents;
use dns::{Serial, Type};
use inventory::Service;
use xfr::policy::SerialWentBack;

use super::news::News;
use super::plan::{MINUTE_MS, SECOND_MS};
use super::primary::SimulatedPrimary;
use super::word::Word;
use super::zones::{SimulatedZone, Timing, Version};
use crate::followed::Durability;
use crate::holds::Hold;
use crate::node::Node;

/// How much later than promised something may be: an attempt that is under way takes its time, and so does waiting
/// for a place.
pub(super) const LATE_MAX_MS: u64 = 15 * MINUTE_MS;
/// How much later than a primary showed it a zone may count as confirmed, and how soon a machine that was suspended
/// notices what has expired.
pub(super) const EXPIRED_LATE_MAX_MS: u64 = MINUTE_MS + 15 * SECOND_MS;
/// How long a transfer takes before it is drawn out.
const DRAWN_OUT_MS: u64 = MINUTE_MS;
/// Shown serials that are remembered for a zone.
const SHOWN_MAX: usize = 128;
/// A version that has lost so much, in percent, never comes about by itself.
const WAITS_FOR_THE_OWNER_PERCENT: u64 = 90;
/// Generations that are remembered for a zone: more than can be found on disk after a start.
const PUBLISHED_MAX: usize = 16;

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) at_ms: u64,
    pub(super) zone: Option<usize>,
    pub(super) what: String,
}

/// What the judge knows about one zone.
#[derive(Default)]
pub(super) struct Watch {
    /// The generation that was served last, and the highest one ever.
    generation: Option<u64>,
    highest: u64,
    /// Which version each of the last generations was.
    published: BTreeMap<u64, u64>,
    /// The highest one that was seen to be on disk.
    durable: u64,
    /// The time by the node's clock that is on disk for sure.
    durable_node_ms: u64,
    /// For each serial, when a primary last showed it.
    shown: BTreeMap<u32, ShownAt>,
    /// When the last attempt that was seen began and ended, by the node's clock.
    attempt: Option<(u64, u64)>,
    /// When something last happened because of which it may be asked for early.
    news_ms: u64,
    /// When something last happened because of which attempts may fail.
    trouble_ms: u64,
    polls: BTreeMap<usize, Polls>,
    /// Whether the attempt that goes on has asked for a transfer.
    is_transferring: bool,
    /// What its owner has said.
    pub(super) word: Word,
    /// What the node was told of.
    pub(super) told: News,
    /// When the zone was confirmed without its serial being shown: by a newer version that is kept back, or before the
    /// version that is served took the place of another one without anybody being asked.
    vouched: ShownAt,
    /// When the attempt that goes on was last shown a newer version than is held.
    newer: Option<ShownAt>,
    /// Until when the zone lived as it was found at the last start: what was confirmed last may not have been on disk.
    restored_until_ms: Option<u64>,
    /// When the first of those versions in a row was shown that have lost too much, by the node's clock.
    held_since_ms: Option<u64>,
    /// When its owner last changed what keeps the zone from being current.
    free_since_ms: u64,
}

#[derive(Clone, Copy, Default)]
struct ShownAt {
    node_ms: u64,
    /// When last in an answer that confirms the version for sure: what a transfer brings does not, where its primary had
    /// shown more.
    sure_ms: u64,
    /// True time; none when it was in an earlier life of the node.
    true_ms: Option<u64>,
    /// When what is served expires all the same, by the node's clock: what takes a version's place without anybody being
    /// asked lives no longer than that.
    until_ms: Option<u64>,
}

/// The polls of a zone at one primary.
#[derive(Default)]
struct Polls {
    under_way: u32,
    last_ms: Option<u64>,
    /// The last one that nobody's news brought about.
    last_due_ms: Option<u64>,
    /// The first one since nothing happens any more, and how many came after it.
    first_ms: u64,
    count: u64,
}

/// What is served of a zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The version's number.
    pub(super) version: u64,
    pub(super) generation: u64,
    pub(super) is_new: bool,
    /// Until when, by the node's clock.
    pub(super) expires_ms: u64,
    pub(super) durability: Durability,
}

/// How things stand when the judge looks.
pub(super) struct Now<'a> {
    pub(super) true_ms: u64,
    pub(super) node: &'a Node,
    /// Since when the node runs, or its machine does again.
    pub(super) running_since_ms: u64,
    /// When the machine went on last: after a suspension it notices what is due within a minute.
    pub(super) resumed_ms: u64,
}

impl Watch {
    pub(super) fn news(&mut self, now_ms: u64) {
        self.news_ms = now_ms;
    }

    pub(super) fn trouble(&mut self, now_ms: u64) {
        self.trouble_ms = now_ms;
    }

    /// The owner's word has changed what may be expected of the zone.
    pub(super) fn freed(&mut self, now_ms: u64) {
        self.free_since_ms = now_ms;
        self.has_other_numbers();
    }

    /// What the zone is frozen at is confirmed by what has been shown to the attempt that goes on, as it finds at its end.
    pub(super) fn freezes(&mut self) {
        self.vouched = self.newer.filter(|newer| newer.node_ms > self.vouched.node_ms).unwrap_or(self.vouched);
    }

    /// What was held back is so no longer.
    pub(super) fn holds_anew(&mut self) {
        self.held_since_ms = None;
    }

    /// What counts for the zone's checks is now another, and the next one is still as the numbers of before had it.
    fn has_other_numbers(&mut self) {
        self.polls.values_mut().for_each(|polls| (polls.count, polls.last_due_ms) = (0, None));
    }

    /// The node starts again.
    pub(super) fn restarted(&mut self, zone: &SimulatedZone, now: &Now<'_>) -> Result<(), String> {
        self.polls.clear();
        self.attempt = None;
        self.is_transferring = false;
        self.newer = None;
        self.shown.values_mut().for_each(|shown| shown.true_ms = None);
        self.vouched.true_ms = None;
        self.disturbed();
        self.news(now.true_ms);
        self.trouble(now.true_ms);
        let node_ms = now.node.clock.now().0;
        if node_ms < self.durable_node_ms {
            let behind_ms = self.durable_node_ms - node_ms;
            return Err(format!("the node's clock is {} s behind what is on disk", behind_ms / 1000));
        }
        // In an earlier life the node's clock may have been further than what it left on disk.
        for shown in self.shown.values_mut().chain([&mut self.vouched]) {
            (shown.node_ms, shown.sure_ms) = (shown.node_ms.min(node_ms), shown.sure_ms.min(node_ms));
        }
        let followed = now.node.zone(zone.id);
        let expires_at = followed.as_ref().and_then(|followed| followed.condition().timers.expires_at());
        self.restored_until_ms = expires_at.map(|at| at.0);
        let held = followed.and_then(|followed| followed.condition().held.clone());
        let generation = held.as_ref().map(|held| held.generation.0);
        let before = self.generation.filter(|_| self.generation < generation);
        if let Some(before) = before.and_then(|before| zone.version(self.version_at(before)?)) {
            // What the owner's word put there as the end came is confirmed as this was.
            self.vouched = self.confirmed(before);
        }
        self.generation = generation;
        if generation.unwrap_or_default() < self.durable {
            return Err(format!("generation {} was on disk, and now there is {generation:?}", self.durable));
        }
        let Some(held) = held else { return Ok(()) };
        let Some(version) = zone.version_of(held.image.digest()) else {
            return Err(format!("generation {} is on disk, whose contents nobody published", held.generation.0));
        };
        self.same_version(held.generation.0, version)
    }

    /// A generation that was published is this version's, if it was.
    fn same_version(&self, generation: u64, version: &Version) -> Result<(), String> {
        match self.published.get(&generation) {
            Some(before) if *before != version.number => {
                Err(format!("generation {generation} is used for version {} after {before}", version.number))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may be asked for because of news, which may wait for its turn.
    pub(super) fn has_news(&self, now_ms: u64) -> bool {
        now_ms <= self.news_ms + LATE_MAX_MS || self.word.is_requested()
    }

    /// A primary is asked for the zone's serial over UDP.
    pub(super) fn asked(&mut self, primary: usize, now_ms: u64, held: Option<Timing>) -> Result<(), String> {
        let polls = self.polls.entry(primary).or_default();
        polls.under_way += 1;
        if polls.under_way > 1 {
            return Err(format!("primary {primary} is asked while it is being asked"));
        }
        self.polled(primary, now_ms, held)
    }

    /// A primary is asked for the zone's serial over TCP: again, unless it was not asked over UDP before.
    pub(super) fn asked_over_tcp(&mut self, primary: usize, now_ms: u64, held: Option<Timing>) -> Result<(), String> {
        let last_ms = self.polls.get(&primary).and_then(|polls| polls.last_ms);
        if last_ms.is_some_and(|last_ms| now_ms <= last_ms + LATE_MAX_MS) {
            return Ok(());
        }
        self.polled(primary, now_ms, held)
    }

    fn polled(&mut self, primary: usize, now_ms: u64, held: Option<Timing>) -> Result<(), String> {
        let (has_news, is_transferring) = (self.has_news(now_ms), self.is_transferring);
        let polls = self.polls.entry(primary).or_default();
        // While another's transfer is drawn out.
        if is_transferring && polls.last_ms.is_some_and(|last_ms| now_ms >= last_ms + DRAWN_OUT_MS) {
            polls.last_ms = Some(now_ms);
            return Ok(());
        }
        let Some(last_ms) = polls.last_ms.replace(now_ms) else { return Ok(()) };
        let Some(timing) = held else { return Ok(()) };
        // What is asked because of news, maybe several times, comes between checks and puts none of them off.
        if !has_news
            && let Some(last_ms) = polls.last_due_ms.replace(now_ms)
            && now_ms - last_ms < timing.retry_ms.min(timing.refresh_ms) * 9 / 10
        {
            return Err(format!("primary {primary} is asked again after {} s", (now_ms - last_ms) / 1000));
        }
        if has_news || self.trouble_ms >= last_ms || polls.count == 0 {
            (polls.first_ms, polls.count) = (now_ms, 1);
            return Ok(());
        }
        polls.count += 1;
        let (count, span_ms) = (polls.count - 1, now_ms - polls.first_ms);
        if count * timing.refresh_ms * 10 > span_ms * 12 {
            return Err(format!("primary {primary} is asked {count} times in {} s", span_ms / 1000));
        }
        Ok(())
    }

    pub(super) fn gave_up(&mut self, primary: usize) {
        if let Some(polls) = self.polls.get_mut(&primary) {
            polls.under_way = polls.under_way.saturating_sub(1);
        }
    }

    /// A primary is asked for a transfer of the zone, of this type.
    pub(super) fn transferred(&mut self, now_ms: u64, qtype: Type, is_settled: bool) -> Result<(), String> {
        self.is_transferring = true;
        let is_for_news = qtype == Type::IXFR && self.has_news(now_ms);
        if is_settled && !is_for_news && now_ms > self.trouble_ms + LATE_MAX_MS && !self.word.is_wanted_whole() {
            return Err("what is there already is transferred again".to_owned());
        }
        Ok(())
    }

    /// A primary shows a serial, at this time of the node's clock.
    pub(super) fn shown(
        &mut self,
        serial: Serial,
        (zone, held): (&SimulatedZone, Option<&Version>),
        node_ms: u64,
        true_ms: u64,
    ) {
        let before = self.shown.get(&serial.0).filter(|_| self.is_transferring);
        let sure_ms = before.map_or(node_ms, |before| before.sure_ms);
        let now = ShownAt { node_ms, sure_ms, true_ms: Some(true_ms), until_ms: None };
        if let Some(held) = held.filter(|held| held.serial != serial) {
            let version = zone.version_with(serial);
            let is_held = version.is_some_and(|version| zone.loses(held, version).is_some());
            let is_kept = version.is_some_and(|version| self.word.is_kept(version.number));
            // An expired zone takes whatever there is, unless it is frozen.
            let is_over = node_ms >= self.expires_ms(held);
            let is_kept_back = (is_held || is_kept) && !is_over || self.word.is_frozen() || self.word.is_open();
            if serial.is_newer_than(held.serial) {
                self.newer = Some(now);
                if is_kept_back {
                    self.vouched = now;
                }
            }
            if is_held {
                self.held_since_ms.get_or_insert(node_ms);
            }
            self.word.has_seen(version);
        }
        self.shown.insert(serial.0, now);
        if self.shown.len() > SHOWN_MAX {
            // What is held may have been shown before many that are older, and none of them is taken.
            let held = held.map(|held| held.serial.0);
            let others = self.shown.iter().filter(|(serial, _)| Some(**serial) != held);
            let oldest = others.min_by_key(|(_, at)| at.node_ms).map(|(serial, _)| *serial);
            oldest.inspect(|serial| _ = self.shown.remove(serial));
        }
    }

    /// What is served now; none when nothing is.
    pub(super) fn look(&mut self, zone: &SimulatedZone, now: &Now<'_>) -> Result<Option<Seen>, String> {
        let Some(followed) = now.node.zone(zone.id) else { return Ok(None) };
        let (held, durability, was_here) = {
            let condition = followed.condition();
            let last = condition.last_attempt.as_ref();
            last.map_or(Ok(()), |last| self.attempted(&last.attempt))?;
            self.is_transferring &= condition.is_attempting();
            self.newer = self.newer.filter(|_| condition.is_attempting());
            let was_here = last.is_some_and(|last| last.attempt.kind == inventory::Kind::Publish);
            (condition.held.clone(), condition.durability, was_here)
        };
        self.word.check_answered(zone, now.node)?;
        // What was published counts as that also where it had expired by then.
        let Some(snapshot) = held else { return Ok(None) };
        let generation = snapshot.generation.0;
        let Some(version) = zone.version_of(snapshot.image.digest()) else {
            return Err(format!("generation {generation} is served, whose contents nobody published"));
        };
        let is_new = self.generation != Some(generation);
        self.same_version(generation, version)?;
        if is_new && generation <= self.highest {
            return Err(format!("generation {generation} is served after {}", self.highest));
        }
        if is_new {
            self.check_published(zone, (version, generation), was_here, now.node.clock.now().0)?;
            if was_here {
                // Until now the next check was as the numbers of the one before had it.
                self.free_since_ms = now.true_ms;
            }
        }
        self.published.insert(generation, version.number);
        if self.published.len() > PUBLISHED_MAX {
            self.published.pop_first();
        }
        self.generation = Some(generation);
        self.highest = self.highest.max(generation);
        let shown = self.confirmed(version);
        if durability == Durability::Durable {
            self.durable = generation;
            // In an earlier life the node's clock may have been further than what it left on disk.
            let of_this_life = self.shown.get(&version.serial.0).filter(|shown| is_new && shown.true_ms.is_some());
            if let Some(shown) = of_this_life {
                self.durable_node_ms = self.durable_node_ms.max(shown.node_ms);
            }
        }
        let contents = followed.served.contents();
        let Contents::Live(live) = &contents else { return Ok(None) };
        if live.generation != snapshot.generation {
            return Err(format!("generation {generation} is the newest, and {} is served", live.generation.0));
        }
        let expires_ms = self.expires_ms(version);
        let past_ms = u64::from(zone.policy.serve_past_expiry_secs) * SECOND_MS;
        let by_its_clock_ms = now.node.clock.now().0.saturating_sub(expires_ms + past_ms);
        let allowed_ms = version.timing.expire_ms + past_ms;
        let truly_ms = shown.true_ms.map_or(0, |at_ms| now.true_ms.saturating_sub(at_ms + allowed_ms));
        let late_ms = by_its_clock_ms.max(truly_ms);
        let is_awake = now.true_ms > now.resumed_ms + EXPIRED_LATE_MAX_MS;
        if is_awake && late_ms > EXPIRED_LATE_MAX_MS {
            let serial = version.serial.0;
            return Err(format!("serial {serial} is served {} s after it was to expire", late_ms / 1000));
        }
        Ok(Some(Seen { version: version.number, generation, is_new, expires_ms, durability }))
    }

    /// The last attempt that has ended, or a part of the one that goes on: all parts of one have its beginning.
    fn attempted(&mut self, last: &inventory::Attempt) -> Result<(), String> {
        if let inventory::Outcome::Failed(reason) = &last.outcome
            && reason.code == "internal"
        {
            return Err(format!("an attempt ended by a fault of ours: {}", reason.message));
        }
        // The owner's word waits for no attempt.
        if last.kind == inventory::Kind::Publish {
            return Ok(());
        }
        let (began_ms, ended_ms) = (last.at.0, last.at.0 + last.millis);
        match self.attempt.replace((began_ms, ended_ms)) {
            Some(before) if before.0 != began_ms && began_ms < before.1 => {
                Err(format!("an attempt began {} ms before the one before it ended", before.1 - began_ms))
            }
            _ => Ok(()),
        }
    }

    /// Another version than before is served: whether it was time for it.
    fn check_published(
        &mut self,
        zone: &SimulatedZone,
        (version, generation): (&Version, u64),
        was_here: bool,
        node_ms: u64,
    ) -> Result<(), String> {
        let before = self.generation.and_then(|generation| zone.version(*self.published.get(&generation)?));
        let is_expired = before.is_some_and(|before| node_ms + EXPIRED_LATE_MAX_MS >= self.may_expire_ms(before));
        self.word.check_published(version, generation, is_expired)?;
        if let Some(before) = before {
            let lost = zone.loses(before, version);
            if let Some(lost) = lost {
                let hold_ms = u64::from(zone.policy.hold_secs) * SECOND_MS;
                let is_time = lost < WAITS_FOR_THE_OWNER_PERCENT
                    && self.held_since_ms.is_some_and(|since_ms| node_ms >= since_ms + hold_ms);
                // A version of before that the zone is being frozen with has lost what it has by its owner's word.
                let is_wanted = self.word.is_open() || self.word.releases(version.serial, Some(lost));
                if !is_time && !is_expired && !is_wanted {
                    let number = version.number;
                    return Err(format!("version {number}, which lost {lost} % of the records, is not held back"));
                }
            }
            if was_here {
                let until_ms = Some(self.expires_ms(before));
                self.vouched = ShownAt { until_ms, ..self.confirmed(before) };
            }
            if lost.is_some() {
                self.has_other_numbers();
            }
        }
        self.held_since_ms = None;
        self.word.has_published();
        Ok(())
    }

    /// When this version, as the one that is served, was last confirmed.
    fn confirmed(&self, version: &Version) -> ShownAt {
        let shown = self.shown.get(&version.serial.0).copied().unwrap_or_default();
        if shown.node_ms > self.vouched.node_ms { shown } else { self.vouched }
    }

    /// Until when a version may be served, by the node's clock.
    fn expires_ms(&self, version: &Version) -> u64 {
        let ShownAt { node_ms, until_ms, .. } = self.confirmed(version);
        (node_ms + version.timing.expire_ms).min(until_ms.unwrap_or(u64::MAX))
    }

    /// From when on a version may have expired. Whether a newer one that was shown confirmed it is not known here: what
    /// could not be fetched is not held back.
    fn may_expire_ms(&self, version: &Version) -> u64 {
        let shown = self.shown.get(&version.serial.0).copied().unwrap_or_default();
        let until_ms = self.restored_until_ms.filter(|_| shown.true_ms.is_none()).unwrap_or(u64::MAX);
        (shown.sure_ms + version.timing.expire_ms).min(self.expires_ms(version)).min(until_ms)
    }

    /// The version of a generation, if it was served.
    pub(super) fn version_at(&self, generation: u64) -> Option<u64> {
        self.published.get(&generation).copied()
    }

    /// Whether the newest version is to be served as soon as it is known: by its owner's word, and as far as the node
    /// can know.
    pub(super) fn is_wanted(&self, zone: &SimulatedZone, node: &Node) -> bool {
        let newest = zone.newest();
        let is_kept = |hold: &Hold| matches!(hold, Hold::Kept { serial } if *serial == newest.serial);
        let is_kept = node.zone(zone.id).is_none_or(|followed| is_kept(&followed.condition().hold));
        let is_followed = zone.service == Service::Answering && zone.followed.contains(&zone.primaries[0]);
        newest.digest.is_some() && is_followed && !is_kept && !self.word.is_frozen() && !self.word.is_open()
    }

    /// Whether the newest version should be served by now, and is not. What is held is served unless it has expired.
    pub(super) fn check_current(
        &self,
        (index, zone): (usize, &SimulatedZone),
        primaries: &[SimulatedPrimary],
        held: Option<&Version>,
        served: Option<Seen>,
        now: &Now<'_>,
    ) -> Result<(), String> {
        let newest = zone.newest();
        if !self.is_wanted(zone, now.node) || served.is_some_and(|served| served.version == newest.number) {
            return Ok(());
        }
        let Some(well_since_ms) = primaries[zone.primaries[0]].well_since_ms() else { return Ok(()) };
        let mut since_ms = newest.made_ms.max(well_since_ms).max(now.running_since_ms).max(self.free_since_ms);
        let timing = held.map_or(newest.timing, |held| held.timing);
        let late_max_ms = timing.refresh_ms.max(timing.retry_longest_ms) + timing.retry_ms + LATE_MAX_MS;
        match held.and_then(|held| zone.loses(held, newest)) {
            Some(WAITS_FOR_THE_OWNER_PERCENT..) => return Ok(()),
            // Its time begins when it has been found out.
            Some(_) => since_ms += u64::from(zone.policy.hold_secs) * SECOND_MS + late_max_ms,
            None => {}
        }
        if let Some(held) = held
            && held.number != newest.number
            && !newest.serial.is_newer_than(held.serial)
        {
            // Taken as soon as all primaries agree where that is wanted, and when it has expired.
            for primary in zone.followed.iter().map(|primary| &primaries[*primary]) {
                let Some(has_since_ms) = primary.has_since_ms(index, newest.number) else { return Ok(()) };
                let Some(well_since_ms) = primary.well_since_ms() else { return Ok(()) };
                since_ms = since_ms.max(has_since_ms).max(well_since_ms);
            }
            if zone.policy.serial_went_back == SerialWentBack::Wait {
                let node_ms = now.node.clock.now().0;
                let Some(expired_for_ms) = node_ms.checked_sub(self.expires_ms(held)) else { return Ok(()) };
                since_ms = since_ms.max(now.true_ms.saturating_sub(expired_for_ms));
            }
        }
        let late_ms = now.true_ms.saturating_sub(since_ms);
        if late_ms > late_max_ms {
            let (newest, held) = (newest.serial.0, held.map(|held| held.serial.0));
            return Err(format!(
                "serial {newest} is not served {} s after it could be, and {held:?} is held",
                late_ms / 1000
            ));
        }
        Ok(())
    }
}
