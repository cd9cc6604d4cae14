//! Wakes zones: when their time has come, when a primary sends NOTIFY, when the disk has room again.

use std::sync::Arc;
use std::time::Duration;

use server::Notified;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep};
use xfr::Moment;

use crate::followed::{Followed, Guard, Trigger, Wake};
use crate::holds::Released;
use crate::node::Node;
use crate::refresh;

/// Zones woken at once; then others may run.
const DUE_AT_ONCE_MAX: usize = 256;
/// With nothing on the agenda for so long it is looked at all the same: sleeping takes no account of time in which the
/// machine was suspended.
const IDLE: Duration = Duration::from_secs(60);
/// Who looks at the agenda so much later than was meant was stopped, with all else: the machine was suspended, or the
/// process.
const STOPPED_MIN: Duration = Duration::from_secs(10);
/// How often a full disk is tried again.
const DISK_RETRY: Duration = Duration::from_secs(5);

/// Looks after the agenda, for ever.
pub(crate) async fn follow_agenda(node: Arc<Node>) {
    // What was taken from the agenda when this ended by a fault would never come back to it.
    node.zones().iter().for_each(|zone| node.schedule(zone));
    let mut looked_at = node.clock.started_at();
    // When it went on after the last stop.
    let mut going_since = Moment::default();
    loop {
        let now = node.clock.now();
        if now.since(looked_at) >= IDLE + STOPPED_MIN {
            going_since = now;
            let secs = now.since(looked_at).as_secs();
            tracing::warn!(
                secs,
                "checks could not be made for so long, as when the machine is suspended: those that are overdue are made soon"
            );
        }
        looked_at = now;
        node.advance();
        let due = node.agenda.take_due(now, DUE_AT_ONCE_MAX);
        for zone in due.iter().filter_map(|id| node.zone(*id)) {
            zone.condition().scheduled = None;
            node.expire_if_due(&zone);
            let (is_due, is_attempting) = {
                let mut condition = zone.condition();
                // With thousands of them, all at once would only be in one another's way.
                if condition.timers.next_check() < going_since && !condition.is_attempting() {
                    condition.timers.overdue(now, node.clock.random());
                }
                (condition.timers.is_due(now), condition.is_attempting())
            };
            if let Some(released) = due_release(&zone, now) {
                tracing::warn!(zone = %zone.name, "nobody has said what is to become of the version that is held back: it is to be published now");
                node.wake(&zone, Wake { guard: Guard::Released(released), ..Wake::by(Trigger::Request) });
                node.watch(&zone);
                continue;
            }
            if zone.instructions().is_followed() && zone.condition().notify.take_due(now) {
                node.watch(&zone);
                node.wake(&zone, Wake::by(Trigger::Notify));
                continue;
            }
            match (is_due, is_attempting) {
                // The attempt's end puts the zone back on the agenda; it may take hours, and expiry does not wait.
                (true, false) if zone.instructions().is_followed() => {
                    node.watch(&zone);
                    node.line_up(&zone);
                }
                (true, _) => node.watch(&zone),
                (false, _) => node.schedule(&zone),
            }
        }
        if due.len() == DUE_AT_ONCE_MAX {
            tokio::task::yield_now().await;
            continue;
        }
        let wait = node.agenda.next().map_or(IDLE, |next| next.since(node.clock.now()).min(IDLE));
        tokio::select! {
            biased;
            () = sleep(wait) => {}
            () = node.agenda.sooner.notified() => {}
            () = node.crowd.advanced.notified() => {}
        }
    }
}

/// What is published by itself, if a hold ends now.
fn due_release(zone: &Followed, now: Moment) -> Option<Released> {
    let instructions = zone.instructions();
    let mut condition = zone.condition();
    let ends_at = condition.hold.ends_at(&instructions.policy)?;
    // Where it came to nothing, because the primary that has it is away: with the next check.
    let is_again = condition.release_tried_at.is_some() && !condition.timers.is_due(now);
    let is_due = ends_at <= now && instructions.is_followed() && !condition.is_attempting() && !is_again;
    let released = condition.hold.released_by_time().filter(|_| is_due)?;
    condition.release_tried_at = Some(now);
    Some(released)
}

/// Wakes the zones that primaries say have changed.
pub(crate) async fn follow_notifies(node: Arc<Node>, notified: Arc<Mutex<mpsc::Receiver<Notified>>>) {
    while let Some(notified) = notified.lock().await.recv().await {
        let Some(zone) = node.zone(notified.zone).filter(|zone| zone.instructions().is_followed()) else { continue };
        tracing::debug!(zone = %zone.name, from = %notified.from, serial = notified.serial.map(|serial| serial.0), "NOTIFY");
        node.transfers.heard_from(notified.from.ip());
        // One that comes during an attempt is gone into after it, if then.
        let may_begin = {
            let mut condition = zone.condition();
            condition.is_attempting() || condition.notify.may_begin(node.clock.now())
        };
        if may_begin {
            node.wake(&zone, Wake::by(Trigger::Notify));
        } else {
            node.schedule(&zone);
        }
    }
    // The sockets are closed: the program ends.
    std::future::pending::<()>().await;
}

/// Writes what is in memory only, as soon as there is room.
pub(crate) async fn follow_disk(node: Arc<Node>) {
    loop {
        while !commit_volatile(&node).await {}
        node.volatile.notified().await;
    }
}

/// Tries every zone, since there may be room for a small one and none for a large one; whether all are durable now.
pub(crate) async fn commit_volatile(node: &Arc<Node>) -> bool {
    let began = Instant::now();
    let is_volatile = |zone: &Arc<Followed>| !zone.condition().is_on_disk();
    let mut all_durable = true;
    for zone in node.zones().into_iter().chain(node.kept.all()).filter(is_volatile) {
        all_durable &= refresh::make_durable(node, &zone).await;
    }
    if !all_durable {
        // Many zones in vain take a while: then as much time is left to others.
        sleep(DISK_RETRY.max(began.elapsed())).await;
    }
    all_durable
}
