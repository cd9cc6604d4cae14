//! The world around the node: its zones and primaries, what happens to them, and who watches.
//!
//! One lock around all of it, taken for a moment at a time; everything runs on one thread. Whoever holds it may ask the
//! node, which never asks the world while it holds a lock of its own, but for time and chance: those are the machine's.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dns::{Serial, Type};
use testing::dice::Dice;
use zone::Limits;

use super::Scale;
use super::at_once::AtOnce;
use super::invariants::{LATE_MAX_MS, Now, Seen, Violation, Watch};
use super::machine::SimulatedMachine;
use super::message::Asked;
use super::plan::{MONTH_MS, Plan};
use super::primary::SimulatedPrimary;
use super::trace::{Trace, Watched};
use super::zones::{SimulatedZone, Timing};
use crate::followed::Durability;
use crate::node::Node;

pub(super) struct World {
    pub(super) machine: Arc<SimulatedMachine>,
    /// What contents may hold, and how they are held.
    pub(super) limits: Limits,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) dice: Dice,
    pub(super) plan: Plan,
    pub(super) zones: Vec<SimulatedZone>,
    pub(super) primaries: Vec<SimulatedPrimary>,
    pub(super) trace: Trace,
    pub(super) violation: Option<Violation>,
    pub(super) node: Weak<Node>,
    pub(super) running_since_ms: u64,
    resumed_ms: u64,
    /// Of how many months it was told that they have passed.
    months_told: u64,
    pub(super) counts: Counts,
    pub(super) disk_is_full: bool,
    /// By the zones' numbers.
    pub(super) watches: Vec<Watch>,
    /// Zones, each as often as it has primaries.
    pub(super) checks: usize,
    at_once: AtOnce,
    by_address: HashMap<SocketAddr, usize>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) polls: u64,
    pub(super) transfers: u64,
    pub(super) versions: u64,
    pub(super) starts: u64,
    pub(super) volatile: u64,
    pub(super) orders: u64,
    /// News of which the node was told, and which it served in time.
    pub(super) told: u64,
}

/// By every other seed changes are laid over images, however small these are, which are then built anew every now and then.
fn limits(seed: u64) -> Limits {
    match seed % 2 {
        0 => Limits::default(),
        _ => Limits { rebuilt_octets_max: 0, changes_min: 6, ..Limits::default() },
    }
}

impl World {
    pub(super) fn new(seed: u64, scale: &Scale, watched: Watched) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        let machine = Arc::new(SimulatedMachine::new(dice.fork()));
        let zones = scale.zones(&mut dice);
        let count = (1 + zones / dice.between(1, 20) as usize).min(1_000);
        let mut primaries: Vec<_> = (0..count).map(|index| SimulatedPrimary::new(index, &mut dice)).collect();
        let zones: Vec<_> =
            (0..zones).map(|index| SimulatedZone::new(index, some_of(count, &mut dice), &mut dice)).collect();
        for (index, zone) in zones.iter().enumerate() {
            zone.primaries.iter().for_each(|primary| primaries[*primary].copy(index, zone, 0));
        }
        let state = State {
            plan: Plan::new(zones.len(), count, &mut dice),
            by_address: primaries.iter().enumerate().map(|(index, primary)| (primary.address, index)).collect(),
            watches: zones.iter().map(|_| Watch::default()).collect(),
            checks: zones.iter().map(|zone| zone.primaries.len()).sum(),
            at_once: AtOnce::default(),
            dice,
            zones,
            primaries,
            trace: Trace::watching(watched),
            violation: None,
            node: Weak::new(),
            running_since_ms: 0,
            resumed_ms: 0,
            months_told: 0,
            counts: Counts::default(),
            disk_is_full: false,
        };
        Arc::new(Self { machine, limits: limits(seed), state: Mutex::new(state) })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node has started, and knows its zones.
    pub(super) fn started(&self, node: &Arc<Node>) {
        let now_ms = self.machine.now_ms();
        let mut state = self.state();
        state.node = Arc::downgrade(node);
        state.running_since_ms = now_ms;
        state.counts.starts += 1;
        state.note(now_ms, None, "the node starts", &[0]);
        for index in 0..state.zones.len() {
            let State { zones, watches, resumed_ms, .. } = &mut *state;
            let now = Now { true_ms: now_ms, node, running_since_ms: now_ms, resumed_ms: *resumed_ms };
            let result = watches[index].restarted(&zones[index], &now);
            state.judge(now_ms, index, result);
            state.look(now_ms, node, index);
        }
    }

