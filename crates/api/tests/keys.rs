//! TSIG keys and the status, through the router.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use serde_json::json;

#[tokio::test]
async fn a_generated_secret_is_said_once_and_never_again() {
    let asked = Asked::new();
    let added = asked.post("/api/v1/keys", json!({ "name": "k.example" }).to_string()).await;
    assert_eq!(added.status, 201);
    assert_eq!(added.json(), json!({ "name": "k.example.", "algorithm": "hmac-sha256", "secret": "Z2VuZXJhdGVk" }));
    let listed = asked.get("/api/v1/keys").await;
    assert_eq!(listed.json()["keys"][0]["name"], "k.example.");
    assert!(!listed.text.contains("secret") && !listed.text.contains("Z2Vu"), "{}", listed.text);
    asked.post("/api/v1/keys", json!({ "name": "K.example" }).to_string()).await.is_problem(409, "key_exists");
}

#[tokio::test]
async fn a_given_secret_is_not_said_at_all() {
    let body = json!({ "name": "k", "algorithm": "HMAC-MD5.SIG-ALG.REG.INT", "secret": "c2VjcmV0" });
    let added = Asked::new().post("/api/v1/keys", body.to_string()).await;
    assert_eq!(added.json(), json!({ "name": "k.", "algorithm": "hmac-md5", "secret": null }));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_without_its_secret() {
    let asked = Asked::new();
    for (body, code) in [
        (json!({ "name": "a..b" }), "key_name_invalid"),
        (json!({ "name": "." }), "key_name_invalid"),
        (json!({ "name": "k", "algorithm": "md5" }), "algorithm_unknown"),
        (json!({ "name": "k", "secret": "!hush!" }), "secret_invalid"),
        (json!({ "name": "k", "secret": ["!hush!"] }), "body_invalid"),
        (json!({ "secret": "x" }), "body_invalid"),
    ] {
        let answer = asked.post("/api/v1/keys", body.to_string()).await;
        answer.is_problem(400, code);
        assert!(!answer.text.contains("hush"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_key_in_use_is_not_removed() {
    let asked = Asked::new();
    asked.post("/api/v1/keys", json!({ "name": "k" }).to_string()).await;
    let zone = json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1", "key": "k" }] });
    assert_eq!(asked.post("/api/v1/zones", zone.to_string()).await.status, 201);
    asked.delete("/api/v1/keys/k").await.is_problem(409, "key_in_use");
    asked.delete("/api/v1/zones/example.org").await;
    assert_eq!(asked.delete("/api/v1/keys/k.").await.status, 204);
    asked.delete("/api/v1/keys/k").await.is_problem(404, "key_unknown");
    asked.delete("/api/v1/keys/a..b").await.is_problem(400, "key_name_invalid");
}

#[tokio::test]
async fn status_tells_how_the_program_is() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let status = asked.get("/api/v1/status").await.json();
    assert_eq!((&status["zones"]["total"], &status["inventory"]), (&json!(1), &json!("available")));
    assert_eq!(status["started_at"], "2026-11-21T12:00:00.000Z");
}
