//! Catalogs, through the router.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use axum::http::header;
use serde_json::json;

const PATH: &str = "/api/v1/catalogs/cat.example";

async fn with_catalog() -> Asked {
    let asked = Asked::new();
    let rules = json!({
        "suffixes": ["example", "."],
        "members": { "primaries": [{ "address": "192.0.2.7" }], "settings": { "refresh-max": "2h" } },
        "groups": { "gold": { "settings": { "notify": "signed" } } },
        "guard": { "delay": "90m" },
    });
    let body = json!({ "name": "cat.example", "primaries": [{ "address": "192.0.2.1" }], "rules": rules });
    let added = asked.post("/api/v1/catalogs", body.to_string()).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.headers[header::LOCATION], "/api/v1/catalogs/cat.example.");
    asked
}

#[tokio::test]
async fn a_catalog_is_added_shown_changed_listed_and_removed() {
    let asked = with_catalog().await;
    let shown = asked.get(PATH).await.json();
    assert_eq!((&shown["zone"]["name"], &shown["zone"]["origin"]), (&json!("cat.example."), &json!("catalog")));
    assert_eq!((&shown["suffixes"], &shown["guard"]["delay"]), (&json!(["example.", "."]), &json!("90m")));
    assert_eq!(shown["members"]["primaries"][0]["address"], "192.0.2.7:53");
    assert_eq!(shown["groups"]["gold"]["settings"]["notify"], "signed");
    let changed = asked.patch(PATH, json!({ "guard": { "delay": "off" }, "groups": {} }).to_string()).await.json();
    assert_eq!((&changed["guard"]["delay"], &changed["groups"]), (&json!("off"), &json!({})));
    assert_eq!(changed["suffixes"], json!(["example.", "."]), "what is left out stays");
    let primaries =
        json!({ "members": { "primaries": [{ "address": "192.0.2.8" }], "settings": { "notify": "signed" } } });
    asked.patch(PATH, primaries.to_string()).await;
    let changed =
        asked.patch(PATH, json!({ "members": { "settings": { "notify": null } } }).to_string()).await.json();
    let members = &changed["members"];
    assert_eq!(
        (&members["primaries"][0]["address"], &members["settings"]),
        (&json!("192.0.2.8:53"), &json!({ "refresh_max": "2h" }))
    );
    let changed = asked.patch(PATH, json!({ "members": { "primaries": [] } }).to_string()).await.json();
    assert_eq!(
        (&changed["members"]["primaries"], &changed["members"]["settings"]),
        (&json!([]), &json!({ "refresh_max": "2h" }))
    );
    assert_eq!(asked.get("/api/v1/catalogs").await.json()["catalogs"].as_array().unwrap().len(), 1);
    assert_eq!(asked.delete(PATH).await.status, 204);
    asked.get(PATH).await.is_problem(404, "catalog_unknown");
    asked.delete(PATH).await.is_problem(404, "catalog_unknown");
}

#[tokio::test]
async fn members_are_listed_page_by_page_with_what_became_of_them() {
    let asked = with_catalog().await;
    let first = asked.get(&format!("{PATH}/members?limit=2")).await.json();
    let states = |page: &serde_json::Value| -> Vec<String> {
        page["members"].as_array().unwrap().iter().map(|m| m["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((states(&first), &first["next"]), (vec!["member".into(), "waiting".into()], &json!("b.example.")));
    let second = asked.get(&format!("{PATH}/members?limit=2&after=b.example.")).await.json();
    assert_eq!((states(&second), &second["next"]), (vec!["skipped".into()], &json!(null)));
    asked.get(&format!("{PATH}/members?limit=0")).await.is_problem(400, "query_invalid");
    asked.get("/api/v1/catalogs/none.example/members").await.is_problem(404, "catalog_unknown");
}

#[tokio::test]
async fn only_the_version_that_was_looked_at_is_accepted() {
    let asked = with_catalog().await;
    let path = format!("{PATH}/accept");
    asked.post(&path, r#"{"serial":6}"#).await.is_problem(409, "catalog_changed");
    assert_eq!(asked.post(&path, r#"{"serial":7}"#).await.json()["waiting_count"], 0);
    for body in ["{}", r#"{"serial":-1}"#, r#"{"serial":7,"zones":[]}"#] {
        asked.post(&path, body).await.is_problem(400, "body_invalid");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_code() {
    let asked = with_catalog().await;
    for (body, code) in [
        (json!({ "suffixes": ["a..b"] }), "zone_name_invalid"),
        (json!({ "suffixes": vec!["example"; 257] }), "body_invalid"),
        (json!({ "members": { "primaries": [{ "address": "nowhere" }] } }), "primary_invalid"),
        (json!({ "members": { "settings": { "refresh": "2h" } } }), "setting_invalid"),
        (json!({ "groups": { "": {} } }), "body_invalid"),
        (json!({ "groups": { "gold": { "service": "paused" } } }), "body_invalid"),
        (json!({ "guard": { "delay": "soon" } }), "guard_invalid"),
        (json!({ "guard": { "share_percent": 101 } }), "guard_invalid"),
        (json!({ "primaries": [] }), "body_invalid"),
    ] {
        asked.patch(PATH, body.to_string()).await.is_problem(400, code);
    }
}
