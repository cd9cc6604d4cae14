//! The owner's word about a zone's versions: publish, keep, freeze, thaw.
//!
//! Each takes effect when it is given, whatever attempt is under way, which may wait for hours on a primary that is slow by
//! intent: whoever has the right to write the zone has it for the moment of publishing, not of fetching. An attempt that
//! ends afterwards finds the word, and gives up what it brings.
//!
//! The word is written before anything is published because of it. Where that fails, on a full disk for one, the word
//! holds all the same, and a version of before is served from memory if need be: whoever freezes a zone does so because
//! its primary cannot be trusted, now. But then it is not said to be done ([`Refusal::NotOnDisk`]), because a restart would
//! forget it; it is written as soon as there is room.

use std::sync::Arc;

use dns::Serial;
use inventory::{Outcome, RecordedAttempt};
use tokio::sync::oneshot;
use tokio::time::Instant;
use transfer::Received;
use xfr::{Moment, Reason};
use zone::{Advanced, Generation};

use crate::attempt::{Attempt, Kind};
use crate::followed::{Durability, Followed, Guard, Trigger, Wake, Writing};
use crate::history::{self, NoWay};
use crate::holds::{Hold, Released};
use crate::node::Node;
use crate::refresh::{Origin, Refreshed, commit_and_publish};

/// Why an order cannot be carried out.
pub(crate) enum Refusal {
    /// No version is held back.
    NothingHeld,
    NotFrozen,
    /// The zone holds nothing that could be frozen.
    NothingThere,
    /// The version of before is not kept.
    NoWay(NoWay),
    /// The zone is frozen at its present version, and the one of before could not be published.
    NotPublished(Reason),
    /// It is carried out, and would be forgotten by a restart.
    NotOnDisk,
    Removed,
    /// Nobody was there to see the end of it.
    Stopping,
}

/// Publishes the version that is held back or kept. What is no longer here is fetched again; the attempt says what came of
/// it.
pub(crate) async fn publish(node: &Arc<Node>, zone: &Arc<Followed>) -> Result<RecordedAttempt, Refusal> {
    let released = zone.condition().hold.released_by_owner();
    let released = released.ok_or_else(|| already(zone, Refusal::NothingHeld))?;
    let recorded = match publish_what_is_here(node, zone, released).await {
        Some(attempt) => crate::ledger::recorded(zone, &attempt),
        None => {
            let (ended, ending) = oneshot::channel();
            let guard = Guard::Released(released);
            node.wake(zone, Wake { guard, waiting: vec![ended], ..Wake::by(Trigger::Request) });
            ending.await.map_err(|_| Refusal::Stopping)?
        }
    };
    match recorded.attempt.outcome {
        Outcome::Updated if !zone.condition().is_on_disk() => Err(Refusal::NotOnDisk),
        _ => Ok(recorded),
    }
}

/// Keeps what is served until there is a version after the one that is held back.
pub(crate) async fn keep(node: &Node, zone: &Followed) -> Result<(), Refusal> {
    let writing = zone.write().await.ok_or(Refusal::Removed)?;
    {
        let mut condition = zone.condition();
        let Hold::Held(held) = &condition.hold else {
            drop(condition);
            return Err(already(zone, Refusal::NothingHeld));
        };
        condition.hold = Hold::Kept { serial: held.serial };
    }
    let noted = node.write_note(&writing).await;
    node.schedule(zone);
    done(noted)
}

/// Publishes nothing any more, after the version of this generation if one is given.
pub(crate) async fn freeze(node: &Node, zone: &Followed, generation: Option<Generation>) -> Result<(), Refusal> {
    let under_way = UnderWay::new(node, zone);
    let writing = zone.write().await.ok_or(Refusal::Removed)?;
    let held = zone.condition().held.clone().ok_or(Refusal::NothingThere)?;
    let before = match generation.filter(|generation| *generation != held.generation) {
        Some(generation) => Some(history::version(node, zone, &held, generation).await.map_err(Refusal::NoWay)?),
        None => None,
    };
    zone.condition().hold = Hold::Frozen;
    // A crash must not leave the old version served and the primary followed.
    node.write_note(&writing).await;
    if let Some(version) = before {
        let attempt = under_way.publish(&writing, version, Origin::Here { came_from: None }).await;
        attempt.result.map_err(Refusal::NotPublished)?;
    }
    // Also that of the present version, which a crash would take back.
    if zone.condition().is_on_disk() { Ok(()) } else { Err(Refusal::NotOnDisk) }
}

/// Follows the primaries again.
pub(crate) async fn thaw(node: &Node, zone: &Followed) -> Result<(), Refusal> {
    let writing = zone.write().await.ok_or(Refusal::Removed)?;
    {
        let mut condition = zone.condition();
        if !condition.hold.is_frozen() {
            drop(condition);
            return Err(already(zone, Refusal::NotFrozen));
        }
        condition.hold = Hold::None;
        condition.check_soon(Trigger::Request, node.clock.now());
    }
    let noted = node.write_note(&writing).await;
    node.schedule(zone);
    done(noted)
}

fn done(noted: Durability) -> Result<(), Refusal> {
    match noted {
        Durability::Durable => Ok(()),
        Durability::Volatile => Err(Refusal::NotOnDisk),
    }
}

/// Why there is nothing to do for an order: it may be given again to see whether it is on disk by now.
fn already(zone: &Followed, refusal: Refusal) -> Refusal {
    if zone.condition().is_on_disk() { refusal } else { Refusal::NotOnDisk }
}

/// Publishes the version that is held back without asking anybody. None if it is not here: after a start it is only known
/// that there is one.
pub(crate) async fn publish_what_is_here(node: &Node, zone: &Followed, released: Released) -> Option<Attempt> {
    let under_way = UnderWay::new(node, zone);
    let writing = zone.write().await?;
    let (version, came_from) = match &zone.condition().hold {
        Hold::Held(held) if released.is_about(held) => (held.version.clone()?, held.came_from),
        _ => return None,
    };
    Some(under_way.publish(&writing, *version, Origin::Here { came_from }).await)
}

/// An attempt that asks nobody.
struct UnderWay<'a> {
    node: &'a Node,
    at: Moment,
    began: Instant,
    from_serial: Option<Serial>,
}

impl<'a> UnderWay<'a> {
    fn new(node: &'a Node, zone: &Followed) -> Self {
        let from_serial = zone.condition().held.as_ref().map(|held| held.image.serial());
        Self { node, at: node.clock.now(), began: Instant::now(), from_serial }
    }

    async fn publish(&self, writing: &Writing<'_>, version: Advanced, origin: Origin) -> Attempt {
        let serial = version.image.serial();
        let result = commit_and_publish(self.node, writing, version, origin).await;
        let attempt = Attempt {
            at: self.at,
            primary: None,
            trigger: Trigger::Request,
            kind: Kind::Publish,
            from_serial: self.from_serial,
            to_serial: Some(serial),
            received: Received::default(),
            millis: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            result: result.map(|()| Refreshed::Published),
            expires_in_secs: None,
        };
        self.node.record(writing.zone, &attempt);
        self.node.schedule(writing.zone);
        attempt
    }
}
