//! A zone as this node follows it: what it serves, what it knows, and what is being done about it.
//!
//! Invariants: at most one attempt runs at a time; what wakes the zone meanwhile is remembered once and done afterwards;
//! a removed zone is never written again; `held` is the newest version, also when it has expired and is not served.

use std::net::SocketAddr;
use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use answer::{Contents, ServedZone};
use arc_swap::ArcSwap;
use dns::Name;
use inventory::{Proof, RecordedAttempt, Service};
use serde::{Deserialize, Serialize};
use store::HistoryKept;
use tokio::sync::{Notify, oneshot};
use transfer::{Meter, Primary};
use xfr::{AnyAnswer, Bounds, Freshness, Key, Moment, Policy, Settings, Timers};
use zone::{Generation, Snapshot, Tags, TenantId, ZoneId};

use crate::holds::{Hold, Released};
use crate::note::Note;
use crate::pace::Pace;
use crate::warnings::{self, Said};

const DAY_SECS: u64 = 24 * 3600;

pub(crate) struct Followed {
    pub(crate) id: ZoneId,
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// As it was typed.
    pub(crate) name: Name,
    pub(crate) served: Arc<ServedZone>,
    instructions: ArcSwap<Instructions>,
    /// What is wanted of the zone has changed, or nobody writes it any more.
    wanted_otherwise: Notify,
    condition: Mutex<Condition>,
    /// What stands about the zone in the store; none where nothing special is to be known, as of most zones.
    note: Mutex<Option<Box<Note>>>,
    pen: Pen,
}

/// The right to change what is stored of a zone and what becomes of its versions. One at a time has it: from before it is
/// decided about a version until that is published, while the owner's word is put on record, and while the zone is removed.
pub(crate) struct Writing<'a> {
    pub(crate) zone: &'a Followed,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.zone.pen.0.store(Pen::FREE, Ordering::Release);
        self.zone.wanted_otherwise.notify_waiters();
    }
}

/// What is to be done about the zone: as the inventory has it, or as it stood in the store's note while there is no
/// inventory, or none that knows the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instructions {
    pub(crate) created_at: Moment,
    pub(crate) sources: Vec<Source>,
    pub(crate) service: Service,
    pub(crate) ownership: Ownership,
    pub(crate) role: Role,
    /// What is set for the zone alone, and what follows with the defaults.
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    /// What its owner sorts it by.
    pub(crate) tags: Tags,
    /// Whether the tenant's plan lets the zone be answered and followed.
    pub(crate) subscription: Subscription,
    /// The most records that it allows for a zone.
    pub(crate) records_max: Option<u64>,
    /// For how many days versions are kept at the most.
    pub(crate) history_days: Option<u64>,
}

/// Whether the name is known to be the zone's tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ownership {
    #[default]
    Proven,
    /// The tenant says so. The zone is followed, so that its contents are here when they are wanted, and not answered.
    Claimed,
}

/// Whether a zone's tenant has what it takes to have zones here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subscription {
    #[default]
    InForce,
    /// The plan has ended, and its grace too: the zone stays, and is neither answered nor followed.
    Ended,
}

impl Ownership {
    pub(crate) fn of(proof: Option<Proof>) -> Self {
        proof.map_or(Self::Claimed, |_| Self::Proven)
    }
}

/// What the zone is here for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Somebody configured it.
    #[default]
    Configured,
    /// It lists members. That is for us alone (RFC 9432 §7), so that it is followed and not answered.
    Catalog,
    /// This catalog lists it.
    MemberOf(Name),
    /// A catalog has removed it. It is kept for a while in case it comes back, and neither answered nor followed.
    Removed,
}

impl Instructions {
    /// Whether the inventory knows the zone: there, each has a primary.
    pub(crate) fn is_listed(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Whether the zone is checked and transferred.
    pub(crate) fn is_followed(&self) -> bool {
        self.is_listed() && self.service == Service::Answering && self.subscription == Subscription::InForce
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.service.is_answered()
            && self.subscription == Subscription::InForce
            && self.ownership == Ownership::Proven
            && !matches!(self.role, Role::Catalog | Role::Removed)
    }
}

/// A primary of the zone, with its key if that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) configured: xfr::Primary,
    pub(crate) primary: Primary,
}

impl Source {
    pub(crate) fn new(configured: xfr::Primary, key: Option<Arc<Key>>) -> Self {
        let xfr::Primary { address, source, ref tls, .. } = configured;
        let primary = Primary { address, key, source, tls: tls.clone() };
        Self { configured, primary }
    }

