//! What zones' owners order, and how it is carried out: through the functions that the API's doors and reconcile call.

use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use inventory::Service;
use testing::dice::Dice;
use tokio::sync::oneshot;
use xfr::Setting;
use zone::TenantId;

use super::events::Stage;
use super::plan::{DAY_MS, Event};
use super::word::{Answer, Order};
use super::world::{State, World};
use super::zones::SimulatedZone;
use crate::followed::{Followed, Instructions, Source, Transfer, Trigger, Wake};
use crate::holds::Hold;
use crate::node::Node;
use crate::orders::{self, Refusal};
use crate::reconcile::{instruct, write_notes};

/// How long what stops a zone lasts until the owner looks again.
const STOPPED_MS: u64 = DAY_MS;
/// What owners set for their zones, and take back.
const SETTINGS: [(Setting, &str); 7] = [
    (Setting::RefreshMax, "2h"),
    (Setting::RetryMax, "30m"),
    (Setting::SerialWentBack, "accept"),
    (Setting::ServePastExpiry, "1d"),
    (Setting::Notify, "signed"),
    (Setting::IxfrFrom, "any"),
    (Setting::HoldFor, "6h"),
];

/// What is in an owner's mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Freeze,
    FreezeBefore,
    Thaw,
    Publish,
    Keep,
    Serve(Service),
    Set,
    Primaries,
    Refresh,
    RefreshFull,
}

const WISHES: [Wish; 13] = [
    Wish::Freeze,
    Wish::FreezeBefore,
    Wish::FreezeBefore,
    Wish::Thaw,
    Wish::Publish,
    Wish::Keep,
    Wish::Serve(Service::Paused),
    Wish::Serve(Service::Disabled),
    Wish::Set,
    Wish::Set,
    Wish::Primaries,
    Wish::Refresh,
    Wish::RefreshFull,
];

impl Wish {
    /// Mostly what an owner does who sees the zone like this; sometimes anything.
    fn of(zone: &Followed, dice: &mut Dice) -> Self {
        let any = *dice.pick(&WISHES);
        let hold = zone.condition().hold.clone();
        match (zone.instructions().service, hold) {
            _ if dice.percent(30) => any,
            (Service::Answering, Hold::None) => any,
            (Service::Answering, Hold::Frozen) => Self::Thaw,
            (Service::Answering, Hold::Held(_)) => *dice.pick(&[Self::Publish, Self::Keep]),
            (Service::Answering, Hold::Kept { .. }) => *dice.pick(&[Self::Publish, Self::Refresh]),
            _ => Self::Serve(Service::Answering),
        }
    }

    fn stops(self) -> bool {
        matches!(self, Self::Freeze | Self::FreezeBefore | Self::Serve(Service::Paused | Service::Disabled))
    }
}

/// Has the node follow all zones, as the inventory would have it at a start.
pub(super) fn instruct_all(state: &State, node: &Arc<Node>) {
    for zone in &state.zones {
        let instructions = instructions(state, zone);
        match node.zone(zone.id) {
            Some(followed) => _ = instruct(node, &followed, instructions),
            None => {
                let fresh = Arc::new(node.fresh(zone.id, TenantId::DEFAULT, zone.name.clone(), &zone.policy.bounds));
                fresh.instruct(instructions);
                node.follow(fresh);
            }
        }
    }
    node.publish_table();
}

fn instructions(state: &State, zone: &SimulatedZone) -> Instructions {
    let source = |primary: &usize| Source::new(xfr::Primary::at(state.primaries[*primary].address), None);
    Instructions {
        sources: zone.followed.iter().map(source).collect(),
        service: zone.service,
        settings: zone.settings.clone(),
        policy: zone.policy.clone(),
        ..Instructions::default()
    }
}

impl Stage {
    /// A zone's owner orders something.
    pub(super) fn order(&self, index: usize, now_ms: u64) {
        let state = &mut *self.world.state();
        let followed = self.node.zone(state.zones[index].id).expect("all zones are followed");
        let wish = Wish::of(&followed, &mut state.dice);
        if wish.stops() {
            state.plan.at(now_ms + state.dice.wait(STOPPED_MS), Event::OrderAtOnce(index));
        }
        // What has been served until now is judged by what was ordered until now.
        state.look(now_ms, &self.node, index);
        let order = match wish {
            Wish::Freeze => Order::Freeze(None),
            Wish::FreezeBefore => {
                let versions = self.node.store.history(followed.id).unwrap_or_default();
                let Some(last) = versions.len().checked_sub(1) else { return };
                let version = &versions[state.dice.between(last.saturating_sub(3) as u64, last as u64) as usize];
                Order::Freeze(Some(version.generation))
            }
            Wish::Thaw => Order::Thaw,
            Wish::Publish => Order::Publish(what_is_held(state, index, &followed)),
            Wish::Keep => Order::Keep,
            // As the doors have it.
            Wish::Refresh | Wish::RefreshFull
                if state.zones[index].service != Service::Answering || followed.condition().hold.is_frozen() =>
            {
                return;
            }
            Wish::Refresh => Order::Refresh,
            Wish::RefreshFull => Order::RefreshFull,
            Wish::Serve(_) | Wish::Set | Wish::Primaries => {
                self.change_intent(state, index, wish, now_ms);
                Order::Instruct
            }
        };
        state.note(now_ms, Some(index), &format!("{wish:?}"), &[21, wish_number(wish)]);
        state.ordered(now_ms, index, order);
        if order == Order::Instruct {
            let instructions = instructions(state, &state.zones[index]);
            if instruct(&self.node, &followed, instructions) {
                self.node.publish_table();
            }
        }
        self.carry(index, followed, order);
    }

