//! `docs/promote.md`, carried out as it stands: the real primary is killed, a new one is made of what Secondo has, and the old one
//! comes back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use testing::namespace::add_address;
use testing::peer::system_program;
use testing::process::{self, Process};
use testing::secondo::Secondo;
use testing::zone_text;

use super::{
    Guide, NAME, OURS, PRIMARY, SECRET, answers, bind, comes_from, hang_up, in_the_network_of_the_guides,
    knot_places, nsd_places, started,
};
use crate::scene::{SOON, secondo, serves};

const NEW: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// A new primary, as the guide has it made.
struct New<'a> {
    /// As `--to` has it.
    software: &'a str,
    /// What its own tools, and those of another server, say about the zone file; with `DIR` for its directory.
    checks: [&'a str; 2],
    start: fn(&Guide) -> Process,
    reload: fn(&Guide, &Process),
}

/// The command in the block, with what differs from test to test in its place.
fn command(guide: &Guide, block: &str, software: &str) -> Vec<String> {
    let text = guide.blocks(block);
    let line = text.trim_end().split(" > ").next().unwrap();
    let place = |word: &str| match word {
        "knot" => software.to_owned(),
        "promoted" => guide.path(""),
        word => word.to_owned(),
    };
    line.strip_prefix("secondo ").unwrap().split(' ').map(place).collect()
}

