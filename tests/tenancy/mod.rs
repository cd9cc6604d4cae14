//! What organisations may here that do not know each other: by their plans, and with the addresses that they name.

use std::time::Duration;

use dns::{Rcode, Type};
use serde_json::{Value, json};
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, query};

use crate::access::{Answer, curl};
use crate::scene::{FAST_TIMERS, SOON, secondo};

/// What is asked of zones is written, and looked at, at each full minute.
const COUNTED_WITHIN: Duration = Duration::from_secs(90);

/// A server of many organisations that may ask this machine's address, and a plan.
fn shared(plan: &Value) -> (Secondo, String) {
    let tenancy =
        "[tenancy]\nmode = \"multi\"\nallow_addresses = [\"127.0.0.1\"]\nsource_addresses = [\"127.0.0.9\"]\n";
    let secondo = secondo().configured(&format!("{FAST_TIMERS}{tenancy}")).started();
    let added = asked(&secondo, None, "POST", "/plans", Some(plan));
    assert_eq!(added.status, 201, "{added:?}");
    let organisation = secondo.json(&["tenant", "add", "Example Ltd"])["organisation"]["id"].to_string();
    gives(&secondo, &organisation, &json!({ "plan": added.json()["id"] }));
    (secondo, organisation)
}

/// Gives the organisation a plan.
#[track_caller]
fn gives(secondo: &Secondo, organisation: &str, plan: &Value) {
    asked(secondo, None, "PUT", &format!("/organisations/{organisation}/plan"), Some(plan)).is(204);
}

/// Asks the API as whoever runs the service, for an organisation.
#[track_caller]
fn asked(secondo: &Secondo, organisation: Option<&str>, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let body = body.map(ToString::to_string);
    sent(secondo, organisation, method, path, body.as_deref().map(|body| ("application/json", body)))
}

#[track_caller]
fn sent(
    secondo: &Secondo,
    organisation: Option<&str>,
    method: &str,
    path: &str,
    body: Option<(&str, &str)>,
) -> Answer {
    let token = std::fs::read_to_string(secondo.data().join("admin-token")).unwrap();
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let url = format!("http://{}/api/v1{path}", secondo.http());
    let mut words = vec!["--request", method, "--header", &bearer, &url];
    let named = organisation.map(|number| format!("Secondo-Organisation: {number}"));
    words.extend(named.iter().flat_map(|named| ["--header", named.as_str()]));
    let content_type = body.map(|(kind, _)| format!("Content-Type: {kind}"));
    words.extend(content_type.iter().flat_map(|kind| ["--header", kind.as_str()]));
    words.extend(body.iter().flat_map(|(_, body)| ["--data-binary", body]));
    curl(&words)
}

#[track_caller]
fn creates(secondo: &Secondo, organisation: &str, zone: &str, primary: &str) -> Answer {
    let zone = json!({ "name": zone, "primaries": [{ "address": primary }] });
    asked(secondo, Some(organisation), "POST", "/zones", Some(&zone))
}

/// Gives the name to the organisation that has claimed it.
#[track_caller]
fn approve(secondo: &Secondo, zone: &str) {
    let claims = secondo.json(&["claim", "list"]);
    let claim = claims.as_array().unwrap().iter().find(|claim| claim["name"] == zone).cloned();
    secondo.expect(&["claim", "approve", &claim.unwrap_or_else(|| panic!("{claims:#}"))["id"].to_string()]);
}

#[track_caller]
fn told(secondo: &Secondo, organisation: &str, kind: &str, says: &str) {
    told_within(SOON, secondo, organisation, kind, says);
}

#[track_caller]
fn told_within(deadline: Duration, secondo: &Secondo, organisation: &str, kind: &str, says: &str) {
    eventually(deadline, &format!("the organisation to be told that {says}"), || {
        let events = asked(secondo, Some(organisation), "GET", "/events", None).json();
        let is_told = |event: &Value| event["kind"] == kind && event["message"].as_str().unwrap().contains(says);
        if events["events"].as_array().unwrap().iter().any(is_told) { Ok(()) } else { Err(format!("{events:#}")) }
    });
}

fn zone(serial: u32, hosts: u32) -> String {
    let hosts: String = (0..hosts).map(|host| format!("h{host}.big.test. 60 IN A 192.0.2.1\n")).collect();
    // It lives for four seconds without its primary.
    format!(
        "big.test. 60 IN SOA ns.big.test. host.big.test. {serial} 1 1 4 60\nbig.test. 60 IN NS ns.big.test.\nns.big.test. 60 IN A 192.0.2.2\n{hosts}"
    )
}

fn shown(secondo: &Secondo, organisation: &str) -> Value {
    asked(secondo, Some(organisation), "GET", "/zones/big.test", None).json()
}

