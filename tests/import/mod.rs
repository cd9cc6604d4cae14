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

#[test]
fn zones_are_imported_from_what_configures_their_primary() {
    for software in [Software::Bind, Software::Knot, Software::Nsd, Software::PowerDns] {
        let setup = Setup::zone("one.test", zone_text::small(7)).and_zone("two.test", zone_text::small(8));
        let peer = Peer::start(software, setup);
        let secondo = secondo().started();
        let list = match software {
            Software::PowerDns => "one.test\ntwo.test\n\nAll zonecount:2\n".to_owned(),
            _ => std::fs::read_to_string(peer.configuration()).unwrap(),
        };
        let file = secondo.scratch_file("list", &list);
        let ran = secondo.client(&["zone", "import", &file]);
        ran.must_fail(&["one.test", "two.test", "--primary", "(primary_invalid)"]);
        let said = secondo.expect(&["zone", "import", &file, "--primary", &peer.address().to_string()]);
        assert!(said.contains("2 zones added, 0 lines failed"), "{software:?}: {said}");
        serves(&secondo, "one.test", 7);
        serves(&secondo, "two.test", 8);
    }
}

#[test]
fn a_table_is_imported_and_what_is_wrong_in_it_is_said_at_its_line() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    let table = format!(
        "tags;name;primaries;key\nsold,old;{ZONE};{address};\n;a..b;{address};\n;other.test;{address};nobody\n;lone.test;;\n",
        address = peer.address()
    );
    let file = secondo.scratch_file("table", &table);
    let ran = secondo.client(&["zone", "import", &file]);
    ran.must_fail(&["line 3: ", "(zone_name_invalid)", "line 4: ", "(key_unknown)", "line 5: ", "(primary_invalid)"]);
    serves(&secondo, ZONE, 1);
    let tagged = secondo.zone(ZONE);
    assert_eq!(tagged["tags"], serde_json::json!(["old", "sold"]), "{tagged:#}");
    assert_eq!(zones(&secondo).len(), 1);
    let ran = secondo.client(&["zone", "import", &file, "--format", "excel"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("lines, csv, named"), "{ran:?}");
}
