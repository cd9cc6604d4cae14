//! The client commands that the other folders do not use.

use std::time::Duration;

use testing::eventually::eventually;
use testing::peer::{Peer, Setup, Software};
use testing::primary::{Behaviour, Kind, Primary};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{ZONE, secondo, serves};

#[test]
fn an_export_is_a_zone_file_that_holds_what_is_served() {
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    let exported = secondo.expect(&["zone", "export", ZONE]);
    let again = Peer::start(Software::Knot, Setup::zone(ZONE, exported));
    let lines = |server| query::transfer(server, ZONE).unwrap();
    assert_eq!(lines(again.address()), lines(secondo.dns()));
}

#[test]
fn zones_are_tagged_and_listed_by_tag_by_failing_and_in_other_orders() {
    let primary = Primary::with_zone("a.test", &zone_text::small(5));
    primary.publish("b.test", &zone_text::small(9));
    let address = primary.address().to_string();
    let mut secondo = secondo().started();
    secondo.expect(&["zone", "add", "a.test", "--primary", &address, "--tag", "Customers", "--tag", "site:berlin"]);
    secondo.expect(&["zone", "add", "b.test", "--primary", &address, "--tag", "customers"]);
    // Nobody is there.
    secondo.expect(&["zone", "add", "c.test", "--primary", "127.0.0.1:1"]);
    serves(&secondo, "a.test", 5);
    serves(&secondo, "b.test", 9);
    let names = |secondo: &Secondo, flags: &[&str]| -> String {
        let zones = secondo.json(&[&["zone", "list"], flags].concat());
        zones.as_array().unwrap().iter().map(|zone| &zone["name"].as_str().unwrap()[..1]).collect()
    };
    let fails = |secondo: &Secondo| {
        eventually(Duration::from_secs(10), "the zone fails", || match names(secondo, &["--failing"]).as_str() {
            "c" => Ok(()),
            others => Err(others.to_owned()),
        });
    };
    fails(&secondo);
    secondo.kill_and_restart();
    fails(&secondo);
    assert_eq!(names(&secondo, &["--tag", "customers"]), "ab");
    assert_eq!(names(&secondo, &["--tag", "site:berlin", "--find", "TEST"]), "a");
    assert_eq!(names(&secondo, &["--state", "pending"]), "c");
    assert_eq!(names(&secondo, &["--sort", "serial"]), "bac");
    assert_eq!(names(&secondo, &["--sort", "serial", "--reversed"]), "abc");
    assert_eq!(names(&secondo, &["--sort", "state"]), "cab");
    secondo.expect(&["zone", "set", "a.test", "--tag", ""]);
    assert_eq!(names(&secondo, &["--tag", "customers"]), "b");
    assert!(secondo.expect(&["zone", "list"]).contains("pending, failing"));
    assert!(secondo.expect(&["zone", "show", "b.test"]).contains("customers"));
    assert!(secondo.expect(&["zone", "list", "--tag", "nobodys"]).contains("no zone fits"));
    secondo.client(&["zone", "set", "a.test", "--tag", "two words"]).must_be_wrong_usage(&["tag_invalid"]);
    // A zone that is removed and comes back has them again.
    secondo.expect(&["zone", "remove", "b.test"]);
    secondo.expect(&["zone", "restore", "b.test"]);
    assert_eq!(names(&secondo, &["--tag", "customers"]), "b");
}

#[test]
fn a_removed_zone_is_refused_at_once() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    crate::scene::add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "remove", ZONE]);
    assert_eq!(query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap().rcode, dns::Rcode::REFUSED);
    secondo.client(&["zone", "show", ZONE]).must_fail(&["zone_unknown"]);
    // And it can come again.
    crate::scene::add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
}

#[test]
fn a_zone_removed_during_its_transfer_is_not_transferred_again() {
    // GL#5291.
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    primary.behave(Behaviour::Trickle { octets: 10, pause: Duration::from_millis(40) });
    let mut secondo = secondo().started();
    crate::scene::add(&secondo, ZONE, primary.address());
    primary.wait_for(Kind::Axfr, 1);
    secondo.expect(&["zone", "remove", ZONE]);
    primary.behave_well();
    primary.wait_until_alone();
    for _ in 0..2 {
        assert_eq!(query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap().rcode, dns::Rcode::REFUSED);
        secondo.client(&["zone", "show", ZONE]).must_fail(&["zone_unknown"]);
        secondo.kill_and_restart();
    }
    assert_eq!(primary.count(Kind::Axfr), 1);
}

