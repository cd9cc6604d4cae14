//! Examinations, through the router.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use serde_json::json;

const DOCTOR: &str = "/api/v1/doctor";

#[tokio::test]
async fn an_examination_answers_with_its_steps_and_what_to_paste() {
    let body = json!({
        "name": "refusing.example",
        "primaries": [{ "address": "192.0.2.1" }],
        "own_addresses": ["192.0.2.7"],
    });
    let answer = Asked::new().post(DOCTOR, body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let found = answer.json();
    assert_eq!((&found["name"], &found["outcome"]), (&json!("refusing.example."), &json!("failed")));
    assert_eq!(found["steps"][0]["reason"]["code"], "refused");
    assert_eq!(found["primaries"][0]["paste"][0]["parts"][0]["lines"], json!(["allow-transfer { 192.0.2.7; };"]));
}

#[tokio::test]
async fn what_cannot_be_examined_is_refused_with_its_code() {
    let asked = Asked::new();
    let primary = json!([{ "address": "192.0.2.1" }]);
    for (body, status, code) in [
        (json!({ "name": "a..b", "primaries": primary }), 400, "zone_name_invalid"),
        (json!({ "name": "example.org", "primaries": [] }), 400, "primary_invalid"),
        (json!({ "name": "example.org", "primaries": [{ "address": "nowhere" }] }), 400, "primary_invalid"),
        (json!({ "name": "example.org", "primaries": primary, "own_addresses": ["us"] }), 400, "address_invalid"),
        (json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1", "key": "k" }] }), 404, "key_unknown"),
        (json!({ "name": "example.org", "primaries": primary, "depth": 9 }), 400, "body_invalid"),
    ] {
        asked.post(DOCTOR, body.to_string()).await.is_problem(status, code);
    }
    let without = axum::http::Request::post(DOCTOR).body(axum::body::Body::empty()).unwrap();
    asked.send(without).await.is_problem(401, "token_missing");
}
