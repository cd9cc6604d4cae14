//! The node: the one place where the edges meet. It follows zones, wakes them, and holds what the doors look at.

use std::any::Any;
use std::collections::HashSet;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use answer::{Contents, ServedZone, ZoneTable};
use arc_swap::{ArcSwap, ArcSwapOption};
use dns::Name;
use futures_util::FutureExt;
use inventory::{Inventory, Location, Proof, Service};
use server::{Access, Announcer, Shared, TransferOut};
use store::{ClockFacts, PutAside, Store, StoredContents, StoredZone};
use tokio::sync::{Notify, broadcast, watch};
use transfer::{LongWork, Received, Transfers};
use xfr::{Bounds, Destinations, Moment, Policy, Reason, Timers};
use zone::{Generation, Limits, Snapshot, TenantId, ZoneId};

use crate::abreast;
use crate::agenda::Agenda;
use crate::alerts::Alerts;
use crate::alike::Alike;
use crate::attempt::{self, Attempt, Kind};
use crate::catalogs::Catalogs;
use crate::clock::Clock;
use crate::configuration::Mode;
use crate::crowd::{Crowd, Line, Turn};
use crate::differences::KeptDifferences;
use crate::events;
use crate::followed::{Durability, Followed, Instructions, Role, Trigger, Wake, Writing};
use crate::kept::{KEEP_REMOVED, Kept};
use crate::ledger;
use crate::memory::Tide;
use crate::note::Note;
use crate::plans::Plans;
use crate::reconcile::{Callers, Course, admissions};
use crate::refresh::Refreshed;
use crate::roster::Roster;
use crate::upkeep::Upkeep;
use crate::warnings;

/// The beginning of 2026, in Unix milliseconds.
const GENERATIONS_BEGIN_MS: u64 = 1_767_225_600_000;
const GENERATIONS_PER_MS: u64 = 1 << 10;

/// Whoever falls further behind looks anew.
const NEWS_KEPT: usize = 256;

pub(crate) struct Node {
    pub(crate) clock: Clock,
    /// What is to be done about zones, and who may notify of them: each sort once.
    pub(crate) instructions: Alike<Instructions>,
    pub(crate) callers: Alike<Callers>,
    /// What counts where nothing is set for a zone.
    pub(crate) defaults: ArcSwap<Policy>,
    /// What a new version may hold at most.
    pub(crate) contents_limits: Limits,
    pub(crate) store: Store,
    pub(crate) transfers: Transfers,
    /// Who works on large zones.
    pub(crate) long_work: LongWork,
    /// Who uses this service.
    pub(crate) mode: Mode,
    /// What anything may be sent to.
    pub(crate) destinations: Destinations,
    /// Addresses of ours that may be chosen for asking a primary; any where this is none.
    pub(crate) sources: Option<Vec<IpAddr>>,
    /// Where the inventory is.
    pub(crate) inventory_location: Location,
    /// None while it cannot be opened.
    pub(crate) inventory: ArcSwapOption<Inventory>,
    pub(crate) agenda: Agenda,
    /// How much has been gone through.
    pub(crate) tide: Tide,
    /// Whose time has come.
    pub(crate) crowd: Arc<Crowd>,
    /// What the sockets read.
    pub(crate) shared: Shared,
    pub(crate) differences: Arc<KeptDifferences>,
    /// Where those who copy from us are told of new versions; none before the sockets are there, and in simulations.
    pub(crate) announcer: OnceLock<Announcer>,
    /// Keys that NOTIFYs out should be signed with and that are not here.
    pub(crate) missed_keys: Mutex<HashSet<(TenantId, Name)>>,
    /// Some served version, or some order, is in memory only.
    pub(crate) volatile: Notify,
    pub(crate) upkeep: Upkeep,
    pub(crate) catalogs: Catalogs,
    /// Zones about which something may have changed, for whoever looks at one.
    pub(crate) news: broadcast::Sender<ZoneId>,
    /// How often the node was made to match the inventory.
    pub(crate) reconciled: watch::Sender<u64>,
    /// How far that has come at the start, for whoever goes on with it.
    course: Mutex<Option<Course>>,
    followed: RwLock<Roster>,
    /// Zones that somebody or a catalog has removed, which are kept in case they come back.
    pub(crate) kept: Kept,
    /// For how long they are.
    pub(crate) keep_removed: Duration,
    /// What organisations may have.
    pub(crate) plans: Plans,
    /// What they are to be told.
    pub(crate) events: events::Queue,
    pub(crate) alerts: Alerts,
    /// The database of stored zones that was damaged when the program started.
    pub(crate) put_aside: Option<PutAside>,
}

