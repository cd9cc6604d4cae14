//! Long work as jobs: what somebody asks for and does not wait for.

use serde_json::Value;
use testing::eventually;
use testing::peer::{Peer, Setup, Software};
use testing::primary::{Behaviour, Kind, Primary};
use testing::secondo::Secondo;
use testing::zone_text;

use crate::access::{Answer, add_token, api, curl};
use crate::scene::{SOON, ZONE, add, secondo, serves};

fn ask_for(secondo: &Secondo, token: &str, path: &str, content_type: &str, body: &str) -> Answer {
    let (bearer, url) = (format!("Authorization: Bearer {token}"), format!("http://{}/api/v1{path}", secondo.http()));
    let content_type = format!("Content-Type: {content_type}");
    let headers = ["--header", &bearer, "--header", &content_type, "--header", "Prefer: respond-async"];
    curl(&[&headers[..], &["--data-binary", body, &url]].concat())
}

/// The number of the job that was begun.
#[track_caller]
fn begun(answer: &Answer) -> String {
    answer.is(202);
    let id = answer.json()["id"].to_string();
    assert_eq!(answer.location(), Some(format!("/api/v1/jobs/{id}").as_str()), "{answer:?}");
    id
}

/// The job when it is in this state.
#[track_caller]
fn job(secondo: &Secondo, id: &str, state: &str) -> Value {
    eventually(SOON, &format!("the job {id} to be {state}"), || {
        let job = secondo.json(&["job", "show", id]);
        if job["state"] == state { Ok(job) } else { Err(format!("{job:#}")) }
    })
}

#[test]
fn a_refresh_that_nobody_waits_for_is_a_job_that_says_what_came_of_it() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    let token = add_token(&secondo, "jobs", "read,zones");
    let path = format!("/zones/{ZONE}/refresh");
    let id = begun(&ask_for(&secondo, &token, &path, "application/json", r#"{"transfer": "full"}"#));
    let done = job(&secondo, &id, "done");
    let attempt = &done["result"]["attempt"];
    assert_eq!((&attempt["outcome"], &attempt["kind"]), (&"unchanged".into(), &"axfr".into()), "{done:#}");
    assert_eq!(done["operation"], format!("POST {path}"));
    // And a doctor's, of a zone that is nowhere.
    let patient = r#"{"name": "nowhere.test", "primaries": [{"address": "127.0.0.1:1"}]}"#;
    let id = begun(&ask_for(&secondo, &token, "/doctor", "application/json", patient));
    let examined = job(&secondo, &id, "done");
    assert!(examined["result"]["steps"].is_array(), "{examined:#}");
    let lines: String = (0..1_100).map(|number| format!("zone{number}.test 127.0.0.1:1\n")).collect();
    let id =
        begun(&ask_for(&secondo, &token, "/zones/import", "text/plain", &format!("{lines}{ZONE} 127.0.0.1:1\n")));
    let imported = job(&secondo, &id, "done");
    assert_eq!((&imported["result"]["added"], &imported["result"]["failed"]), (&1_100.into(), &1.into()));
    let said = secondo.expect(&["job", "list"]);
    assert!(said.contains("POST /doctor") && said.contains("done"), "{said}");
    secondo.client(&["job", "show", "4711"]).must_fail(&["job_unknown"]);
}

#[test]
fn a_job_that_the_programs_end_cuts_off_is_shown_as_failed_after_the_next_start() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let token = add_token(&secondo, "jobs", "read,zones");
    let before = primary.count(Kind::Axfr);
    primary.behave(Behaviour::Trickle { octets: 1, pause: std::time::Duration::from_millis(500) });
    let path = format!("/zones/{ZONE}/refresh");
    let id = begun(&ask_for(&secondo, &token, &path, "application/json", r#"{"transfer": "full"}"#));
    primary.wait_for(Kind::Axfr, before + 1);
    let running = api(&secondo, &token, &format!("/jobs/{id}"), None).json();
    assert_eq!((&running["state"], &running["problem"]), (&"running".into(), &Value::Null), "{running:#}");
    secondo.kill_and_restart();
    let cut_off = job(&secondo, &id, "failed");
    assert_eq!(cut_off["problem"]["code"], "job_cut_off", "{cut_off:#}");
    assert!(cut_off["finished_at"].is_null() && cut_off["result"].is_null(), "{cut_off:#}");
    let listed = secondo.json(&["job", "list"]);
    assert_eq!((&listed[0]["state"], &listed[0]["problem"]["code"]), (&"failed".into(), &"job_cut_off".into()));
}
