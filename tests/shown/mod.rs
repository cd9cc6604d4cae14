//! What the console shows, by the API: records page by page, lines to paste, counts, news, and who a token stands for.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testing::eventually;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;

use crate::access::{add_token, api};
use crate::scene::{SOON, ZONE, add, secondo, serves};

/// Hosts in the zone, each with an address and a text.
const HOSTS: usize = 50;

fn contents(serial: u32) -> String {
    let hosts: String = (0..HOSTS)
        .map(|host| {
            format!("h{host:02}.{ZONE}. 60 IN A 192.0.2.{host}\nh{host:02}.{ZONE}. 60 IN TXT \"host {host}\"\n")
        })
        .collect();
    format!(
        "{ZONE}. 60 IN SOA ns.{ZONE}. host.{ZONE}. {serial} 3600 600 604800 60\n{ZONE}. 60 IN NS ns.{ZONE}.\n\
         ns.{ZONE}. 60 IN A 192.0.2.200\nMixed.{ZONE}. 60 IN MX 10 ns.{ZONE}.\n{hosts}"
    )
}

fn holding() -> (Secondo, Peer, String) {
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, contents(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    let token = add_token(&secondo, "reader", "read");
    (secondo, peer, token)
}

fn records(answer: &Value) -> Vec<&str> {
    answer["records"].as_array().unwrap().iter().map(|record| record.as_str().unwrap()).collect()
}

#[test]
fn records_come_page_by_page_each_once_and_are_found_by_name_and_type() {
    let (secondo, _peer, token) = holding();
    let get = |query: &str| api(&secondo, &token, &format!("/zones/{ZONE}/records{query}"), None);
    let all = get("?limit=1000").json();
    assert_eq!((records(&all).len(), &all["serial"], &all["next"]), (4 + 2 * HOSTS, &1.into(), &Value::Null));
    // Piece by piece it is the same, and what one name has is not torn apart.
    let mut pieces: Vec<String> = Vec::new();
    let mut next = Some(String::new());
    while let Some(from) = next {
        let from = if from.is_empty() { String::new() } else { format!("&from={from}") };
        let page = get(&format!("?limit=7{from}")).json();
        let lines = records(&page);
        assert!((1..=8).contains(&lines.len()), "{page:#}");
        let owners = |line: &str| line.split_whitespace().next().unwrap().to_owned();
        if let (Some(before), Some(first)) = (pieces.last(), lines.first()) {
            assert_ne!(owners(before), owners(first), "{page:#}");
        }
        pieces.extend(lines.iter().map(|&line| line.to_owned()));
        next = page["next"].as_str().map(str::to_owned);
        assert!(pieces.len() <= 4 + 2 * HOSTS, "{pieces:#?}");
    }
    assert_eq!(pieces, records(&all));
    let found = get("?find=H07").json();
    assert_eq!(records(&found).len(), 2, "{found:#}");
    assert!(records(&found).iter().all(|line| line.starts_with(&format!("h07.{ZONE}."))), "{found:#}");
    assert_eq!(records(&get("?type=TXT&limit=1000").json()).len(), HOSTS);
    assert_eq!(records(&get("?type=TYPE16&find=h0&limit=1000").json()).len(), 10);
    // Names are as they were sent; from a name that is not there it goes on where that would be.
    assert!(records(&get("?find=mixed").json())[0].starts_with("Mixed."), "{found:#}");
    assert!(records(&get(&format!("?from=h48a.{ZONE}&limit=1")).json())[0].starts_with("h49."));
    let none = get("?find=nothing").json();
    assert_eq!((records(&none).len(), &none["next"]), (0, &Value::Null));
}

#[test]
fn what_cannot_be_a_part_of_a_list_is_refused_with_a_sentence() {
    let (secondo, _peer, token) = holding();
    let long = format!("?find={}", "x".repeat(1_021));
    let of_records = [
        ("?limit=0", "query_invalid"),
        ("?limit=1001", "query_invalid"),
        ("?limit=x", "query_invalid"),
        ("?type=NOTHING", "query_invalid"),
        ("?from=a..b", "zone_name_invalid"),
        ("?colour=red", "query_invalid"),
        (&long, "query_invalid"),
    ];
    for (query, code) in of_records {
        api(&secondo, &token, &format!("/zones/{ZONE}/records{query}"), None).is_refused(400, code);
    }
    for list in ["/events", "/jobs", &format!("/zones/{ZONE}/history")] {
        for query in ["?before=x", "?before=-1", "?before=9223372036854775808", "?limit=0", "?limit=1001", "?after=1"]
        {
            api(&secondo, &token, &format!("{list}{query}"), None).is_refused(400, "query_invalid");
        }
        // Before everything there is nothing.
        api(&secondo, &token, &format!("{list}?before=0"), None).is(200);
    }
    for query in ["?after=a..b", "?limit=0", "?state=nowhere", "?last_attempt=maybe"] {
        let answer = api(&secondo, &token, &format!("/zones{query}"), None);
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    for below in ["records", "lines", "news", "history"] {
        api(&secondo, &token, &format!("/zones/none.test/{below}"), None).is_refused(404, "zone_unknown");
    }
    secondo.expect(&["zone", "add", "pending.test", "--primary", "127.0.0.1:1"]);
    api(&secondo, &token, "/zones/pending.test/records", None).is_refused(409, "zone_not_loaded");
}

#[test]
fn zones_are_counted_listed_in_parts_and_a_token_says_whose_it_is() {
    let (secondo, _peer, token) = holding();
    for number in 0..5 {
        secondo.expect(&["zone", "add", &format!("z{number}.test"), "--primary", "127.0.0.1:1"]);
    }
    let counts = api(&secondo, &token, "/zones/counts", None).json();
    assert_eq!((&counts["total"], &counts["current"], &counts["pending"]), (&6.into(), &1.into(), &5.into()));
    let mut names = Vec::new();
    let mut after = Some(String::new());
    while let Some(last) = after {
        let last = if last.is_empty() { last } else { format!("&after={last}") };
        let page = api(&secondo, &token, &format!("/zones?limit=4{last}"), None).json();
        names.extend(page["zones"].as_array().unwrap().iter().map(|zone| zone["name"].as_str().unwrap().to_owned()));
        after = page["next"].as_str().map(str::to_owned);
        assert!(names.len() <= 6, "{names:?}");
    }
    assert_eq!(names, ["example.test.", "z0.test.", "z1.test.", "z2.test.", "z3.test.", "z4.test."]);
    let account = api(&secondo, &token, "/account", None).json();
    assert_eq!(
        (&account["token"], &account["scopes"]),
        (&"reader".into(), &serde_json::json!(["read"])),
        "{account:#}"
    );
    assert_eq!(account["organisation"]["id"], 1, "{account:#}");
}

#[test]
fn the_lines_to_paste_have_our_address_and_the_zones_key_and_no_secret() {
    let (secondo, peer, token) = holding();
    secondo.expect(&[
        "key",
        "add",
        "k.test",
        "--secret-file",
        &secondo.scratch_file("secret", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0ISE="),
    ]);
    let primary = format!("{},key=k.test", peer.address());
    secondo.expect(&["zone", "set", ZONE, "--primary", &primary]);
    let answer = api(&secondo, &token, &format!("/zones/{ZONE}/lines"), None);
    let primary = answer.json()["primaries"][0].clone();
    assert_eq!((&primary["address"], &primary["source"]), (&peer.address().to_string().into(), &"127.0.0.1".into()));
    let software: Vec<&str> =
        primary["paste"].as_array().unwrap().iter().map(|paste| paste["title"].as_str().unwrap()).collect();
    for title in ["BIND", "NSD", "Knot", "PowerDNS", "Windows"] {
        assert!(software.iter().any(|software| software.contains(title)), "{title}: {software:?}");
    }
    assert!(answer.body.contains("k.test") && answer.body.contains("127.0.0.1"), "{answer:?}");
    assert!(!answer.body.contains("c2VjcmV0"), "{answer:?}");
}

/// A listener that writes what it hears into a file.
struct Listening {
    child: Child,
    file: tempfile::NamedTempFile,
}

impl Listening {
    fn to(secondo: &Secondo, token: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = format!("http://{}/api/v1/zones/{ZONE}/news", secondo.http());
        let bearer = format!("Authorization: Bearer {token}");
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--noproxy", "*", "--header", &bearer, &url]);
        let child = command.stdout(Stdio::from(file.reopen().unwrap())).spawn().unwrap();
        Self { child, file }
    }

    /// The zones that were told of so far.
    fn heard(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file.path()).unwrap();
        // What is not whole yet is not told yet.
        let events = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
        let data = events.filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn news_of_a_zone_are_told_as_they_happen_and_end_with_the_zone() {
    let (secondo, mut peer, token) = holding();
    let mut listening = Listening::to(&secondo, &token);
    let told = |serial: u32| {
        eventually(SOON, &format!("the serial {serial} to be told"), || {
            let heard = listening.heard();
            let is_told = heard.iter().any(|zone| zone["serial"] == serial && zone["name"] == "example.test.");
            if is_told { Ok(()) } else { Err(format!("{heard:#?}")) }
        });
    };
    told(1);
    peer.replace(ZONE, &contents(2));
    secondo.expect(&["zone", "refresh", ZONE]);
    told(2);
    secondo.expect(&["zone", "remove", ZONE]);
    eventually(SOON, "the listener to be done", || match listening.child.try_wait().unwrap() {
        Some(_) => Ok(()),
        None => Err("it listens on".to_owned()),
    });
}