impl Node {
    /// A node that follows the stored zones; each is answered, or expired, before anything is asked. Whoever follows the
    /// agenda puts them on it.
    pub(crate) fn new(
        clock: Clock,
        defaults: Policy,
        inventory_location: Location,
        store: Store,
        transfers: Transfers,
        stored: Vec<StoredZone>,
    ) -> Self {
        let agenda = Agenda::default();
        let now = clock.clone();
        let differences = Arc::new(KeptDifferences::new(store.clone()));
        let shared = Shared {
            zones: Arc::default(),
            catalogs: Arc::default(),
            access: Arc::new(ArcSwap::from_pointee(Access::default())),
            persona: Arc::default(),
            differences: differences.clone(),
            now: Arc::new(move || now.now()),
        };
        let (mut followed, kept) = (Vec::with_capacity(stored.len()), Kept::default());
        let instructions = Alike::default();
        let restored = abreast::map(stored, |stored| {
            let facts = stored.clock;
            let zone = restore(stored, &defaults, &instructions, &clock);
            // Bounds that were drawn closer meanwhile count from now on, also at a start under wider ones.
            if let Some(expires_at) = zone.condition().timers.expires_at().filter(|at| at.0 < facts.expires_at_ms) {
                store.confirm(zone.id, ClockFacts { expires_at_ms: expires_at.0, ..facts });
            }
            Arc::new(zone)
        });
        for zone in restored {
            match zone.instructions().role {
                Role::Removed => kept.insert(zone),
                _ => followed.push(zone),
            }
        }
        let (roster, table) = abreast::both(|| followed.iter().cloned().collect(), || table(&followed));
        shared.zones.store(Arc::new(table));
        let node = Self {
            clock,
            instructions,
            callers: Alike::default(),
            defaults: ArcSwap::from_pointee(defaults),
            contents_limits: Limits::default(),
            mode: Mode::Single,
            destinations: Destinations::default(),
            sources: None,
            inventory_location,
            store,
            transfers,
            long_work: LongWork::default(),
            inventory: ArcSwapOption::empty(),
            agenda,
            tide: Tide::default(),
            crowd: Arc::default(),
            shared,
            differences,
            announcer: OnceLock::new(),
            missed_keys: Mutex::default(),
            volatile: Notify::new(),
            upkeep: Upkeep::default(),
            catalogs: Catalogs::default(),
            news: broadcast::Sender::new(NEWS_KEPT),
            reconciled: watch::Sender::new(0),
            course: Mutex::default(),
            followed: RwLock::new(roster),
            kept,
            keep_removed: KEEP_REMOVED,
            plans: Plans::default(),
            events: events::Queue::default(),
            alerts: Alerts::default(),
            put_aside: None,
        };
        node.catalogs.listed_otherwise.notify_one();
        node
    }

    /// What shows that a name is whose it is that adds a zone; none where they are still to prove it. The default
    /// organisation is that of whoever runs the service.
    pub(crate) fn proof_at_once(&self, tenant: TenantId) -> Option<Proof> {
        let is_believed = self.mode == Mode::Single || tenant == TenantId::DEFAULT;
        is_believed.then_some(Proof::Operator)
    }

    pub(crate) fn zones(&self) -> Vec<Arc<Followed>> {
        self.read().iter().cloned().collect()
    }

    /// At most so many zones of the tenant, those after this name, in the order of lists.
    pub(crate) fn page(&self, tenant: TenantId, after: Option<&Name>, limit: usize) -> Vec<Arc<Followed>> {
        self.read().after(tenant, after).take(limit).cloned().collect()
    }

    pub(crate) fn zone(&self, id: ZoneId) -> Option<Arc<Followed>> {
        self.read().get(id).cloned()
    }

    /// Whether some tenant has a zone of this name. Takes as long as there are zones: for refusals alone.
    pub(crate) fn is_followed_for_anybody(&self, name: &Name) -> bool {
        self.read().iter().any(|zone| zone.name == *name)
    }

