//! What becomes of each event, and when the next one of its kind is.

use std::sync::Arc;

use dns::{CLASS_IN, Header, Opcode, Type};
use inventory::Service;
use server::Notified;
use testing::disk::SimulatedDisk;
use tokio::sync::mpsc;
use xfr::Prefix;
use xfr::notify::{Checks, Judgement, NotifyRule, judge};
use zone::TenantId;

use super::invariants::EXPIRED_LATE_MAX_MS;
use super::plan::{DAY_MS, Event, HOUR_MS, MINUTE_MS, Sender, Stop};
use super::primary::Fault;
use super::world::World;
use super::zones::Making;
use crate::node::Node;

/// What the events of one life of the node have to do with.
pub(super) struct Stage {
    pub(super) world: Arc<World>,
    pub(super) node: Arc<Node>,
    pub(super) disk: SimulatedDisk,
    pub(super) notifies: mpsc::Sender<Notified>,
}

/// How long after a change secondaries of the owner's have it.
const COPIED_AFTER_MS: u64 = 2 * HOUR_MS;
/// How often an owner orders anything; of a hundred NOTIFYs so many have one give an order while it is gone into.
const ORDERED_EVERY_MS: u64 = 8 * DAY_MS;
const ORDERED_AT_ONCE: u64 = 2;
const UNDER_WAY_MS: u64 = 500;
/// A power cut that comes in the middle of a commit comes within so many operations.
const OPERATIONS_MAX: u64 = 40;

impl Stage {
    /// Carries out an event; how the node is to stop, if it is.
    pub(super) fn carry_out(&self, event: Event) -> Option<Stop> {
        let now_ms = self.world.machine.now_ms();
        match event {
            Event::Change(zone) => self.change(zone, now_ms),
            Event::Copy { zone, primary } => self.copy(zone, primary, now_ms),
            Event::Notify { zone, sender } => self.notify(zone, sender, now_ms),
            Event::Breaks(primary) => self.break_primary(primary, now_ms),
            Event::Cured(primary) => self.cure(primary, now_ms),
            Event::WallClockSet => {
                let mut state = self.world.state();
                let by_ms = state.dice.below(60 * DAY_MS).cast_signed() - (30 * DAY_MS).cast_signed();
                state.note(now_ms, None, "the wall clock is set by", &[10, by_ms.cast_unsigned()]);
                let next_ms = now_ms + state.dice.wait(10 * DAY_MS);
                state.plan.at(next_ms, Event::WallClockSet);
                self.world.machine.set_wall_clock(by_ms);
            }
            Event::Suspended => {
                let mut state = self.world.state();
                let millis = state.dice.wait(8 * HOUR_MS);
                state.note(now_ms, None, "the machine is suspended for", &[11, millis]);
                state.resumed(now_ms + millis);
                let next_ms = now_ms + millis + state.dice.wait(10 * DAY_MS);
                state.plan.at(next_ms, Event::Suspended);
                drop(state);
                self.world.machine.pass(millis);
            }
            Event::DiskFull => {
                let mut state = self.world.state();
                state.note(now_ms, None, "the disk is full", &[12]);
                let used = self.disk.used();
                // Some file systems take room for what is rewritten too: on those nothing can be written any more.
                let room = if state.dice.percent(50) { used + state.dice.below(20_000) as usize } else { used - 1 };
                self.disk.set_room(Some(room));
                state.disk_is_full = true;
                let until_ms = now_ms + state.dice.wait(2 * HOUR_MS);
                state.plan.at(until_ms, Event::DiskHasRoom);
            }
            Event::DiskHasRoom => {
                let mut state = self.world.state();
                state.note(now_ms, None, "the disk has room", &[13]);
                self.disk.set_room(None);
                state.disk_is_full = false;
                state.plan.at(now_ms + MINUTE_MS, Event::NotesAgain);
                let next_ms = now_ms + state.dice.wait(10 * DAY_MS);
                state.plan.at(next_ms, Event::DiskFull);
            }
            Event::Stop => return self.stop(now_ms),
            Event::PowerGone => {
                if self.disk.has_lost_power() {
                    return Some(Stop::PowerCut);
                }
                if self.disk.is_to_lose_power() {
                    self.world.state().plan.at(now_ms + MINUTE_MS, Event::PowerGone);
                }
            }
            Event::LookAtAll => {
                let mut state = self.world.state();
                state.look_at_all(now_ms, &self.node);
                state.plan.at(now_ms + HOUR_MS, Event::LookAtAll);
            }
            Event::Order(zone) => {
                self.order(zone, now_ms);
                let mut state = self.world.state();
                let next_ms = now_ms + state.dice.wait(ORDERED_EVERY_MS);
                state.plan.at(next_ms, Event::Order(zone));
            }
            Event::OrderAtOnce(zone) => self.order(zone, now_ms),
            Event::NotesAgain => self.write_notes_again(),
            Event::NewsDue(zone) => {
                let is_disk_well = !self.disk.has_lost_power();
                self.world.state().check_news(now_ms, &self.node, zone, is_disk_well);
            }
            Event::LookForExpiry(zone) => self.look_for_expiry(zone, now_ms),
        }
        None
    }