fn expect(secondo: &Secondo, guide: &Guide, block: &str, software: &str) -> String {
    let words = command(guide, block, software);
    secondo.expect(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn carried_out(new: &New<'_>) {
    let (old_guide, guide) = (Guide::read("guides/bind.md"), Guide::read("promote.md"));
    add_address(NEW);
    comes_from(NEW, OURS);
    // Named in the zone, as most are.
    let named_there = |serial, address| zone_text::small(serial).replace("192.0.2.53", address);
    old_guide.write("example.org.zone", &named_there(1, "192.0.2.1"));
    let mut old = bind(&old_guide, PRIMARY, &old_guide.configuration("conf named.conf.local"));
    answers(PRIMARY, &old);
    let secondo = secondo().at(SocketAddr::new(OURS, 53)).started();
    old_guide.commands(&secondo);
    serves(&secondo, NAME, 1);
    old.kill();

    expect(&secondo, &guide, "sh longer", new.software);
    let told = expect(&secondo, &guide, "sh freeze", new.software);
    assert!(
        told.contains("ns1.example.org. 300 IN A 192.0.2.1") && told.contains("--finish --primary 192.0.2.9:53,key="),
        "{told}"
    );
    assert_eq!(secondo.zone(NAME)["state"], "frozen");
    let here = guide.path("");
    for check in new.checks {
        let words: Vec<String> = check.split(' ').map(|word| word.replace("DIR/", &here)).collect();
        process::run(Command::new(system_program(&words[0])).args(&words[1..]));
    }
    let primary = (new.start)(&guide);
    answers(NEW, &primary);
    let said = expect(&secondo, &guide, "sh finish", new.software);
    assert!(said.contains("records that go: 0, that come: 0") && said.contains("--back"), "{said}");
    let zone = secondo.zone(NAME);
    assert_eq!((&zone["state"], &zone["primaries"][0]["address"]), (&"active".into(), &"192.0.2.9:53".into()));
    assert_eq!(zone["primaries"].as_array().unwrap().len(), 1, "{zone}");

    // A change at the new primary comes by its NOTIFY: the zone's own timers are hours.
    comes_from(OURS, NEW);
    guide.write("example.org.zone", &named_there(5, "192.0.2.9"));
    (new.reload)(&guide, &primary);
    serves(&secondo, NAME, 5);

    // The old primary returns, with what it had.
    let mut old = bind(&old_guide, PRIMARY, &old_guide.configuration("conf named.conf.local"));
    answers(PRIMARY, &old);
    let back = command(&guide, "sh back", new.software);
    let words: Vec<&str> = back.iter().map(String::as_str).collect();
    let refused = secondo.client(&words);
    refused.must_fail(&["version_differs", "its serial 1 is not newer than 5", "stays as it is"]);
    assert!(refused.words().contains("- serial.example.org. 300 IN TXT \"5\""), "{}", refused.words());
    assert_eq!(secondo.zone(NAME)["primaries"][0]["address"], "192.0.2.9:53");
    let exported = expect(&secondo, &guide, "sh export", new.software);
    old_guide.write("example.org.zone", &exported.replace(" 5 7200 ", " 6 7200 "));
    hang_up(&old_guide, &old);
    testing::eventually(SOON, "the old primary to have what was changed", || {
        testing::query::has_serial(SocketAddr::new(PRIMARY, 53), NAME, 6)
    });
    let said = secondo.expect(&words);
    assert!(said.contains("has serial 6, and 5 is served; records that go: 1, that come: 1"), "{said}");
    assert_eq!(secondo.zone(NAME)["primaries"][0]["address"], "192.0.2.1:53");
    assert_eq!(testing::query::serial(secondo.dns(), NAME), Ok(6));
    old.kill();
}

/// What was written for the new primary, with the secret that its owner has, and where the test has its files.
fn written(guide: &Guide) -> String {
    let text = std::fs::read_to_string(guide.path("example.org.conf")).unwrap();
    assert!(text.contains("SECRET"), "{text}");
    let text: String =
        text.lines().filter(|line| !line.starts_with("# Note")).flat_map(|line| [line, "\n"]).collect();
    let text = text.replace("SECRET", SECRET).replace("/var/lib/bind/", &guide.path(""));
    text.replace("/var/lib/knot/", &guide.path(""))
}

#[test]
fn a_lost_bind_is_promoted_into_a_knot_and_comes_back() {
    in_the_network_of_the_guides("guides::promote::a_lost_bind_is_promoted_into_a_knot_and_comes_back", || {
        let start = |guide: &Guide| {
            guide.write("knot.conf", &(knot_places(guide, NEW) + &written(guide)));
            std::fs::create_dir(guide.path("database")).unwrap();
            process::run(Command::new(system_program("knotc")).args(["-c", &guide.path("knot.conf"), "conf-check"]));
            started(guide, system_program("knotd"), &["-c", &guide.path("knot.conf")])
        };
        let checks =
            ["kzonecheck -o example.org DIR/example.org.zone", "named-checkzone example.org DIR/example.org.zone"];
        carried_out(&New { software: "knot", checks, start, reload: hang_up });
    });
}

#[test]
fn a_lost_bind_is_promoted_into_an_nsd_and_comes_back() {
    in_the_network_of_the_guides("guides::promote::a_lost_bind_is_promoted_into_an_nsd_and_comes_back", || {
        let start = |guide: &Guide| {
            guide.write(
                "nsd.conf",
                &(nsd_places(guide) + &format!("server:\n    ip-address: {NEW}\n") + &written(guide)),
            );
            process::run(Command::new(system_program("nsd-checkconf")).arg(guide.path("nsd.conf")));
            started(guide, system_program("nsd"), &["-d", "-c", &guide.path("nsd.conf")])
        };
        let reload = |guide: &Guide, _: &Process| {
            let mut control = Command::new(system_program("nsd-control"));
            process::run(control.args(["-c", &guide.path("nsd.conf"), "reload", NAME]));
        };
        let checks =
            ["nsd-checkzone example.org DIR/example.org.zone", "named-checkzone example.org DIR/example.org.zone"];
        carried_out(&New { software: "nsd", checks, start, reload });
    });
}

#[test]
fn a_lost_bind_is_promoted_into_another_bind_and_comes_back() {
    in_the_network_of_the_guides("guides::promote::a_lost_bind_is_promoted_into_another_bind_and_comes_back", || {
        let start = |guide: &Guide| bind(guide, NEW, &written(guide));
        let checks =
            ["named-checkzone example.org DIR/example.org.zone", "nsd-checkzone example.org DIR/example.org.zone"];
        carried_out(&New { software: "bind", checks, start, reload: hang_up });
    });
}