    /// A zone of which nothing is stored.
    pub(crate) fn fresh(&self, id: ZoneId, tenant: TenantId, name: Name, bounds: &Bounds) -> Followed {
        let now = self.clock.now();
        Followed::new(id, tenant, name, Timers::pending(bounds, now), last_generation_used(Generation(0), now))
    }

    /// Begins to follow a zone; [`Node::publish_table`] has it answered.
    pub(crate) fn follow(&self, zone: Arc<Followed>) {
        self.write().insert(zone);
    }

    pub(crate) fn forget(&self, id: ZoneId) -> Option<Arc<Followed>> {
        let zone = self.write().remove(id)?;
        if let Some(scheduled) = zone.condition().scheduled.take() {
            self.agenda.remove(scheduled, id);
        }
        Some(zone)
    }

    /// Has exactly those zones answered that are to be.
    pub(crate) fn publish_table(&self) {
        let table = table(self.read().iter());
        self.shared.zones.store(Arc::new(table));
        self.catalogs.listed_otherwise.notify_one();
    }

    /// Has those of these zones answered that are to be, and no others of them, and leaves all others as they are: as
    /// [`Node::publish_table`], where every zone is listed.
    pub(crate) fn publish_changes(&self, gone: &[Arc<Followed>], followed: &[Arc<Followed>]) {
        let (come, silent): (Vec<&Arc<Followed>>, _) =
            followed.iter().partition(|zone| zone.instructions().is_answered());
        let gone: Vec<(ZoneId, Name)> = gone.iter().chain(silent).map(|zone| (zone.id, zone.name.clone())).collect();
        let come: Vec<Arc<ServedZone>> = come.into_iter().map(|zone| zone.served.clone()).collect();
        let table = self.shared.zones.load().with(&gone, &come);
        self.shared.zones.store(Arc::new(table));
        self.catalogs.listed_otherwise.notify_one();
    }

    /// Who may copy which zone, as far as that is known: by what is set for zones, which stands in the store too.
    pub(crate) fn transfer_out(&self) -> TransferOut {
        let followed = self.read();
        // In the order of their ids, as in [`Node::publish_table`].
        let own = followed.iter().filter_map(|zone| Some((zone.name.clone(), admissions(zone)?)));
        TransferOut { default: self.defaults.load().allow_transfer.clone(), zones: own.collect() }
    }

    /// The tenant's followed zones of this name: two where the inventory has not said which it is.
    pub(crate) fn named(&self, tenant: TenantId, name: &Name) -> Vec<Arc<Followed>> {
        self.read().named(tenant, name).cloned().collect()
    }

    /// The tenant's zone of this name, the answered one first: names of those are unique.
    pub(crate) fn zone_of(&self, tenant: TenantId, name: &Name) -> Option<Arc<Followed>> {
        let followed = self.read();
        let mut named = followed.named(tenant, name);
        let first = named.next()?;
        // Two are there only until the inventory says which it is.
        let answered = std::iter::once(first).chain(named).find(|zone| self.answers(zone));
        Some(answered.unwrap_or(first).clone())
    }

    fn answers(&self, zone: &Followed) -> bool {
        self.shared.zones.load().get(zone.name.borrow()).is_some_and(|answered| answered.id == zone.id)
    }

    /// The followed zone of this name, if only the store knows it.
    pub(crate) fn unlisted(&self, tenant: TenantId, name: &Name) -> Option<Arc<Followed>> {
        self.zone_of(tenant, name).filter(|zone| !zone.instructions().is_listed())
    }

    /// The followed zones that only the store knows.
    pub(crate) fn all_unlisted(&self) -> Vec<Arc<Followed>> {
        self.read().iter().filter(|zone| !zone.instructions().is_listed()).cloned().collect()
    }

    /// Has a zone looked at now, or after the attempt that runs.
    pub(crate) fn wake(self: &Arc<Self>, zone: &Arc<Followed>, wake: Wake) {
        self.begin(zone, wake, None);
    }

    /// Has a zone looked at whose time has come, as soon as it is its turn.
    pub(crate) fn line_up(self: &Arc<Self>, zone: &Arc<Followed>) {
        let primary = zone.instructions().sources.first().map(|source| source.primary.address);
        let line = Line { primary, has_contents: zone.condition().held.is_some() };
        if let Some(turn) = self.crowd.enter(line, zone.id) {
            self.begin(zone, Wake::by(due_trigger(zone)), Some(turn));
        }
    }