    /// The primary is asked for a zone's serial over UDP for the first time in a probe.
    pub(super) fn asked_by_datagram(&self, primary: usize, asked: &Asked) {
        let (now_ms, zone) = (self.machine.now_ms(), asked.zone);
        let mut state = self.state();
        let Some(node) = state.node.upgrade() else { return };
        state.counts.polls += 1;
        state.note(now_ms, Some(zone), "asked over UDP", &[1, primary as u64]);
        state.look(now_ms, &node, zone);
        let held = state.held(&node, zone);
        let is_settled = state.is_settled(zone, held);
        let timing = state.timing(zone, held);
        state.check_asked(now_ms, zone, primary);
        state.look_for_end_of_hold(now_ms, &node, zone);
        let watch = &mut state.watches[zone];
        if !is_settled {
            watch.trouble(now_ms);
        }
        let has_news = watch.has_news(now_ms);
        let result = watch.asked(primary, now_ms, timing);
        state.judge(now_ms, zone, result);
        if !has_news {
            let State { at_once, checks, .. } = &mut *state;
            let result = at_once.check(now_ms, *checks);
            state.judge(now_ms, zone, result);
        }
    }

    pub(super) fn gave_up_datagram(&self, primary: usize, zone: usize) {
        self.state().watches[zone].gave_up(primary);
    }

    pub(super) fn asked_by_connection(&self, primary: usize, asked: &Asked) {
        let (now_ms, zone) = (self.machine.now_ms(), asked.zone);
        let mut state = self.state();
        let Some(node) = state.node.upgrade() else { return };
        state.counts.transfers += u64::from(asked.qtype != Type::SOA);
        let what = if asked.qtype == Type::SOA { "asked over TCP" } else { "asked for a transfer" };
        state.note(now_ms, Some(zone), what, &[2, primary as u64, asked.qtype.0.into()]);
        state.look(now_ms, &node, zone);
        state.check_asked(now_ms, zone, primary);
        let held = state.held(&node, zone);
        let result = if asked.qtype == Type::SOA {
            let timing = state.timing(zone, held);
            state.watches[zone].asked_over_tcp(primary, now_ms, timing)
        } else {
            let is_settled = state.is_settled(zone, held);
            state.watches[zone].transferred(now_ms, asked.qtype, is_settled)
        };
        state.judge(now_ms, zone, result);
    }

    /// An answer has arrived that shows a version.
    pub(super) fn shown(&self, zone: usize, primary: usize, serial: Serial) {
        let now_ms = self.machine.now_ms();
        let mut state = self.state();
        let Some(node) = state.node.upgrade() else { return };
        state.note(now_ms, Some(zone), "shown", &[3, primary as u64, serial.0.into()]);
        let held = state.held(&node, zone);
        let State { zones, watches, .. } = &mut *state;
        let held = held.and_then(|number| zones[zone].version(number));
        watches[zone].shown(serial, (&zones[zone], held), node.clock.now().0, now_ms);
        state.look(now_ms, &node, zone);
    }
}

impl State {
    pub(super) fn primary_at(&self, address: SocketAddr) -> usize {
        self.by_address[&address]
    }

    /// Notes what happens, the first of the numbers saying what it is.
    pub(super) fn note(&mut self, now_ms: u64, zone: Option<usize>, what: &str, numbers: &[u64]) {
        self.trace.count(&[now_ms, zone.map_or(u64::MAX, |zone| zone as u64)]);
        self.trace.count(numbers);
        self.trace.note(now_ms, zone, format_args!("{what} {:?}", &numbers[1..]));
    }

    /// Looks at what is served of a zone.
    pub(super) fn look(&mut self, now_ms: u64, node: &Arc<Node>, zone: usize) -> Option<Seen> {
        let now = self.now(now_ms, node);
        match self.watches[zone].look(&self.zones[zone], &now) {
            Ok(seen) => {
                if let Some(Seen { version, generation, .. }) = seen.filter(|seen| seen.is_new) {
                    self.counts.versions += 1;
                    self.note(now_ms, Some(zone), "served: version, generation", &[4, version, generation]);
                }
                seen
            }
            Err(what) => {
                self.judge(now_ms, zone, Err(what));
                None
            }
        }
    }

