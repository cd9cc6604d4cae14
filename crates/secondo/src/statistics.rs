//! What is asked of zones, on its way from the sockets to the database and to who looks at it.
//!
//! ```text
//! server::Queries ──gather──▶ pending: by zone and hour, names by day ──write, in portions──▶ inventory
//!                                     └──────────── shown: what is written, and what is pending ◀──┘
//! ```
//!
//! Once a minute everything is gathered and written; whoever looks has it gathered too. What cannot be written waits here, as
//! far as there is room, and that is said once.
//!
//! Invariants: a query is in one of these places and in no other, whoever looks and whatever fails (but for an answer of the
//! database that is lost: then what it had written is written again); a zone that is not followed any more when its queries
//! are gathered has none.

mod pending;
mod shown;
mod sizes;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use inventory::{Day, Hour, Inventory, InventoryError, Month, UsageOf};
use server::Queries;
use tokio::sync::RwLock;
use tokio::time::{Instant, sleep_until};
use xfr::Moment;

use crate::events;
use crate::node::Node;
use pending::Pending;
use sizes::Sizes;

/// How often everything is written: what a crash loses at the most.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// Who looks more often sees what there was so long ago.
const GATHERED_ANEW_AFTER: Duration = Duration::from_secs(1);

pub(crate) struct Statistics {
    queries: Queries,
    pending: Mutex<Pending>,
    gathering: Mutex<Gathering>,
    /// Held by who takes a portion from here to the database, and shared by those who add up both.
    moving: RwLock<()>,
    sizes: tokio::sync::Mutex<Sizes>,
    /// When what is old was last gone through.
    folded: Mutex<Option<Day>>,
    has_said: AtomicBool,
    lost: AtomicU64,
}

/// When the sockets are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gather {
    /// Nothing is to be left with them.
    Now,
    /// They are not to be kept busy by whoever looks.
    UnlessJustDone,
}

struct Gathering {
    /// Since when what is gathered next is counted.
    since: Moment,
    at: Option<Instant>,
}

impl Statistics {
    pub(crate) fn new(queries: Queries, now: Moment) -> Self {
        Self {
            queries,
            pending: Mutex::default(),
            gathering: Mutex::new(Gathering { since: now, at: None }),
            moving: RwLock::default(),
            sizes: tokio::sync::Mutex::default(),
            folded: Mutex::default(),
            has_said: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }
    }

    /// Queries that are on no record, because nothing could be written for long or there are too many zones.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Takes what the sockets have counted.
    async fn gather(self: &Arc<Self>, node: &Arc<Node>, when: Gather) {
        let (statistics, node) = (self.clone(), node.clone());
        // Some milliseconds for a thousand zones, some tens for a hundred thousand.
        let gathered = tokio::task::spawn_blocking(move || statistics.gather_here(&node, when)).await;
        if let Err(error) = gathered {
            tracing::error!("what was asked of zones could not be gathered, by a fault of ours: {error}");
        }
    }