    /// Has those zones looked at that have waited and whose turn it is.
    pub(crate) fn advance(self: &Arc<Self>) {
        while let Some((id, turn)) = self.crowd.next() {
            let Some(zone) = self.zone(id) else { continue };
            // Somebody may have had it looked at meanwhile, or not followed any more.
            let is_due = {
                let condition = zone.condition();
                !condition.is_attempting() && condition.timers.is_due(self.clock.now())
            };
            if is_due && zone.instructions().is_followed() {
                self.begin(&zone, Wake::by(due_trigger(&zone)), Some(turn));
            }
        }
    }

    fn begin(self: &Arc<Self>, zone: &Arc<Followed>, wake: Wake, turn: Option<Turn>) {
        if let Some(wake) = zone.begin(wake) {
            let (node, zone) = (self.clone(), zone.clone());
            // Boxed, because a task lies at a multiple of 128 octets: an allocator that does not look for such a place among
            // what is free (glibc before 2.38) leaves a hole of its size behind for each attempt.
            tokio::spawn(Box::pin(async move {
                attempt_until_done(node, zone, wake).await;
                drop(turn);
            }));
        }
    }

    /// Puts the zone's next event on the agenda. An expiry that has passed is no event to come: what is served must be
    /// looked at here, because the agenda may not have got to it (the machine was suspended), or never had it.
    pub(crate) fn schedule(&self, zone: &Followed) {
        self.expire_if_due(zone);
        let mut condition = zone.condition();
        let now = self.clock.now();
        let check = condition.timers.next_check();
        let next = zone.next_moment(&condition, now).map_or(check, |moment| moment.min(check));
        if let Some(scheduled) = condition.scheduled.replace(next) {
            self.agenda.remove(scheduled, zone.id);
        }
        self.agenda.add(next, zone.id);
    }

    /// Puts everything but the zone's check on the agenda: that is under way, or cannot be made.
    pub(crate) fn watch(&self, zone: &Followed) {
        let mut condition = zone.condition();
        let next = zone.next_moment(&condition, self.clock.now());
        if let Some(next) = next
            && condition.scheduled.is_none()
        {
            condition.scheduled = Some(next);
            self.agenda.add(next, zone.id);
        }
    }

    /// Has an expired zone no longer answered, and says what is to be said about any zone by now.
    pub(crate) fn expire_if_due(&self, zone: &Followed) {
        let now = self.clock.now();
        warnings::say_what_is_due(self, zone, now);
        let condition = zone.condition();
        let is_live = zone.served.snapshot().is_some();
        if is_live && zone.is_over(&condition, now) {
            zone.served.publish(Contents::Expired);
            drop(condition);
            warnings::tell_that_expired(self, zone);
            tracing::error!(zone = %zone.name, "the zone has expired: no primary confirmed it for as long as its SOA, or what is set for it, allows; it is answered with SERVFAIL");
        }
    }

    /// Has an expired zone answered again that may be served beyond its expiry.
    pub(crate) fn revive_if_allowed(&self, zone: &Followed) {
        let condition = zone.condition();
        let is_expired = matches!(zone.served.contents(), Contents::Expired);
        let Some(held) = condition.held.clone().filter(|_| is_expired) else { return };
        if !zone.is_over(&condition, self.clock.now()) {
            zone.served.publish(Contents::Live(held));
            tracing::warn!(zone = %zone.name, "the zone has expired and is answered all the same, as is set for it");
        }
    }

    /// Has the store know what must be known of the zone at a start; whether it does. If not, it is tried again until it
    /// does ([`crate::scheduler::follow_disk`]).
    pub(crate) async fn write_note(&self, writing: &Writing<'_>) -> Durability {
        let zone = writing.zone;
        let (note, before) = (zone.wanted_note(), zone.condition().note_durability);
        // What was tried in vain may be there all the same.
        if note == zone.note() && before == Durability::Durable {
            return Durability::Durable;
        }
        let durability = match self.store.note(zone.id, note.write()).await {
            Ok(()) => {
                zone.noted(note);
                if before == Durability::Volatile {
                    tracing::info!(zone = %zone.name, "what is set for the zone, or was ordered, is on disk now");
                }
                Durability::Durable
            }
            Err(error) if before == Durability::Volatile => {
                tracing::debug!(zone = %zone.name, "what is set for the zone is still in memory only: {error}");
                Durability::Volatile
            }
            Err(error) => {
                tracing::error!(zone = %zone.name, "what is set for the zone, or was ordered, holds, and is not on disk yet: {error}");
                Durability::Volatile
            }
        };
        zone.condition().note_durability = durability;
        if durability == Durability::Volatile {
            self.volatile.notify_one();
        }
        durability
    }

