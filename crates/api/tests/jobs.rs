//! Long work as jobs.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod ask;
mod fake;

use std::time::Duration;

use ask::{Answer, Asked, with_token};
use axum::body::Body;
use serde_json::Value;

/// As many as one organisation may have under way.
const UNDER_WAY_MAX: u64 = 16;

async fn ask_for(asked: &Asked, path: &str, content_type: &str, body: &str) -> Answer {
    let request =
        with_token("POST", path).header("prefer", "wait=10, respond-async").header("content-type", content_type);
    asked.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn refresh(asked: &Asked, zone: &str) -> Answer {
    ask_for(asked, &format!("/api/v1/zones/{zone}/refresh"), "application/json", r#"{"transfer": "full"}"#).await
}

/// The job when it looks like this.
async fn job(asked: &Asked, location: &str, looks: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let job = asked.get(location).await.json();
            if looks(&job) {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("{location} does not"))
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.headers["preference-applied"], "respond-async");
    answer.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_takes_long_is_a_job_for_who_does_not_wait_and_says_what_came_of_it() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let begun = refresh(&asked, "example.org").await;
    let at = location(&begun);
    let accepted = begun.json();
    assert_eq!((&accepted["state"], &accepted["problem"]), (&"queued".into(), &Value::Null), "{accepted}");
    assert_eq!(accepted["operation"], "POST /zones/example.org/refresh");
    let done = job(&asked, &at, |job| job["state"] == "done").await;
    // As whoever waits is answered.
    let waited = asked.post("/api/v1/zones/example.org/refresh", r#"{"transfer": "full"}"#).await.json();
    assert_eq!(done["result"]["attempt"]["to_serial"], waited["attempt"]["to_serial"]);
    assert!(done["finished_at"].is_string() && done["progress"].is_null(), "{done}");
    // What goes wrong is the problem that it would have been.
    let at = location(&refresh(&asked, "missing.example").await);
    let failed = job(&asked, &at, |job| job["state"] == "failed").await;
    assert_eq!((&failed["problem"]["code"], &failed["result"]), (&"zone_unknown".into(), &Value::Null));
    let list = asked.get("/api/v1/jobs?limit=1").await.json();
    assert_eq!((list["jobs"][0]["id"].clone(), list["next"].clone()), (failed["id"].clone(), failed["id"].clone()));
    let rest = asked.get(&format!("/api/v1/jobs?before={}", list["next"])).await.json();
    assert_eq!((rest["jobs"][0]["id"].clone(), rest["jobs"][0]["result"].clone()), (done["id"].clone(), Value::Null));
    assert!(rest["next"].is_null());
    asked.get("/api/v1/jobs/4711").await.is_problem(404, "job_unknown");
    asked.get("/api/v1/jobs/x").await.is_problem(400, "query_invalid");
}

#[tokio::test]
async fn an_import_is_added_piece_by_piece_when_it_is_a_job_and_says_what_came_of_each_line() {
    let asked = Asked::new();
    let lines: String = (0..1_200).map(|number| format!("zone{number}.example 192.0.2.1\n")).collect();
    let at = location(&ask_for(&asked, "/api/v1/zones/import", "text/plain", &format!("{lines}wrong\n")).await);
    let done = job(&asked, &at, |job| job["state"] == "done").await;
    assert_eq!((&done["result"]["added"], &done["result"]["failed"]), (&1_200.into(), &1.into()));
    assert_eq!(done["result"]["lines"].as_array().unwrap().len(), 1_201);
    assert_eq!(done["result"]["lines"][1_200]["line"], 1_201);
}

#[tokio::test]
async fn a_few_jobs_run_at_a_time_some_wait_and_no_more_are_taken() {
    let asked = Asked::new();
    asked.add("slow.example").await;
    let mut all = Vec::new();
    for _ in 0..UNDER_WAY_MAX {
        all.push(location(&refresh(&asked, "slow.example").await));
    }
    refresh(&asked, "slow.example").await.is_problem(429, "too_many_jobs");
    for at in &all[..2] {
        job(&asked, at, |job| job["state"] == "running").await;
    }
    for at in &all[2..] {
        assert_eq!(asked.get(at).await.json()["state"], "queued", "{at}");
    }
}

#[tokio::test]
async fn only_what_takes_long_is_a_job_and_only_for_who_may_do_it() {
    let asked = Asked::new();
    let key = ask_for(&asked, "/api/v1/keys", "application/json", r#"{"name": "k.example"}"#).await;
    assert_eq!(key.status, 201, "{}", key.text);
    let reading = axum::http::Request::post("/api/v1/zones/import")
        .header("authorization", format!("Bearer {}", fake::READING_TOKEN))
        .header("prefer", "respond-async")
        .header("content-type", "text/plain");
    asked.send(reading.body(Body::from("example.org 192.0.2.1\n")).unwrap()).await.is_problem(403, "not_allowed");
    assert_eq!(asked.get("/api/v1/jobs").await.json()["jobs"], serde_json::json!([]));
    let nobody = axum::http::Request::post("/api/v1/zones/import").header("prefer", "respond-async");
    asked.send(nobody.body(Body::empty()).unwrap()).await.is_problem(401, "token_missing");
}

#[tokio::test]
async fn a_job_that_is_asked_for_again_with_its_key_is_one() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let again = async || {
        let request = with_token("POST", "/api/v1/zones/example.org/refresh").header("prefer", "respond-async");
        let request = request.header("idempotency-key", "one").header("content-type", "application/json");
        asked.send(request.body(Body::from(r#"{"transfer": "full"}"#)).unwrap()).await
    };
    let (first, second) = (again().await, again().await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (202, 202), "{}", second.text);
    assert_eq!(first.headers["location"], second.headers["location"]);
    assert_eq!(asked.get("/api/v1/jobs").await.json()["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_is_not_carried_out_for_whoever_may_do_it_no_more() {
    let asked = Asked::new();
    let import = axum::http::Request::post("/api/v1/zones/import")
        .header("authorization", format!("Bearer {}", fake::TOKEN_FOR_ONCE))
        .header("prefer", "respond-async")
        .header("content-type", "text/plain");
    let at = location(&asked.send(import.body(Body::from("example.org 192.0.2.1\n")).unwrap()).await);
    let failed = job(&asked, &at, |job| job["state"] == "failed").await;
    assert_eq!(failed["problem"]["code"], "token_invalid", "{failed}");
    asked.get("/api/v1/zones/example.org").await.is_problem(404, "zone_unknown");
}
