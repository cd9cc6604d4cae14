//! What most tests begin with: Secondo beside a primary.

use std::net::SocketAddr;
use std::time::Duration;

use dns::edns::extended_error;
use dns::{Rcode, Type};
use serde_json::Value;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, query};

/// The zone of most tests.
pub(crate) const ZONE: &str = "example.test";

/// How long anything may take that should take moments, on a machine that runs many servers at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Lets timers run as fast as zones say.
pub(crate) const FAST_TIMERS: &str =
    "[timers]\nrefresh_min = \"1s\"\nretry_min = \"1s\"\nretry_max = \"2s\"\nexpire_min = \"1s\"\n";

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_secondo");

/// A server that has not run yet.
pub(crate) fn secondo() -> Secondo {
    Secondo::new(PROGRAM)
}

/// Runs `check` for every primary side by side, each in a thread of its name.
#[track_caller]
pub(crate) fn with_each_primary(check: impl Fn(Software) + Sync) {
    let failed: Vec<Software> = std::thread::scope(|scope| {
        let check = &check;
        let threads = Software::ALL.map(|software| {
            let thread = std::thread::Builder::new().name(format!("{software:?}"));
            (software, thread.spawn_scoped(scope, move || check(software)).unwrap())
        });
        threads.into_iter().filter_map(|(software, thread)| thread.join().is_err().then_some(software)).collect()
    });
    assert!(failed.is_empty(), "failed with {failed:?}");
}

/// A primary that sends its NOTIFYs to a running Secondo, which holds the zone.
#[track_caller]
pub(crate) fn following(secondo: Secondo, software: Software, zone: &str, text: &str) -> (Secondo, Peer) {
    let secondo = secondo.started();
    let peer = Peer::start(software, Setup::zone(zone, text).notifying(secondo.dns()));
    add(&secondo, zone, peer.address());
    let serial = query::serial(peer.address(), zone).unwrap();
    serves(&secondo, zone, serial);
    (secondo, peer)
}

#[track_caller]
pub(crate) fn add(secondo: &Secondo, zone: &str, primary: SocketAddr) {
    secondo.expect(&["zone", "add", zone, "--primary", &primary.to_string()]);
}

/// Waits until Secondo answers for the zone with this serial.
#[track_caller]
pub(crate) fn serves(secondo: &Secondo, zone: &str, serial: u32) {
    eventually(SOON, &format!("{zone} to be served with serial {serial}"), || {
        query::has_serial(secondo.dns(), zone, serial)
    });
}

/// Waits until what Secondo transfers out is what the primary transfers out, record for record and letter for letter.
#[track_caller]
pub(crate) fn holds_what_the_primary_holds(secondo: &Secondo, peer: &Peer, zone: &str) {
    let theirs = query::transfer(peer.address(), zone).unwrap();
    let ours = query::transfer(secondo.dns(), zone).unwrap();
    let missing: Vec<_> = theirs.iter().filter(|line| ours.binary_search(line).is_err()).collect();
    let invented: Vec<_> = ours.iter().filter(|line| theirs.binary_search(line).is_err()).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:#?}\ninvented: {invented:#?}");
    assert_eq!(ours.len(), theirs.len());
}

/// Checks that the zone exists here but has no contents, and that this is what is answered.
#[track_caller]
pub(crate) fn has_nothing_to_serve(secondo: &Secondo, zone: &str) {
    assert_eq!(secondo.zone(zone)["state"], "pending");
    let reply = query::ask(secondo.dns(), zone, Type::SOA).unwrap();
    assert_eq!((reply.rcode, reply.answer.len()), (Rcode::SERVFAIL, 0), "{reply:?}");
    assert_eq!(reply.extended_errors, [extended_error::NOT_READY], "{reply:?}");
}

/// All zones.
#[track_caller]
pub(crate) fn zones(secondo: &Secondo) -> Vec<Value> {
    secondo.json(&["zone", "list"]).as_array().expect("zones are a list").clone()
}

/// The zone's attempts on record, newest first.
#[track_caller]
pub(crate) fn attempts(secondo: &Secondo, zone: &str) -> Vec<Value> {
    secondo.json(&["zone", "history", zone])["attempts"].as_array().expect("attempts are a list").clone()
}

/// Waits for an attempt of this kind that looks as `wanted` says, and returns it.
#[track_caller]
pub(crate) fn attempt(secondo: &Secondo, zone: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(SOON, what, || {
        let attempts = attempts(secondo, zone);
        attempts.iter().find(|attempt| wanted(attempt)).cloned().ok_or_else(|| format!("{attempts:#?}"))
    })
}

/// Waits until the owner is told this, which says all these words.
#[track_caller]
pub(crate) fn is_told(secondo: &Secondo, kind: &str, words: &[&str]) {
    eventually(SOON, &format!("{kind} to be told"), || {
        let events = secondo.json(&["event", "list"]);
        let says = |event: &Value| {
            let message = event["message"].as_str().unwrap_or_default();
            event["kind"] == kind && words.iter().all(|word| message.contains(word))
        };
        let found = events.as_array().is_some_and(|events| events.iter().any(says));
        if found { Ok(()) } else { Err(format!("{words:?} in {events:#}")) }
    });
}

/// Waits for a failed attempt and returns its reason.
#[track_caller]
pub(crate) fn failure(secondo: &Secondo, zone: &str) -> Value {
    failure_within(SOON, secondo, zone)
}

/// The same where the attempt itself has to wait for the primary.
#[track_caller]
pub(crate) fn failure_within(deadline: Duration, secondo: &Secondo, zone: &str) -> Value {
    let attempt = eventually(deadline, "a failed attempt on record", || {
        let attempts = attempts(secondo, zone);
        attempts
            .iter()
            .find(|attempt| attempt["outcome"] == "failed")
            .cloned()
            .ok_or_else(|| format!("{attempts:#?}"))
    });
    let reason = attempt["reason"].clone();
    for part in ["message", "advice"] {
        let sentence = reason[part].as_str().unwrap_or_default();
        assert!(sentence.len() > 10 && !sentence.contains("Err("), "no sentence for people in {part}: {reason}");
    }
    reason
}