    /// Nothing here waits for the end of it: that may be hours away.
    fn carry(&self, index: usize, zone: Arc<Followed>, order: Order) {
        let (world, node, disk) = (self.world.clone(), self.node.clone(), self.disk.clone());
        tokio::spawn(async move {
            let answer = InStep(Box::pin(given(&node, &zone, order))).await;
            let is_disk_well = !disk.has_lost_power();
            world.answered(&node, (index, &zone), order, answer, is_disk_well);
        });
    }

    /// Reconcile tries once a minute to write what could not be written.
    pub(super) fn write_notes_again(&self) {
        let (world, node, disk) = (self.world.clone(), self.node.clone(), self.disk.clone());
        tokio::spawn(async move {
            write_notes(&node).await;
            if !disk.has_lost_power() {
                world.notes_are_written(&node);
            }
        });
    }

    /// Changes what the inventory has of a zone.
    fn change_intent(&self, state: &mut State, index: usize, wish: Wish, now_ms: u64) {
        let State { zones, primaries, dice, .. } = state;
        let zone = &mut zones[index];
        match wish {
            Wish::Serve(service) => zone.service = service,
            Wish::Set => {
                let (setting, value) = *dice.pick(&SETTINGS);
                let is_set = zone.settings.iter().any(|(one, _)| one == setting);
                zone.set(setting, Some(value).filter(|_| !is_set));
            }
            _ if zone.followed.len() > 1 => {
                let gone = dice.below(zone.followed.len() as u64) as usize;
                zone.followed.remove(gone);
            }
            _ if zone.primaries.len() > 1 => zone.followed = zone.primaries.clone(),
            _ => {
                let other = dice.below(primaries.len() as u64) as usize;
                if !zone.primaries.contains(&other) {
                    zone.primaries.push(other);
                    primaries[other].copy(index, zone, now_ms);
                }
                zone.followed = zone.primaries.clone();
            }
        }
    }
}

/// The version that the owner sees is held back, and what it has lost.
fn what_is_held(state: &State, index: usize, followed: &Followed) -> Option<(dns::Serial, u8)> {
    match &followed.condition().hold {
        Hold::Held(held) => Some((held.serial, held.lost_percent)),
        Hold::Kept { serial } => Some((*serial, 0)),
        // There are no plans in the simulation.
        Hold::OverLimit { .. } => None,
        Hold::None | Hold::Frozen => None,
    }
    .filter(|_| index < state.zones.len())
}

fn wish_number(wish: Wish) -> u64 {
    WISHES.iter().position(|one| *one == wish).unwrap_or(WISHES.len()) as u64
}

/// Gives the order to the node, and waits for its answer.
async fn given(node: &Arc<Node>, zone: &Arc<Followed>, order: Order) -> Answer {
    let carried_out = match order {
        Order::Freeze(generation) => orders::freeze(node, zone, generation).await,
        Order::Thaw => orders::thaw(node, zone).await,
        Order::Publish(_) => orders::publish(node, zone).await.map(|_| ()),
        Order::Keep => orders::keep(node, zone).await,
        Order::Refresh => attempted(node, zone, Transfer::Newer).await,
        Order::RefreshFull => attempted(node, zone, Transfer::Full).await,
        Order::Instruct => {
            write_notes(node).await;
            Ok(())
        }
    };
    match carried_out {
        Ok(()) => Answer::Done,
        Err(Refusal::NotOnDisk) => Answer::NotOnDisk,
        Err(_) => Answer::Refused,
    }
}

/// As the doors have a zone attempted.
async fn attempted(node: &Arc<Node>, zone: &Arc<Followed>, transfer: Transfer) -> Result<(), Refusal> {
    let (ended, ending) = oneshot::channel();
    node.wake(zone, Wake { transfer, waiting: vec![ended], ..Wake::by(Trigger::Request) });
    ending.await.map(|_| ()).map_err(|_| Refusal::Stopping)
}

/// What an order has done on another thread, which does one thing after the other, is done before the order goes on, and
/// that thread wakes nobody here: how fast it is must make no difference to who is first.
struct InStep<F>(Pin<Box<F>>);

impl<F: Future> Future for InStep<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // It gets to such work, then past it, and then waits for something of this thread's, if for anything.
        for _ in 0..2 {
            if let Poll::Ready(output) = self.0.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Poll::Ready(output);
            }
            let (done, is_done) = mpsc::channel();
            tokio::task::spawn_blocking(move || done.send(()));
            is_done.recv().expect("what was handed in is done");
        }
        self.0.as_mut().poll(context)
    }
}

impl World {
    fn answered(
        &self,
        node: &Arc<Node>,
        (index, zone): (usize, &Followed),
        order: Order,
        answer: Answer,
        is_disk_well: bool,
    ) {
        let now_ms = self.machine.now_ms();
        self.state().answered(now_ms, node, (index, zone), (order, answer), is_disk_well);
    }

    fn notes_are_written(&self, node: &Node) {
        self.state().notes_are_written(node);
    }
}