    /// Whether the configured key is missing: asking without it would be asking in clear.
    pub(crate) fn missing_key(&self) -> Option<&Name> {
        self.configured.key.as_ref().filter(|_| self.primary.key.is_none())
    }
}

/// Whether somebody writes the zone. An octet in the place of a lock that people wait in line for: of a million zones
/// hardly any is being written.
struct Pen(AtomicU8);

impl Pen {
    const FREE: u8 = 0;
    const TAKEN: u8 = 1;
    /// The zone is removed and never written again.
    const BROKEN: u8 = 2;

    /// Leaves it `afterwards` if it is free; what it was.
    fn take(&self, afterwards: u8) -> u8 {
        match self.0.compare_exchange(Self::FREE, afterwards, Ordering::Acquire, Ordering::Acquire) {
            Ok(before) | Err(before) => before,
        }
    }
}

/// A transfer that is under way.
pub(crate) struct Transferring {
    pub(crate) primary: SocketAddr,
    pub(crate) since: Moment,
    pub(crate) meter: Arc<Meter>,
}

/// A list in which most zones have nothing: then it takes no more than a pointer.
#[expect(clippy::box_collection, reason = "a list takes three times as much, and there may be a million")]
pub(crate) struct Few<T>(Option<Box<Vec<T>>>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Few<T> {
    pub(crate) fn push(&mut self, one: T) {
        self.0.get_or_insert_default().push(one);
    }

    pub(crate) fn retain(&mut self, is_kept: impl FnMut(&T) -> bool) {
        let Some(list) = &mut self.0 else { return };
        list.retain(is_kept);
        if list.is_empty() {
            self.0 = None;
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |list| list)
    }
}

/// What changes while a zone is followed.
pub(crate) struct Condition {
    pub(crate) timers: Timers,
    pub(crate) held: Option<Arc<Snapshot>>,
    /// The last generation used.
    pub(crate) generation: Generation,
    pub(crate) durability: Durability,
    /// Of what must be known of the zone at a start.
    pub(crate) note_durability: Durability,
    /// The primary that the newest version came from; none where it is not known, or came from none.
    pub(crate) came_from: Option<SocketAddr>,
    /// The primary that it came from by differences, and that may be asked for the next ones at once.
    pub(crate) leads_on: Option<SocketAddr>,
    /// As it stands in the ledger, or will.
    pub(crate) last_attempt: Option<Box<RecordedAttempt>>,
    /// Whether any attempt has ended since the program started.
    pub(crate) has_attempted: bool,
    /// The primaries that did not answer when all were last asked, and why, by codes.
    pub(crate) silent: Box<[(SocketAddr, &'static str)]>,
    pub(crate) transfers: Few<Transferring>,
    /// Whether a newer version is kept from being published.
    pub(crate) hold: Hold,
    /// When it was last tried to publish what is held back because its time is over.
    pub(crate) release_tried_at: Option<Moment>,
    pub(crate) said: Said,
    /// How NOTIFYs are gone into.
    pub(crate) notify: Pace,
    /// Where the zone stands on the agenda.
    pub(crate) scheduled: Option<Moment>,
    activity: Activity,
}

/// Whether the served version, or what is to be known of the zone, is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    Durable,
    /// In memory only, because the disk is full, or not there yet under the zone's id.
    Volatile,
}

enum Activity {
    Idle,
    /// An attempt runs; what has come meanwhile is done after it.
    Attempting {
        next: Option<Box<Wake>>,
    },
}

/// Why a zone is looked at now, and who wants to know how it goes.
pub(crate) struct Wake {
    pub(crate) trigger: Trigger,
    pub(crate) transfer: Transfer,
    pub(crate) guard: Guard,
    pub(crate) waiting: Vec<oneshot::Sender<RecordedAttempt>>,
}

/// Whether a version that lost too many records is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    On,
    /// The owner, or time, has said that it is to be published.
    Released(Released),
}

fn past_expiry(policy: &Policy) -> Duration {
    Duration::from_secs(u64::from(policy.serve_past_expiry_secs))
}

/// Why an attempt was made; in the order of what it says more about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trigger {
    Refresh,
    Retry,
    Start,
    First,
    Notify,
    Request,
}

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transfer {
    /// What changed, if the primary has something newer.
    Newer,
    /// The whole zone, whatever its serial.
    Full,
}

impl Wake {
    pub(crate) fn by(trigger: Trigger) -> Self {
        Self { trigger, transfer: Transfer::Newer, guard: Guard::On, waiting: Vec::new() }
    }

    /// Whether it is for a NOTIFY and nothing else.
    fn is_notify(&self) -> bool {
        self.trigger == Trigger::Notify && self.transfer == Transfer::Newer && self.guard == Guard::On
    }

