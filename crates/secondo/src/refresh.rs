//! The way of every change of zone data: fetch, advance, decide, commit, publish, announce.
//!
//! Invariants: at most one at a time for a zone; durable before visible before announced (a full disk is the one
//! exception); whatever fails leaves the zone as it was.

use std::sync::Arc;

use answer::Contents;
use store::StoreError;
use transfer::{Fetch, Lane, Primary};
use xfr::{Outcome, Reason};
use zone::{Advanced, Change, Generation, Rejection, Snapshot};

use crate::followed::{Durability, Existence, Followed, Transfer};
use crate::node::Node;

/// What came and what is held may have so many octets together for the next version to be built where the octets came
/// in. That takes less than a millisecond, which is no longer than reading a message of 64 KiB.
const ADVANCED_HERE_OCTETS_MAX: u64 = 64 * 1024;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The source holds what we hold.
    Unchanged,
    /// A new version is served.
    Published,
}

/// How much came, whatever came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) octets: u64,
    pub(crate) records: u64,
}

/// Where from, and how.
pub(crate) struct Way<'a> {
    pub(crate) primary: &'a Primary,
    pub(crate) lane: Lane,
    pub(crate) fetch: Fetch,
    pub(crate) transfer: Transfer,
}

/// Brings `zone` up to a primary by one transfer.
pub(crate) async fn refresh(
    node: &Node,
    zone: &Followed,
    way: Way<'_>,
    received: &mut Received,
) -> Result<Refreshed, Reason> {
    let Way { primary, lane, fetch, transfer } = way;
    let fetched = node.transfers.fetch(&zone.name, primary, fetch, lane).await.map_err(|failed| {
        received.octets = failed.octets;
        failed.reason
    })?;
    *received = Received { octets: fetched.octets, records: fetched.records };
    // What has come takes memory until the end of this.
    let _share = fetched.share;
    let Outcome::Change(change) = fetched.outcome else {
        return Ok(Refreshed::Unchanged);
    };
    let held = zone.condition().held.clone();
    let advanced = advance(node, zone, held.clone(), change, received.octets).await?;
    if decide(node, zone, held.as_ref(), &advanced, transfer)? == Refreshed::Unchanged {
        return Ok(Refreshed::Unchanged);
    }
    let existence = zone.writing.lock().await;
    if *existence == Existence::Removed {
        return Err(Reason::ZoneRemoved);
    }
    let (next, durability) = commit(node, zone, advanced).await?;
    publish(node, zone, next, durability);
    // Until here nobody may remove the zone.
    drop(existence);
    Ok(Refreshed::Published)
}

/// Off the runtime's threads where it takes longer than handing it to another: a large zone takes seconds, and others
/// want to be served meanwhile.
async fn advance(
    node: &Node,
    zone: &Followed,
    held: Option<Snapshot>,
    change: Change,
    octets: u64,
) -> Result<Advanced, Reason> {
    let mut seed = [0; 16];
    node.clock
        .machine()
        .random(&mut seed)
        .map_err(|error| Reason::Internal { detail: format!("the system gives no random numbers: {error}") })?;
    let octets = octets + held.as_ref().map_or(0, |held| held.image.as_bytes().len() as u64);
    let apex = zone.name.clone();
    let work = move || {
        let old = held.as_ref().map(|held| &held.image);
        zone::advance(apex.borrow(), old, &change, seed).map_err(reason_of)
    };
    let advanced = if octets <= ADVANCED_HERE_OCTETS_MAX {
        work()?
    } else {
        let advanced = tokio::task::spawn_blocking(work).await;
        advanced.map_err(|error| Reason::Internal { detail: error.to_string() })??
    };
    let notes = advanced.notes;
    if notes != zone::Notes::default() {
        tracing::warn!(
            zone = %zone.name,
            out_of_zone = notes.out_of_zone,
            duplicates = notes.duplicates,
            ttls_too_large = notes.ttls_too_large,
            ttls_mixed = notes.ttls_mixed,
            "the primary's records are served with changes: out-of-zone ones dropped, duplicates once, one TTL for each RRset"
        );
    }
    Ok(advanced)
}

/// Whether the next version is to be published.
fn decide(
    node: &Node,
    zone: &Followed,
    held: Option<&Snapshot>,
    next: &Advanced,
    transfer: Transfer,
) -> Result<Refreshed, Reason> {
    let Some(held) = held else {
        return Ok(Refreshed::Published);
    };
    if next.image.digest() == held.image.digest() {
        return Ok(Refreshed::Unchanged);
    }
    let (ours, theirs) = (held.image.serial(), next.image.serial());
    let is_wanted = transfer == Transfer::Full || zone.condition().timers.is_expired(node.clock.now());
    if theirs.is_newer_than(ours) || is_wanted {
        return Ok(Refreshed::Published);
    }
    Err(if ours == theirs { Reason::SerialNotRaised { serial: ours } } else { Reason::of_older_serial(ours, theirs) })
}

