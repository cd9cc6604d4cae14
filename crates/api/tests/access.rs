//! Nobody gets in without the token, by any route.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;

/// The routes that anybody may ask, because they say nothing about any zone.
const OPEN: &[&str] = &["/api/v1/healthz"];

#[tokio::test]
async fn every_route_of_the_document_but_the_health_check_wants_the_token() {
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in
            methods.as_object().unwrap().keys().filter(|key| ["get", "post", "delete"].contains(&key.as_str()))
        {
            let uri =
                path.replace("{name}", "example.org").replace("{email}", "alice@example.org").replace("{id}", "1");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&uri).body(Body::empty());
            let answer = Asked::new().send(request.unwrap()).await;
            if OPEN.contains(&path.as_str()) {
                assert_eq!(answer.status, 200, "{method} {path}");
            } else {
                answer.is_problem(401, "token_missing");
                assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"secondo\"");
            }
            asked += 1;
        }
    }
    assert_eq!(asked, 84, "the document lists every route");
}

/// What a token may ask whose only scope is `read`.
const READING: &[(&str, &str)] = &[
    ("get", "/api/v1/zones"),
    ("get", "/api/v1/zones/{name}"),
    ("get", "/api/v1/zones/{name}/history"),
    ("get", "/api/v1/zones/{name}/diff"),
    ("get", "/api/v1/zones/{name}/delegation"),
    ("get", "/api/v1/zones/{name}/ownership"),
    ("get", "/api/v1/zones/{name}/notifies"),
    ("get", "/api/v1/zones/{name}/queries"),
    ("get", "/api/v1/usage"),
    ("get", "/api/v1/plan"),
    ("get", "/api/v1/removed-zones"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/jobs"),
    ("get", "/api/v1/jobs/{id}"),
    ("get", "/api/v1/usage.csv"),
    ("get", "/api/v1/zones/{name}/export"),
    ("get", "/api/v1/zones/{name}/promotion"),
    ("get", "/api/v1/catalogs"),
    ("get", "/api/v1/catalogs/{name}"),
    ("get", "/api/v1/catalogs/{name}/members"),
    ("get", "/api/v1/keys"),
    ("get", "/api/v1/keys/{name}"),
    ("get", "/api/v1/account"),
    ("get", "/api/v1/zones/counts"),
    ("get", "/api/v1/zones/tags"),
    ("get", "/api/v1/zones/{name}/records"),
    ("get", "/api/v1/zones/{name}/lines"),
    ("get", "/api/v1/zones/{name}/news"),
    ("get", "/api/v1/zones/{name}/delegation/known"),
    ("post", "/api/v1/zones/{name}/delegation/begin"),
];

#[tokio::test]
async fn a_token_that_may_only_look_changes_nothing_and_sees_nothing_of_people_and_the_service() {
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    let mut allowed = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys();
        for method in methods.filter(|key| ["get", "post", "delete", "patch"].contains(&key.as_str())) {
            if OPEN.contains(&path.as_str()) {
                continue;
            }
            let uri =
                path.replace("{name}", "example.org").replace("{email}", "alice@example.org").replace("{id}", "1");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&uri);
            let request = request.header(header::AUTHORIZATION, format!("Bearer {}", fake::READING_TOKEN));
            let answer = Asked::new().send(request.body(Body::empty()).unwrap()).await;
            if answer.status == 403 {
                answer.is_problem(403, "not_allowed");
            } else {
                allowed.push((method.clone(), path.clone()));
            }
        }
    }
    let mut expected: Vec<_> =
        READING.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    expected.sort();
    allowed.sort();
    assert_eq!(allowed, expected);
}

#[tokio::test]
async fn a_cookie_opens_nothing_of_the_api() {
    let request = Request::get("/api/v1/zones").header(header::COOKIE, format!("secondo={}", fake::SESSION));
    Asked::new().send(request.body(Body::empty()).unwrap()).await.is_problem(401, "token_missing");
}