    fn join(&mut self, other: Self) {
        self.trigger = self.trigger.max(other.trigger);
        self.transfer = self.transfer.max(other.transfer);
        if other.guard != Guard::On {
            self.guard = other.guard;
        }
        self.waiting.extend(other.waiting);
    }
}

impl Followed {
    /// A zone of which nothing is there; versions up to `generation` may have been, in memory or in an image that cannot
    /// be used.
    pub(crate) fn new(id: ZoneId, tenant: TenantId, name: Name, timers: Timers, generation: Generation) -> Self {
        Self::with(id, tenant, name, timers, None, generation, Contents::Absent)
    }

    /// A zone that begins with what is stored of another one of its name.
    pub(crate) fn heir(id: ZoneId, tenant: TenantId, name: Name, other: &Self) -> Self {
        let (timers, held, generation, hold, came_from) = {
            let condition = other.condition();
            let (hold, came_from) = (condition.hold.clone(), condition.came_from);
            (condition.timers, condition.held.clone(), condition.generation, hold, came_from)
        };
        let contents = other.served.contents();
        // It is on disk under the other's id only.
        let durability = if held.is_some() { Durability::Volatile } else { Durability::Durable };
        let heir = Self::with(id, tenant, name, timers, held, generation, contents);
        {
            let mut condition = heir.condition();
            (condition.durability, condition.hold, condition.came_from) = (durability, hold, came_from);
        }
        heir
    }

    /// A zone whose version was read from disk.
    pub(crate) fn restored(
        id: ZoneId,
        tenant: TenantId,
        name: Name,
        timers: Timers,
        generation: Generation,
        held: Arc<Snapshot>,
        contents: Contents,
    ) -> Self {
        Self::with(id, tenant, name, timers, Some(held), generation, contents)
    }

    fn with(
        id: ZoneId,
        tenant: TenantId,
        name: Name,
        timers: Timers,
        held: Option<Arc<Snapshot>>,
        generation: Generation,
        contents: Contents,
    ) -> Self {
        let condition = Condition {
            timers,
            held,
            generation,
            durability: Durability::Durable,
            note_durability: Durability::Durable,
            came_from: None,
            leads_on: None,
            last_attempt: None,
            has_attempted: false,
            silent: Box::default(),
            transfers: Few::default(),
            hold: Hold::None,
            release_tried_at: None,
            said: Said::default(),
            notify: Pace::default(),
            scheduled: None,
            activity: Activity::Idle,
        };
        let zone = Self {
            id,
            tenant,
            served: Arc::new(ServedZone::new(id, tenant, name.clone(), contents)),
            name,
            instructions: ArcSwap::default(),
            wanted_otherwise: Notify::new(),
            condition: Mutex::new(condition),
            note: Mutex::default(),
            pen: Pen(AtomicU8::new(Pen::FREE)),
        };
        zone.show_expiry(&zone.condition());
        zone
    }

    /// Has whoever copies the zone from us know when our copy expires; to be called whenever that has moved.
    pub(crate) fn show_expiry(&self, condition: &Condition) {
        if let Some(expires_at) = condition.timers.expires_at() {
            self.served.set_expires_at(expires_at.0);
        }
    }

