//! The way of every change of zone data: fetch, advance, decide, commit, publish, announce.
//!
//! What is here already, because it was held back or served before, begins at [`commit_and_publish`].
//!
//! Invariants: once the fetching is over, at most one at a time for a zone; what it is decided by holds until it is
//! published; durable before visible before announced (a full disk is the one exception); whatever fails leaves the zone
//! as it was.

use std::net::SocketAddr;
use std::sync::Arc;

use answer::Contents;
use dns::{Soa, Type};
use store::StoreError;
use transfer::{Fetch, Lane, Meter, Primary};
use xfr::{Bounds, Moment, Outcome, Reason, Shown, Timers};
use zone::inspect::Inspection;
use zone::zonemd::Verdict;
use zone::{Advanced, Change, Diff, Generation, Image, Incoming, Limits, Notes, Rejection, Snapshot};

use crate::differences::News;
use crate::followed::{Durability, Followed, Instructions, Writing};
use crate::holds::{Decision, HeldBack, Hold, Want, decide};
use crate::node::Node;
use crate::telling::tell;
use crate::warnings::{self, Signatures};

/// What came and what is held may have so many octets together for the next version to be built where the octets came
/// in. That takes less than a millisecond, which is no longer than reading a message of 64 KiB.
pub(crate) const ADVANCED_HERE_OCTETS_MAX: u64 = 64 * 1024;

/// Of so many octets are steps that are laid over a large zone where they came in: a hundred records or so.
const AT_ONCE_OCTETS_MAX: u64 = 8 * 1024;

/// Contents of no more octets are looked at closely before they are published, and larger ones when they are served: what is
/// doubtful about contents keeps nothing from being served, and looking for it takes a while.
const LOOKED_AT_FIRST_OCTETS_MAX: usize = 1 << 20;

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

/// Where from, and how.
pub(crate) struct Way<'a> {
    pub(crate) primary: &'a Primary,
    pub(crate) lane: Lane,
    pub(crate) fetch: Fetch,
    pub(crate) want: Want,
    /// In how many seconds the primary's own copy expires, if it says so.
    pub(crate) expires_in_secs: Option<u32>,
    /// Whether nobody waits any more for what is being fetched.
    pub(crate) is_given_up: &'a (dyn Fn() -> bool + Sync),
    /// Shows what has come.
    pub(crate) meter: &'a Meter,
}

/// Where a version came from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// From a primary, which thereby confirms the zone.
    Primary { address: SocketAddr, expires_in_secs: Option<u32> },
    /// It was here already, and nobody confirms anything; from this primary, if that is known.
    Here { came_from: Option<SocketAddr> },
}

impl Origin {
    /// Has the zone's timers go by a version from here.
    fn set(self, timers: &mut Timers, soa: &Soa, bounds: &Bounds, now: Moment, random: u32) {
        match self {
            Self::Primary { expires_in_secs, .. } => timers.confirmed(soa, expires_in_secs, bounds, now, random),
            Self::Here { .. } => timers.rebound(soa, bounds, now),
        }
    }

    fn came_from(self) -> Option<SocketAddr> {
        match self {
            Self::Primary { address, .. } => Some(address),
            Self::Here { came_from } => came_from,
        }
    }
}

