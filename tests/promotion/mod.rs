//! The primary is gone for good: what the command makes of what is here, and what it takes to point the zone elsewhere. That the
//! whole way works with real servers is in `guides`.

use std::process::Command;

use serde_json::Value;
use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::zone_text::{self, Timers};
use testing::{eventually, process, query};

use crate::access::{add_token, api, audited};
use crate::scene::{FAST_TIMERS, SOON, ZONE, add, secondo, serves};
use crate::signing::{Denial, signed};

/// The zone, copied from a primary that is gone.
fn orphaned(secondo: Secondo, text: &str) -> Secondo {
    let secondo = secondo.started();
    let old = Primary::with_zone(ZONE, text);
    add(&secondo, ZONE, old.address());
    eventually(SOON, "the zone to be copied", || query::serial(secondo.dns(), ZONE));
    secondo
}

fn finish<'a>(primary: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["zone", "promote", ZONE, "--finish", "--primary", primary], more].concat()
}

/// Loads a zone file into BIND's own checker.
fn loads(text: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    process::run(Command::new("named-checkzone").args(["-i", "none", ZONE]).arg(file.path()));
}

#[test]
fn a_zone_is_pointed_at_what_was_compared_or_stays_frozen_as_it_was() {
    let mut secondo = orphaned(secondo(), &zone_text::small(5));
    let before = secondo.zone(ZONE);
    secondo.expect(&["zone", "promote", ZONE]);
    // To ask again changes nothing.
    secondo.expect(&["zone", "promote", ZONE, "--to", "nsd"]);
    let stays = |secondo: &Secondo, what: &str| {
        let zone = secondo.zone(ZONE);
        assert_eq!((&zone["hold"], &zone["primaries"]), (&"frozen".into(), &before["primaries"]), "{what}");
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(5), "{what}");
    };
    stays(&secondo, "promoted");

    let dead = testing::port::free().to_string();
    secondo.client(&finish(&dead, &[])).must_fail(&[
        "primary_failed",
        "stays as it is",
        "unreachable",
        "secondo doctor",
    ]);
    stays(&secondo, "nobody is there");
    let empty = Primary::start();
    secondo.client(&finish(&empty.address().to_string(), &["--accept"])).must_fail(&["primary_failed", "notauth"]);
    stays(&secondo, "the zone is not there");
    let new = Primary::with_zone(ZONE, &zone_text::small(3));
    let address = new.address().to_string();
    let older = secondo.client(&finish(&address, &[]));
    older.must_fail(&["version_differs", "its serial 3 is not newer than 5", "--accept"]);
    assert!(older.stdout.contains("- serial.example.test. 300 IN TXT \"5\""), "{older:?}");
    stays(&secondo, "older");
    new.publish(ZONE, &format!("{}other A 192.0.2.99\n", zone_text::small(5)));
    let differs = secondo.client(&finish(&address, &[]));
    differs.must_fail(&[
        "version_differs",
        "other records with the serial 5",
        "+ other.example.test. 300 IN A 192.0.2.99",
    ]);
    stays(&secondo, "the same serial");
    // What was shown is what is taken, by programs too.
    let token = add_token(&secondo, "zones", "read,zones");
    let body = format!(r#"{{"primaries": [{{"address": "{address}"}}], "accept": true, "digest": "another"}}"#);
    api(&secondo, &token, &format!("/zones/{ZONE}/promotion/finish"), Some(&body)).is_refused(409, "version_changed");
    stays(&secondo, "another digest");

    let finished = secondo.json(&finish(&address, &["--accept"]));
    assert_eq!((&finished["comparison"]["version"], &finished["zone"]["hold"]), (&"differs".into(), &"none".into()));
    let is_there = query::ask(secondo.dns(), &format!("other.{ZONE}"), dns::Type::A).unwrap();
    assert_eq!(is_there.answer.len(), 1, "{is_there:?}");
    let row = audited(&secondo, "zone.pointed", &format!("{ZONE}."));
    assert_eq!((&row["details"]["version"], &row["details"]["added"]), (&"differs".into(), &1.into()), "{row}");
    audited(&secondo, "zone.ordered", &format!("{ZONE}."));

    // It follows the new primary, and knows the way back after a restart too.
    new.publish(ZONE, &zone_text::small(6));
    secondo.expect(&["zone", "refresh", ZONE]);
    secondo.kill_and_restart();
    serves(&secondo, ZONE, 6);
    let shown = secondo.json(&["zone", "promote", ZONE]);
    assert_eq!(shown["former"], before["primaries"], "{shown:#}");
}

