//! What a zone's owner has said, and what must follow from it.
//!
//! An order counts from the moment at which it was answered as done. Until then it may have been carried out or not, also
//! at a crash; and as long as its note may not be on disk, because the disk was full or its power gone, a crash may lose
//! it. What the zone is instructed is the inventory's, which is on disk before the node knows: that counts at once.

use std::sync::Arc;

use dns::Serial;
use inventory::Service;
use zone::Generation;

use super::world::{State, World};
use super::zones::{SimulatedZone, Version};
use crate::followed::Followed;
use crate::holds::Hold;
use crate::node::Node;

#[derive(Default)]
pub(super) struct Word {
    /// The generation that the zone is frozen at.
    frozen: Option<u64>,
    /// The number of the version that is not to be published.
    kept: Option<u64>,
    /// Whether a start may find what was before instead.
    may_be_lost: bool,
    /// Orders that are neither answered nor refused.
    unanswered: usize,
    /// The serials that are to be published, and how much else may have lost in their place.
    released: Vec<(Serial, u64)>,
    /// Requests that have not been answered, and how many of them are for the whole zone.
    requests: usize,
    requests_full: usize,
    /// When the instructions last changed.
    instructed_ms: u64,
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// With a version of before, if one is given.
    Freeze(Option<Generation>),
    Thaw,
    /// Of the version with this serial, or another that has not lost more, in percent.
    Publish(Option<(Serial, u8)>),
    Keep,
    Refresh,
    RefreshFull,
    /// The zone is looked after in another way.
    Instruct,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// It holds, and a start may find what was before.
    NotOnDisk,
    Refused,
}

impl Word {
    pub(super) fn ordered(&mut self, order: Order, now_ms: u64) {
        match order {
            Order::Freeze(_) | Order::Thaw | Order::Keep => self.unanswered += 1,
            Order::Publish(released) => {
                self.released.extend(released.map(|(serial, lost_percent)| (serial, lost_percent.into())));
            }
            Order::Refresh => self.requests += 1,
            Order::RefreshFull => (self.requests, self.requests_full) = (self.requests + 1, self.requests_full + 1),
            Order::Instruct => (self.unanswered, self.instructed_ms) = (self.unanswered + 1, now_ms),
        }
    }

    /// The node has answered. A disk on which everything could be written keeps what was ordered.
    pub(super) fn answered(
        &mut self,
        order: Order,
        answer: Answer,
        (zone, followed): (&SimulatedZone, &Followed),
        is_disk_well: bool,
    ) -> Result<(), String> {
        let hold = followed.condition().hold.clone();
        let is_stored = followed.is_stored();
        match (order, answer) {
            (Order::Publish(released), _) => {
                let released = released.map(|(serial, lost_percent)| (serial, lost_percent.into()));
                if let Some(index) = self.released.iter().position(|one| Some(*one) == released) {
                    self.released.remove(index);
                }
                return Ok(());
            }
            (Order::Refresh, _) => {
                self.requests -= 1;
                return Ok(());
            }
            (Order::RefreshFull, _) => {
                (self.requests, self.requests_full) = (self.requests - 1, self.requests_full - 1);
                return Ok(());
            }
            (Order::Instruct, _) => self.unanswered -= 1,
            (Order::Freeze(_) | Order::Thaw | Order::Keep, Answer::Refused) => {
                self.unanswered -= 1;
                // Frozen it may be all the same, at the version that it had.
                let before = self.frozen.is_some();
                self.take_over(zone, followed);
                self.may_be_lost |= before != self.frozen.is_some();
                return Ok(());
            }
            (_, Answer::NotOnDisk) => {
                self.unanswered -= 1;
                self.take_over(zone, followed);
                self.may_be_lost = true;
                return Ok(());
            }
            (_, Answer::Done) => {
                self.unanswered -= 1;
                let is_so = match order {
                    Order::Freeze(_) => hold.is_frozen(),
                    Order::Keep => matches!(hold, Hold::Kept { .. }),
                    _ => !hold.is_frozen(),
                };
                if !is_so && self.unanswered == 0 {
                    return Err(format!("{order:?} is done, and the zone's hold is {hold:?}"));
                }
                self.take_over(zone, followed);
            }
        }
        self.may_be_lost = !(is_disk_well && is_stored);
        Ok(())
    }

