//! `secondo doctor`: what is wrong at a primary, and what to paste there, with a server and without one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use dns::Rcode;
use serde_json::{Value, json};
use testing::certificate::Authority;
use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::primary::{Behaviour, Kind, Primary};
use testing::secondo::{Ran, Secondo};
use testing::{query, zone_text};

use crate::scene::{ZONE, add, attempt, secondo, serves, with_each_primary};

/// What a doctor that finds something wrong prints for programs.
fn found(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[track_caller]
fn step<'v>(found: &'v Value, name: &str) -> &'v Value {
    let steps = found["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {found:#}"))
}

fn refusing() -> Primary {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    primary.behave(Behaviour::Answer(Kind::Axfr, Rcode::REFUSED));
    primary
}

fn named(primary: std::net::SocketAddr) -> String {
    format!("{ZONE}@{primary}")
}

fn key_file(secondo: &Secondo, key: &TsigKey) -> String {
    secondo.scratch_file("secret", &key.secret)
}

#[test]
fn the_doctor_finds_nothing_wrong_with_primaries_that_are_well_and_guesses_what_they_are() {
    with_each_primary(|software| {
        let secondo = secondo().started();
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(1)).notifying(secondo.dns()));
        let examined = secondo.json(&["doctor", &named(peer.address())]);
        assert_eq!(examined["outcome"], "passed", "{examined:#}");
        let guess = examined["primaries"][0]["guess"].as_str().unwrap();
        assert_eq!(guess, format!("{software:?}").to_lowercase(), "{examined:#}");
        // The server knows where it takes NOTIFYs.
        let lines = examined["primaries"][0]["paste"][0]["parts"][0]["lines"].to_string();
        assert!(lines.contains(&format!("127.0.0.1 port {}", secondo.dns().port())), "{lines}");
    });
}

#[test]
fn a_missing_permission_is_named_with_the_lines_that_give_it() {
    let secondo = secondo().started();
    let primary = refusing();
    let ran = secondo.client(&["doctor", &named(primary.address())]);
    ran.must_fail(&["FAIL  axfr", "refused; fault: configuration", "allow-transfer { 127.0.0.1; };", "steps_failed"]);
    // Nothing speaks for any server: all of them are shown.
    ran.must_fail(&["provide-xfr: 127.0.0.1 NOKEY", "Set-DnsServerPrimaryZone", "ALLOW-AXFR-FROM 127.0.0.1"]);
    let ran = secondo.client(&["doctor", &named(primary.address()), "--json"]);
    ran.must_fail(&[]);
    let reason = step(&found(&ran), "axfr")["reason"].clone();
    assert_eq!((reason["code"].as_str(), reason["fault"].as_str()), (Some("refused"), Some("configuration")));
}

#[test]
fn a_permission_that_knot_denies_with_notauth_is_told_from_a_zone_that_is_not_there() {
    let setup = Setup::zone(ZONE, zone_text::small(1)).key(TsigKey::of("hmac-sha256"));
    let peer = Peer::start(Software::Knot, setup);
    let secondo = secondo();
    let ran = secondo.client(&["doctor", &named(peer.address())]);
    ran.must_fail(&["FAIL  axfr", "which shows the zone, does not permit", "notauth; fault: configuration"]);
    ran.must_fail(&["Allow our addresses", "action: transfer", "acl: secondo"]);
    let ran = secondo.client(&["doctor", &format!("other.test@{}", peer.address()), "--json"]);
    let examined = found(&ran);
    let reason = &step(&examined, "tcp_soa")["reason"];
    assert_eq!(reason["code"], "refused");
    assert!(reason["advice"].as_str().unwrap().contains("Check the zone's name"), "{reason}");
}

#[test]
fn without_a_server_the_doctor_asks_from_where_it_is_called() {
    let secondo = secondo();
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let shown = secondo.expect(&["doctor", &named(peer.address())]);
    assert!(shown.contains("perhaps Knot DNS") && shown.contains("action: transfer"), "{shown}");
    assert!(!shown.contains("provide-xfr"), "one server's lines are enough: {shown}");
    let all = secondo.expect(&["doctor", &named(peer.address()), "--all"]);
    assert!(all.contains("provide-xfr"), "{all}");
    secondo.client(&["doctor", &named(refusing().address())]).must_fail(&["FAIL  axfr"]);
    // Nobody listens there.
    secondo.client(&["doctor", &format!("{ZONE}@127.0.0.1:1")]).must_fail(&["unreachable", "fault: network"]);
}

