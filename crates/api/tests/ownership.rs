//! Whose names are, through the router: the routes of the API and the pages of the console.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::{Answer, Asked};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

async fn page(asked: &Asked, path: &str) -> Answer {
    let cookie = format!("secondo={}", fake::SESSION);
    asked.send(Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

async fn form(asked: &Asked, path: &str, fields: &str) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header(header::COOKIE, format!("secondo={}", fake::SESSION));
    asked.send(request.body(format!("form_token={}&{fields}", fake::FORM_TOKEN).into()).unwrap()).await
}

#[tokio::test]
async fn a_claim_is_shown_with_what_would_prove_it_looked_at_and_handed_over() {
    let asked = Asked::new();
    asked.get("/api/v1/zones/example.org/ownership").await.is_problem(404, "zone_unknown");
    asked.add("example.org").await;
    let claimed = asked.get("/api/v1/zones/example.org/ownership").await.json();
    assert_eq!((&claimed["state"], &claimed["proof"]), (&json!("claimed"), &json!(null)));
    assert_eq!(claimed["challenge"]["name"], "_secondo-challenge.example.org.");
    let looked = asked.post("/api/v1/zones/example.org/ownership/look", "").await.json();
    assert_eq!((&looked["state"], &looked["proof"]), (&json!("proven"), &json!("challenge")));
    let hand = async |to: &str| {
        asked.post("/api/v1/zones/example.org/ownership/hand-over", json!({ "to": to }).to_string()).await
    };
    hand("nobodys").await.is_problem(404, "claim_unknown");
    assert_eq!(hand(" secondo-theirs ").await.status, 200);
}

#[tokio::test]
async fn claims_are_listed_in_parts_and_decided_about_by_their_numbers() {
    let asked = Asked::new();
    let first = asked.get("/api/v1/claims?limit=2").await.json();
    assert_eq!((first["claims"].as_array().unwrap().len(), &first["next"]), (2, &json!(2)));
    let second = asked.get("/api/v1/claims?limit=2&after=2").await.json();
    assert_eq!((&second["claims"][0]["id"], &second["next"]), (&json!(3), &json!(null)));
    for order in ["approve", "disprove"] {
        assert_eq!(asked.post(&format!("/api/v1/claims/3/{order}"), "").await.status, 204);
        asked.post(&format!("/api/v1/claims/4/{order}"), "").await.is_problem(404, "claim_unknown");
        for id in ["-1", "x", "99999999999999999999"] {
            asked.post(&format!("/api/v1/claims/{id}/{order}"), "").await.is_problem(400, "query_invalid");
        }
    }
}

#[tokio::test]
async fn the_page_says_what_would_prove_the_name_and_hands_it_over_with_the_right_text_alone() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let shown = page(&asked, "/o/1/zones/example.org/ownership").await;
    for says in ["Not proven", "_secondo-challenge.example.org. 300 IN TXT \"secondo-text\"", "ns1.us\nns2.us"] {
        assert!(shown.text.contains(says), "{says}: {}", shown.text);
    }
    let looked = form(&asked, "/o/1/zones/example.org/ownership", "").await;
    assert_eq!(looked.status, 303);
    assert_eq!(looked.headers[header::LOCATION], "/o/1/zones/example.org./ownership");
    let wrong = form(&asked, "/o/1/zones/example.org/ownership", "to=nobodys").await;
    assert!(wrong.status == 404 && wrong.text.contains("No other organisation"), "{}", wrong.text);
}

#[tokio::test]
async fn operators_see_claims_and_approve_them() {
    let asked = Asked::new();
    let shown = page(&asked, "/o/1/claims").await;
    assert!(shown.text.contains("zone1.example") && shown.text.contains("Give it to them"), "{}", shown.text);
    // By its name, which is its own text; names are not one organisation's alone, and so the number stands beside it.
    let link = "<a href=\"/o/2/zones\">&#60;b&#62;Gesellschaft &#38; Co&#60;/b&#62;</a> <span class=\"quiet-text\">(2)</span>";
    assert!(shown.text.contains(link), "{}", shown.text);
    assert_eq!(form(&asked, "/o/1/claims/approve", "zone=2").await.status, 303);
    for zone in ["4", "", "x"] {
        assert_eq!(form(&asked, "/o/1/claims/approve", &format!("zone={zone}")).await.status, 404);
    }
}