#[test]
fn on_the_way_back_nothing_is_lost_unseen() {
    let secondo = secondo().started();
    let old = Primary::with_zone(ZONE, &zone_text::small(1));
    let new = Primary::with_zone(ZONE, &zone_text::small(1));
    add(&secondo, ZONE, old.address());
    serves(&secondo, ZONE, 1);
    secondo.client(&["zone", "promote", ZONE, "--back"]).must_fail(&["not_promoted", "--primary"]);
    secondo.expect(&finish(&new.address().to_string(), &[]));
    new.publish(ZONE, &format!("{}meanwhile A 192.0.2.77\n", zone_text::small(2)));
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(&secondo, ZONE, 2);

    // Its serial is newer, so that a timer would have taken it; but it lacks what came meanwhile.
    old.publish(ZONE, &zone_text::small(9));
    let lacks = secondo.client(&["zone", "promote", ZONE, "--back"]);
    lacks.must_fail(&["version_differs", "lacks", "- meanwhile.example.test. 300 IN A 192.0.2.77"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
    assert_eq!(secondo.zone(ZONE)["primaries"][0]["address"], new.address().to_string());
    old.publish(
        ZONE,
        &format!(
            "{}meanwhile A 192.0.2.77\n",
            zone_text::small(10).replace("\"10\"", "\"2\"").replace(".11\n", ".3\n")
        ),
    );
    secondo.expect(&["zone", "promote", ZONE, "--back"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(10));
    assert_eq!(secondo.zone(ZONE)["primaries"][0]["address"], old.address().to_string());
    // And on again: the way back leads to what was before.
    secondo.client(&["zone", "promote", ZONE, "--back"]).must_fail(&["its serial 2 is not newer than 10"]);
    secondo.expect(&["zone", "promote", ZONE, "--back", "--accept"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
}

#[test]
fn an_expired_zone_is_exported_promoted_and_answered_again() {
    let text = zone_text::with_timers(7, Timers { refresh: 1, retry: 1, expire: 2 });
    let mut secondo = orphaned(secondo().configured(FAST_TIMERS), &text);
    eventually(SOON, "the zone to expire", || match &secondo.zone(ZONE)["state"] {
        state if state == "expired" => Ok(()),
        state => Err(state.to_string()),
    });
    secondo.kill_and_restart();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display().to_string();
    let told = secondo.expect(&["zone", "promote", ZONE, "--to", "bind", "--directory", &place]);
    assert!(told.contains("it has expired") && told.contains("serve-past-expiry"), "{told}");
    let exported = std::fs::read_to_string(directory.path().join(format!("{ZONE}.zone"))).unwrap();
    assert!(exported.contains("IN TXT \"7\"") && exported == secondo.expect(&["zone", "export", ZONE]), "{exported}");
    loads(&exported);
    // What somebody may have changed is not written over.
    let again = secondo.client(&["zone", "promote", ZONE, "--directory", &place]);
    again.must_fail(&["file_unwritable", "exists"]);
    // Frozen, it would stay expired; `serve-past-expiry` is its owner's word.
    secondo.expect(&["zone", "set", ZONE, "serve-past-expiry=30d"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(7));
    let new = Peer::start(Software::Knot, Setup::zone(ZONE, exported));
    secondo.expect(&finish(&new.address().to_string(), &[]));
    let zone = secondo.zone(ZONE);
    assert_eq!((&zone["serial"], &zone["hold"]), (&7.into(), &"none".into()), "{zone}");
    assert!(zone["last_success"].is_string(), "the new primary vouches for it: {zone}");
}

#[test]
fn what_being_signed_means_is_said_and_the_zone_can_be_had_without_signatures() {
    let signed = signed(ZONE, &zone_text::small(1).replace("odd TYPE65400 \\# 3 010203\n", ""), Denial::Nsec3);
    let secondo = orphaned(secondo(), &signed.text);
    let told = secondo.json(&["zone", "promote", ZONE]);
    let said = told["signed"]["said"].to_string();
    assert!(said.contains("private keys") && said.contains("DS") && said.contains("--unsigned"), "{said}");
    let ends_at = told["signed"]["ends_at"].as_str().unwrap();
    assert!(said.contains(&ends_at[..10]), "{told:#}");
    let unsigned = secondo.expect(&["zone", "export", ZONE, "--unsigned"]);
    for made in ["RRSIG", "DNSKEY", "NSEC3"] {
        assert!(!unsigned.contains(made) && secondo.expect(&["zone", "export", ZONE]).contains(made), "{made}");
    }
    assert!(unsigned.contains(&format!("www.{ZONE}. 300 IN A ")), "{unsigned}");
    loads(&unsigned);
}

#[test]
fn a_new_key_is_shown_once_within_the_lines_and_opens_the_new_primary() {
    let secondo = orphaned(secondo(), &zone_text::small(1));
    let told = secondo.json(&["zone", "promote", ZONE, "--to", "bind", "--new-key", "emergency.test"]);
    let secret = told["secret"].as_str().unwrap().to_owned();
    let lines = told["paste"]["holding"].to_string();
    assert!(lines.contains(&secret) && !lines.contains("SECRET"), "{lines}");
    let is_step = |step: &Value| step.as_str().unwrap().contains(",key=emergency.test");
    assert!(told["steps"].as_array().unwrap().iter().any(is_step), "{told:#}");
    for shown in [secondo.expect(&["zone", "promote", ZONE]), secondo.log(), secondo.expect(&["audit"])] {
        assert!(!shown.contains(&secret), "{shown}");
    }
    let key = TsigKey { name: "emergency.test".into(), algorithm: "hmac-sha256", secret };
    let new = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(2)).key(key));
    let unsigned = new.address().to_string();
    secondo.client(&finish(&unsigned, &[])).must_fail(&["primary_failed"]);
    secondo.expect(&finish(&format!("{unsigned},key=emergency.test"), &[]));
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
    let again = secondo.client(&["zone", "promote", ZONE, "--new-key", "emergency.test"]);
    again.must_fail(&["key_exists"]);
    assert_eq!(secondo.zone(ZONE)["hold"], "none", "a command that fails has done nothing");
}

#[test]
fn what_cannot_be_promoted_is_said() {
    let secondo = secondo().started();
    let (empty, member) = (Primary::start(), "member.test");
    add(&secondo, ZONE, empty.address());
    secondo.client(&["zone", "promote", ZONE]).must_fail(&["zone_not_loaded", "never transferred"]);
    secondo.client(&finish("127.0.0.1:1", &[])).must_fail(&["zone_not_loaded"]);
    secondo.client(&["zone", "promote", "nowhere.test"]).must_fail(&["zone_unknown"]);
    secondo.client(&["zone", "promote", ZONE, "--finish"]).must_be_wrong_usage(&["--primary"]);
    secondo.client(&["zone", "promote", ZONE, "--accept"]).must_be_wrong_usage(&["--finish"]);
    secondo.client(&["zone", "promote", ZONE, "--back", "--to", "bind"]).must_be_wrong_usage(&["--to"]);
    secondo.client(&["zone", "promote", ZONE, "--to", "djbdns"]).must_be_wrong_usage(&["djbdns", "knot"]);

    let catalog =
        format!("@ 0 SOA i. i. 1 7200 3600 604800 60\n@ 0 NS i.\nversion 0 TXT \"2\"\nl.zones 0 PTR {member}.\n");
    let primary = Primary::with_zone("catalog.test", &catalog);
    primary.publish(member, &zone_text::small(1));
    secondo.expect(&["catalog", "add", "catalog.test", "--primary", &primary.address().to_string()]);
    serves(&secondo, member, 1);
    secondo.client(&["zone", "promote", member]).must_fail(&["zone_of_catalog", "catalog.test", "secondo zone add"]);
    assert_eq!(secondo.zone(member)["hold"], "none");
    // As a zone of its own it keeps what it holds.
    add(&secondo, member, primary.address());
    secondo.client(&["zone", "promote", member, "--primary", "127.0.0.1,key=nobodys"]).must_fail(&["key_unknown"]);
    assert_eq!(secondo.zone(member)["hold"], "none", "a command that fails has done nothing");
    secondo.expect(&["zone", "promote", member]);

    // Whoever may look at zones sees what it would take, and changes nothing.
    let reads = add_token(&secondo, "viewer", "read");
    let at = |below: &str| format!("/zones/{member}/promotion{below}");
    api(&secondo, &reads, &at("?software=knot"), None).is(200);
    let body = Some(r#"{"primaries": [{"address": "127.0.0.1:1"}]}"#);
    for (below, body) in [("", Some("{}")), ("/compare", body), ("/finish", body)] {
        api(&secondo, &reads, &at(below), body).is_refused(403, "not_allowed");
    }
    let zones = add_token(&secondo, "zones", "zones");
    api(&secondo, &zones, &at(""), Some(r#"{"new_key": "k.test"}"#)).is_refused(403, "not_allowed");
}
