//! The inventory on PostgreSQL, which goes and comes back while the program runs.

use testing::eventually;
use testing::peer::postgres::{Commits, Postgres};
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{SOON, ZONE, add, following, secondo, serves, zones};

const DATABASE: &str = "secondo";
const OTHER: &str = "other.test";

/// A server with an empty database for the inventory.
fn postgres() -> Postgres {
    let postgres = Postgres::start(Commits::Durable);
    postgres.create_database(DATABASE, None);
    postgres
}

fn on(postgres: &Postgres) -> Secondo {
    secondo().configured(&format!("[inventory]\npostgres = \"{}\"\n", postgres.url(DATABASE)))
}

/// Neither the log nor anything that people are shown has the password in it.
#[track_caller]
fn no_password_is_in(text: &str) {
    assert!(!text.contains("Zaubernuss"), "{text}");
}

#[track_caller]
fn status_becomes(secondo: &Secondo, wanted: &str) {
    eventually(SOON, &format!("the inventory to be {wanted}"), || {
        let status = secondo.json(&["status"]);
        no_password_is_in(&status.to_string());
        if status["inventory"] == wanted { Ok(()) } else { Err(status.to_string()) }
    });
}

#[test]
fn zones_are_added_followed_and_shown_and_a_killed_database_stops_no_answer() {
    let mut postgres = postgres();
    let (secondo, mut peer) = following(on(&postgres), Software::Bind, ZONE, &zone_text::small(1));
    peer.replace(ZONE, &zone_text::small(2));
    serves(&secondo, ZONE, 2);
    assert_eq!(secondo.zone(ZONE)["state"], "active");
    assert!(!secondo.data().join("inventory.db").exists(), "everything is in the database");
    assert_eq!(postgres.query(DATABASE, "SELECT spelling FROM zones").trim(), "example.test.");

    postgres.kill();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
    let refused = secondo.client(&["zone", "add", OTHER, "--primary", &peer.address().to_string()]);
    refused.must_fail(&["inventory", "cannot be reached", "used again as soon as it answers"]);
    no_password_is_in(&refused.words());
    status_becomes(&secondo, "unavailable");
    let warnings = secondo.json(&["status"])["warnings"].to_string();
    assert!(warnings.contains("the inventory is not available"), "{warnings}");
    // What is followed goes on being followed.
    peer.replace(ZONE, &zone_text::small(3));
    serves(&secondo, ZONE, 3);

    postgres.start_again();
    status_becomes(&secondo, "available");
    let more = Peer::start(Software::Nsd, Setup::zone(OTHER, zone_text::small(7)));
    add(&secondo, OTHER, more.address());
    serves(&secondo, OTHER, 7);
    assert_eq!(zones(&secondo).len(), 2);
    no_password_is_in(&secondo.log());
}

#[test]
fn a_start_without_the_database_serves_what_is_stored_and_goes_on_when_it_is_back() {
    let mut postgres = postgres();
    let peer =
        Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)).and_zone(OTHER, zone_text::small(2)));
    let mut secondo = on(&postgres).started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    secondo.kill();
    postgres.kill();
    secondo.start();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    assert_eq!(secondo.json(&["status"])["inventory"], "unavailable");
    assert!(secondo.log().contains("cannot be reached"), "{}", secondo.log());
    secondo.client(&["zone", "add", OTHER, "--primary", &peer.address().to_string()]).must_fail(&["inventory"]);
    postgres.start_again();
    status_becomes(&secondo, "available");
    add(&secondo, OTHER, peer.address());
    serves(&secondo, OTHER, 2);
    // Killed while it writes or not: the next one has it at once.
    secondo.kill_and_restart();
    status_becomes(&secondo, "available");
    assert_eq!(zones(&secondo).len(), 2);
    no_password_is_in(&secondo.log());
}

#[test]
fn a_second_server_on_one_database_is_refused_in_words() {
    let postgres = postgres();
    let first = on(&postgres).started();
    let file = first.scratch_file("url", &format!("{}\n", postgres.url(DATABASE)));
    let second = secondo().configured(&format!("[inventory]\npostgres_file = \"{file}\"\n"));
    let refused = second.serve_in_vain();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("the inventory is in use by another running server"), "{refused:?}");
    no_password_is_in(&refused.words());
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)));
    add(&first, ZONE, peer.address());
    serves(&first, ZONE, 1);
}