    fn gather_here(&self, node: &Node, when: Gather) {
        let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        let is_just_done = gathering.at.is_some_and(|at| at.elapsed() < GATHERED_ANEW_AFTER);
        if is_just_done && when == Gather::UnlessJustDone {
            return;
        }
        gathering.at = Some(Instant::now());
        // An hour that has ended since then has all of it: most of a minute at the most is counted too early.
        let hour = Hour::of(std::mem::replace(&mut gathering.since, node.clock.now()));
        let taken = self.queries.take();
        let mut pending = self.pending();
        let mut lost = taken.unplaced;
        for (zone, counts) in &taken.zones {
            if let Some(zone) = node.zone(*zone) {
                lost += pending.add(zone.tenant, zone.id, hour, &shown::recorded(counts));
            }
        }
        for ((zone, name), queries) in taken.names {
            if node.zone(zone).is_some() {
                pending.add_name(zone, hour.day(), name, queries);
            }
        }
        drop(pending);
        if lost > 0 && self.lost.fetch_add(lost, Ordering::Relaxed) == 0 {
            tracing::error!(
                "what was asked of zones is not counted in full: there is no room for more of it in memory"
            );
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all that is here, and says once when that does not work, and when it does again.
    pub(crate) async fn write(self: &Arc<Self>, node: &Arc<Node>) {
        self.gather(node, Gather::Now).await;
        let Some(inventory) = node.inventory.load_full() else { return };
        // Whoever has this done may go away in the middle; what has begun comes to its end.
        let (statistics, followed) = (self.clone(), node.clone());
        let written = tokio::spawn(async move { statistics.write_to(&inventory, &followed).await }).await;
        let trouble = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (trouble, self.has_said.load(Ordering::Relaxed)) {
            (Some(trouble), false) => {
                tracing::warn!(
                    "what was asked of zones cannot be written, and is kept in memory until it can: {trouble}"
                );
                self.has_said.store(true, Ordering::Relaxed);
            }
            (None, true) => {
                tracing::info!("what was asked of zones is written again");
                self.has_said.store(false, Ordering::Relaxed);
            }
            (Some(_), true) | (None, false) => {}
        }
    }

    async fn write_to(&self, inventory: &Inventory, node: &Node) -> Result<(), InventoryError> {
        loop {
            let _moving = self.moving.write().await;
            let portion = self.pending().take_counts();
            if portion.is_empty() {
                break;
            }
            if let Err(error) = inventory.add_queries(&portion).await {
                let lost = self.pending().put_back(portion);
                self.lost.fetch_add(lost, Ordering::Relaxed);
                return Err(error);
            }
        }
        loop {
            let _moving = self.moving.write().await;
            let portion = self.pending().take_names();
            if portion.is_empty() {
                break;
            }
            if let Err(error) = inventory.add_names(&portion).await {
                self.pending().put_back_names(portion);
                return Err(error);
            }
        }
        self.note_sizes(inventory, node).await?;
        tell_of_limits(inventory, node).await?;
        self.fold(inventory, node).await
    }

    async fn note_sizes(&self, inventory: &Inventory, node: &Node) -> Result<(), InventoryError> {
        self.sizes.lock().await.note(inventory, node).await
    }

    /// Once a day: what is old becomes less, and ends.
    async fn fold(&self, inventory: &Inventory, node: &Node) -> Result<(), InventoryError> {
        let now = node.clock.now();
        let today = Hour::of(now).day();
        if *self.folded.lock().unwrap_or_else(PoisonError::into_inner) == Some(today) {
            return Ok(());
        }
        let mut last = inventory.fold_queries(None, now).await?;
        while last.is_some() {
            last = inventory.fold_queries(last, now).await?;
        }
        *self.folded.lock().unwrap_or_else(PoisonError::into_inner) = Some(today);
        Ok(())
    }
}

/// Tells organisations that have had nearly as many queries in this month as their plans are for. Answers never stop for it.
async fn tell_of_limits(inventory: &Inventory, node: &Node) -> Result<(), InventoryError> {
    if !node.plans.limit_queries() {
        return Ok(());
    }
    let month = Month::of(Hour::of(node.clock.now()));
    for used in inventory.usage(UsageOf::Everybody, month).await? {
        let limit = node.plans.of(used.tenant).limits().queries_per_month;
        events::tell_if_near(node, used.tenant, limit, used.queries, "queries in a month", "");
    }
    Ok(())
}

/// Writes what is asked of zones, for ever: at each full minute, so that an hour ends where it ends.
pub(crate) async fn keep_record(node: Arc<Node>, statistics: Arc<Statistics>) {
    loop {
        let every_ms = u64::try_from(WRITTEN_EVERY.as_millis()).unwrap_or(u64::MAX);
        let left_ms = every_ms - node.clock.now().0 % every_ms;
        sleep_until(Instant::now() + Duration::from_millis(left_ms)).await;
        statistics.write(&node).await;
    }
}

#[cfg(test)]
mod tests;
