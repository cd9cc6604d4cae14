//! Making a new primary, and pointing the zone at it, through the router.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use serde_json::json;

const PROMOTION: &str = "/api/v1/zones/example.org/promotion";

/// A zone that has been copied.
async fn copied() -> Asked {
    let asked = Asked::new();
    asked.add("example.org").await;
    asked.get(PROMOTION).await.is_problem(409, "zone_not_loaded");
    asked.post("/api/v1/zones/example.org/refresh", "").await;
    asked
}

#[tokio::test]
async fn what_a_new_primary_needs_is_shown_and_nothing_is_done_by_looking() {
    let asked = copied().await;
    let shown = asked.get(&format!("{PROMOTION}?software=knot&primary=192.0.2.9,key%3Dk")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!((&shown.json()["paste"]["software"], &shown.json()["zone"]["hold"]), (&json!("knot"), &json!("none")));
    let promoted = asked.post(PROMOTION, json!({ "new_key": "emergency.example" }).to_string()).await.json();
    assert_eq!((&promoted["paste"]["software"], &promoted["zone"]["hold"]), (&json!("bind"), &json!("frozen")));
    assert!(promoted["secret"].is_string() && asked.post(PROMOTION, "").await.json()["secret"].is_null());
    asked.get(&format!("{PROMOTION}?software=djbdns")).await.is_problem(400, "query_invalid");
    asked.get(&format!("{PROMOTION}?primary=nowhere")).await.is_problem(400, "primary_invalid");
    for (body, code) in [
        (json!({ "software": "djbdns" }), "body_invalid"),
        (json!({ "primary": { "address": "nowhere" } }), "primary_invalid"),
        (json!({ "new_key": "a..b" }), "key_name_invalid"),
        (json!({ "freeze": false }), "body_invalid"),
    ] {
        asked.post(PROMOTION, body.to_string()).await.is_problem(400, code);
    }
    asked.get("/api/v1/zones/example.net/promotion").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn a_zone_is_pointed_at_what_was_shown_and_at_less_only_by_a_word_for_it() {
    let asked = copied().await;
    let [compare, finish] = ["compare", "finish"].map(|below| format!("{PROMOTION}/{below}"));
    let new = json!([{ "address": "192.0.2.9" }]);
    let compared = asked.post(&compare, json!({ "primaries": new }).to_string()).await.json();
    assert_eq!((&compared["version"], &compared["needs_word"]), (&json!("newer"), &json!(false)));
    for (body, status) in [
        (json!({ "primaries": new, "digest": compared["digest"] }), 200),
        (json!({ "primaries": new }), 200),
        (json!({ "accept": true }), 200),
    ] {
        let answer = asked.post(&finish, body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let wrong = |body: serde_json::Value| asked.post(&finish, body.to_string());
    wrong(json!({ "primaries": new, "digest": "d0" })).await.is_problem(409, "version_changed");
    // Those that it had before have something older.
    wrong(json!({})).await.is_problem(409, "version_differs");
    wrong(json!({ "primaries": [] })).await.is_problem(400, "primary_invalid");
    wrong(json!({ "primaries": [{ "address": "192.0.2.9" }, { "address": "192.0.2.9:53" }] }))
        .await
        .is_problem(400, "primary_invalid");
    wrong(json!({ "back": true })).await.is_problem(400, "body_invalid");
}
