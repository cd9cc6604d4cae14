//! Conditional requests.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod ask;
mod fake;

use ask::{Asked, with_token};
use axum::body::Body;

const ZONE: &str = r#"{"name": "example.org", "primaries": [{"address": "192.0.2.1"}]}"#;
const CHANGE: &str = r#"{"primaries": [{"address": "192.0.2.2"}]}"#;

async fn ask(asked: &Asked, method: &str, path: &str, field: (&str, &str), body: &str) -> ask::Answer {
    let request = with_token(method, path).header(field.0, field.1).header("content-type", "application/json");
    asked.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let asked = Asked::new();
    asked.post("/api/v1/zones", ZONE).await;
    let zone = "/api/v1/zones/example.org";
    let seen = asked.get(zone).await;
    let tag = seen.headers["etag"].to_str().unwrap();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is a strong one");
    let again = ask(&asked, "GET", zone, ("if-none-match", tag), "").await;
    assert_eq!(
        (again.status.as_u16(), again.text.as_str(), &again.headers["etag"]),
        (304, "", &seen.headers["etag"])
    );
    assert_eq!(ask(&asked, "GET", zone, ("if-none-match", &format!("\"x\", W/{tag}")), "").await.status, 304);
    assert_eq!(ask(&asked, "GET", zone, ("if-none-match", "\"x\""), "").await.status, 200);
    ask(&asked, "PATCH", zone, ("x", "x"), CHANGE).await;
    assert_eq!(ask(&asked, "GET", zone, ("if-none-match", tag), "").await.status, 200);
}

#[tokio::test]
async fn nobodys_change_is_overwritten_by_who_has_not_seen_it() {
    let asked = Asked::new();
    asked.post("/api/v1/zones", ZONE).await;
    let zone = "/api/v1/zones/example.org";
    let before = asked.get(zone).await.headers["etag"].to_str().unwrap().to_owned();
    let changed = ask(&asked, "PATCH", zone, ("if-match", &before), CHANGE).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    for method in ["PATCH", "DELETE"] {
        ask(&asked, method, zone, ("if-match", &before), CHANGE).await.is_problem(412, "precondition_failed");
        ask(&asked, method, zone, ("if-match", "W/\"x\""), CHANGE).await.is_problem(412, "precondition_failed");
    }
    assert_eq!(asked.get(zone).await.json()["primaries"][0]["address"], "192.0.2.2:53");
    ask(&asked, "DELETE", "/api/v1/zones/none.example", ("if-match", "*"), "").await.is_problem(404, "zone_unknown");
    let after = asked.get(zone).await.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(ask(&asked, "DELETE", zone, ("if-match", &format!("\"x\", {after}")), "").await.status, 204);
    // Who shows no token learns nothing by it.
    let request = axum::http::Request::delete(zone).header("if-match", &after).body(Body::empty()).unwrap();
    asked.send(request).await.is_problem(401, "token_missing");
}