#[test]
fn keys_are_the_servers_or_brought_along_and_no_secret_is_shown() {
    let key = TsigKey::of("hmac-sha256");
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
    let primary = named(peer.address());
    let mut secondo = secondo();
    let file = key_file(&secondo, &key);
    let with_secret = ["doctor", &primary, "--key", &key.name, "--secret-file", &file];
    let shown = secondo.expect(&with_secret);
    assert!(shown.contains("ok    tsig") && shown.contains("ok    unsigned_axfr"), "{shown}");
    assert!(shown.contains(&format!("key \"{}\" {{", key.name)) && !shown.contains(&key.secret), "{shown}");
    let wrong = secondo.scratch_file("wrong", &key.with_wrong_secret().secret);
    let ran = secondo.client(&["doctor", &primary, "--key", &key.name, "--secret-file", &wrong]);
    ran.must_fail(&["FAIL  tsig", "tsig_bad_sig"]);
    secondo.client(&["doctor", &primary, "--key", &key.name]).must_be_wrong_usage(&["secret_missing"]);

    secondo.start();
    secondo.client(&["doctor", &primary, "--key", &key.name]).must_fail(&["key_unknown"]);
    secondo.expect(&["key", "add", &key.name, "--secret-file", &file]);
    let shown = secondo.expect(&["doctor", &primary, "--key", &key.name]);
    assert!(shown.contains("ok    tsig") && !shown.contains(&key.secret), "{shown}");
    secondo.client(&["doctor", &primary]).must_fail(&["FAIL  axfr"]);
}

/// Posts to the API what a program would that waits for nothing, and returns the status line.
fn posted(to: &mut TcpStream, token: &str, path: &str, body: &Value) -> String {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
    let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    to.write_all(format!("{head}{kind}{body}").as_bytes()).unwrap();
    let mut answer = BufReader::new(to);
    let (mut status, mut line, mut length) = (String::new(), String::new(), 0);
    answer.read_line(&mut status).unwrap();
    while answer.read_line(&mut line).unwrap() > 2 {
        if let Some(octets) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = octets.trim().parse().unwrap();
        }
        line.clear();
    }
    answer.read_exact(&mut vec![0; length]).unwrap();
    status
}

#[test]
fn a_key_can_be_used_as_soon_as_it_is_said_to_be_there() {
    let secondo = secondo().started();
    let token = std::fs::read_to_string(secondo.data().join("admin-token")).unwrap();
    let mut api = TcpStream::connect(secondo.http()).unwrap();
    for n in 0..20 {
        let key = format!("key-{n}.test");
        let added = json!({ "name": key, "algorithm": "hmac-sha256" });
        let status = posted(&mut api, token.trim(), "/api/v1/keys", &added);
        assert!(status.contains(" 201 "), "{status}");
        // Nobody listens there: it is over at once.
        let examined = json!({ "name": ZONE, "primaries": [{ "address": "127.0.0.1:1", "key": key }] });
        let status = posted(&mut api, token.trim(), "/api/v1/doctor", &examined);
        assert!(status.contains(" 200 "), "{status}");
    }
}

#[test]
fn a_zone_that_is_here_is_examined_at_its_primaries_and_its_notifies_are_known() {
    let secondo = secondo().started();
    let mut peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)).notifying(secondo.dns()));
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    assert_eq!(step(&secondo.json(&["doctor", ZONE]), "axfr")["primary"], peer.address().to_string());
    peer.replace(ZONE, &zone_text::small(2));
    serves(&secondo, ZONE, 2);
    attempt(&secondo, ZONE, "an attempt that came of a NOTIFY", |attempt| attempt["trigger"] == "notify");
    assert_eq!(step(&secondo.json(&["doctor", ZONE]), "notify")["outcome"], "passed");
    // They still come, and are of no use any more.
    secondo.expect(&["zone", "set", ZONE, "notify=signed"]);
    assert_eq!(query::notify(Ipv4Addr::LOCALHOST, secondo.dns(), ZONE, 3).unwrap().rcode, Rcode::REFUSED);
    let refused = step(&secondo.json(&["doctor", ZONE]), "notify")["reason"].clone();
    assert_eq!(refused["code"], "notify_declined");
    assert!(refused["message"].as_str().unwrap().contains("not signed"), "{refused}");
    assert!(refused["advice"].as_str().unwrap().contains("zone notifies"), "{refused}");
    // Another one beside it.
    let other = Primary::with_zone(ZONE, &zone_text::small(1));
    let both = secondo.json(&["doctor", ZONE, &other.address().to_string()]);
    assert_eq!(step(&both, "serials")["reason"]["code"], "serials_differ");
}