    /// All that is to be on disk is there by now.
    pub(super) fn is_written(&mut self, followed: &Followed) {
        self.may_be_lost &= self.unanswered > 0 || !followed.is_stored();
    }

    /// Holds on to what is so.
    fn take_over(&mut self, zone: &SimulatedZone, followed: &Followed) {
        let condition = followed.condition();
        let held = condition.held.as_ref().map(|held| held.generation.0);
        self.frozen = held.filter(|_| condition.hold.is_frozen());
        self.kept = match condition.hold {
            Hold::Kept { serial } => zone.version_with(serial).map(|version| version.number),
            _ => None,
        };
    }

    /// The node has started and does not know the inventory yet.
    pub(super) fn born(&mut self, zone: &SimulatedZone, node: &Node) -> Result<(), String> {
        let may_be_lost = self.may_be_lost || self.unanswered > 0;
        let (frozen, kept) = (self.frozen, self.kept);
        *self = Self { instructed_ms: self.instructed_ms, may_be_lost, ..Self::default() };
        let Some(followed) = node.zone(zone.id) else {
            return if frozen.is_some() && !may_be_lost { Err("the frozen zone is gone".into()) } else { Ok(()) };
        };
        self.take_over(zone, &followed);
        if may_be_lost {
            return Ok(());
        }
        if self.frozen != frozen {
            return Err(format!(
                "it was frozen at generation {frozen:?}, and is at {:?} after the start",
                self.frozen
            ));
        }
        if kept.is_some() && self.kept != kept {
            return Err(format!("version {kept:?} was kept, and after the start {:?} is", self.kept));
        }
        self.check_answered(zone, node)
    }

    /// Whether queries are answered for the zone when they are to be, and only then.
    pub(super) fn check_answered(&self, zone: &SimulatedZone, node: &Node) -> Result<(), String> {
        let is_answered = node.shared.zones.load().get(zone.name.borrow()).is_some();
        if is_answered != zone.service.is_answered() {
            return Err(format!("the zone is {}, and answered: {is_answered}", zone.service.as_str()));
        }
        Ok(())
    }

    /// A primary is asked for anything.
    pub(super) fn check_asked(&self, zone: &SimulatedZone, primary: usize, now_ms: u64) -> Result<(), String> {
        // What happens at the very moment may come before or after it.
        let is_known = now_ms > self.instructed_ms;
        if is_known && zone.service != Service::Answering {
            return Err(format!("primary {primary} is asked though the zone is {}", zone.service.as_str()));
        }
        if is_known && !zone.followed.contains(&primary) {
            return Err(format!("primary {primary} is asked, which is none of the zone's any more"));
        }
        Ok(())
    }

    /// A version is served that was not before, in the place of one; why it must not be, if the owner's word is against it.
    pub(super) fn check_published(&self, version: &Version, generation: u64, is_expired: bool) -> Result<(), String> {
        if self.unanswered > 0 {
            return Ok(());
        }
        if let Some(frozen) = self.frozen.filter(|frozen| *frozen != generation) {
            return Err(format!("generation {generation} is published though the zone is frozen at {frozen}"));
        }
        if self.is_kept(version.number) && !is_expired && !self.releases(version.serial, None) {
            return Err(format!("version {} is published though the owner does not want it", version.number));
        }
        Ok(())
    }

    /// Whether the owner wants a version published that has lost so much.
    pub(super) fn releases(&self, serial: Serial, lost_percent: Option<u64>) -> bool {
        let allows = |released: &(Serial, u64)| {
            released.0 == serial || lost_percent.is_some_and(|lost_percent| lost_percent <= released.1)
        };
        self.requests_full > 0 || self.released.iter().any(allows)
    }

    /// A primary shows this version, which is not the one that is held.
    pub(super) fn has_seen(&mut self, version: Option<&Version>) {
        self.kept = self.kept.filter(|kept| version.is_some_and(|version| version.number == *kept));
    }

