//! Many zones in one run.

use std::fmt::Write;
use std::time::Duration;

use testing::peer::{Peer, Setup, Software};
use testing::{eventually, query, zone_text};

use crate::scene::{ZONE, secondo, serves, zones};

#[test]
fn a_thousand_small_zones_imported_in_one_run_are_all_transferred_and_served() {
    const ZONES: u32 = 1_000;
    let name = |number: u32| format!("zone-{number}.test");
    let mut setup = Setup::default();
    let mut lines = String::from("# a thousand zones\n\n");
    for number in 0..ZONES {
        setup = setup.and_zone(&name(number), zone_text::small(number + 1));
    }
    let mut peer = Peer::start(Software::Knot, setup);
    for number in 0..ZONES {
        let _ = writeln!(lines, "{} {}", name(number), peer.address());
    }
    let mut secondo = secondo().started();
    let file = secondo.scratch_file("import", &lines);
    secondo.expect(&["zone", "import", &file]);
    eventually(Duration::from_secs(60), "all zones to be current", || {
        let zones = secondo.json(&["status"])["zones"].clone();
        if zones["current"] == ZONES { Ok(()) } else { Err(zones.to_string()) }
    });
    let all_served = |secondo: &testing::secondo::Secondo| {
        for number in 0..ZONES {
            assert_eq!(query::serial(secondo.dns(), &name(number)), Ok(number + 1), "{}", name(number));
        }
    };
    all_served(&secondo);
    peer.switch_off();
    secondo.kill_and_restart();
    all_served(&secondo);
}

#[test]
fn each_wrong_line_of_an_import_is_named_and_the_others_are_done() {
    let peer = Peer::start(
        Software::Knot,
        Setup::zone(ZONE, zone_text::small(1)).and_zone("other.test", zone_text::small(2)),
    );
    let secondo = secondo().started();
    let address = peer.address();
    let text = format!(
        "{ZONE} {address}  # good\na..b {address}\nother.test not-an-address\nother.test {address}\n{ZONE} {address}\n\
         third.test {address} no-such-key\nlonely.test\n"
    );
    let file = secondo.scratch_file("import", &text);
    let ran = secondo.client(&["zone", "import", &file]);
    ran.must_fail(&["2", "3", "5", "6", "7"]);
    serves(&secondo, ZONE, 1);
    serves(&secondo, "other.test", 2);
    let zones = zones(&secondo).len();
    assert_eq!(zones, 2);
    let ran = secondo.client(&["zone", "import", &file, "--json"]);
    let results: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let codes: Vec<&str> =
        results["lines"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap_or("")).collect();
    assert_eq!(
        codes,
        [
            "zone_exists",
            "zone_name_invalid",
            "primary_invalid",
            "zone_exists",
            "zone_exists",
            "key_unknown",
            "primary_invalid"
        ]
    );
}

#[test]
fn an_import_of_no_file_says_so() {
    let secondo = secondo().started();
    secondo.client(&["zone", "import", "/nowhere/zones"]).must_fail(&["/nowhere/zones"]);
}