#[test]
fn a_primary_that_shows_an_older_serial_than_ours_is_told_with_what_to_do() {
    let secondo = secondo().started();
    let primary = Primary::with_zone(ZONE, &zone_text::small(10));
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 10);
    assert_eq!(step(&secondo.json(&["doctor", ZONE]), "our_serial")["outcome"], "passed");
    primary.publish(ZONE, &zone_text::small(3));
    let ran = secondo.client(&["doctor", ZONE]);
    ran.must_fail(&["FAIL  our_serial", "older than ours, 10, and not taken: 3 at", "our_serial (serial_went_back)"]);
    ran.must_fail(&[&format!("secondo zone set {ZONE}. serial-went-back=accept")]);
    ran.must_fail(&[&format!("secondo zone refresh {ZONE}. --full")]);
    secondo.expect(&["zone", "freeze", ZONE]);
    assert_eq!(step(&secondo.json(&["doctor", ZONE]), "our_serial")["outcome"], "passed");
    secondo.expect(&["zone", "thaw", ZONE]);
    secondo.expect(&["zone", "set", ZONE, "serial-went-back=accept"]);
    secondo.expect(&["doctor", ZONE]);
}

#[test]
fn over_tls_the_servers_authorities_count_and_the_pin_is_shown() {
    let authority = Authority::new();
    let certificate = authority.server(&["primary.test", "127.0.0.1"]);
    let server = secondo();
    let file = server.scratch_file("authority.pem", authority.pem());
    let server = server.configured(&format!("[tls]\nauthorities = [\"{file}\"]\n")).started();
    for software in Software::ALL.into_iter().filter(|software| software.speaks_tls()) {
        let setup = Setup::zone(ZONE, zone_text::small(1)).over_tls(certificate.clone());
        let peer = Peer::start(software, setup);
        let primary = format!("{},tls=primary.test,alpn=may-be-missing", named(peer.tls_address()));
        let examined = server.json(&["doctor", &primary]);
        assert_eq!(examined["outcome"], "passed", "{examined:#}");
        assert_eq!(examined["primaries"][0]["pin"], certificate.pin(), "{examined:#}");
        let stranger = secondo();
        stranger.client(&["doctor", &primary]).must_fail(&["tls_certificate", certificate.pin()]);
    }
}

#[test]
fn what_the_doctor_cannot_examine_is_said_in_a_sentence() {
    let secondo = secondo();
    for words in [
        &["doctor", "a..b@192.0.2.1"][..],
        &["doctor", "example.org@nowhere"],
        &["doctor", "example.org@192.0.2.1", "nowhere"],
        &["doctor", "example.org@192.0.2.1", "192.0.2.1:53"],
        &["doctor", "example.org@192.0.2.1", "--own", "us"],
        &["doctor", "example.org@192.0.2.1", "--secret-file", "x"],
        &["doctor"],
    ] {
        secondo.client(words).must_be_wrong_usage(&[]);
    }
    secondo.client(&["doctor", "example.org"]).must_fail(&["server_unknown"]);
    secondo
        .client(&["doctor", "example.org@192.0.2.1", "--key", "k", "--secret-file", "/nowhere"])
        .must_fail(&["file_unreadable"]);
    secondo
        .client(&["doctor", "example.org@192.0.2.1", "--server", "http://127.0.0.1:1", "--token", "x"])
        .must_fail(&["server_unreachable"]);
    let running = crate::scene::secondo().started();
    running.client(&["doctor", "example.org"]).must_fail(&["zone_unknown"]);
}
