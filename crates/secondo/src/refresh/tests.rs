//! The write path with a real store on a simulated disk, and real transfers from a scripted primary.

mod drawn_out;
mod holding;
mod laid_over;
mod notified;
mod orders;
mod primaries;

use std::net::SocketAddr;
use std::sync::Arc;

use dns::Name;
use inventory::{Location, Service};
use store::{Options, Store};
use testing::disk::{SimulatedDisk, Survival, Syncs};
use testing::primary::{Behaviour, Kind as Query, Primary};
use transfer::{Internet, Limits, TlsClient, Transfers};
use xfr::{Destinations, Moment, Policy, Setting, Timers};
use zone::{TenantId, ZoneId};

use crate::attempt::{Attempt, Kind, attempt};
use crate::clock::Clock;
use crate::followed::{Durability, Followed, Guard, Instructions, Ownership, Source, Transfer, Trigger, Wake};
use crate::holds::Hold;
use crate::node::Node;
use crate::refresh::{Refreshed, make_durable};
use crate::scheduler::commit_volatile;

const ZONE: ZoneId = ZoneId(7);
const DAY_MILLIS: u64 = 24 * 3600 * 1000;

fn text(serial: u32, more: &str) -> String {
    format!("@ 60 SOA ns host {serial} 3600 600 86400 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n{more}")
}

fn records(count: u32) -> String {
    (0..count).map(|n| format!("a{n} 60 A 192.0.2.1\n")).collect()
}

fn name() -> Name {
    "example.".parse().unwrap()
}

/// A primary, a disk, and a node that may be started on it again.
struct Scene {
    primary: Primary,
    disk: SimulatedDisk,
    node: Arc<Node>,
}

impl Scene {
    async fn new() -> Self {
        let scene = Self::on(SimulatedDisk::new(), Moment(0)).await;
        scene.primary.publish("example.", &text(1, ""));
        scene
    }

    /// A scene in which others are waited for no longer than this.
    async fn limited(limits: Limits) -> Self {
        let disk = SimulatedDisk::new();
        let node = start_limited(&disk, Moment(0), Policy::default(), limits).await;
        let scene = Self { primary: Primary::with_zone("example.", &text(1, "")), disk, node };
        scene.configure();
        scene
    }

    async fn on(disk: SimulatedDisk, not_before: Moment) -> Self {
        let node = start(&disk, not_before).await;
        let scene = Self { primary: Primary::start(), disk, node };
        scene.configure();
        scene
    }

    /// The same data and primary after a crash in which nothing unsynced survived.
    async fn restarted(self, not_before: Moment) -> Self {
        let disk = self.disk.cut(self.disk.operations(), Survival::Nothing, Syncs::Kept);
        let node = start(&disk, not_before).await;
        let scene = Self { primary: self.primary, disk, node };
        scene.configure();
        scene
    }

    fn configure(&self) {
        if self.node.zone(ZONE).is_none() {
            self.node.follow(Arc::new(self.node.fresh(ZONE, TenantId::DEFAULT, name(), &Policy::default().bounds)));
        }
        self.ask(&[self.primary.address()]);
    }

    /// Has the zone copied from these.
    fn ask(&self, primaries: &[SocketAddr]) {
        let source = |address: &SocketAddr| Source::new(xfr::Primary::at(*address), None);
        let sources = primaries.iter().map(source).collect();
        self.zone().instruct(Instructions { sources, ..Instructions::clone(&self.zone().instructions()) });
    }

    /// Sets something for the zone.
    fn set(&self, setting: Setting, value: &str) {
        let mut instructions = Instructions::clone(&self.zone().instructions());
        instructions.policy.set(setting, value).unwrap();
        self.zone().instruct(instructions);
    }

    fn zone(&self) -> Arc<Followed> {
        self.node.zone(ZONE).unwrap()
    }

    async fn attempt(&self, transfer: Transfer) -> Attempt {
        let wake = Wake { transfer, ..Wake::by(Trigger::Refresh) };
        attempt(&self.node, &self.zone(), &wake).await
    }

    async fn follow(&self) -> Attempt {
        self.attempt(Transfer::Newer).await
    }

    fn served_serial(&self) -> Option<u32> {
        self.zone().snapshot().map(|snapshot| snapshot.image.serial().0)
    }

    fn generation(&self) -> u64 {
        self.zone().snapshot().unwrap().generation.0
    }
}

/// A zone whose newest version has lost most of its records.
async fn with_a_held_version() -> Scene {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(1, &records(200)));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    scene.primary.publish("example.", &text(2, &records(60)));
    assert_eq!(held_code(&scene.follow().await), "version_held");
    scene
}