/// Brings `zone` up to a primary by one transfer.
pub(crate) async fn refresh(node: &Node, zone: &Followed, way: Way<'_>) -> Result<Refreshed, Reason> {
    let Way { primary, lane, fetch, want, expires_in_secs, is_given_up, meter } = way;
    let fetching = node.transfers.fetch(&zone.name, primary, fetch, lane, meter);
    let fetched = tokio::select! {
        // First: nothing more is asked of a primary from which nobody wants anything.
        biased;
        // A primary may draw a transfer out for hours, also when nobody wants it any more.
        () = zone.until(|| !wants(&zone.instructions(), primary) || is_given_up()) => return Err(Reason::Overtaken),
        fetched = fetching => fetched,
    };
    let fetched = fetched?;
    // What has come takes memory until the end of this.
    let _share = fetched.share;
    let Outcome::Change(change) = fetched.outcome else {
        return Ok(Refreshed::Unchanged);
    };
    let by_differences = matches!(change, Change::Steps(_));
    if !by_differences {
        zone.condition().leads_on = None;
    }
    let came = fetched.gathered.map_or(Came::Change(change), Came::Zone);
    let held = zone.condition().held.clone();
    let (advanced, looked) = advance(node, zone, held.clone(), came, meter.read().octets).await?;
    let serial = advanced.image.serial();
    let writing = zone.write().await.ok_or(Reason::ZoneRemoved)?;
    // Somebody's word may have come while the version was on its way.
    let instructions = zone.instructions();
    let generation = |snapshot: &Option<Arc<Snapshot>>| snapshot.as_ref().map(|snapshot| snapshot.generation);
    if !wants(&instructions, primary) || generation(&zone.condition().held) != generation(&held) {
        return Err(Reason::Overtaken);
    }
    if zone.condition().hold.is_frozen() {
        // One that is not newer confirms nothing.
        let is_newer = held.is_none_or(|held| serial.is_newer_than(held.image.serial()));
        return if is_newer { Ok(Refreshed::Held(Reason::ZoneFrozen { serial })) } else { Err(Reason::Overtaken) };
    }
    if let Want::Released(released) = want
        && released.is_overtaken(&zone.condition().hold)
    {
        return Err(Reason::Overtaken);
    }
    match decide(
        held.as_ref().map(|held| &held.image),
        &advanced.image,
        looked.zonemd(),
        &instructions.policy,
        instructions.records_max,
        want,
    )? {
        Decision::Unchanged => Ok(Refreshed::Unchanged),
        Decision::Hold { lost_percent } => {
            hold_back(node, &writing, advanced, lost_percent, primary.address).await;
            Ok(Refreshed::Held(Reason::VersionHeld { serial, lost_percent }))
        }
        Decision::OverLimit { records, limit } => {
            zone.condition().hold = Hold::OverLimit { serial, records, limit };
            tracing::warn!(
                zone = %zone.name, serial = serial.0, records, limit,
                "the new version has more records than the plan allows: the one before is served on"
            );
            node.write_note(&writing).await;
            warnings::tell_of_records(node, zone, records, limit);
            Ok(Refreshed::Held(Reason::OverLimit { serial, records, limit }))
        }
        Decision::Publish => {
            let origin = Origin::Primary { address: primary.address, expires_in_secs };
            let records = advanced.image.record_count();
            let ages = Shown { soa: advanced.image.soa(), expires_in_secs }.ages();
            commit_and_publish(node, &writing, advanced, origin).await?;
            if by_differences && !ages {
                zone.condition().leads_on = Some(primary.address);
            }
            if let Some(limit) = instructions.records_max {
                warnings::tell_of_records(node, zone, records, limit);
            }
            if let Looked::Closely(inspection) = looked {
                zone.condition().said.set_signatures(inspection.horizon.into());
            }
            Ok(Refreshed::Published)
        }
    }
}

/// Whether anything is wanted from this primary.
fn wants(instructions: &Instructions, primary: &Primary) -> bool {
    instructions.is_followed() && instructions.sources.iter().any(|source| source.primary == *primary)
}

/// The rest of the way, also for a version that is here already: one that was held back, or one of before.
pub(crate) async fn commit_and_publish(
    node: &Node,
    writing: &Writing<'_>,
    advanced: Advanced,
    origin: Origin,
) -> Result<(), Reason> {
    let (next, durability) = commit(node, writing.zone, advanced, origin).await?;
    publish(node, writing.zone, next, durability, origin);
    tell(node, writing.zone);
    node.write_note(writing).await;
    Ok(())
}