    pub(crate) fn clock_facts(&self, timers: &Timers) -> ClockFacts {
        ClockFacts {
            last_confirmed_ms: timers.confirmed_at().unwrap_or_default().0,
            expires_at_ms: timers.expires_at().unwrap_or_default().0,
            next_check_ms: timers.next_check().0,
        }
    }

    /// Puts an attempt on record and into the log; without an inventory it is only there.
    pub(crate) fn record(&self, zone: &Followed, attempt: &Attempt) {
        let recorded = ledger::recorded(zone, attempt);
        if let Some(inventory) = &*self.inventory.load() {
            inventory.ledger().record(zone.id, recorded.attempt.clone());
        }
        let before = {
            let mut condition = zone.condition();
            let had_attempted = std::mem::replace(&mut condition.has_attempted, true);
            condition.last_attempt.replace(Box::new(recorded)).filter(|_| had_attempted)
        };
        attempt.say(zone, before.as_deref());
        self.tell_lookers(zone);
    }

    /// Something about the zone may look otherwise now.
    pub(crate) fn tell_lookers(&self, zone: &Followed) {
        // Most of the time nobody looks.
        let _ = self.news.send(zone.id);
    }

    pub(crate) fn course(&self) -> std::sync::MutexGuard<'_, Option<Course>> {
        self.course.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Roster> {
        self.followed.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Roster> {
        self.followed.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Those of these zones that are to be answered.
fn table<'a>(zones: impl IntoIterator<Item = &'a Arc<Followed>>) -> ZoneTable {
    let answered = zones.into_iter().filter(|zone| zone.instructions().is_answered());
    let mut zones: Vec<Arc<ServedZone>> = answered.map(|zone| zone.served.clone()).collect();
    // Of two stored zones of one name the newer one is answered, until the inventory says which it is.
    zones.sort_unstable_by_key(|zone| zone.id);
    ZoneTable::new(zones)
}

/// A zone as it was found on disk.
fn restore(stored: StoredZone, defaults: &Policy, alike: &Alike<Instructions>, clock: &Clock) -> Followed {
    let note = Note::read(&stored.name, &stored.note);
    let instructions = alike.share(note.instructions(&stored.name, defaults));
    let zone = restore_contents(stored, note.tenant(), &instructions.policy.bounds, clock);
    zone.instruct(instructions);
    zone.condition().hold = note.hold();
    zone.condition().came_from = note.came_from;
    zone.noted(note);
    if zone.condition().held.is_none() {
        if zone.condition().hold.is_frozen() {
            tracing::error!(
                zone = %zone.name,
                "the zone was frozen at the version that is lost: nothing is fetched in its place, and it is answered with \
                 SERVFAIL until `secondo zone thaw` has it follow its primaries again"
            );
        } else {
            tracing::warn!(zone = %zone.name, "the zone is fetched again");
        }
    }
    let is_over = zone.is_over(&zone.condition(), clock.now());
    if let (false, Some(held)) = (is_over, zone.condition().held.clone()) {
        zone.served.publish(Contents::Live(held));
    }
    zone
}

fn restore_contents(stored: StoredZone, tenant: TenantId, bounds: &Bounds, clock: &Clock) -> Followed {
    let now = clock.now();
    let StoredZone { zone: id, name, head, clock: facts, note: _, contents } = stored;
    let generation = last_generation_used(head.generation, now);
    let image = match contents {
        StoredContents::Whole(image) => image,
        StoredContents::Unusable(what) => {
            tracing::error!(zone = %name, "the stored version cannot be used: {what}");
            return Followed::new(id, tenant, name, Timers::pending(bounds, now), generation);
        }
    };
    let timers = Timers::restored(
        &image.soa(),
        bounds,
        Moment(facts.last_confirmed_ms),
        Moment(facts.expires_at_ms),
        Moment(facts.next_check_ms),
        now,
        clock.random(),
    );
    // Whether it is served is for who knows the zone's policy.
    let snapshot = Arc::new(Snapshot { generation: head.generation, image });
    Followed::restored(id, tenant, name, timers, generation, snapshot, Contents::Expired)
}

/// The last generation that may have been used: of a version on disk, or by an earlier run for one that lived only in
/// memory because the disk was full. Nothing on disk tells of those, but time does: no run makes a thousand versions of a
/// zone in each millisecond.
pub(crate) fn last_generation_used(committed: Generation, now: Moment) -> Generation {
    let since_2026 = now.0.saturating_sub(GENERATIONS_BEGIN_MS);
    Generation(committed.0.max(since_2026.saturating_mul(GENERATIONS_PER_MS)))
}

async fn attempt_until_done(node: Arc<Node>, zone: Arc<Followed>, wake: Wake) {
    let _guard = Attempting { node: &node, zone: &zone };
    let mut next = Some(wake);
    while let Some(wake) = next {
        // It may have been paused since it was woken.
        if zone.instructions().service == Service::Answering {
            let attempt = attempt_once(&node, &zone, &wake).await;
            node.tide.has_received(attempt.received.records);
            warnings::look_at_signatures(&node, &zone).await;
            if wake.trigger == Trigger::Notify {
                let brought_news = attempt.result == Ok(Refreshed::Published);
                zone.condition().notify.ended(brought_news, node.clock.now());
            }
            for waiting in wake.waiting {
                // Whoever asked may have gone away meanwhile.
                let _ = waiting.send(ledger::recorded(&zone, &attempt));
            }
        }
        if zone.instructions().role == Role::Catalog {
            node.catalogs.attempted.notify_one();
        }
        next = zone.condition().end(node.clock.now());
        if node.zone(zone.id).is_some() {
            node.schedule(&zone);
        }
    }
}

/// Has the zone tried again when an attempt's own task ends by a bug: it would be attempting for ever.
struct Attempting<'a> {
    node: &'a Arc<Node>,
    zone: &'a Arc<Followed>,
}

impl Drop for Attempting<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            {
                let mut condition = self.zone.condition();
                condition.abandon();
                condition.timers.failed(&self.zone.bounds(), self.node.clock.now(), self.node.clock.random());
            }
            self.node.schedule(self.zone);
        }
    }
}