fn held_code(attempt: &Attempt) -> &'static str {
    match &attempt.result {
        Ok(Refreshed::Held(reason)) => reason.code(),
        other => panic!("nothing is held back: {other:?}"),
    }
}

/// What wakes a zone when a hold ends by itself.
fn by_time(scene: &Scene) -> Wake {
    let released = scene.zone().condition().hold.released_by_time().unwrap();
    Wake { guard: Guard::Released(released), ..Wake::by(Trigger::Request) }
}

async fn start(disk: &SimulatedDisk, not_before: Moment) -> Arc<Node> {
    start_with(disk, not_before, Policy::default()).await
}

async fn start_with(disk: &SimulatedDisk, not_before: Moment, defaults: Policy) -> Arc<Node> {
    start_limited(disk, not_before, defaults, Limits::default()).await
}

async fn start_limited(disk: &SimulatedDisk, not_before: Moment, defaults: Policy, limits: Limits) -> Arc<Node> {
    let disk = disk.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open_on(Arc::new(disk), Options::default()));
    let opened = opened.await.unwrap().unwrap();
    let clock = Clock::starting_no_earlier_than(Moment(opened.newest_time_ms).max(not_before));
    let transfers = Transfers::new(limits, Arc::new(Internet::new(Destinations::Anything)), TlsClient::default());
    Arc::new(Node::new(clock, defaults, Location::File("nowhere".into()), opened.store, transfers, opened.zones))
}