/// What a primary has sent.
enum Came {
    Change(Change),
    /// A large zone, of which most is done by now.
    Zone(Incoming),
}

/// Makes the next version and looks at it. Off the runtime's threads where that takes longer than handing it to another:
/// a large zone takes seconds, and others want to be served meanwhile.
async fn advance(
    node: &Node,
    zone: &Followed,
    held: Option<Arc<Snapshot>>,
    came: Came,
    octets: u64,
) -> Result<(Advanced, Looked), Reason> {
    let mut seed = [0; 16];
    node.clock
        .machine()
        .random(&mut seed)
        .map_err(|error| Reason::Internal { detail: format!("the system gives no random numbers: {error}") })?;
    let (now_secs, limits) = (node.clock.now().0 / 1000, node.contents_limits);
    if let (Some(held), Came::Change(Change::Steps(steps))) = (&held, &came)
        && octets <= AT_ONCE_OCTETS_MAX
        && let Some(advanced) = advance_at_once(zone, held, steps, limits)?
    {
        return Ok((advanced, Looked::InPassing(Verdict::Absent)));
    }
    let octets = octets + held.as_ref().map_or(0, |held| held.image.octets() as u64);
    let apex = zone.name.clone();
    let work = move || {
        let old = held.as_ref().map(|held| &held.image);
        let advanced = match came {
            Came::Change(change) => zone::advance(apex.borrow(), old, &change, seed, limits),
            Came::Zone(incoming) => incoming.finish(old, seed),
        };
        let advanced = advanced.map_err(reason_of)?;
        let looked = Looked::at(&advanced.image, now_secs);
        Ok::<_, Reason>((advanced, looked))
    };
    let (advanced, looked) = if octets <= ADVANCED_HERE_OCTETS_MAX {
        work()?
    } else {
        let advanced = node.long_work.begin(work).await;
        advanced.map_err(|error| Reason::Internal { detail: error.to_string() })??
    };
    say_notes(zone, advanced.notes);
    if let Looked::Closely(inspection) = &looked {
        warnings::say_doubts(node, zone, inspection);
    }
    Ok((advanced, looked))
}

/// The same where it takes no longer than handing it to another thread; none where it may take longer.
fn advance_at_once(
    zone: &Followed,
    held: &Snapshot,
    steps: &[Diff],
    limits: Limits,
) -> Result<Option<Advanced>, Reason> {
    let advanced = zone::advance_at_once(zone.name.borrow(), &held.image, steps, limits).map_err(reason_of)?;
    // To verify its digest takes as long as the zone is large.
    let advanced = advanced.filter(|advanced| advanced.image.apex_owner().rrset(Type::ZONEMD).is_none());
    Ok(advanced.inspect(|advanced| say_notes(zone, advanced.notes)))
}

fn say_notes(zone: &Followed, notes: Notes) {
    if notes != Notes::default() {
        tracing::warn!(
            zone = %zone.name,
            out_of_zone = notes.out_of_zone,
            duplicates = notes.duplicates,
            ttls_too_large = notes.ttls_too_large,
            ttls_mixed = notes.ttls_mixed,
            "the primary's records are served with changes: out-of-zone ones dropped, duplicates once, one TTL for each RRset"
        );
    }
}

/// What is known of a new version before it is decided about.
enum Looked {
    Closely(Inspection),
    /// What the decision takes; [`crate::upkeep`] does the rest.
    InPassing(Verdict),
}

impl Looked {
    /// Takes as long as the zone is large if it has a ZONEMD record, and otherwise no more than a millisecond.
    fn at(image: &Image, now_secs: u64) -> Self {
        match image.is_merged() && image.octets() <= LOOKED_AT_FIRST_OCTETS_MAX {
            true => Self::Closely(zone::inspect(image, now_secs)),
            false => Self::InPassing(zone::zonemd::verify(image)),
        }
    }

