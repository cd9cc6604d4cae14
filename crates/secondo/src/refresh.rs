//! The way of every change of zone data: fetch, advance, decide, commit, publish, announce.
//!
//! What is here already, because it was held back or served before, begins at [`commit_and_publish`].
//!
//! Invariants: at most one at a time for a zone; durable before visible before announced (a full disk is the one
//! exception); whatever fails leaves the zone as it was.

use std::net::SocketAddr;
use std::sync::Arc;

use answer::Contents;
use store::StoreError;
use transfer::{Fetch, Lane, Primary};
use xfr::{Outcome, Reason};
use zone::inspect::Inspection;
use zone::zonemd::Verdict;
use zone::{Advanced, Change, Generation, Rejection, Snapshot};

use crate::followed::{Durability, Existence, Followed};
use crate::holds::{Decision, HeldBack, Hold, Want, decide};
use crate::node::Node;

/// What came and what is held may have so many octets together for the next version to be built where the octets came
/// in. That takes less than a millisecond, which is no longer than reading a message of 64 KiB.
const ADVANCED_HERE_OCTETS_MAX: u64 = 64 * 1024;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The source holds what we hold.
    Unchanged,
    /// A new version is served.
    Published,
    /// There is a newer version, which we keep back for this reason.
    Held(Reason),
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
    pub(crate) want: Want,
    /// In how many seconds the primary's own copy expires, if it says so.
    pub(crate) expires_in_secs: Option<u32>,
}

/// Where a version came from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// None when it was here already.
    pub(crate) primary: Option<SocketAddr>,
    pub(crate) expires_in_secs: Option<u32>,
}

/// Brings `zone` up to a primary by one transfer.
pub(crate) async fn refresh(
    node: &Node,
    zone: &Followed,
    way: Way<'_>,
    received: &mut Received,
) -> Result<Refreshed, Reason> {
    let Way { primary, lane, fetch, want, expires_in_secs } = way;
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
    let (advanced, verdict) = advance(node, zone, held.clone(), change, received.octets).await?;
    let policy = zone.instructions().policy.clone();
    match decide(held.as_ref().map(|held| &held.image), &advanced.image, verdict, &policy, want)? {
        Decision::Unchanged => return Ok(Refreshed::Unchanged),
        Decision::Hold { lost_percent } => {
            let serial = advanced.image.serial();
            hold_back(node, zone, advanced, lost_percent, primary.address).await;
            return Ok(Refreshed::Held(Reason::VersionHeld { serial, lost_percent }));
        }
        Decision::Publish => {}
    }
    // The owner's word may have come while the version was on its way.
    if zone.condition().hold.is_frozen() {
        return Ok(Refreshed::Held(Reason::ZoneFrozen { serial: advanced.image.serial() }));
    }
    commit_and_publish(node, zone, advanced, Origin { primary: Some(primary.address), expires_in_secs }).await
}

/// The rest of the way, also for a version that is here already: one that was held back, or one of before.
pub(crate) async fn commit_and_publish(
    node: &Node,
    zone: &Followed,
    advanced: Advanced,
    origin: Origin,
) -> Result<Refreshed, Reason> {
    let existence = zone.writing.lock().await;
    if *existence == Existence::Removed {
        return Err(Reason::ZoneRemoved);
    }
    let (next, durability) = commit(node, zone, advanced, origin).await?;
    publish(node, zone, next, durability, origin);
    // Until here nobody may remove the zone.
    drop(existence);
    node.write_note(zone).await;
    Ok(Refreshed::Published)
}

