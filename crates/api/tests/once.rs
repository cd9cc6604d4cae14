//! Requests that are sent again.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod ask;
mod fake;

use ask::{Answer, Asked, with_token};
use axum::body::Body;

const KEY: &str = r#"{"name": "k.example"}"#;

async fn post(asked: &Asked, path: &str, key: &str, body: &str) -> Answer {
    let request = with_token("POST", path).header("idempotency-key", key).header("content-type", "application/json");
    asked.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_carried_out_once_and_answered_the_same() {
    let asked = Asked::new();
    let first = post(&asked, "/api/v1/keys", "one", KEY).await;
    let again = post(&asked, "/api/v1/keys", "one", KEY).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201), "{}", again.text);
    assert!(first.json()["secret"].is_string() && first.text == again.text, "the secret too: {}", again.text);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let zone = r#"{"name": "example.org", "primaries": [{"address": "192.0.2.1"}]}"#;
    let [first, again] =
        [post(&asked, "/api/v1/zones", "zone", zone).await, post(&asked, "/api/v1/zones", "zone", zone).await];
    assert_eq!((first.headers["location"].clone(), &first.text), (again.headers["location"].clone(), &again.text));
    // What was refused is refused again, and as it was.
    let [first, again] =
        [post(&asked, "/api/v1/zones", "more", zone).await, post(&asked, "/api/v1/zones", "more", zone).await];
    first.is_problem(409, "zone_exists");
    again.is_problem(409, "zone_exists");
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_key_is_one_requests_and_is_a_text() {
    let asked = Asked::new();
    post(&asked, "/api/v1/keys", "one", KEY).await;
    let other = r#"{"name": "other.example"}"#;
    post(&asked, "/api/v1/keys", "one", other).await.is_problem(422, "idempotency_key_reused");
    post(&asked, "/api/v1/tokens", "one", KEY).await.is_problem(422, "idempotency_key_reused");
    for wrong in ["", &"x".repeat(256), "\u{e9}"] {
        post(&asked, "/api/v1/keys", wrong, other).await.is_problem(400, "idempotency_key_invalid");
    }
    asked.get("/api/v1/keys/other.example").await.is_problem(404, "key_unknown");
    let request =
        axum::http::Request::post("/api/v1/keys").header("idempotency-key", "one").body(Body::empty()).unwrap();
    asked.send(request).await.is_problem(401, "token_missing");
}