    /// Waits for the right to write the zone; none if it has been removed.
    pub(crate) async fn write(&self) -> Option<Writing<'_>> {
        (self.pen(Pen::TAKEN).await == Pen::FREE).then_some(Writing { zone: self })
    }

    /// Has the zone never written again.
    pub(crate) async fn end_writing(&self) {
        self.pen(Pen::BROKEN).await;
    }

    /// Waits until nobody writes the zone, and takes the pen where there is one; what it was.
    async fn pen(&self, afterwards: u8) -> u8 {
        loop {
            let mut given_back = pin!(self.wanted_otherwise.notified());
            given_back.as_mut().enable();
            let before = self.pen.take(afterwards);
            if before != Pen::TAKEN {
                return before;
            }
            given_back.await;
        }
    }

    pub(crate) fn condition(&self) -> MutexGuard<'_, Condition> {
        // A thread that panicked while it held the lock has changed single fields only: they are still true.
        self.condition.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn instructions(&self) -> Arc<Instructions> {
        self.instructions.load_full()
    }

    pub(crate) fn instruct(&self, instructions: impl Into<Arc<Instructions>>) {
        let instructions = instructions.into();
        self.served.set_answers_any_in_full(instructions.policy.any == AnyAnswer::All);
        self.instructions.store(instructions);
        self.wanted_otherwise.notify_waiters();
    }

    /// Begins an attempt, or has what woke the zone done after the one that runs, which may then give up.
    pub(crate) fn begin(&self, wake: Wake) -> Option<Wake> {
        let begun = self.condition().begin(wake);
        if begun.is_none() {
            self.wanted_otherwise.notify_waiters();
        }
        begun
    }

    /// Has those who wait in [`Followed::until`] look again.
    pub(crate) fn look_again(&self) {
        self.wanted_otherwise.notify_waiters();
    }

    /// Returns as soon as this is so, which follows from what is wanted of the zone.
    pub(crate) async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let mut wanted_otherwise = pin!(self.wanted_otherwise.notified());
            wanted_otherwise.as_mut().enable();
            if is_so() {
                return;
            }
            wanted_otherwise.await;
        }
    }

    /// How much history the zone keeps.
    pub(crate) fn history_kept(&self) -> HistoryKept {
        let instructions = self.instructions.load();
        let policy = &instructions.policy;
        let allowed =
            Duration::from_secs(instructions.history_days.map_or(u64::MAX, |days| days.saturating_mul(DAY_SECS)));
        let age_max = Duration::from_secs(u64::from(policy.history_secs)).min(allowed);
        HistoryKept { versions_max: u64::from(policy.history_versions), age_max }
    }

    /// The next moment that the zone's agenda knows besides the next check: when something is to be said about it, when it
    /// expires and when answers end, when a hold ends, and when a NOTIFY is gone into that had to wait.
    pub(crate) fn next_moment(&self, condition: &Condition, now: Moment) -> Option<Moment> {
        let instructions = self.instructions.load();
        let warnings = warnings::moments(condition, &instructions.policy).filter(|moment| *moment > now);
        let ends = [
            condition.timers.expires_at(),
            self.answers_until(condition),
            self.hold_ends_at(condition, now),
            condition.notify.waits_until(),
        ];
        ends.into_iter().flatten().filter(|moment| *moment > now).chain(warnings).min()
    }

    /// When a hold is to end by itself. An end that has passed, because the program did not run then or the time was set
    /// shorter, comes about soon; one that came to nothing is tried again with the next check.
    fn hold_ends_at(&self, condition: &Condition, now: Moment) -> Option<Moment> {
        let instructions = self.instructions.load();
        let soon = now.plus(Duration::from_secs(u64::from(instructions.policy.bounds.retry_min_secs)));
        let has_failed = condition.timers.failures() > 0 || condition.release_tried_at.is_some();
        let ends_at = condition.hold.ends_at(&instructions.policy).filter(|_| instructions.is_followed())?;
        if ends_at > now { Some(ends_at) } else { Some(soon).filter(|_| !has_failed) }
    }

    /// When answers end unless a primary confirms the zone.
    pub(crate) fn answers_until(&self, condition: &Condition) -> Option<Moment> {
        let past = past_expiry(&self.instructions.load().policy);
        condition.timers.expires_at().map(|expires_at| expires_at.plus(past))
    }

    /// Whether the zone has expired and is not served beyond that either.
    pub(crate) fn is_over(&self, condition: &Condition, now: Moment) -> bool {
        self.answers_until(condition).is_some_and(|end| end <= now)
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.instructions.load().policy.bounds
    }

    /// The note that is in the store.
    pub(crate) fn note(&self) -> Note {
        let note = self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        note.as_deref().cloned().unwrap_or_default()
    }

    /// The note that should be there.
    pub(crate) fn wanted_note(&self) -> Note {
        let instructions = self.instructions.load();
        let condition = self.condition();
        // With one primary there is no doubt, unless it took another's place.
        let is_only =
            |from: &SocketAddr| matches!(&instructions.sources[..], [only] if only.primary.address == *from);
        let came_from = condition.came_from.filter(|from| !is_only(from));
        Note::of(self.tenant, &instructions, &condition.hold, came_from)
    }

    pub(crate) fn noted(&self, note: Note) {
        let note = (note != Note::default()).then(|| Box::new(note));
        *self.note.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = note;
    }

    /// Whether its newest version is on disk, under its own id.
    pub(crate) fn is_stored(&self) -> bool {
        let condition = self.condition();
        condition.held.is_some() && condition.durability == Durability::Durable
    }

    /// The version that is served.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.served.snapshot()
    }
}

impl Condition {
    /// Whether a restart finds the zone as it is.
    pub(crate) fn is_on_disk(&self) -> bool {
        (self.durability, self.note_durability) == (Durability::Durable, Durability::Durable)
    }

