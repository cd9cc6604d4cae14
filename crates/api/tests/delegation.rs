//! Delegations through the router: the route of the API, and the page of the console in each state.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::{Answer, Asked};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

async fn page(asked: &Asked, path: &str) -> Answer {
    let cookie = format!("secondo={}", fake::SESSION);
    let request = Request::get(path).header(header::COOKIE, cookie).header(header::HOST, "127.0.0.1");
    asked.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_delegation_is_shown_with_all_that_was_asked() {
    let asked = Asked::new();
    asked.add("elsewhere.example").await;
    let answer = asked.get("/api/v1/zones/elsewhere.example/delegation").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let found = answer.json();
    assert_eq!((&found["state"], &found["fit"]), (&json!("delegated"), &json!("none")));
    assert_eq!((&found["parent"], &found["name_servers"]), (&json!("example."), &json!(["ns.them.example."])));
    assert_eq!(found["views"][0]["name_servers"][0]["glue"], json!(["192.0.2.53"]));
    assert_eq!(found["servers"][0]["at"][0]["serial"], 7);
    asked.get("/api/v1/zones/none.example/delegation").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn the_page_says_in_each_state_what_is_and_what_is_to_be_done() {
    let asked = Asked::new();
    let ns_lines =
        |zone: &str| format!("{zone}.example. 86400 IN NS ns1.us.example.\n{zone}.example. 86400 IN NS ns2.us.");
    for (zone, badge, says, has_lines) in [
        ("ours", "Delegated to us", "exactly our name servers", false),
        ("nobody", "Not delegated yet", "nobody in the world finds it yet", true),
        ("elsewhere", "Delegated elsewhere", "Now it is delegated to ns.them.example", true),
        ("beside", "Delegated in part", "do not name ns2.us.example of ours", true),
        ("lame", "Lame", "It is lame: it answers without the AA flag", false),
        ("unjudged", "Delegated", "is not configured", false),
        ("differing", "Differing", "differ from one another in: name servers", true),
        ("both", "Not seen", "answers from the zone itself", false),
        ("cut-off", "Not known", "the network between those servers and us", false),
    ] {
        asked.add(&format!("{zone}.example")).await;
        let shown = page(&asked, &format!("/o/1/zones/{zone}.example/delegation")).await;
        assert_eq!(shown.status, 200, "{zone}: {}", shown.text);
        assert!(shown.text.contains(&format!(">{badge}</span>")), "{zone}: {}", shown.text);
        assert!(shown.text.contains(says), "{zone} does not say {says:?}: {}", shown.text);
        assert_eq!(shown.text.contains(&ns_lines(zone)), has_lines, "{zone}: {}", shown.text);
    }
    assert_eq!(page(&asked, "/o/1/zones/none.example/delegation").await.status, 404);
}

#[tokio::test]
async fn the_last_step_of_a_zones_page_says_to_whom_it_is_delegated_and_links_to_why() {
    let asked = Asked::new();
    for (zone, class, text) in [
        ("ours", "done", "to ns1.us.example, ns2.us.example"),
        ("lame", "failed", "not answered at ns1.us.example"),
        ("cut-off", "waiting", "name servers are not reached from here"),
        ("unjudged", "skipped", "to ns.them.example"),
    ] {
        asked.add(&format!("{zone}.example")).await;
        let shown = page(&asked, &format!("/o/1/zones/{zone}.example")).await;
        let (_, steps) = shown.text.split_once("<ol class=\"steps\"").unwrap();
        let steps: Vec<&str> = steps.split_once("</ol>").unwrap().0.split("<li class=").collect();
        let last = steps.last().unwrap();
        assert!(steps.len() == 8 && last.starts_with(&format!("\"{class}\"")) && last.contains(text), "{last}");
        assert!(shown.text.contains(&format!("/o/1/zones/{zone}.example./delegation\"")), "{}", shown.text);
    }
}