/// Makes the next version and looks at it. Off the runtime's threads where that takes longer than handing it to another:
/// a large zone takes seconds, and others want to be served meanwhile.
async fn advance(
    node: &Node,
    zone: &Followed,
    held: Option<Snapshot>,
    change: Change,
    octets: u64,
) -> Result<(Advanced, Verdict), Reason> {
    let mut seed = [0; 16];
    node.clock
        .machine()
        .random(&mut seed)
        .map_err(|error| Reason::Internal { detail: format!("the system gives no random numbers: {error}") })?;
    let octets = octets + held.as_ref().map_or(0, |held| held.image.as_bytes().len() as u64);
    let apex = zone.name.clone();
    let (now_secs, limits) = (node.clock.now().0 / 1000, node.contents_limits);
    let work = move || {
        let old = held.as_ref().map(|held| &held.image);
        let advanced = zone::advance(apex.borrow(), old, &change, seed, limits).map_err(reason_of)?;
        let inspection = zone::inspect(&advanced.image, now_secs);
        Ok::<_, Reason>((advanced, inspection))
    };
    let (advanced, inspection) = if octets <= ADVANCED_HERE_OCTETS_MAX {
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
    say_warnings(zone, &inspection);
    Ok((advanced, inspection.zonemd))
}

/// Into the log when other things are doubtful than before; a zone that changes every minute says it once.
fn say_warnings(zone: &Followed, inspection: &Inspection) {
    let mut codes: Vec<&'static str> = inspection.warnings.counts().map(|(code, _)| code).collect();
    if !matches!(inspection.zonemd, Verdict::Absent | Verdict::Verified { .. }) {
        codes.push("zonemd");
    }
    let before = std::mem::replace(&mut zone.condition().warned_of, codes.clone());
    if before == codes || codes.is_empty() {
        return;
    }
    let first = inspection.warnings.named().first().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(zone = %zone.name, zonemd = inspection.zonemd.code(), ?codes, "the zone has faults that validating resolvers mind: {first}");
}

/// Keeps a version from being published, and says so.
async fn hold_back(node: &Node, zone: &Followed, version: Advanced, lost_percent: u8, came_from: SocketAddr) {
    let serial = version.image.serial();
    {
        let mut condition = zone.condition();
        let since = match &condition.hold {
            Hold::Held(held) => held.since,
            _ => node.clock.now(),
        };
        let (version, came_from) = (Some(Box::new(version)), Some(came_from));
        condition.hold = Hold::Held(HeldBack { serial, lost_percent, since, version, came_from });
    }
    tracing::error!(
        zone = %zone.name,
        serial = serial.0,
        lost_percent,
        "a new version has lost so many of the zone's records that it is held back; publish it with `secondo zone publish \
         {name}`, or keep the old one with `secondo zone keep {name}`",
        name = zone.name,
    );
    node.write_note(zone).await;
}

async fn commit(
    node: &Node,
    zone: &Followed,
    advanced: Advanced,
    origin: Origin,
) -> Result<(Snapshot, Durability), Reason> {
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
        timers.confirmed(&image.soa(), origin.expires_in_secs, &zone.bounds(), now, 0);
        store::Commit {
            zone: zone.id,
            name: zone.name.clone(),
            head: store::Head { generation, serial: image.serial(), digest: image.digest() },
            clock: node.clock_facts(&timers),
            at_ms: now.0,
            image: image.clone(),
            history: zone.history_kept(),
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
fn publish(node: &Node, zone: &Followed, next: Snapshot, durability: Durability, origin: Origin) {
    let mut condition = zone.condition();
    let (now, soa) = (node.clock.now(), next.image.soa());
    condition.timers.confirmed(&soa, origin.expires_in_secs, &zone.bounds(), now, node.clock.random());
    zone.show_expiry(&condition);
    condition.held = Some(next.clone());
    condition.durability = durability;
    condition.came_from = origin.primary;
    if !condition.hold.is_frozen() {
        condition.hold = Hold::None;
    }
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
            history: zone.history_kept(),
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
        Rejection::RrsetTooLarge { owner, rtype, limit } => {
            Reason::RrsetTooLarge { owner, rtype, limit: limit.into() }
        }
        Rejection::TooManyTypes { owner, limit } => Reason::TooManyTypes { owner, limit: limit.into() },
        Rejection::ZoneTooLarge | Rejection::TooManyEmptyNames { .. } => {
            Reason::ZoneTooLarge { detail: rejection.to_string() }
        }
        Rejection::WrongStart { ours, theirs } => Reason::IxfrNotFromOurs { ours, theirs },
        Rejection::BrokenChain { ended, from } => Reason::IxfrGap { expected: ended, found: from },
        Rejection::NothingToStepFrom => Reason::Internal { detail: rejection.to_string() },
        Rejection::DeleteAbsent { owner, rtype } => Reason::IxfrDeleteAbsent { record: format!("{owner} {rtype}") },
        Rejection::AddPresent { owner, rtype } => Reason::IxfrAddPresent { record: format!("{owner} {rtype}") },
    }
}

#[cfg(test)]
mod tests;
