//! IXFR out, from the history that is kept on disk.

use std::process::Command;

use testing::primary::Primary;
use testing::process::run;
use testing::secondo::Secondo;
use testing::zone_text::of_hosts;

use crate::scene::{ZONE, secondo, serves};

/// The serials of the SOA records that dig is given for this one: `[3, 3]` is the whole zone at serial 3, `[3]` the news
/// alone, and everything else differences.
fn ixfr(secondo: &Secondo, serial: u32, transport: &str) -> Vec<u32> {
    let (ip, port) = (secondo.dns().ip().to_string(), secondo.dns().port().to_string());
    let ixfr = format!("ixfr={serial}");
    let printed =
        run(Command::new("dig").args([&format!("@{ip}"), "-p", &port, ZONE, &ixfr, transport, "+noall", "+answer"]));
    let soas = printed.lines().filter(|line| line.contains("\tSOA\t"));
    soas.map(|line| line.split_whitespace().nth(6).unwrap().parse().unwrap()).collect()
}

/// A primary whose zone is here at serial 1, and then at each of the others.
fn through(serials: &[u32]) -> (Secondo, Primary) {
    let primary = Primary::with_zone(ZONE, &of_hosts(1, 40));
    let secondo = secondo().with_zone(ZONE, primary.address()).started();
    serves(&secondo, ZONE, 1);
    serials.iter().for_each(|serial| publish(&secondo, &primary, *serial));
    (secondo, primary)
}

fn publish(secondo: &Secondo, primary: &Primary, serial: u32) {
    primary.publish(ZONE, &of_hosts(serial, 40));
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(secondo, ZONE, serial);
}

#[test]
fn differences_are_sent_step_by_step_also_after_a_restart() {
    let (mut secondo, primary) = through(&[2, 3]);
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [3, 1, 2, 2, 3, 3]);
    assert_eq!(ixfr(&secondo, 2, "+tcp"), [3, 2, 3, 3]);
    assert_eq!(ixfr(&secondo, 3, "+tcp"), [3]);
    assert_eq!(ixfr(&secondo, 9, "+tcp"), [3], "who is ahead of us gets what we have");
    // One datagram, and no disk: the newest step, as long as it is in memory.
    assert_eq!(ixfr(&secondo, 2, "+notcp"), [3, 2, 3, 3]);
    assert_eq!(ixfr(&secondo, 1, "+notcp"), [3]);
    secondo.kill_and_restart();
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [3, 1, 2, 2, 3, 3]);
    assert_eq!(ixfr(&secondo, 2, "+notcp"), [3]);
    publish(&secondo, &primary, 4);
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [4, 1, 2, 2, 3, 3, 4, 4]);
    assert_eq!(ixfr(&secondo, 4_000_000_000, "+tcp"), [4, 4], "nobody was given this one");
}

#[test]
fn from_before_an_older_serial_was_accepted_the_whole_zone_is_sent() {
    let (secondo, primary) = through(&[7, 8]);
    secondo.expect(&["zone", "set", ZONE, "serial_went_back=accept"]);
    publish(&secondo, &primary, 3);
    publish(&secondo, &primary, 4);
    publish(&secondo, &primary, 9);
    assert_eq!(ixfr(&secondo, 3, "+tcp"), [9, 3, 4, 4, 9, 9]);
    assert_eq!(ixfr(&secondo, 7, "+tcp"), [9, 9]);
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [9, 9]);
    // The same numbers again: who has one of them may have either version.
    publish(&secondo, &primary, 7);
    publish(&secondo, &primary, 8);
    publish(&secondo, &primary, 10);
    for transport in ["+tcp", "+notcp"] {
        let whole = if transport == "+tcp" { vec![10, 10] } else { vec![10] };
        assert_eq!(ixfr(&secondo, 8, transport), whole, "{transport}");
    }
    publish(&secondo, &primary, 11);
    assert_eq!(ixfr(&secondo, 10, "+notcp"), [11, 10, 11, 11]);
}

#[test]
fn from_before_a_zone_was_frozen_back_the_whole_zone_is_sent() {
    let (secondo, _primary) = through(&[2, 3]);
    let history = secondo.json(&["zone", "history", ZONE]);
    let oldest = history["versions"].as_array().unwrap().last().unwrap()["generation"].to_string();
    secondo.expect(&["zone", "freeze", ZONE, &oldest]);
    serves(&secondo, ZONE, 1);
    assert_eq!(ixfr(&secondo, 2, "+tcp"), [1], "who is ahead of us gets what we have");
    secondo.expect(&["zone", "thaw", ZONE]);
    serves(&secondo, ZONE, 3);
    assert_eq!(ixfr(&secondo, 2, "+tcp"), [3, 3], "the row was broken");
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [3, 3], "two versions have had this number");
}

#[test]
fn a_version_that_came_whole_under_the_same_serial_is_a_barrier() {
    let (secondo, primary) = through(&[2]);
    primary.publish(ZONE, &format!("{}more A 192.0.2.99\n", of_hosts(2, 40)));
    secondo.expect(&["zone", "refresh", ZONE, "--full"]);
    publish(&secondo, &primary, 3);
    assert_eq!(ixfr(&secondo, 1, "+tcp"), [3, 3]);
    assert_eq!(ixfr(&secondo, 2, "+tcp"), [3, 3]);
    assert_eq!(ixfr(&secondo, 2, "+notcp"), [3]);
}

#[test]
fn no_difference_leads_to_a_version_that_is_in_memory_only() {
    const FILE_OCTETS_MAX: u64 = 4 << 20;
    let primary = Primary::with_zone(ZONE, &of_hosts(1, 40));
    let secondo = secondo().with_zone(ZONE, primary.address()).with_files_of_at_most(FILE_OCTETS_MAX).started();
    serves(&secondo, ZONE, 1);
    for serial in 2..=3 {
        primary.publish(ZONE, &of_hosts(serial, 100_000));
        secondo.expect(&["zone", "refresh", ZONE]);
        assert_eq!(secondo.zone(ZONE)["volatile"], true);
    }
    assert_eq!(ixfr(&secondo, 2, "+tcp"), [3, 3], "after a crash it would be as if it had never been");
    assert_eq!(ixfr(&secondo, 2, "+notcp"), [3]);
}