    /// Looks at every zone, whether it is as it should be.
    pub(super) fn look_at_all(&mut self, now_ms: u64, node: &Arc<Node>) {
        let months = now_ms / MONTH_MS;
        if months > self.months_told {
            self.months_told = months;
            super::tell_month(months, &self.counts);
        }
        for zone in 0..self.zones.len() {
            let seen = self.look(now_ms, node, zone);
            self.counts.volatile += u64::from(seen.is_some_and(|seen| seen.durability == Durability::Volatile));
            let now = self.now(now_ms, node);
            let watched = &self.zones[zone];
            let held = self.held(node, zone).and_then(|number| watched.version(number));
            let result = self.watches[zone].check_current((zone, watched), &self.primaries, held, seen, &now);
            self.judge(now_ms, zone, result);
        }
    }

    /// The machine goes on then.
    pub(super) fn resumed(&mut self, then_ms: u64) {
        (self.running_since_ms, self.resumed_ms) = (then_ms, then_ms);
        self.watches.iter_mut().for_each(Watch::disturbed);
    }

    fn now<'a>(&self, true_ms: u64, node: &'a Arc<Node>) -> Now<'a> {
        Now { true_ms, node, running_since_ms: self.running_since_ms, resumed_ms: self.resumed_ms }
    }

    pub(super) fn news(&mut self, now_ms: u64, zone: usize) {
        self.watches[zone].news(now_ms);
    }

    /// Something is different at the zone's primaries from now on.
    pub(super) fn trouble_of(&mut self, now_ms: u64, zone: usize) {
        self.watches[zone].trouble(now_ms);
    }

    /// Something is different at a primary from now on.
    pub(super) fn trouble_at(&mut self, now_ms: u64, primary: usize) {
        for (zone, watch) in self.zones.iter().zip(&mut self.watches) {
            if zone.primaries.contains(&primary) {
                watch.trouble(now_ms);
                watch.disturbed();
            }
        }
    }

    /// The number of the version that the node holds, served or not.
    pub(super) fn held(&self, node: &Arc<Node>, zone: usize) -> Option<u64> {
        let zone = &self.zones[zone];
        let digest = node.zone(zone.id)?.condition().held.as_ref()?.image.digest();
        zone.version_of(digest).map(|version| version.number)
    }

    /// The numbers that count for a zone of which this version is held.
    fn timing(&self, zone: usize, held: Option<u64>) -> Option<Timing> {
        Some(self.zones[zone].version(held?)?.timing)
    }

    /// Whether there is nothing to do for a zone but to look whether there is.
    fn is_settled(&self, index: usize, held: Option<u64>) -> bool {
        let zone = &self.zones[index];
        let newest = zone.newest().number;
        let is_settled = |primary: &SimulatedPrimary| {
            primary.well_since_ms().is_some() && primary.has_since_ms(index, newest).is_some()
        };
        held == Some(newest) && zone.followed.iter().all(|primary| is_settled(&self.primaries[*primary]))
    }

    /// What was held back comes about by itself, and may have to be fetched again for that.
    fn look_for_end_of_hold(&mut self, now_ms: u64, node: &Node, zone: usize) {
        let Some(followed) = node.zone(self.zones[zone].id) else { return };
        let ends_at = followed.condition().hold.ends_at(&self.zones[zone].policy);
        if ends_at.is_some_and(|end| (end.0..=end.0 + LATE_MAX_MS).contains(&node.clock.now().0)) {
            self.news(now_ms, zone);
        }
    }

    pub(super) fn judge(&mut self, now_ms: u64, zone: usize, result: Result<(), String>) {
        if let (Err(what), None) = (result, &self.violation) {
            self.trace.note(now_ms, Some(zone), format_args!("BROKEN: {what}"));
            self.violation = Some(Violation { at_ms: now_ms, zone: Some(zone), what });
        }
    }
}

/// One to three primaries, the first of which makes the versions.
fn some_of(primaries: usize, dice: &mut Dice) -> Vec<usize> {
    let count = match dice.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    let mut chosen = Vec::new();
    for _ in 0..count {
        let primary = dice.below(primaries as u64) as usize;
        if !chosen.contains(&primary) {
            chosen.push(primary);
        }
    }
    chosen
}