    fn begin(&mut self, wake: Wake) -> Option<Wake> {
        match &mut self.activity {
            Activity::Idle => {
                self.activity = Activity::Attempting { next: None };
                Some(wake)
            }
            Activity::Attempting { next: Some(next) } => {
                next.join(wake);
                None
            }
            Activity::Attempting { next } => {
                *next = Some(Box::new(wake));
                None
            }
        }
    }

    /// Whether somebody waits for what an attempt of this kind does not bring: the whole zone, or a version that is held
    /// back. Those wait for nobody who may be drawing a transfer out.
    pub(crate) fn is_overtaken(&self, wake: &Wake) -> bool {
        let Activity::Attempting { next: Some(next) } = &self.activity else { return false };
        next.transfer > wake.transfer || next.guard != Guard::On && wake.guard == Guard::On
    }

    /// Has the zone checked at once: by an attempt of its own, since the one that runs began before.
    pub(crate) fn check_soon(&mut self, trigger: Trigger, now: Moment) {
        if self.is_attempting() {
            self.begin(Wake::by(trigger));
        } else {
            self.timers.notified(now);
        }
    }

    /// Ends an attempt; what woke the zone meanwhile begins at once, unless it is a NOTIFY that has to wait.
    pub(crate) fn end(&mut self, now: Moment) -> Option<Wake> {
        let Activity::Attempting { next } = &mut self.activity else { return None };
        let next = next.take().filter(|wake| !wake.is_notify() || self.notify.may_begin(now));
        if next.is_none() {
            self.activity = Activity::Idle;
        }
        next.map(|next| *next)
    }

    /// Whatever was going on is over, and what waited for its end is dropped.
    pub(crate) fn abandon(&mut self) {
        self.activity = Activity::Idle;
    }

    pub(crate) fn is_attempting(&self) -> bool {
        matches!(self.activity, Activity::Attempting { .. })
    }

    pub(crate) fn freshness(&self, now: Moment) -> Freshness {
        self.timers.freshness(now)
    }
}

#[cfg(test)]
mod tests {
    use xfr::{Bounds, Moment, Timers};
    use zone::{Generation, TenantId, ZoneId};

    use super::{Followed, Transfer, Trigger, Wake};
    use crate::holds::Hold;

    #[test]
    fn what_comes_during_an_attempt_is_done_once_afterwards() {
        let timers = Timers::pending(&Bounds::default(), Moment(0));
        let zone = Followed::new(ZoneId(1), TenantId::DEFAULT, "example.".parse().unwrap(), timers, Generation(0));
        let mut condition = zone.condition();
        assert!(condition.begin(Wake::by(Trigger::First)).is_some());
        assert!(condition.begin(Wake::by(Trigger::Notify)).is_none());
        assert!(condition.begin(Wake::by(Trigger::Notify)).is_none());
        assert!(condition.begin(Wake { transfer: Transfer::Full, ..Wake::by(Trigger::Refresh) }).is_none());
        let next = condition.end(Moment(0)).unwrap();
        assert_eq!((next.trigger, next.transfer), (Trigger::Notify, Transfer::Full));
        assert!(condition.is_attempting(), "the next one has begun");
        assert!(condition.end(Moment(0)).is_none());
        assert!(!condition.is_attempting());
    }

    #[test]
    fn what_is_to_be_checked_soon_is_checked_after_an_attempt_that_began_before() {
        let timers = Timers::pending(&Bounds::default(), Moment(0));
        let zone = Followed::new(ZoneId(1), TenantId::DEFAULT, "example.".parse().unwrap(), timers, Generation(0));
        let mut condition = zone.condition();
        condition.timers.failed(&Bounds::default(), Moment(0), 0);
        condition.begin(Wake::by(Trigger::Notify));
        condition.check_soon(Trigger::Refresh, Moment(1));
        assert!(!condition.timers.is_due(Moment(1)));
        assert!(condition.end(Moment(1)).is_some() && condition.end(Moment(1)).is_none());
        condition.check_soon(Trigger::Refresh, Moment(1));
        assert!(condition.timers.is_due(Moment(1)));
    }

    #[test]
    fn what_goes_on_under_another_id_stays_frozen() {
        let timers = Timers::pending(&Bounds::default(), Moment(0));
        let zone = Followed::new(ZoneId(9), TenantId::DEFAULT, "example.".parse().unwrap(), timers, Generation(4));
        let came_from = Some(([192, 0, 2, 1], 53).into());
        zone.condition().hold = Hold::Frozen;
        zone.condition().came_from = came_from;
        let heir = Followed::heir(ZoneId(5), TenantId::DEFAULT, zone.name.clone(), &zone);
        let condition = heir.condition();
        assert!(condition.hold.is_frozen());
        assert_eq!((condition.came_from, condition.generation), (came_from, Generation(4)));
    }
}