    fn change(&self, index: usize, now_ms: u64) {
        let state = &mut *self.world.state();
        let making = match state.dice.below(40) {
            0 => Making::SerialBack,
            1 | 2 => Making::Wrong,
            3..6 if state.zones[index].is_large => Making::Shrunk,
            _ => Making::Ordinary,
        };
        let zone = &mut state.zones[index];
        zone.change(making, now_ms, &mut state.dice);
        state.primaries[zone.primaries[0]].copy(index, zone, now_ms);
        let primaries = zone.primaries.clone();
        let numbers = [14, zone.newest().number, zone.newest().serial.0.into(), making as u64];
        state.note(now_ms, Some(index), "a new version: number, serial, making", &numbers);
        state.trouble_of(now_ms, index);
        state.disturb(index);
        if making == Making::Shrunk {
            state.plan.at(now_ms + state.dice.wait(12 * HOUR_MS), Event::OrderAtOnce(index));
        }
        for primary in &primaries[1..] {
            let at_ms = now_ms + state.dice.wait(COPIED_AFTER_MS);
            state.plan.at(at_ms, Event::Copy { zone: index, primary: *primary });
        }
        if state.dice.percent(80) {
            let sender = Sender::Primary(primaries[0]);
            state.plan.at(now_ms + state.dice.below(2_000), Event::Notify { zone: index, sender });
        }
        if state.dice.percent(5) {
            let sender = match state.dice.below(2) {
                0 => Sender::Forger(*state.dice.pick(&primaries)),
                _ => Sender::Stranger,
            };
            state.plan.at(now_ms + state.dice.wait(HOUR_MS), Event::Notify { zone: index, sender });
        }
        // A wrong version is noticed by its owner soon.
        let is_mistake = making == Making::Wrong || making == Making::Shrunk && state.dice.percent(50);
        let mean_ms = if is_mistake { 12 * HOUR_MS } else { (1 + index as u64 % 5) * DAY_MS };
        state.plan.at(now_ms + state.dice.wait(mean_ms), Event::Change(index));
    }

    fn copy(&self, index: usize, primary: usize, now_ms: u64) {
        let state = &mut *self.world.state();
        state.primaries[primary].copy(index, &state.zones[index], now_ms);
        state.note(now_ms, Some(index), "copied by primary", &[15, primary as u64]);
        state.trouble_of(now_ms, index);
        if state.dice.percent(80) {
            let sender = Sender::Primary(primary);
            state.plan.at(now_ms + state.dice.below(2_000), Event::Notify { zone: index, sender });
        }
    }