#[test]
fn a_zone_that_outgrows_its_plan_is_served_on_and_does_not_expire() {
    let (secondo, ours) = shared(&json!({ "name": "Small", "limits": { "records": 10, "zones": 1 } }));
    let mut peer = Peer::start(Software::Nsd, Setup::zone("big.test", zone(1, 4)));
    assert_eq!(creates(&secondo, &ours, "big.test", &peer.address().to_string()).status, 201);
    approve(&secondo, "big.test.");
    eventually(SOON, "the zone to be answered", || query::has_serial(secondo.dns(), "big.test", 1));
    told(&secondo, &ours, "limit_near", "1 of the 1 zones");
    creates(&secondo, &ours, "more.test", "127.0.0.1:1").is_refused(403, "plan_limit");

    peer.replace("big.test", &zone(2, 6));
    eventually(SOON, "the zone within its plan to be answered", || query::has_serial(secondo.dns(), "big.test", 2));
    told(&secondo, &ours, "limit_near", "has 9 of the 10 records");
    peer.replace("big.test", &zone(3, 8));
    let held = eventually(SOON, "the zone to be over its limit", || {
        let zone = shown(&secondo, &ours);
        if zone["state"] == "over_limit" { Ok(zone) } else { Err(format!("{zone:#}")) }
    });
    assert_eq!((&held["serial"], &held["held_back"]["serial"]), (&json!(2), &json!(3)), "{held:#}");
    told(&secondo, &ours, "limit_exceeded", "has 11 of the 10 records");
    // Each check confirms it: long after its time it is there as it was.
    let expires = |zone: &Value| zone["expires_at"].as_str().unwrap().to_owned();
    let first = expires(&held);
    eventually(SOON, "its expiry to be put off twice", || {
        let later = expires(&shown(&secondo, &ours));
        if later > first { Ok(()) } else { Err(later) }
    });
    assert!(query::has_serial(secondo.dns(), "big.test", 2).is_ok());

    // A larger plan lets the version in that was there.
    let larger =
        asked(&secondo, None, "POST", "/plans", Some(&json!({ "name": "Large", "limits": { "records": 20 } })));
    gives(&secondo, &ours, &json!({ "plan": larger.json()["id"] }));
    eventually(SOON, "the larger version to be answered", || query::has_serial(secondo.dns(), "big.test", 3));
}

#[test]
fn an_organisation_is_told_when_its_queries_come_near_its_plans_and_answers_go_on() {
    let (secondo, near) = shared(&json!({ "name": "Near", "limits": { "queries_per_month": 1_000 } }));
    let beyond = secondo.json(&["tenant", "add", "Beyond"])["organisation"]["id"].to_string();
    let far = secondo.json(&["tenant", "add", "Far"])["organisation"]["id"].to_string();
    for (organisation, name, limit) in [(&beyond, "Beyond", 10), (&far, "Far", 1_000_000)] {
        let plan = json!({ "name": name, "limits": { "queries_per_month": limit } });
        let plan = asked(&secondo, None, "POST", "/plans", Some(&plan)).json();
        gives(&secondo, organisation, &json!({ "plan": plan["id"] }));
    }
    let mut peers = Vec::new();
    for (organisation, name, queries) in
        [(&near, "big.test", 850), (&beyond, "beyond.test", 20), (&far, "far.test", 20)]
    {
        let peer = Peer::start(Software::Nsd, Setup::zone(name, zone(1, 4).replace("big.test", name)));
        assert_eq!(creates(&secondo, organisation, name, &peer.address().to_string()).status, 201);
        approve(&secondo, &format!("{name}."));
        eventually(SOON, "the zone to be answered", || query::has_serial(secondo.dns(), name, 1));
        // Not over UDP, where answers have a rate.
        for _ in 0..queries {
            assert_eq!(query::ask_tcp(secondo.dns(), name, Type::SOA).unwrap().rcode, Rcode::NOERROR);
        }
        peers.push(peer);
    }
    told_within(COUNTED_WITHIN, &secondo, &near, "limit_near", "of the 1000 queries in a month that its plan allows");
    told(&secondo, &beyond, "limit_exceeded", "of the 10 queries in a month that its plan allows");
    let quiet = asked(&secondo, Some(&far), "GET", "/events", None).json();
    assert!(!quiet.to_string().contains("queries"), "{quiet:#}");
    assert_eq!(query::ask_udp(secondo.dns(), "beyond.test", Type::SOA).unwrap().rcode, Rcode::NOERROR);
}