    fn zonemd(&self) -> Verdict {
        match self {
            Self::Closely(inspection) => inspection.zonemd,
            Self::InPassing(verdict) => *verdict,
        }
    }
}

/// Keeps a version from being published, and says so.
async fn hold_back(node: &Node, writing: &Writing<'_>, version: Advanced, lost_percent: u8, came_from: SocketAddr) {
    let zone = writing.zone;
    let serial = version.image.serial();
    {
        let mut condition = zone.condition();
        let since = match &condition.hold {
            Hold::Held(held) => held.since,
            _ => node.clock.now(),
        };
        let (version, came_from) = (Some(Box::new(version)), Some(came_from));
        condition.hold = Hold::Held(Box::new(HeldBack { serial, lost_percent, since, version, came_from }));
        condition.release_tried_at = None;
    }
    warnings::say_what_is_due(node, zone, node.clock.now());
    node.write_note(writing).await;
}

async fn commit(
    node: &Node,
    zone: &Followed,
    advanced: Advanced,
    origin: Origin,
) -> Result<(Arc<Snapshot>, Durability), Reason> {
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
        origin.set(&mut timers, &image.soa(), &zone.bounds(), now, 0);
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
    let news = News::of(&commit.steps);
    let snapshot = Arc::new(Snapshot { generation: commit.head.generation, image });
    match node.store.commit(commit).await {
        Ok(()) => {
            node.differences.note(zone.id, news).await;
            Ok((snapshot, Durability::Durable))
        }
        Err(StoreError::DiskFull { what }) => {
            tracing::error!(zone = %zone.name, "{what}: the disk is full: the new version is served from memory only");
            Ok((snapshot, Durability::Volatile))
        }
        Err(error) => Err(Reason::StoreFailed { detail: error.to_string() }),
    }
}

/// Gives each step a generation of its own, after the last one used.
fn number(held: Generation, used: Generation, diffs: Vec<Diff>) -> Vec<store::Step> {
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
fn publish(node: &Node, zone: &Followed, next: Arc<Snapshot>, durability: Durability, origin: Origin) {
    let mut condition = zone.condition();
    let (now, soa) = (node.clock.now(), next.image.soa());
    origin.set(&mut condition.timers, &soa, &zone.bounds(), now, node.clock.random());
    zone.show_expiry(&condition);
    let is_first = condition.held.replace(next.clone()).is_none();
    if next.image.is_merged() {
        condition.said.set_signatures(Signatures::Unknown);
        if next.image.octets() > LOOKED_AT_FIRST_OCTETS_MAX {
            node.upkeep.look_at(zone.id);
        }
    } else {
        node.upkeep.changed(zone.id, &next.image, &node.contents_limits);
    }
    condition.durability = durability;
    condition.came_from = origin.came_from();
    if !condition.hold.is_frozen() {
        condition.hold = Hold::None;
    }
    // What was here already revives nothing.
    let is_over = zone.is_over(&condition, now);
    zone.served.publish(if is_over { Contents::Expired } else { Contents::Live(next) });
    drop(condition);
    if is_first {
        node.catalogs.listed_otherwise.notify_one();
    }
    if durability == Durability::Volatile {
        node.volatile.notify_one();
    }
}

/// Writes what is in memory only: what was ordered about the zone, and its served version; whether both are durable now.
pub(crate) async fn make_durable(node: &Node, zone: &Arc<Followed>) -> bool {
    let Some(writing) = zone.write().await else { return true };
    // The order first: a crash must not leave a version of before served and the primary followed.
    let note_durability = zone.condition().note_durability;
    if note_durability == Durability::Volatile && node.write_note(&writing).await == Durability::Volatile {
        return false;
    }
    let commit = {
        let condition = zone.condition();
        let Some(held) = &condition.held else { return true };
        if condition.durability == Durability::Durable {
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
            tell(node, zone);
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
pub(crate) fn reason_of(rejection: Rejection) -> Reason {
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