    /// A NOTIFY arrives, and is judged as the server does it.
    fn notify(&self, index: usize, sender: Sender, now_ms: u64) {
        let state = &mut *self.world.state();
        let zone = &state.zones[index];
        let addresses = zone.followed.iter().map(|primary| state.primaries[*primary].address);
        let rule = NotifyRule {
            zone: zone.id,
            tenant: TenantId::DEFAULT,
            senders: addresses.map(|address| Prefix::of_one(address.ip())).collect(),
            keys: [].into(),
            trust: zone.policy.notify,
            checks: if zone.service == Service::Paused { Checks::Paused } else { Checks::Made },
        };
        let rules = if zone.service.is_answered() { std::slice::from_ref(&rule) } else { &[] };
        let (from, times) = match sender {
            Sender::Primary(primary) => (state.primaries[primary].address, 1),
            Sender::Forger(primary) => (state.primaries[primary].address, state.dice.between(1, 50)),
            Sender::Stranger => (([203, 0, 113, 1], 53).into(), 1),
        };
        let flags = Header::request_flags(Opcode::NOTIFY) | Header::AA;
        let mut message = Header { id: 7, flags, counts: [1, 0, 0, 0] }.to_octets().to_vec();
        message.extend(zone.name.as_wire());
        message.extend(Type::SOA.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        let Judgement::Accept { zones, serial } = judge(&message, from.ip(), None, |_| rules) else { return };
        state.note(now_ms, Some(index), "NOTIFY", &[16, times]);
        state.news(now_ms, index);
        for zone in zones.iter().cycle().take(zones.len() * times as usize) {
            // One that finds no room is sent again some day.
            let _ = self.notifies.try_send(Notified { zone: *zone, from, serial, signed_by: None });
        }
        state.told(now_ms, &self.node, index);
        if state.dice.percent(ORDERED_AT_ONCE) {
            let at_ms = now_ms + state.dice.below(UNDER_WAY_MS);
            state.plan.at(at_ms, Event::OrderAtOnce(index));
        }
    }

    fn break_primary(&self, primary: usize, now_ms: u64) {
        let state = &mut *self.world.state();
        let fault = Fault::any(&mut state.dice);
        // Mostly hours; now and then longer than any zone lives.
        let mean_ms = if state.dice.percent(10) { 10 * DAY_MS } else { 6 * HOUR_MS };
        let lasts_ms = state.dice.wait(mean_ms).min(20 * DAY_MS);
        let what = format!("{fault:?} for some hours: primary, hours");
        state.note(now_ms, None, &what, &[18, primary as u64, lasts_ms / HOUR_MS]);
        state.primaries[primary].break_with(fault);
        state.trouble_at(now_ms, primary);
        state.plan.at(now_ms + lasts_ms, Event::Cured(primary));
    }

    fn cure(&self, primary: usize, now_ms: u64) {
        let state = &mut *self.world.state();
        state.primaries[primary].cure(now_ms);
        state.note(now_ms, None, "cured: primary", &[17, primary as u64]);
        state.trouble_at(now_ms, primary);
        state.plan.at(now_ms + state.dice.wait(4 * DAY_MS), Event::Breaks(primary));
    }

    fn stop(&self, now_ms: u64) -> Option<Stop> {
        let state = &mut *self.world.state();
        state.plan.at(now_ms + state.dice.wait(4 * DAY_MS), Event::Stop);
        match state.dice.below(4) {
            0 => Some(Stop::Asked),
            1 => Some(Stop::Killed),
            2 => Some(Stop::PowerCut),
            _ => {
                let operations = self.disk.operations() + state.dice.below(OPERATIONS_MAX) as usize;
                self.disk.lose_power_at(operations);
                state.plan.at(now_ms + MINUTE_MS, Event::PowerGone);
                None
            }
        }
    }

    fn look_for_expiry(&self, zone: usize, now_ms: u64) {
        let mut state = self.world.state();
        let seen = state.look(now_ms, &self.node, zone);
        let left_ms = seen.map_or(0, |seen| seen.expires_ms.saturating_sub(self.node.clock.now().0));
        // When it may have expired by then, or have been confirmed.
        let next_ms = now_ms + left_ms.max(HOUR_MS) + EXPIRED_LATE_MAX_MS + 1;
        state.plan.at(next_ms, Event::LookForExpiry(zone));
    }
}