#[test]
fn zones_survive_the_end_of_a_plan_for_its_grace_and_come_back_with_the_next() {
    let (mut secondo, ours) = shared(&json!({ "name": "Small", "grace_days": 1 }));
    let peer = Peer::start(Software::Bind, Setup::zone("big.test", zone(1, 4).replace("1 1 4 60", "60 60 86400 60")));
    assert_eq!(creates(&secondo, &ours, "big.test", &peer.address().to_string()).status, 201);
    approve(&secondo, "big.test.");
    eventually(SOON, "the zone to be answered", || query::has_serial(secondo.dns(), "big.test", 1));
    let plan = |secondo: &Secondo| asked(secondo, Some(&ours), "GET", "/plan", None).json();
    let ends = |secondo: &Secondo, at: Value| {
        let plans = asked(secondo, None, "GET", "/plans", None).json();
        // The first one is that of those who were given none.
        assert_eq!((&plans["plans"][0]["name"], &plans["plans"][1]["name"]), (&json!("Standard"), &json!("Small")));
        gives(secondo, &ours, &json!({ "plan": plans["plans"][1]["id"], "ends_at": at }));
    };
    // An hour ago, and three days ago.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ago = |hours: u64| {
        json!(
            jiff::Timestamp::from_second((now - Duration::from_secs(hours * 3600)).as_secs() as i64)
                .unwrap()
                .to_string()
        )
    };
    ends(&secondo, ago(1));
    assert_eq!(plan(&secondo)["standing"], "grace");
    told(&secondo, &ours, "plan_ended", "zones are answered until");
    assert!(query::has_serial(secondo.dns(), "big.test", 1).is_ok());
    creates(&secondo, &ours, "more.test", "127.0.0.1:1").is_refused(403, "plan_limit");

    ends(&secondo, ago(72));
    let refused = |secondo: &Secondo| {
        let reply = query::ask(secondo.dns(), "big.test", Type::SOA).unwrap();
        if reply.rcode == Rcode::REFUSED { Ok(()) } else { Err(format!("{reply:?}")) }
    };
    eventually(SOON, "the zone to be answered no more", || refused(&secondo));
    assert_eq!(shown(&secondo, &ours)["state"], "suspended");
    // Also not for a moment because the program starts.
    secondo.kill_and_restart();
    refused(&secondo).unwrap();
    ends(&secondo, Value::Null);
    eventually(SOON, "the zone to be answered again", || query::has_serial(secondo.dns(), "big.test", 1));
}