#[tokio::test]
async fn a_wrong_token_is_refused_whatever_its_form() {
    let asked = Asked::new();
    let almost = &fake::TOKEN[1..];
    let longer = format!("{}x", fake::TOKEN);
    for (value, code) in [
        (format!("Bearer {almost}"), "token_invalid"),
        (format!("Bearer {longer}"), "token_invalid"),
        (format!("Bearer {}", "x".repeat(100_000)), "token_invalid"),
        ("Bearer ".to_owned(), "token_missing"),
        (format!("Basic {}", fake::TOKEN), "token_missing"),
        (fake::TOKEN.to_owned(), "token_missing"),
        (String::new(), "token_missing"),
    ] {
        let request = Request::get("/api/v1/zones").header(header::AUTHORIZATION, &value);
        asked.send(request.body(Body::empty()).unwrap()).await.is_problem(401, code);
    }
    let request = Request::get("/api/v1/zones").header(header::AUTHORIZATION, format!("bearer  {}", fake::TOKEN));
    assert_eq!(asked.send(request.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn without_the_token_a_body_is_not_even_read() {
    let request = Request::post("/api/v1/zones").body(Body::from("x".repeat(10_000_000))).unwrap();
    Asked::new().send(request).await.is_problem(401, "token_missing");
}

#[tokio::test]
async fn anybody_may_read_the_document_and_the_health() {
    let asked = Asked::new();
    let document = asked.send(Request::get("/api/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(document.json()["info"]["title"], "Secondo");
    let health = asked.send(Request::get("/api/v1/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(health.text, "\"ok\"");
    let health = asked.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(health.text, "\"ok\"");
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_too() {
    let asked = Asked::new();
    asked.get("/api/nowhere").await.is_problem(404, "route_unknown");
    asked.get("/api/v1/records").await.is_problem(404, "route_unknown");
    asked.delete("/api/v1/zones").await.is_problem(405, "method_unknown");
    asked.get("/api/v1/zones/example.org/refresh").await.is_problem(405, "method_unknown");
}

#[tokio::test]
async fn nothing_but_the_health_is_answered_under_a_name_that_is_not_ours() {
    let under = |path: &str| Request::get(path).header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    let asked = Asked::new();
    for path in ["/api/v1/zones", "/api/openapi.json", "/sign-in", "/assets/icon.svg", "/nowhere"] {
        asked.send(under(path)).await.is_problem(421, "host_unknown");
    }
    assert_eq!(asked.send(under("/healthz")).await.text, "\"ok\"");
}

#[tokio::test]
async fn whoever_comes_with_a_browser_under_a_name_that_is_not_ours_is_told_so_on_a_page() {
    let asked = Asked::new();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let get = async |path: &str, host: &str, accept: &str| {
        let request = Request::get(path).header(header::HOST, host).header(header::ACCEPT, accept);
        asked.send(request.body(Body::empty()).unwrap()).await
    };
    for (host, status) in [("console.example.net", 421), ("<script>alert(1)</script>", 421)] {
        for path in ["/", "/sign-in", "/o/1/zones", "/nowhere"] {
            let page = get(path, host, browser).await;
            assert_eq!(page.status, status, "{host} {path}: {}", page.text);
            assert!(page.text.starts_with("<!doctype html>"), "{host} {path}: {}", page.text);
            assert!(page.text.contains("is not a name of this server: use its address"), "{}", page.text);
            assert!(!page.text.contains("<script>") && !page.text.contains("<a "), "{}", page.text);
            assert!(page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
            assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        }
        for path in ["/api/v1/zones", "/api/docs"] {
            get(path, host, browser).await.is_problem(status, "host_unknown");
        }
        get("/sign-in", host, "application/json, */*").await.is_problem(status, "host_unknown");
    }
}

#[tokio::test]
async fn operators_act_for_the_organisation_that_they_name_and_nobody_else_does() {
    let asked = Asked::new();
    let ask = async |token: &str, organisation: &str| {
        let request = Request::get("/api/v1/zones").header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header("Secondo-Organisation", organisation);
        asked.send(request.body(Body::empty()).unwrap()).await
    };
    for organisation in ["1", "2", "3"] {
        assert_eq!(ask(fake::TOKEN, organisation).await.status, 200, "{organisation}");
    }
    assert_eq!(ask(fake::READING_TOKEN, " 1 ").await.status, 200);
    for organisation in ["2", "3", "x", "", "-1"] {
        ask(fake::READING_TOKEN, organisation).await.is_problem(404, "tenant_unknown");
    }
    for organisation in ["4711", "x", ""] {
        ask(fake::TOKEN, organisation).await.is_problem(404, "tenant_unknown");
    }
}