    /// A version is published that was not before.
    pub(super) fn has_published(&mut self) {
        self.kept = None;
    }

    pub(super) fn is_kept(&self, number: u64) -> bool {
        self.kept == Some(number)
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Whether nobody knows at the moment what the node will take for its orders.
    pub(super) fn is_open(&self) -> bool {
        self.unanswered > 0
    }

    pub(super) fn is_requested(&self) -> bool {
        self.requests > 0
    }

    pub(super) fn is_wanted_whole(&self) -> bool {
        self.requests_full > 0
    }
}

impl World {
    /// The node has started, and knows of its zones what stands in its store.
    pub(super) fn born(&self, node: &Node) {
        let now_ms = self.machine.now_ms();
        let state = &mut *self.state();
        for index in 0..state.zones.len() {
            let result = state.watches[index].word.born(&state.zones[index], node);
            state.judge(now_ms, index, result);
        }
    }
}

impl State {
    /// A primary is asked for a zone.
    pub(super) fn check_asked(&mut self, now_ms: u64, zone: usize, primary: usize) {
        let result = self.watches[zone].word.check_asked(&self.zones[zone], primary, now_ms);
        self.judge(now_ms, zone, result);
    }

    /// A zone's owner has given an order.
    pub(super) fn ordered(&mut self, now_ms: u64, zone: usize, order: Order) {
        let watch = &mut self.watches[zone];
        watch.word.ordered(order, now_ms);
        watch.disturbed();
        match order {
            Order::Instruct => {
                watch.freed(now_ms);
                watch.news(now_ms);
                self.checks = self.zones.iter().map(|zone| zone.followed.len()).sum();
            }
            Order::Freeze(_) => watch.freezes(),
            Order::Keep => {}
            Order::Thaw | Order::Publish(_) | Order::Refresh | Order::RefreshFull => watch.news(now_ms),
        }
    }

    /// The node has answered an order.
    pub(super) fn answered(
        &mut self,
        now_ms: u64,
        node: &Arc<Node>,
        (zone, followed): (usize, &Followed),
        (order, answer): (Order, Answer),
        is_disk_well: bool,
    ) {
        self.counts.orders += 1;
        self.look(now_ms, node, zone);
        let done = u64::from(answer == Answer::Done);
        self.note(now_ms, Some(zone), &format!("{order:?} is answered: done"), &[22, done]);
        let is_disk_well = is_disk_well && !self.disk_is_full;
        let watch = &mut self.watches[zone];
        let result = watch.word.answered(order, answer, (&self.zones[zone], followed), is_disk_well);
        match order {
            Order::Freeze(_) | Order::Thaw | Order::Keep if answer == Answer::Done => {
                watch.freed(now_ms);
                watch.holds_anew();
            }
            Order::Instruct => watch.freed(now_ms),
            _ => {}
        }
        // Also where an attempt was overtaken by the word, and another one goes by it.
        if answer == Answer::Done {
            watch.news(now_ms);
        }
        let result = result.and_then(|()| self.check_frozen_before(node, zone, (order, answer)));
        self.judge(now_ms, zone, result);
    }

    /// A zone that was frozen with a version of before holds that, by a generation of its own.
    fn check_frozen_before(&self, node: &Arc<Node>, zone: usize, what: (Order, Answer)) -> Result<(), String> {
        let (Order::Freeze(Some(generation)), Answer::Done) = what else { return Ok(()) };
        let (Some(wanted), held) = (self.watches[zone].version_at(generation.0), self.held(node, zone)) else {
            return Ok(());
        };
        if held != Some(wanted) {
            return Err(format!("frozen with version {wanted}, and version {held:?} is there"));
        }
        Ok(())
    }

    /// All notes are on disk that could not be written before.
    pub(super) fn notes_are_written(&mut self, node: &Node) {
        if self.disk_is_full {
            return;
        }
        for (zone, watch) in self.zones.iter().zip(&mut self.watches) {
            if let Some(followed) = node.zone(zone.id) {
                watch.word.is_written(&followed);
            }
        }
    }
}