#[test]
fn requests_beyond_the_plan_are_told_to_wait_and_others_are_not() {
    let (secondo, ours) = shared(&json!({ "name": "Small", "limits": { "requests_per_minute": 5 } }));
    let token =
        secondo.client_with(&[("SECONDO_ORGANISATION", &ours)], &["token", "add", "t", "--scope", "read", "--json"]);
    let token: Value = serde_json::from_str(&token.stdout).unwrap();
    let ask = || crate::access::api(&secondo, token["token"].as_str().unwrap(), "/zones", None);
    (0..5).for_each(|_| ask().is(200));
    let refused = ask();
    refused.is_refused(429, "rate_limited");
    assert!(refused.head.contains("retry-after: 60"), "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("5 request(s)"), "{refused:?}");
    asked(&secondo, None, "GET", "/zones", None).is(200);
}

/// What an organisation may name nowhere as an address, each by another rule.
const NOT_PUBLIC: [&str; 7] = [
    "10.0.0.1",
    "127.0.0.2:5300",
    "169.254.169.254:80",
    "[::1]:53",
    "[64:ff9b::7f00:1]:53",
    "[::ffff:10.0.0.1]:53",
    "[2002:a00:1::1]:53",
];

#[test]
fn an_organisation_has_nothing_asked_that_is_not_public_nor_anything_copied_that_is_not_its_own() {
    let (mut secondo, ours) = shared(&json!({ "name": "Small" }));
    for address in NOT_PUBLIC {
        let doctor = json!({ "name": "big.test", "primaries": [{ "address": address }] });
        let examined = asked(&secondo, Some(&ours), "POST", "/doctor", Some(&doctor)).json();
        assert!(examined.to_string().contains("address_refused"), "{examined:#}");
    }
    // In mode single whoever is on this machine may copy zones; here nobody may unless that is said.
    let peer = Peer::start(Software::Knot, Setup::zone("big.test", zone(1, 4)));
    secondo.expect(&["zone", "add", "big.test", "--primary", &peer.address().to_string()]);
    eventually(SOON, "the zone to be answered", || query::has_serial(secondo.dns(), "big.test", 1));
    assert!(query::transfer(secondo.dns(), "big.test").is_err());
    // What was allowed when it was named is judged again when it is asked.
    secondo.configure(&format!("{FAST_TIMERS}[tenancy]\nmode = \"multi\"\n"));
    secondo.kill_and_restart();
    eventually(SOON, "the primary not to be asked any more", || {
        let shown = secondo.json(&["zone", "show", "big.test"]);
        if shown["last_attempt"]["reason"]["code"] == "address_refused" { Ok(()) } else { Err(format!("{shown:#}")) }
    });
}

#[test]
fn an_organisation_chooses_among_our_addresses_that_are_meant_for_it_and_finds_out_no_other() {
    let (secondo, ours) = shared(&json!({ "name": "Small" }));
    let asked_from = |source: &str| json!({ "address": "127.0.0.1:5300", "source": source });
    let ask = |method, path, body: &Value| asked(&secondo, Some(&ours), method, path, Some(body));
    let create = |zone: &str, primary: Value| ask("POST", "/zones", &json!({ "name": zone, "primaries": [primary] }));
    // Meant for it; and what it would be asked from anyway.
    assert_eq!(create("chosen.test", asked_from("127.0.0.9")).status, 201);
    assert_eq!(create("usual.test", asked_from("127.0.0.1")).status, 201);
    // This machine has the first, and not the second: nobody can tell.
    let refusals = ["127.0.0.8", "203.0.113.8"].map(|source| {
        let named = json!({ "name": "other.test", "primaries": [asked_from(source)] });
        let change = json!({ "primaries": [asked_from(source)] });
        let catalog = json!({ "name": "catalog.test", "primaries": [asked_from("127.0.0.9")], "rules": { "members": { "primaries": [asked_from(source)] } } });
        let answers = [
            create("other.test", asked_from(source)),
            ask("PATCH", "/zones/chosen.test", &change),
            ask("POST", "/catalogs", &catalog),
            ask("POST", "/doctor", &named),
        ];
        answers.map(|answer| {
            answer.is_refused(400, "address_refused");
            answer.json()["detail"].as_str().unwrap().replace(source, "X")
        })
    });
    assert_eq!(refusals[0], refusals[1]);
}

#[test]
fn an_address_that_is_not_public_is_refused_where_it_is_named_and_nothing_is_on_record() {
    let (secondo, ours) = shared(&json!({ "name": "Small" }));
    let ask = |method, path, body: &Value| asked(&secondo, Some(&ours), method, path, Some(body));
    assert_eq!(creates(&secondo, &ours, "good.test", "192.0.32.10").status, 201);
    let good = |answer: Answer| answer.json()["primaries"][0]["address"].clone();
    for address in NOT_PUBLIC {
        creates(&secondo, &ours, "bad.test", address).is_refused(400, "address_refused");
        let primaries = json!([{ "address": "192.0.32.10" }, { "address": address }]);
        let refused = ask("PATCH", "/zones/good.test", &json!({ "primaries": primaries }));
        refused.is_refused(400, "address_refused");
        let told = json!({ "settings": { "notify_to": address } });
        ask("PATCH", "/zones/good.test", &told).is_refused(400, "address_refused");
        let catalog = json!({ "name": "catalog.test", "primaries": [{ "address": "192.0.32.10" }], "rules": { "members": { "primaries": primaries } } });
        ask("POST", "/catalogs", &catalog).is_refused(400, "address_refused");
    }
    let lines = "one.test 192.0.32.10\ntwo.test 10.0.0.1\nthree.test 192.0.32.11\n";
    let imported = sent(&secondo, Some(&ours), "POST", "/zones/import", Some(("text/plain", lines))).json();
    let (line, code) = (&imported["lines"][1]["line"], &imported["lines"][1]["code"]);
    assert_eq!((&imported["added"], line, code), (&json!(2), &json!(2), &json!("address_refused")), "{imported:#}");
    let zones = asked(&secondo, Some(&ours), "GET", "/zones", None).json();
    let names: Vec<&Value> = zones["zones"].as_array().unwrap().iter().map(|zone| &zone["name"]).collect();
    assert_eq!(names, ["good.test.", "one.test.", "three.test."]);
    let shown = asked(&secondo, Some(&ours), "GET", "/zones/good.test", None);
    assert_eq!(good(shown), "192.0.32.10:53");
}

#[test]
fn an_organisation_whose_plan_becomes_smaller_is_told_that_it_is_full() {
    let (secondo, ours) = shared(&json!({ "name": "Large", "limits": { "zones": 100 } }));
    for zone in ["one.test", "two.test"] {
        assert_eq!(creates(&secondo, &ours, zone, "127.0.0.1:1").status, 201);
    }
    let small = asked(&secondo, None, "POST", "/plans", Some(&json!({ "name": "Small", "limits": { "zones": 2 } })));
    gives(&secondo, &ours, &json!({ "plan": small.json()["id"] }));
    told(&secondo, &ours, "limit_near", "2 of the 2 zones");
}