/// A bug that panics must not leave the zone attempting for ever.
async fn attempt_once(node: &Arc<Node>, zone: &Arc<Followed>, wake: &Wake) -> Attempt {
    // What is shared with others is left whole by whoever panics while changing it, or poisoned.
    let attempting = AssertUnwindSafe(attempt::attempt(node, zone, wake)).catch_unwind();
    match attempting.await {
        Ok(attempt) => attempt,
        Err(panic) => {
            let now = node.clock.now();
            let detail = what_was_said(&*panic);
            tracing::error!(zone = %zone.name, "an attempt ended by a fault of ours: {detail}");
            zone.condition().timers.failed(&zone.bounds(), now, node.clock.random());
            Attempt {
                at: now,
                primary: None,
                trigger: wake.trigger,
                kind: Kind::Check,
                from_serial: None,
                to_serial: None,
                received: Received::default(),
                millis: 0,
                result: Err(Reason::Internal { detail }),
                expires_in_secs: None,
            }
        }
    }
}

/// What a panic has said.
fn what_was_said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a word").to_owned()
}

/// What a zone is woken for when its time has come.
pub(crate) fn due_trigger(zone: &Followed) -> Trigger {
    let condition = zone.condition();
    match (&condition.held, condition.timers.failures()) {
        (_, 1..) => Trigger::Retry,
        (None, _) => Trigger::First,
        (Some(_), _) if !condition.has_attempted => Trigger::Start,
        (Some(_), _) => Trigger::Refresh,
    }
}

#[cfg(test)]
impl Node {
    /// A node with a store in this directory, which has no inventory, and of which nobody follows the agenda.
    pub(crate) async fn of_tests(directory: &std::path::Path) -> Arc<Self> {
        let data = directory.to_owned();
        let opened = tokio::task::spawn_blocking(move || Store::open(&data, store::Options::default()));
        let opened = opened.await.unwrap().unwrap();
        let internet = Arc::new(transfer::Internet::new(Destinations::Anything));
        let transfers = Transfers::new(transfer::Limits::default(), internet, transfer::TlsClient::default());
        let (clock, nowhere) = (Clock::starting_no_earlier_than(Moment(0)), Location::File("nowhere".into()));
        Arc::new(Self::new(clock, Policy::default(), nowhere, opened.store, transfers, opened.zones))
    }
}
