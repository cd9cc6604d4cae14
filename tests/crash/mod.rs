//! `kill -9` at any moment of a stream of changes loses no version that was served.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dns::Type;
use testing::peer::{Peer, Software};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{SOON, ZONE, following, secondo, serves};

/// Kills for each primary.
const ROUNDS: u32 = 8;
/// Milliseconds of changes before a kill, at least and at most. PowerDNS takes its time to send a NOTIFY.
const UNTIL_KILL_MILLIS: (u64, u64) = (50, 550);
const UNTIL_KILL_MILLIS_POWERDNS: (u64, u64) = (1_000, 3_000);
/// Hosts of the zone: enough that writing a version takes a while.
const HOSTS: u32 = 400;

#[test]
fn no_served_version_is_lost_when_killed_amid_changes_from_knot() {
    kill_amid_changes(Software::Knot);
}

#[test]
fn no_served_version_is_lost_when_killed_amid_changes_from_bind() {
    kill_amid_changes(Software::Bind);
}

#[test]
fn no_served_version_is_lost_when_killed_amid_changes_from_nsd() {
    kill_amid_changes(Software::Nsd);
}

#[test]
fn no_served_version_is_lost_when_killed_amid_changes_from_powerdns() {
    kill_amid_changes(Software::PowerDns);
}

fn kill_amid_changes(software: Software) {
    let mut random = Random::seeded();
    let (mut secondo, mut peer) = following(secondo(), software, ZONE, &zone_text::of_hosts(1, HOSTS));
    let mut serial = 1;
    for round in 0..ROUNDS {
        let (least, most) = match software {
            Software::PowerDns => UNTIL_KILL_MILLIS_POWERDNS,
            _ => UNTIL_KILL_MILLIS,
        };
        let until_kill = Duration::from_millis(least + random.below(most - least));
        let served = changes_until(&mut secondo, &mut peer, &mut serial, until_kill);
        peer.switch_off();
        secondo.start();
        let recovered = whole_version(&secondo).unwrap();
        assert!(
            recovered >= served,
            "round {round} of seed {}: {served} was served, {recovered} came back after the kill",
            random.seed
        );
        peer.switch_on();
        // What the primary has by now is found again (its own NOTIFY at its start, or the check that was due).
        secondo.expect(&["zone", "refresh", ZONE]);
        serves(&secondo, ZONE, query::serial(peer.address(), ZONE).unwrap());
    }
}

/// Changes the zone again and again and asks for it all the while; kills the server at the given time. Returns the
/// newest serial that was answered.
fn changes_until(secondo: &mut Secondo, peer: &mut Peer, serial: &mut u32, until_kill: Duration) -> u32 {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also when this panics, or nobody would ever hear of it.
        let _stopping = Stopping(&stop);
        let writer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                *serial += 1;
                peer.replace(ZONE, &zone_text::of_hosts(*serial, HOSTS));
            }
        });
        let first = query::serial(secondo.dns(), ZONE).unwrap();
        let mut served = first;
        let mut changed_at = None;
        let started = Instant::now();
        // The time counts from the first change, however long a busy machine takes to bring it.
        while changed_at.is_none_or(|at: Instant| at.elapsed() < until_kill) {
            assert!(started.elapsed() < SOON + until_kill, "nothing changed");
            let seen = query::serial(secondo.dns(), ZONE).unwrap();
            assert!(seen >= served, "the served serial went from {served} back to {seen}");
            served = seen;
            changed_at = changed_at.or((served > first).then(Instant::now));
        }
        secondo.kill();
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        served
    })
}

/// Has the changes end when it goes.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The served serial, after checking that its version is whole: a TXT record repeats the serial.
fn whole_version(secondo: &Secondo) -> Result<u32, String> {
    testing::eventually(SOON, "two equal serials around a TXT record", || {
        let before = query::serial(secondo.dns(), ZONE)?;
        let text = query::ask(secondo.dns(), "serial.example.test", Type::TXT)?;
        if query::serial(secondo.dns(), ZONE)? != before {
            return Err("the zone changed in between".into());
        }
        assert_eq!(text.answer, [format!("serial.example.test. 300 IN TXT \"{before}\"")]);
        Ok(Ok(before))
    })
}

/// Numbers that differ from run to run and can be had again from their seed.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From `SECONDO_SEED`, or from the clock.
    fn seeded() -> Self {
        let seed = std::env::var("SECONDO_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(1, |time| time.as_nanos() as u64 | 1)
        });
        #[expect(clippy::print_stdout, reason = "shown when the test fails: the seed replays it")]
        {
            println!("SECONDO_SEED={seed}");
        }
        Self { seed, state: seed }
    }

    /// A number below `end` (xorshift64*, G. Marsaglia 2003, S. Vigna 2016).
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}