async fn commit(node: &Node, zone: &Followed, advanced: Advanced) -> Result<(Snapshot, Durability), Reason> {
    let now = node.clock.now();
    let image = advanced.image;
    let commit = {
        let mut condition = zone.condition();
        let steps = match (&condition.held, condition.durability) {
            (Some(held), Durability::Durable) => number(held.generation, condition.generation, advanced.diffs),
            // Nothing on disk leads here: the version is committed whole.
            _ => Vec::new(),
        };
        let generation = steps.last().map_or(Generation(condition.generation.0 + 1), |step| step.to);
        condition.generation = generation;
        let mut timers = condition.timers;
        timers.confirmed(&image.soa(), &zone.bounds(), now, 0);
        store::Commit {
            zone: zone.id,
            name: zone.name.clone(),
            head: store::Head { generation, serial: image.serial(), digest: image.digest() },
            clock: node.clock_facts(&timers),
            at_ms: now.0,
            image: image.clone(),
            steps,
        }
    };
    let snapshot = Snapshot { generation: commit.head.generation, image };
    match node.store.commit(commit).await {
        Ok(()) => Ok((snapshot, Durability::Durable)),
        Err(StoreError::DiskFull { what }) => {
            tracing::error!(zone = %zone.name, "{what}: the disk is full: the new version is served from memory only");
            Ok((snapshot, Durability::Volatile))
        }
        Err(error) => Err(Reason::StoreFailed { detail: error.to_string() }),
    }
}

/// Gives each step a generation of its own, after the last one used.
fn number(held: Generation, used: Generation, diffs: Vec<zone::Diff>) -> Vec<store::Step> {
    let mut from = held;
    let mut last = used;
    let step = |diff| {
        last = Generation(last.0 + 1);
        let step = store::Step { from, to: last, diff };
        from = last;
        step
    };
    diffs.into_iter().map(step).collect()
}

/// One swap: a query sees all of it or none.
fn publish(node: &Node, zone: &Followed, next: Snapshot, durability: Durability) {
    let mut condition = zone.condition();
    condition.timers.confirmed(&next.image.soa(), &zone.bounds(), node.clock.now(), node.clock.random());
    condition.held = Some(next.clone());
    condition.durability = durability;
    zone.served.publish(Contents::Live(next));
    drop(condition);
    if durability == Durability::Volatile {
        node.volatile.notify_one();
    }
}

/// Commits the served version of a zone that is in memory only; whether it is durable now.
pub(crate) async fn make_durable(node: &Node, zone: &Arc<Followed>) -> bool {
    let existence = zone.writing.lock().await;
    let commit = {
        let condition = zone.condition();
        let Some(held) = &condition.held else { return true };
        if condition.durability == Durability::Durable || *existence == Existence::Removed {
            return true;
        }
        let image = held.image.clone();
        store::Commit {
            zone: zone.id,
            name: zone.name.clone(),
            head: store::Head { generation: held.generation, serial: image.serial(), digest: image.digest() },
            clock: node.clock_facts(&condition.timers),
            at_ms: node.clock.now().0,
            image,
            steps: Vec::new(),
        }
    };
    match node.store.commit(commit).await {
        Ok(()) => {
            zone.condition().durability = Durability::Durable;
            tracing::info!(zone = %zone.name, "there is room on the disk again: the served version is durable");
            true
        }
        Err(error) => {
            tracing::debug!(zone = %zone.name, "still in memory only: {error}");
            false
        }
    }
}

/// The reason for the ledger of a change that cannot become contents.
fn reason_of(rejection: Rejection) -> Reason {
    match rejection {
        Rejection::NoSoa { .. } => Reason::ZoneWithoutSoa,
        Rejection::SeveralSoas { .. } => Reason::ZoneWithSeveralSoas,
        Rejection::ForeignSoa { owner } => Reason::ForeignSoa { owner },
        Rejection::MetaType { rtype, .. } => Reason::MetaType { rtype },
        Rejection::Insane(zone::Insane::NoApexNs { .. }) => Reason::ZoneWithoutNs,
        Rejection::Insane(zone::Insane::CnameAndOther { owner, .. }) => Reason::CnameWithOtherData { owner },
        Rejection::Insane(zone::Insane::SeveralAliases { owner, rtype }) => {
            Reason::SeveralOfASingleton { owner, rtype }
        }
        Rejection::RrsetTooLarge | Rejection::ZoneTooLarge => Reason::ZoneTooLarge { detail: rejection.to_string() },
        Rejection::WrongStart { ours, theirs } => Reason::IxfrNotFromOurs { ours, theirs },
        Rejection::BrokenChain { ended, from } => Reason::IxfrGap { expected: ended, found: from },
        Rejection::NothingToStepFrom => Reason::Internal { detail: rejection.to_string() },
        Rejection::DeleteAbsent { owner, rtype } => Reason::IxfrDeleteAbsent { record: format!("{owner} {rtype}") },
        Rejection::AddPresent { owner, rtype } => Reason::IxfrAddPresent { record: format!("{owner} {rtype}") },
    }
}

#[cfg(test)]
mod tests;
