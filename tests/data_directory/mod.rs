//! The data directory: whose it is, and what happens when parts of it are gone or damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{port, query, zone_text};

use crate::scene::{ZONE, add, secondo, serves, zones};

/// A killed server with two zones, one of them removed again, and no primary.
fn killed_with_one_zone_removed() -> Secondo {
    let setup = Setup::zone(ZONE, zone_text::small(1)).and_zone("removed.test", zone_text::small(2));
    let peer = Peer::start(Software::Knot, setup);
    let mut secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    add(&secondo, "removed.test", peer.address());
    serves(&secondo, ZONE, 1);
    serves(&secondo, "removed.test", 2);
    secondo.expect(&["zone", "remove", "removed.test"]);
    secondo.kill();
    secondo
}

fn serves_only_what_was_not_removed(secondo: &Secondo) {
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    let reply = query::ask(secondo.dns(), "removed.test", dns::Type::SOA).unwrap();
    assert_eq!(reply.rcode, dns::Rcode::REFUSED, "{reply:?}");
}

/// The inventory's files: the database and what SQLite keeps beside it.
fn inventory_files(secondo: &Secondo) -> Vec<PathBuf> {
    let entries = fs::read_dir(secondo.data()).unwrap();
    let files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("inventory"))
        .collect();
    assert!(!files.is_empty(), "there is no inventory in {}", secondo.data().display());
    files
}

#[test]
fn a_removed_zone_stays_removed_after_a_kill() {
    let mut secondo = killed_with_one_zone_removed();
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    assert_eq!(zones(&secondo).len(), 1);
}

#[test]
fn without_the_inventory_stored_zones_are_served_and_this_is_said() {
    let mut secondo = killed_with_one_zone_removed();
    for file in inventory_files(&secondo) {
        fs::remove_file(file).unwrap();
    }
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    says_that_the_inventory_is_in_trouble(&secondo);
    // And once more: nothing decided in the meantime that the zones should not exist.
    secondo.kill_and_restart();
    serves_only_what_was_not_removed(&secondo);
}

#[test]
fn with_a_corrupt_inventory_stored_zones_are_served_and_this_is_said() {
    let mut secondo = killed_with_one_zone_removed();
    for file in inventory_files(&secondo) {
        fs::write(file, "this is no database. ".repeat(1_000)).unwrap();
    }
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    says_that_the_inventory_is_in_trouble(&secondo);
    secondo.client(&["zone", "add", "more.test", "--primary", "127.0.0.1:1"]).must_fail(&["inventory"]);
}

fn says_that_the_inventory_is_in_trouble(secondo: &Secondo) {
    let status = secondo.json(&["status"]);
    let warned = status["warnings"].to_string().contains("inventory");
    assert!(status["inventory"] == "unavailable" || warned, "{status}");
    assert!(secondo.log().to_lowercase().contains("inventory"), "{}", secondo.log());
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let secondo = secondo().started();
    let refused = secondo.serve_in_vain_at(port::free(), "127.0.0.1:0");
    refused.must_fail(&[&secondo.data().display().to_string()]);
    secondo.expect(&["status"]);
}

#[test]
fn nobody_else_can_read_it() {
    let secondo = secondo().started();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(secondo.data()), 0o700);
    assert_eq!(mode(secondo.data().join("admin-token")), 0o600);
}
