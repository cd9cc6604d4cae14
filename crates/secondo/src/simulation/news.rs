//! Whether news is served as soon as the node was told of it.
//!
//! A secondary that ignores every NOTIFY breaks no promise about its timers: it is current within each refresh time. So
//! what is to be served soon is written down when the node is told, and looked at when the time is over; unless
//! something came in between that may have got in the way.

use std::sync::Arc;

use super::invariants::{LATE_MAX_MS, Watch};
use super::plan::{Event, SECOND_MS};
use super::primary::SimulatedPrimary;
use super::world::State;
use super::zones::Version;
use crate::node::Node;

/// A check in vain may have ended just before (`Pace`: a second), and one may be under way that began before. Each asks
/// all primaries (`Deadlines::probe`: 10 s) and fetches, by a connection that turns out to be mute, a new one (5 s each),
/// and a second transfer where the first does not fit; far less than the shortest refresh time of an hour.
pub(super) const SERVED_WITHIN_MS: u64 = 60 * SECOND_MS;

/// What is written down about one zone.
#[derive(Default)]
pub(super) struct News {
    expected: Option<Expected>,
    /// How often something came in between.
    disturbances: u64,
}

struct Expected {
    version: u64,
    disturbances: u64,
    by_ms: u64,
}

impl News {
    /// The node was told that there is this version; when it is to be served, if that was not known before.
    pub(super) fn expect(&mut self, version: u64, now_ms: u64) -> Option<u64> {
        let is_known =
            |expected: &Expected| expected.version == version && expected.disturbances == self.disturbances;
        if self.expected.as_ref().is_some_and(is_known) {
            return None;
        }
        let by_ms = now_ms + SERVED_WITHIN_MS;
        self.expected = Some(Expected { version, disturbances: self.disturbances, by_ms });
        Some(by_ms)
    }

    /// Something happens that may get in the way.
    pub(super) fn disturbed(&mut self) {
        self.disturbances += 1;
    }

    /// The time of what is expected is over.
    pub(super) fn check(&mut self, served: Option<u64>, now_ms: u64) -> Result<(), String> {
        let Some(expected) = self.expected.take_if(|expected| expected.by_ms <= now_ms) else { return Ok(()) };
        if expected.disturbances != self.disturbances || served == Some(expected.version) {
            return Ok(());
        }
        let secs = SERVED_WITHIN_MS / SECOND_MS;
        Err(format!("the node was told of version {} {secs} s ago, and serves {served:?}", expected.version))
    }
}

impl Watch {
    /// Something happens that may keep the zone from being brought up at once.
    pub(super) fn disturbed(&mut self) {
        self.told.disturbed();
    }
}

impl State {
    /// Something happens to a zone that may keep it from being brought up at once.
    pub(super) fn disturb(&mut self, zone: usize) {
        self.watches[zone].disturbed();
    }

    /// The node was told that there is news: it is to be served soon if nothing is in its way.
    pub(super) fn told(&mut self, now_ms: u64, node: &Arc<Node>, index: usize) {
        let zone = &self.zones[index];
        let newest = zone.newest();
        let is_news = |held: &Version| newest.serial.is_newer_than(held.serial) && zone.loses(held, newest).is_none();
        let is_news = self.held(node, index).and_then(|number| zone.version(number)).is_some_and(is_news);
        let is_well = |primary: &SimulatedPrimary| {
            let version = primary.version_of(index).and_then(|number| zone.version(number));
            // After two great steps an older serial may seem to be the newest (RFC 1982 §3.2).
            version.is_some_and(|version| !version.serial.is_newer_than(newest.serial))
                && primary.well_since_ms().is_some_and(|since_ms| since_ms + LATE_MAX_MS < now_ms)
        };
        let are_well = zone.followed.iter().all(|primary| is_well(&self.primaries[*primary]));
        let is_there = self.primaries[zone.primaries[0]].has_since_ms(index, newest.number).is_some();
        let is_running = self.running_since_ms + LATE_MAX_MS < now_ms;
        let watch = &mut self.watches[index];
        if is_news && are_well && is_there && is_running && watch.is_wanted(zone, node) {
            let due_ms = watch.told.expect(newest.number, now_ms);
            due_ms.into_iter().for_each(|due_ms| self.plan.at(due_ms, Event::NewsDue(index)));
        }
    }

    /// What the node was told of is served by now.
    pub(super) fn check_news(&mut self, now_ms: u64, node: &Arc<Node>, zone: usize, is_disk_well: bool) {
        if !is_disk_well {
            self.disturb(zone);
        }
        let served = self.look(now_ms, node, zone).map(|seen| seen.version);
        let result = self.watches[zone].told.check(served, now_ms);
        self.counts.told += u64::from(result.is_ok());
        self.judge(now_ms, zone, result);
    }
}