#[test]
fn a_zone_name_that_looks_like_a_path_goes_through_every_command() {
    // CVE-2026-42000, GL#1592; RFC 2317 §4 gives zones such names.
    let names = ["0/25.2.0.192.in-addr.arpa", "\\046\\046\\047\\046\\046\\047x.test", "semi\\;colon.test"];
    let primary = Primary::start();
    let mut secondo = secondo().started();
    for name in names {
        // Large enough for a file of its own.
        primary.publish(name, &zone_text::of_hosts(1, 40_000));
        crate::scene::add(&secondo, name, primary.address());
        serves(&secondo, name, 1);
        secondo.expect(&["zone", "show", name]);
        secondo.expect(&["zone", "refresh", name]);
        secondo.expect(&["zone", "history", name]);
        assert!(secondo.expect(&["zone", "export", name]).lines().count() > 40_000);
    }
    let images = std::fs::read_dir(secondo.data().join("images")).unwrap();
    let files: Vec<String> = images.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let is_a_number = |file: &String| file.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-');
    assert!(files.len() == names.len() && files.iter().all(is_a_number), "{files:?}");
    secondo.kill_and_restart();
    for name in names {
        assert_eq!(query::serial(secondo.dns(), name), Ok(1), "{name}");
        secondo.expect(&["zone", "remove", name]);
    }
}

