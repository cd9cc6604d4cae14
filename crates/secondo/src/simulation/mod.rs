//! A simulation of months and years, from a seed.
//!
//! The scheduler, attempts, refreshes, orders, sessions, timers and the store are the program's own; time, network and disk
//! are simulated. Primaries die, lie, lag behind, lose records and set their serials back, packets are lost, the program
//! is killed, the power goes in the middle of a commit, the disk is full, clocks are set. Owners freeze their zones, also
//! with a version of before, thaw, pause and disable them, publish or keep what is held back, change what is set and
//! whom to ask, and want to know now. A judge watches from outside.
//!
//! ```text
//!  plan ──► events ──► zones, primaries, disk, clocks          (what happens when: from the seed)
//!             └──────► orders ──► the node                     (by the functions that doors and reconcile call)
//!                           ▲
//!  life: the node ──► network, machine                         (what the node sees of the world)
//!                           │
//!                           └──► invariants, word, news, at_once, trace    (what is right, and what was)
//! ```
//!
//! ```text
//! cargo test --release -p secondo --bin secondo simulation                        200 seeds, a month each
//! SECONDO_SEED=7 cargo test --release -p secondo --bin secondo simulation         one of them again, with its story
//! SECONDO_SEED=7 SECONDO_SIMULATED_ZONES=5000 SECONDO_SIMULATED_DAYS=1095 cargo test …      a large one
//! ```
//!
//! Not simulated: the inventory (the node is instructed as reconcile would do it), TSIG, TLS, answers to queries.

mod at_once;
mod events;
mod invariants;
mod life;
mod machine;
mod message;
mod network;
mod news;
mod orders;
mod plan;
mod primary;
mod trace;
mod word;
mod world;
mod zones;

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use testing::dice::Dice;

use invariants::Violation;
use plan::DAY_MS;
use trace::Watched;
use world::{Counts, World};

/// Seeds that every run of the tests goes through.
const SEEDS: u64 = 200;
const DAYS: u64 = 30;
/// Lines of a zone's story that are shown when a promise was broken.
const STORY_LINES: usize = 150;

/// How large a simulation is.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// As many as the seed says, where none are given.
    zones: Option<usize>,
    days: u64,
}

impl Scale {
    /// What the environment says, if it says anything.
    fn wanted() -> Self {
        let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
        Self {
            zones: number("SECONDO_SIMULATED_ZONES").map(|zones: u64| zones as usize),
            days: number("SECONDO_SIMULATED_DAYS").unwrap_or(DAYS),
        }
    }

    /// Mostly few zones: more of them find more of what zones have to do with one another, fewer are faster.
    fn zones(&self, dice: &mut Dice) -> usize {
        let most = *dice.pick(&[5, 5, 20, 20, 20, 60, 60, 200]);
        let drawn = dice.between(1, most) as usize;
        self.zones.unwrap_or(drawn)
    }
}

/// What came of one seed.
struct Course {
    hash: u64,
    events: u64,
    counts: Counts,
    violation: Option<Violation>,
    story: Vec<String>,
}

fn run(seed: u64, scale: &Scale, watched: Watched) -> Course {
    let world = World::new(seed, scale, watched);
    life::live(&world, scale.days * DAY_MS);
    let mut state = world.state();
    Course {
        hash: state.trace.hash(),
        events: state.trace.events(),
        counts: state.counts,
        violation: state.violation.take(),
        story: state.trace.story().cloned().collect(),
    }
}

/// Panics with the seed and the story of the zone with which a promise was broken.
fn tell_the_story(seed: u64, scale: &Scale, violation: &Violation) -> ! {
    let Violation { at_ms, zone, what } = violation;
    let _listening = trace::log::listen();
    let story = run(seed, scale, zone.map_or(Watched::Everybody, Watched::Zone)).story;
    let mut text = String::new();
    for line in &story[story.len().saturating_sub(STORY_LINES)..] {
        writeln!(text, "  {line}").expect("a String takes everything");
    }
    let zone = zone.map(|zone| format!("zone z{zone}: ")).unwrap_or_default();
    let Scale { zones, days } = scale;
    let zones = zones.map(|zones| format!("SECONDO_SIMULATED_ZONES={zones} ")).unwrap_or_default();
    panic!(
        "{zone}{what} (after {} days)\n{text}again: SECONDO_SEED={seed} {zones}SECONDO_SIMULATED_DAYS={days} cargo test \
         --release -p secondo --bin secondo simulation",
        at_ms / DAY_MS
    );
}

#[test]
fn one_seed_has_one_course() {
    let scale = Scale { zones: Some(20), days: 30 };
    let (first, second) = (run(1, &scale, Watched::Everybody), run(1, &scale, Watched::Everybody));
    for (first, second) in first.story.iter().zip(&second.story) {
        assert_eq!(first, second);
    }
    assert_eq!((first.hash, first.events), (second.hash, second.events));
    assert_ne!(first.hash, run(2, &scale, Watched::Nobody).hash);
}

#[test]
fn no_seed_breaks_a_promise() {
    let scale = Scale::wanted();
    let seeds = match std::env::var("SECONDO_SEED") {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Relaxed)) {
                    let began = Instant::now();
                    let course = run(*seed, &scale, Watched::Nobody);
                    tell(*seed, &course, began);
                    if let Some(violation) = course.violation {
                        next.store(seeds.len(), Relaxed);
                        broken.lock().unwrap().get_or_insert((*seed, violation));
                    }
                }
            });
        }
    });
    if let Some((seed, violation)) = broken.into_inner().unwrap() {
        tell_the_story(seed, &scale, &violation);
    }
}

#[expect(clippy::print_stdout, reason = "with --nocapture one sees what each seed did")]
fn tell(seed: u64, course: &Course, began: Instant) {
    println!("seed {seed}: {:?}, {} events, {:.1} s", course.counts, course.events, began.elapsed().as_secs_f64());
    if let Some(violation) = &course.violation {
        // The story of it takes as long again.
        println!("seed {seed}: {violation:?}");
    }
}

/// How far a long one has come.
#[expect(clippy::print_stdout, reason = "with --nocapture one sees that it goes on")]
fn tell_month(months: u64, counts: &Counts) {
    println!("month {months} is over: {counts:?}");
}
