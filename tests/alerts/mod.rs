//! Alerts: people hear of trouble by mail and programs by signed messages, in time, once, and not each of a thousand times.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testing::eventually;
use testing::mail::MailServer;
use testing::peer::{Peer, Setup, Software};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::webhook::Webhook;
use testing::zone_text::{self, Timers};

use crate::scene::{FAST_TIMERS, SOON, ZONE, add, secondo, serves};

/// What comes together is sent together, at once.
const AT_ONCE: &str = "[alerts]\ngather = \"1s\"\napart = \"off\"\nfailing_after = 2\n";
const OPERATOR: &str = "noc@example.net";

fn text(serial: u32) -> String {
    zone_text::with_timers(serial, Timers { refresh: 1, retry: 1, expire: 8 })
}

/// Adds a rule for what this receiver is to get; what its messages are signed with.
fn rule(secondo: &Secondo, webhook: &Webhook, words: &[&str]) -> String {
    let added = secondo.json(&[&["alert", "add", &webhook.url(), "--severity", "info"], words].concat());
    added["secret"].as_str().unwrap().to_owned()
}

fn groups(message: &Value) -> Vec<(&str, u64)> {
    let groups = message["data"]["groups"].as_array().unwrap();
    groups.iter().map(|group| (group["kind"].as_str().unwrap(), group["count"].as_u64().unwrap())).collect()
}

fn events(secondo: &Secondo, kind: &str) -> Vec<Value> {
    let events = secondo.json(&["event", "list"]);
    events.as_array().unwrap().iter().filter(|event| event["kind"] == kind).cloned().collect()
}

#[test]
fn a_primary_that_dies_is_told_of_before_its_zone_expires_and_when_it_is_back() {
    let mail = MailServer::start();
    let secondo = secondo().configured(&format!("{FAST_TIMERS}{AT_ONCE}{}", mail.configuration())).started();
    let webhook = Webhook::start();
    let secret = rule(&secondo, &webhook, &[]);
    let mut peer = Peer::start(Software::Knot, Setup::zone(ZONE, text(1)));
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    // An address that is nobody's here says itself that it wants to be written to.
    let added = secondo.json(&["alert", "add", OPERATOR, "--kind", "transfer_failing"]);
    assert_eq!((&added["rule"]["confirmed"], &added["secret"]), (&json!(false), &Value::Null));
    confirm(&secondo, &mail);

    peer.switch_off();
    let failing = webhook.next_about("transfer_failing");
    assert!(failing.is_signed_with(&secret), "{failing:?}");
    let message = failing.json();
    assert_eq!((&message["type"], &message["data"]["severity"]), (&json!("secondo.alert"), &json!("warning")));
    let told = message["data"]["groups"][0]["first"][0].clone();
    assert_eq!(told["subject"], format!("{ZONE}."));
    let sentence = told["message"].as_str().unwrap();
    assert!(sentence.contains("could not be copied from 127.0.0.1") && sentence.contains("2nd time"), "{sentence}");
    let letter = mail.letter(OPERATOR, &format!("Secondo: a zone cannot be copied: {ZONE}."));
    assert!(letter["text"].as_str().unwrap().contains(sentence), "{letter}");

    // Which of them come together is a matter of moments; the last is that the zone has expired.
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut message = message;
    while !kinds.contains("expired") {
        kinds.extend(groups(&message).into_iter().map(|(kind, _)| kind.to_owned()));
        if kinds.contains("expired") {
            assert_eq!(message["data"]["severity"], "error");
        } else {
            message = webhook.next().json();
        }
    }
    assert!(kinds.contains("expiring") && kinds.contains("stale"), "{kinds:?}");
    peer.switch_on();
    let recovered = webhook.next_about("recovered").json();
    assert_eq!(groups(&recovered), [("recovered", 1)]);
    // Each was told once, as the feed has it too.
    for (kind, times) in [("transfer_failing", 1), ("stale", 1), ("expired", 1), ("expiring", 4), ("recovered", 1)] {
        assert_eq!(events(&secondo, kind).len(), times, "{kind}: {:#?}", secondo.json(&["event", "list"]));
    }
    assert!(secondo.log().matches("no primary has confirmed the zone").count() >= 4);
}

fn confirm(secondo: &Secondo, mail: &MailServer) {
    let letter = mail.letter(OPERATOR, "Alerts of default");
    let text = letter["text"].as_str().unwrap();
    let path = text.split_once("/alerts/").unwrap().1.split_whitespace().next().unwrap();
    let url = format!("http://{}/alerts/{path}", secondo.http());
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    // To open a link is not to say yes: what looks through mail does so by itself.
    let page = agent.get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(page.contains("Do you want them?"), "{page}");
    assert_eq!(secondo.json(&["alert", "list"])[1]["confirmed"], false);
    let page = agent.post(&url).send_empty().unwrap().body_mut().read_to_string().unwrap();
    assert!(page.contains(OPERATOR), "{page}");
    assert_eq!(secondo.json(&["alert", "list"])[1]["confirmed"], true);
    assert_eq!(agent.post(&url).send_empty().unwrap().status().as_u16(), 410, "once");
}

#[test]
fn a_hundred_zones_that_fail_are_told_of_together() {
    let secondo = secondo().configured(&format!("{FAST_TIMERS}{AT_ONCE}")).started();
    let webhook = Webhook::start();
    rule(&secondo, &webhook, &["--kind", "transfer_failing"]);
    // Nobody is there.
    let nobody = testing::port::free();
    let lines: String = (0..100).map(|number| format!("zone{number}.test {nobody}\n")).collect();
    secondo.expect(&["zone", "import", &secondo.scratch_file("zones", &lines)]);
    let mut told = 0;
    let mut messages = 0;
    while told < 100 {
        let message = webhook.next().json();
        told += message["data"]["events"].as_u64().unwrap();
        messages += 1;
        let first = message["data"]["groups"][0]["first"].as_array().unwrap();
        assert!(first.len() <= 10, "{message}");
    }
    assert_eq!(told, 100, "each once");
    assert!(messages <= 20, "{messages} messages for a hundred zones");
}