#[test]
fn lists_are_for_people_and_for_programs() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    let list = secondo.expect(&["zone", "list"]);
    assert!(list.contains(ZONE), "{list}");
    let shown = secondo.expect(&["zone", "show", ZONE]);
    assert!(shown.contains(&peer.address().to_string()), "{shown}");
    let status = secondo.json(&["status"]);
    assert_eq!(status["zones"]["total"], 1, "{status}");
    assert_eq!(status["dns"][0], secondo.dns().to_string(), "{status}");
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let secondo = secondo();
    for words in [
        &["serve"][..],
        &["check-config"],
        &["completions"],
        &["zone", "add"],
        &["zone", "list"],
        &["zone", "show"],
        &["zone", "refresh"],
        &["zone", "history"],
        &["zone", "notifies"],
        &["zone", "export"],
        &["zone", "remove"],
        &["zone", "import"],
        &["key", "add"],
        &["key", "list"],
        &["key", "remove"],
        &["catalog", "add"],
        &["catalog", "list"],
        &["catalog", "show"],
        &["catalog", "set"],
        &["catalog", "accept"],
        &["catalog", "remove"],
        &["doctor"],
        &["notifies"],
        &["token", "add"],
        &["token", "list"],
        &["token", "remove"],
        &["user", "add"],
        &["user", "list"],
        &["user", "link"],
        &["user", "remove"],
        &["audit"],
        &["status"],
    ] {
        let ran = secondo.run(&[words, &["--help"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let help = ran.stdout;
        assert!(help.contains(&format!("secondo {}", words.join(" "))), "no example in {words:?}: {help}");
    }
}

#[test]
fn records_and_lines_are_shown_by_the_command_line() {
    let peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 1);
    let all = secondo.expect(&["zone", "records", ZONE]);
    let shown = secondo.json(&["zone", "records", ZONE]);
    assert_eq!(all.lines().count(), shown.as_array().unwrap().len());
    assert_eq!(all.lines().count(), query::transfer(secondo.dns(), ZONE).unwrap().len(), "{all}");
    let www = secondo.expect(&["zone", "records", ZONE, "--search", "www"]);
    assert!(!www.is_empty() && www.lines().all(|line| line.starts_with("www.")), "{www}");
    let soa = secondo.expect(&["zone", "records", ZONE, "--type", "soa", "--limit", "1"]);
    assert!(soa.lines().count() == 1 && soa.contains(" SOA "), "{soa}");
    assert_eq!(secondo.expect(&["zone", "records", ZONE, "--search", "nothing"]), "there is no such record\n");
    secondo.client(&["zone", "records", ZONE, "--type", "NOTHING"]).must_fail(&["query_invalid"]);
    secondo.client(&["zone", "records", ZONE, "--limit", "0"]).must_be_wrong_usage(&["0"]);
    let lines = secondo.expect(&["zone", "lines", ZONE]);
    assert!(lines.contains(&format!("What {} needs", peer.address())) && lines.contains("  BIND"), "{lines}");
    assert!(secondo.json(&["zone", "lines", ZONE])[0]["paste"].is_array());
}

#[test]
fn plans_members_and_events_are_had_by_the_command_line() {
    let secondo = secondo().configured("[tenancy]\nmode = \"multi\"\nallow_addresses = [\"192.0.2.1\"]\n").started();
    let added = secondo.json(&["plan", "add", "Tiny", "zones=1", "records=1000", "--grace-days", "3"]);
    assert_eq!((&added["limits"]["zones"], &added["grace_days"]), (&1.into(), &3.into()), "{added:#}");
    let plan = added["id"].to_string();
    // What is not named stays; without a number there is no limit.
    let set = secondo.json(&["plan", "set", &plan, "--name", "Small", "records=", "members=2"]);
    let limits = &set["limits"];
    assert_eq!((&set["name"], &set["grace_days"]), (&"Small".into(), &3.into()));
    assert_eq!((&limits["zones"], &limits["members"]), (&1.into(), &2.into()));
    assert!(limits["records"].is_null(), "{set:#}");
    assert_eq!(secondo.json(&["plan", "show", &plan]), set);
    assert!(secondo.expect(&["plan", "list"]).contains("zones=1 members=2"));
    for wrong in ["zones", "zones=many", "colours=3"] {
        secondo.client(&["plan", "set", &plan, wrong]).must_be_wrong_usage(&["plan_invalid"]);
    }
    let organisation = secondo.json(&["tenant", "add", "Example Ltd"])["organisation"]["id"].to_string();
    let said = secondo.expect(&["tenant", "plan", &organisation, &plan, "--until", "2099-12-31T00:00:00Z"]);
    assert!(said.contains("until 2099-12-31 00:00:00Z"), "{said}");
    let theirs = ["--organisation", organisation.as_str()];
    let own = secondo.expect(&[&["plan", "own"][..], &theirs].concat());
    assert!(own.contains("Small") && own.contains("in force until 2099-12-31") && own.contains("0 of 1"), "{own}");
    secondo.client(&["plan", "remove", &plan]).must_fail(&["plan_in_use"]);
    secondo.client(&["tenant", "plan", &organisation, "4711"]).must_fail(&["plan_unknown"]);
    secondo
        .client(&["tenant", "plan", &organisation, &plan, "--until", "tomorrow"])
        .must_be_wrong_usage(&["tomorrow"]);

    assert!(secondo.expect(&[&["event", "list"][..], &theirs].concat()).contains("nothing has happened"));
    secondo.expect(&[&["zone", "add", ZONE, "--primary", "192.0.2.1"][..], &theirs].concat());
    eventually(crate::scene::SOON, "the organisation to be told", || {
        let told = secondo.expect(&[&["event", "list"][..], &theirs].concat());
        if told.contains("limit_near") && told.contains("1 of the 1 zones") { Ok(()) } else { Err(told) }
    });
    assert_eq!(secondo.json(&[&["event", "list", "--limit", "1"][..], &theirs].concat())[0]["kind"], "limit_near");

    let invited =
        secondo.expect(&[&["member", "invite", "alice@example.org", "--role", "editor"][..], &theirs].concat());
    assert!(invited.contains("invited alice@example.org as an editor") && invited.contains("/link/"), "{invited}");
    let waiting = secondo.json(&[&["member", "invitations"][..], &theirs].concat());
    assert_eq!((&waiting[0]["email"], &waiting[0]["role"]), (&"alice@example.org".into(), &"editor".into()));
    secondo.expect(&[&["member", "withdraw", "alice@example.org"][..], &theirs].concat());
    assert!(secondo.expect(&[&["member", "invitations"][..], &theirs].concat()).contains("no invitation"));
    for email in ["bob@example.org", "carol@example.org"] {
        secondo.expect(&[&["user", "add", email, "--role", "owner"][..], &theirs].concat());
    }
    let changed = secondo.expect(&[&["member", "role", "bob@example.org", "viewer"][..], &theirs].concat());
    assert_eq!(changed, "bob@example.org is a viewer from now on\n");
    secondo
        .client(&[&["member", "role", "carol@example.org", "viewer"][..], &theirs].concat())
        .must_fail(&["last_owner"]);
    secondo.expect(&[&["member", "remove", "bob@example.org"][..], &theirs].concat());
    let left = secondo.json(&[&["member", "list"][..], &theirs].concat());
    assert_eq!((left.as_array().unwrap().len(), &left[0]["email"]), (1, &"carol@example.org".into()), "{left:#}");
    // Given back, nobody has it.
    secondo.expect(&["tenant", "plan", &organisation, "--default"]);
    secondo.expect(&["plan", "remove", &plan]);
}