fn code(attempt: &Attempt) -> &'static str {
    attempt.result.as_ref().unwrap_err().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_on_disk_before_it_is_served() {
    let scene = Scene::new().await;
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    scene.primary.publish("example.", &text(2, "new 60 A 192.0.2.2\n"));
    let stepped = scene.follow().await;
    assert_eq!((stepped.kind, stepped.result), (Kind::Ixfr, Ok(Refreshed::Published)));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
    let before = scene.generation();
    let scene = scene.restarted(Moment(0)).await;
    assert_eq!(scene.served_serial(), Some(2));
    scene.primary.publish("example.", &text(3, ""));
    assert_eq!(scene.follow().await.kind, Kind::Ixfr);
    assert!(scene.generation() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_does_not_keep_a_version_from_being_served() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.disk.set_room(Some(scene.disk.used()));
    for serial in 2..4 {
        // Large enough that no room left over in the database could hold it.
        let filler: String = (0..20_000).map(|host| format!("h{host} 60 A 192.0.2.{serial}\n")).collect();
        scene.primary.publish("example.", &text(serial, &filler));
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
        assert_eq!(scene.served_serial(), Some(serial));
        assert_eq!(scene.zone().condition().durability, Durability::Volatile);
    }
    assert!(!make_durable(&scene.node, &scene.zone()).await);
    scene.disk.set_room(None);
    assert!(make_durable(&scene.node, &scene.zone()).await);
    assert_eq!(scene.zone().condition().durability, Durability::Durable);
    assert_eq!(scene.restarted(Moment(0)).await.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_with_a_full_disk_returns_to_the_last_durable_version() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.disk.set_room(Some(scene.disk.used()));
    let filler: String = (0..20_000).map(|host| format!("h{host} 60 A 192.0.2.1\n")).collect();
    scene.primary.publish("example.", &text(2, &filler));
    scene.follow().await;
    let volatile = scene.generation();
    scene.disk.set_room(None);
    let scene = scene.restarted(Moment(0)).await;
    assert_eq!(scene.served_serial(), Some(1));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert!(scene.generation() > volatile, "no generation is used twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_generation_is_used_twice_over_several_crashes_with_a_full_disk() {
    let mut scene = Scene::new().await;
    scene.follow().await;
    // One step from the durable version to each: more steps would have generations of their own, which hide the rest.
    scene.primary.behave(Behaviour::Condensed);
    let mut used = vec![scene.generation()];
    for serial in 2..5 {
        scene.disk.set_room(Some(scene.disk.used()));
        scene.primary.publish("example.", &text(serial, &records(10_000)));
        assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
        assert_eq!(scene.zone().condition().durability, Durability::Volatile);
        used.push(scene.generation());
        scene = scene.restarted(Moment(0)).await;
        assert_eq!(scene.served_serial(), Some(1));
    }
    assert!(used.is_sorted_by(|a, b| a < b), "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_zone_for_which_there_is_no_room_keeps_no_small_one_in_memory() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.publish("example.", &text(2, &records(200_000)));
    let mut zones = vec![scene.zone()];
    for number in 0..12 {
        let name: Name = format!("small-{number}.").parse().unwrap();
        scene.primary.publish(&name.to_string(), &text(1, &records(2_000)));
        let zone =
            Arc::new(scene.node.fresh(ZoneId(100 + number), TenantId::DEFAULT, name, &Policy::default().bounds));
        zone.instruct(Instructions::clone(&scene.zone().instructions()));
        scene.node.follow(zone.clone());
        zones.push(zone);
    }
    let volatile = || zones.iter().filter(|zone| zone.condition().durability == Durability::Volatile).count();
    scene.disk.set_room(Some(scene.disk.used()));
    for zone in &zones {
        attempt(&scene.node, zone, &Wake::by(Trigger::Refresh)).await;
    }
    // The first of the small ones may have found room within the database.
    assert!(volatile() > 3, "{}", volatile());
    scene.disk.set_room(Some(scene.disk.used() + 6_000_000));
    assert!(!commit_volatile(&scene.node).await);
    assert_eq!((volatile(), scene.zone().condition().durability), (1, Durability::Volatile));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_shows_more_than_it_gives_confirms_nothing() {
    let scene = Scene::new().await;
    scene.follow().await;
    let confirmed_at = scene.zone().condition().timers.confirmed_at();
    scene.primary.behave(Behaviour::ClaimSerial(9));
    let attempt = scene.follow().await;
    assert_eq!((code(&attempt), attempt.kind), ("less_than_shown", Kind::Axfr));
    assert_eq!(scene.zone().condition().timers.confirmed_at(), confirmed_at);
    assert_eq!(scene.zone().condition().timers.failures(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_written_is_not_served() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.publish("example.", &text(2, ""));
    scene.disk.fail_at(scene.disk.operations());
    let attempt = scene.follow().await;
    if scene.disk.is_to_fail() {
        panic!("the failing operation was never reached");
    }
    assert_eq!((code(&attempt), scene.served_serial()), ("store_failed", Some(1)));
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Published));
    assert_eq!(scene.served_serial(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_do_not_fit_are_followed_by_the_whole_zone_at_once() {
    let scene = Scene::new().await;
    scene.follow().await;
    scene.primary.publish("example.", &text(2, "new 60 A 192.0.2.2\n"));
    scene.primary.behave(Behaviour::IxfrDeletesAbsent);
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)));
    assert_eq!((scene.primary.count(Query::Ixfr), scene.primary.count(Query::Axfr)), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_that_went_back_is_not_installed_but_by_hand() {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(9, ""));
    scene.follow().await;
    scene.primary.publish("example.", &text(3, ""));
    assert_eq!(code(&scene.follow().await), "serial_went_back");
    assert_eq!(scene.served_serial(), Some(9));
    assert_eq!(scene.attempt(Transfer::Full).await.result, Ok(Refreshed::Published));
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_zone_is_not_answered_after_a_restart_and_takes_any_version() {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(9, ""));
    scene.follow().await;
    let later = Moment(scene.node.clock.now().0 + 2 * DAY_MILLIS);
    let scene = scene.restarted(later).await;
    assert_eq!(scene.served_serial(), None);
    scene.primary.publish("example.", &text(3, ""));
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_switched_off_is_not_answered_because_the_program_starts() {
    let scene = Scene::new().await;
    scene.follow().await;
    for (service, ownership, is_answered) in [
        (Service::Answering, Ownership::Proven, true),
        (Service::Paused, Ownership::Proven, true),
        (Service::Disabled, Ownership::Proven, false),
        (Service::Answering, Ownership::Claimed, false),
    ] {
        let before = Instructions::clone(&scene.zone().instructions());
        scene.zone().instruct(Instructions { service, ownership, ..before });
        scene.node.write_note(&scene.zone().write().await.unwrap()).await;
        let disk = scene.disk.cut(scene.disk.operations(), Survival::Nothing, Syncs::Kept);
        let table = start(&disk, Moment(0)).await.shared.zones.load_full();
        assert_eq!(table.get(name().borrow()).is_some(), is_answered, "{service:?} {ownership:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_zone_is_answered_again_once_its_primary_confirms_it() {
    let scene = Scene::new().await;
    scene.follow().await;
    let later = Moment(scene.node.clock.now().0 + 2 * DAY_MILLIS);
    let scene = scene.restarted(later).await;
    assert_eq!(scene.served_serial(), None);
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged));
    assert_eq!(scene.served_serial(), Some(1));
    assert_eq!(scene.primary.count(Query::Axfr), 1, "nothing was fetched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closer_bounds_have_expired_is_revived_by_no_start_under_any_bounds() {
    let scene = Scene::new().await;
    scene.follow().await;
    let later = Moment(scene.node.clock.now().0 + DAY_MILLIS / 2);
    let mut closer = Policy::default();
    closer.set(Setting::ExpireMax, "1h").unwrap();
    let mut disk = scene.disk;
    for defaults in [closer, Policy::default()] {
        disk = disk.cut(disk.operations(), Survival::Nothing, Syncs::Kept);
        let node = start_with(&disk, later, defaults).await;
        assert!(node.zone(ZONE).unwrap().snapshot().is_none());
        node.store.flush().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_passed_unnoticed_is_noticed_when_the_zone_is_scheduled() {
    let scene = Scene::new().await;
    scene.follow().await;
    let zone = scene.zone();
    let long_ago = Moment(scene.node.clock.now().0 - 2 * DAY_MILLIS);
    let soa = zone.snapshot().unwrap().image.soa();
    let mut timers = Timers::pending(&zone.bounds(), long_ago);
    timers.confirmed(&soa, None, &zone.bounds(), long_ago, 0);
    zone.condition().timers = timers;
    scene.node.schedule(&zone);
    assert_eq!(scene.served_serial(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_confirm_nothing() {
    let scene = Scene::new().await;
    scene.follow().await;
    let expires_at = scene.zone().condition().timers.expires_at();
    scene.primary.publish("example.", "@ 60 SOA ns host 2 3600 600 86400 60\n");
    assert_eq!(code(&scene.follow().await), "zone_without_ns");
    assert_eq!(scene.zone().condition().timers.expires_at(), expires_at);
    assert_eq!(scene.served_serial(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_removed_during_an_attempt_does_not_come_back() {
    let scene = Scene::new().await;
    let zone = scene.zone();
    zone.end_writing().await;
    assert_eq!(code(&scene.follow().await), "zone_removed");
    assert!(zone.snapshot().is_none());
    let node = start(&scene.disk.cut(scene.disk.operations(), Survival::Nothing, Syncs::Kept), Moment(0)).await;
    assert!(node.zone(ZONE).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_that_went_back_is_taken_where_that_is_wanted_and_all_primaries_agree() {
    let scene = Scene::new().await;
    scene.primary.publish("example.", &text(7, ""));
    scene.follow().await;
    let generation = scene.zone().condition().generation;
    let dead = Primary::start().address();
    let older = Primary::with_zone("example.", &text(5, "older 60 A 192.0.2.5\n"));
    scene.set(Setting::SerialWentBack, "accept");
    scene.ask(&[older.address(), dead]);
    assert_eq!(code(&scene.follow().await), "serial_went_back", "the silent one may hold ours");
    scene.ask(&[older.address(), scene.primary.address()]);
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged), "another one holds ours");
    scene.ask(&[older.address()]);
    let attempt = scene.follow().await;
    assert_eq!((attempt.kind, attempt.result), (Kind::Axfr, Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(5));
    assert!(scene.zone().condition().generation > generation);
    assert_eq!(scene.follow().await.result, Ok(Refreshed::Unchanged), "and that is the end of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_primaries_the_newest_serial_wins() {
    let scene = Scene::new().await;
    let newer = Primary::with_zone("example.", &text(5, ""));
    let dead = {
        let gone = Primary::start();
        gone.address()
    };
    scene.ask(&[dead, scene.primary.address(), newer.address()]);
    let attempt = scene.follow().await;
    assert_eq!((attempt.primary, attempt.result), (Some(newer.address()), Ok(Refreshed::Published)));
    assert_eq!(scene.served_serial(), Some(5));
    scene.primary.publish("example.", &text(6, ""));
    assert_eq!(scene.follow().await.primary, Some(scene.primary.address()));
    assert_eq!(scene.served_serial(), Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_shows_a_version_and_does_not_give_it_holds_nobody_up() {
    let scene = Scene::new().await;
    let refusing = Primary::with_zone("example.", &text(1, ""));
    refusing.behave(Behaviour::Answer(Query::Axfr, dns::Rcode::REFUSED));
    refusing.behave(Behaviour::Answer(Query::Ixfr, dns::Rcode::REFUSED));
    scene.ask(&[refusing.address(), scene.primary.address()]);
    // The first copy, an update that both have, and one that the refusing one has first.
    for (theirs, serial) in [(1, 1), (2, 2), (4, 3)] {
        refusing.publish("example.", &text(theirs, ""));
        scene.primary.publish("example.", &text(serial, ""));
        let attempt = scene.follow().await;
        assert_eq!((attempt.primary, attempt.result), (Some(scene.primary.address()), Ok(Refreshed::Published)));
        assert_eq!(scene.served_serial(), Some(serial));
    }
    // Nobody else has more than we have. The zone is stale then, but the other one vouches for it.
    let before = scene.zone().condition().timers;
    while Some(scene.node.clock.now()) <= before.confirmed_at() {
        tokio::task::yield_now().await;
    }
    assert_eq!(code(&scene.follow().await), "refused");
    let after = scene.zone().condition().timers;
    assert!(after.expires_at() > before.expires_at());
    assert_eq!(after.failures(), 1);
    assert_eq!(refusing.count(Query::Axfr), 4);
}