#[test]
fn what_a_receiver_does_not_take_comes_again_also_after_a_kill_and_is_the_same_then() {
    let mut secondo = secondo().configured(&format!("{FAST_TIMERS}{AT_ONCE}")).started();
    let webhook = Webhook::start();
    webhook.answer_with("503 Service Unavailable");
    let secret = rule(&secondo, &webhook, &["--kind", "transfer_failing"]);
    add(&secondo, ZONE, testing::port::free());
    let first = webhook.next();
    let sent = |secondo: &Secondo| secondo.json(&["alert", "sent"])[0].clone();
    eventually(SOON, "the try to be on record", || {
        let delivery = sent(&secondo);
        if delivery["answer"] == "503 Service Unavailable" { Ok(()) } else { Err(delivery.to_string()) }
    });
    secondo.kill_and_restart();
    webhook.answer_with("200 OK");
    let second = webhook.next();
    assert_eq!(second.headers["webhook-id"], first.headers["webhook-id"]);
    assert_eq!(second.body, first.body);
    assert!(second.is_signed_with(&secret));
    let delivery = eventually(SOON, "it to be on record as sent", || {
        let delivery = sent(&secondo);
        if delivery["state"] == "sent" { Ok(delivery) } else { Err(delivery.to_string()) }
    });
    assert_eq!((&delivery["tries"], &delivery["answer"]), (&json!(2), &json!("200 OK")));
}

#[test]
fn a_test_says_what_came_of_it() {
    let secondo = secondo().started();
    let webhook = Webhook::start();
    let secret = rule(&secondo, &webhook, &[]);
    let said = secondo.expect(&["alert", "test", "1"]);
    assert!(said.contains("sent: 204 No Content"), "{said}");
    let test = webhook.next();
    assert!(test.is_signed_with(&secret));
    assert_eq!(groups(&test.json()), [("test", 1)]);
    webhook.answer_with("401 Unauthorized");
    secondo.client(&["alert", "test", "1"]).must_fail(&["the test did not come: 401 Unauthorized"]);
    secondo.client(&["alert", "test", "7"]).must_fail(&["there is no alert rule 7"]);
    // No mail server is configured.
    secondo.client(&["alert", "add", OPERATOR]).must_fail(&["this service sends no mail"]);
    secondo.expect(&["alert", "change", "1", "--severity", "error", "--kind", "expired", "--tag", "customers"]);
    let rule = secondo.json(&["alert", "list"])[0]["wanted"].clone();
    assert_eq!(rule, json!({ "severity": "error", "kinds": ["expired"], "tag": "customers" }));
    secondo.expect(&["alert", "change", "1", "--severity", "info"]);
    let rule = secondo.json(&["alert", "list"])[0]["wanted"].clone();
    assert_eq!(rule, json!({ "severity": "info", "kinds": ["expired"], "tag": "customers" }), "the rest stays");
    secondo.client(&["alert", "change", "7", "--severity", "info"]).must_fail(&["there is no alert rule 7"]);
    secondo.expect(&["alert", "remove", "1"]);
    assert_eq!(secondo.json(&["alert", "list"]), json!([]));
}

#[test]
fn where_organisations_share_the_service_nothing_goes_to_addresses_that_are_not_public() {
    let secondo = secondo().configured("[tenancy]\nmode = \"multi\"\n").started();
    for (url, why) in [
        ("http://hooks.example.net/", "use https"),
        ("https://127.0.0.1/", "is an address of this service itself"),
        ("https://[::1]:8443/", "address of this service itself"),
        ("https://169.254.169.254/latest/meta-data", "metadata"),
        ("https://10.0.0.1/", "is a private address"),
        ("https://0x7f.2/", "is a loopback address"),
    ] {
        secondo.client(&["alert", "add", url]).must_fail(&[why]);
    }
    // What a name leads to is found out when something is sent there.
    secondo.expect(&["alert", "add", "https://localhost:9/"]);
    secondo.client(&["alert", "test", "1"]).must_fail(&["the name leads to an address that nothing is sent to"]);
}

#[test]
fn primaries_that_disagree_and_one_that_went_back_are_told_of() {
    let (one, other) = (Primary::with_zone(ZONE, &text(5)), Primary::with_zone(ZONE, &text(4)));
    let secondo = secondo().configured(&format!("{FAST_TIMERS}{AT_ONCE}")).started();
    let webhook = Webhook::start();
    rule(&secondo, &webhook, &[]);
    let (first, second) = (one.address().to_string(), other.address().to_string());
    secondo.expect(&["zone", "add", ZONE, "--primary", &first, "--primary", &second]);
    serves(&secondo, ZONE, 5);
    let message = webhook.next_about("primaries_disagree").json().to_string();
    assert!(message.contains(&format!("{first} has 5")) && message.contains(&format!("{second} has 4")), "{message}");
    assert_eq!(events(&secondo, "recovered"), [] as [Value; 0], "they disagree still");
    let alone = Primary::with_zone("alone.test", &text(50));
    add(&secondo, "alone.test", alone.address());
    serves(&secondo, "alone.test", 50);
    alone.publish("alone.test", &text(10));
    let message = webhook.next_about("serial_went_back").json().to_string();
    assert!(message.contains("shows the serial 10, which is older than 50"), "{message}");
}
