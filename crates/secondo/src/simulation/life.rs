//! One life of the node after the other, each on a runtime of its own: a killed program leaves nothing that runs.

use std::sync::Arc;
use std::time::Duration;

use inventory::Location;
use store::{Options, Store};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use transfer::{Limits, TlsClient, Transfers};
use xfr::Moment;

use super::events::Stage;
use super::network::SimulatedNetwork;
use super::orders::instruct_all;
use super::plan::{DAY_MS, MINUTE_MS, Stop};
use super::world::World;
use super::zones::policy;
use crate::clock::Clock;
use crate::node::Node;
use crate::{scheduler, upkeep};

/// As many as the program has.
const NOTIFIES_WAITING_MAX: usize = 4096;

/// Lets the node live and die until the end of the simulation, or until a promise is broken.
pub(super) fn live(world: &Arc<World>, until_ms: u64) {
    let mut disk = SimulatedDisk::without_past();
    loop {
        let runtime = runtime();
        let stop = runtime.block_on(async {
            let stop = live_once(world, &disk, until_ms).await;
            world.machine.stop();
            stop
        });
        // What the end of the runtime still writes comes too late, unless somebody waits for it.
        if stop == Stop::Asked {
            drop(runtime);
            disk = cut(world, &disk, Stop::Killed);
        } else {
            disk = cut(world, &disk, stop);
            drop(runtime);
        }
        if stop == Stop::End {
            return;
        }
        be_away(world);
    }
}

/// One thread, and another one for work that makes its caller wait, which does one thing after the other.
fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_time().start_paused(true).max_blocking_threads(1).build().expect("a runtime")
}

/// What is on the disk after such an end.
fn cut(world: &World, disk: &SimulatedDisk, stop: Stop) -> SimulatedDisk {
    let survival = match stop {
        Stop::PowerCut => Survival::Some(world.state().dice.throw()),
        Stop::Asked | Stop::Killed | Stop::End => Survival::Everything,
    };
    disk.cut(disk.operations(), survival, Syncs::Kept)
}

/// Mostly seconds, sometimes days; and the wall clock may be another one afterwards.
fn be_away(world: &World) {
    let now_ms = world.machine.now_ms();
    let mut state = world.state();
    let mean_ms = if state.dice.percent(20) { DAY_MS } else { MINUTE_MS };
    let away_ms = state.dice.wait(mean_ms);
    let by_ms = match state.dice.below(5) {
        0 => state.dice.below(60 * DAY_MS).cast_signed() - (30 * DAY_MS).cast_signed(),
        _ => 0,
    };
    state.note(now_ms, None, "away for, and the wall clock set by", &[20, away_ms, by_ms.cast_unsigned()]);
    drop(state);
    world.machine.set_wall_clock(by_ms);
    world.machine.pass(away_ms);
}

async fn live_once(world: &Arc<World>, disk: &SimulatedDisk, until_ms: u64) -> Stop {
    world.machine.start();
    let opened = Store::open_in_simulation(Arc::new(disk.clone()), Options::default()).expect("the store opens");
    let clock = Clock::on(world.machine.clone(), Moment(opened.newest_time_ms));
    // As `serve` does it; there too a full disk is no reason not to start.
    let _ = opened.store.know_time(clock.now().0);
    let network = Arc::new(SimulatedNetwork(world.clone()));
    let transfers = Transfers::new(Limits::default(), network, TlsClient::default());
    let mut node =
        Node::new(clock, policy(), Location::File("nowhere".into()), opened.store, transfers, opened.zones);
    node.contents_limits = world.limits;
    let node = Arc::new(node);
    world.born(&node);
    instruct_all(&world.state(), &node);
    world.started(&node);
    let (notifies, notified) = mpsc::channel(NOTIFIES_WAITING_MAX);
    let tasks = [
        tokio::spawn(scheduler::follow_agenda(node.clone())),
        tokio::spawn(scheduler::follow_notifies(node.clone(), Arc::new(Mutex::new(notified)))),
        tokio::spawn(scheduler::follow_disk(node.clone())),
        tokio::spawn(upkeep::follow_upkeep(node.clone())),
    ];
    let stage = Stage { world: world.clone(), node: node.clone(), disk: disk.clone(), notifies };
    let stop = drive(&stage, until_ms).await;
    assert!(tasks.iter().all(|task| !task.is_finished()), "a task that never ends has ended");
    if stop == Stop::Asked {
        // As `serve` does it. On a full disk the last confirmations are lost.
        let _ = node.store.flush().await;
    }
    stop
}

/// Carries out what is planned, each at its time.
async fn drive(stage: &Stage, until_ms: u64) -> Stop {
    loop {
        let now_ms = stage.world.machine.now_ms();
        if now_ms >= until_ms || stage.world.state().violation.is_some() {
            return Stop::End;
        }
        let due = stage.world.state().plan.take_due(now_ms);
        match due {
            Some(event) => {
                if let Some(stop) = stage.carry_out(event) {
                    return stop;
                }
            }
            None => {
                let next_ms = stage.world.state().plan.next_ms().unwrap_or(until_ms).min(until_ms);
                sleep(Duration::from_millis(next_ms - now_ms)).await;
            }
        }
    }
}
