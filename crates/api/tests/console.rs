//! The console without a browser: nobody sees anything without a session, nothing changes without a form of that session,
//! and what others have written is text.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::{Answer, Asked};
use axum::body::Body;
use axum::http::{Request, header};

/// Every page that belongs to somebody, and what can be sent to it.
const PAGES: &[(&str, &[&str])] = &[
    ("/", &["GET"]),
    ("/account", &["GET"]),
    ("/account/password", &["POST"]),
    ("/account/second-factor", &["GET", "POST"]),
    ("/account/second-factor/remove", &["POST"]),
    ("/account/sign-out-elsewhere", &["POST"]),
    ("/account/email", &["POST"]),
    ("/account/leave", &["POST"]),
    ("/organisations", &["GET", "POST"]),
    ("/o/1/members", &["GET", "POST"]),
    ("/o/1/members/role", &["POST"]),
    ("/o/1/members/remove", &["POST"]),
    ("/o/1/members/withdraw", &["POST"]),
    ("/o/1/organisation", &["GET", "POST"]),
    ("/o/1/organisation/remove", &["POST"]),
    ("/o/1/organisation/export", &["GET"]),
    ("/plans", &["GET", "POST"]),
    ("/plans/change", &["POST"]),
    ("/plans/remove", &["POST"]),
    ("/o/1/plan", &["GET", "POST"]),
    ("/o/1/events", &["GET"]),
    ("/o/1/alerts", &["GET", "POST"]),
    ("/o/1/alerts/change", &["POST"]),
    ("/o/1/alerts/remove", &["POST"]),
    ("/o/1/alerts/test", &["POST"]),
    ("/o/1/zones", &["GET"]),
    ("/o/1/zones/new", &["GET", "POST"]),
    ("/o/1/zones/import", &["GET", "POST"]),
    ("/o/1/zones/import/1", &["GET"]),
    ("/o/1/zones/import/1/results.csv", &["GET"]),
    ("/o/1/zones/example.org", &["GET"]),
    ("/o/1/zones/example.org/live", &["GET"]),
    ("/o/1/zones/example.org/history", &["GET"]),
    ("/o/1/zones/example.org/queries", &["GET"]),
    ("/o/1/zones/example.org/held", &["GET"]),
    ("/o/1/zones/example.org/diff?from=1&to=2", &["GET"]),
    ("/o/1/zones/example.org/records", &["GET"]),
    ("/o/1/zones/example.org/export", &["GET"]),
    ("/o/1/zones/example.org/delegation", &["GET"]),
    ("/o/1/zones/example.org/ownership", &["GET", "POST"]),
    ("/o/1/zones/example.org/settings", &["GET", "POST"]),
    ("/o/1/zones/example.org/remove", &["GET", "POST"]),
    ("/o/1/zones/example.org/order", &["POST"]),
    ("/o/1/zones/example.org/promote", &["GET", "POST"]),
    ("/o/1/zones/example.org/promote/compare", &["POST"]),
    ("/o/1/zones/example.org/promote/finish", &["POST"]),
    ("/o/1/removed/restore", &["POST"]),
    ("/o/1/removed/delete", &["POST"]),
    ("/o/1/claims", &["GET"]),
    ("/o/1/claims/approve", &["POST"]),
    ("/o/1/keys", &["GET", "POST"]),
    ("/o/1/keys/remove", &["POST"]),
    ("/o/1/tokens", &["GET", "POST"]),
    ("/o/1/tokens/remove", &["POST"]),
    ("/o/1/audit", &["GET"]),
    ("/o/1/users", &["GET", "POST"]),
    ("/o/1/users/link", &["POST"]),
    ("/o/1/users/remove", &["POST"]),
    ("/o/1/users/second-factor", &["POST"]),
];

fn requests() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.iter().flat_map(|(path, methods)| methods.iter().map(|method| (*method, *path)))
}

fn request(method: &str, path: &str, session: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if session.is_empty() { request } else { request.header(header::COOKIE, format!("secondo={session}")) }
}

async fn get(asked: &Asked, path: &str) -> Answer {
    asked.send(request("GET", path, fake::SESSION).body(Body::empty()).unwrap()).await
}

async fn send(asked: &Asked, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = format!("form_token={}", fake::FORM_TOKEN);
    for (name, value) in fields {
        body.push_str(&format!("&{name}={}", api::percent_encoded(value)));
    }
    asked.send(request("POST", path, fake::SESSION).body(body.into()).unwrap()).await
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_signing_in() {
    let asked = Asked::new();
    asked.add("example.org").await;
    for session in ["", "somebody-elses", "a-session-for-test"] {
        for (method, path) in requests() {
            let answer = asked.send(request(method, path, session).body(Body::empty()).unwrap()).await;
            let to = answer.headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
            assert_eq!(answer.status, 303, "{method} {path}: {}", answer.text);
            assert!(to.is_some_and(|to| to.starts_with("/sign-in")), "{method} {path}");
            assert!(!answer.text.contains("example.org"), "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn another_organisations_pages_are_not_there() {
    let asked = Asked::new();
    let of_nobody = ["4711", "0", "18446744073709551616", "-1", "x", "1%00"];
    let to_operators = of_nobody.map(|tenant| (fake::SESSION, tenant));
    let to_owners = ["2", "3"].into_iter().chain(of_nobody).map(|tenant| (fake::OWNERS_SESSION, tenant));
    for (session, tenant) in to_owners.chain(to_operators) {
        for (method, path) in requests().filter(|(_, path)| path.starts_with("/o/1/")) {
            let path = path.replacen("/o/1/", &format!("/o/{tenant}/"), 1);
            let body = format!("form_token={}", fake::FORM_TOKEN);
            let answer = asked.send(request(method, &path, session).body(body.into()).unwrap()).await;
            assert_eq!(answer.status, 404, "{session}: {method} {path}: {}", answer.text);
        }
    }
    for (session, path) in [(fake::SESSION, "/o/2/zones"), (fake::OWNERS_SESSION, "/o/1/zones")] {
        let answer = asked.send(request("GET", path, session).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{session}: {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_zones_page_lives_for_members_and_for_operators_who_are_none() {
    let asked = Asked::new();
    asked.add("example.org").await;
    for (session, tenant) in [(fake::SESSION, 1), (fake::SESSION, 2), (fake::OWNERS_SESSION, 1)] {
        let path = format!("/o/{tenant}/zones/example.org/live");
        let first = asked.first_of(request("GET", &path, session).body(Body::empty()).unwrap()).await;
        assert!(first.is_some_and(|first| first.starts_with("event: zone")), "{session} {path}");
    }
}

#[tokio::test]
async fn where_transfers_come_from_is_said_before_anything_fails() {
    let asked = Asked::new();
    asked.add("example.org").await;
    for path in ["/o/1/zones/new", "/o/1/zones/example.org"] {
        let page = get(&asked, path).await.text;
        let (_, behind) = page.split_once("Transfers come from").unwrap_or_else(|| panic!("{path}: {page}"));
        assert!(behind.split("</ul>").next().is_some_and(|list| list.contains("203.0.113.9")), "{path}: {page}");
        assert!(page.contains("127.0.0.1:5300"), "{path}: {page}");
    }
}

#[tokio::test]
async fn nothing_changes_by_a_form_that_is_not_of_the_session() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let forms = ["", "form_token=", "form_token=another", "name=example.org&order=disable"];
    for (method, path) in requests().filter(|(method, _)| *method == "POST") {
        for form in forms {
            let answer = asked.send(request(method, path, fake::SESSION).body(form.into()).unwrap()).await;
            assert_eq!(answer.status, 403, "{path} with {form:?}: {}", answer.text);
            assert!(answer.text.contains("nothing was done"), "{path}: {}", answer.text);
        }
        // A right one that a page of another site sends.
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request =
                request(method, path, fake::SESSION).header(header::HOST, "localhost:8053").header(name, value);
            let body = format!("form_token={}", fake::FORM_TOKEN);
            let answer = asked.send(request.body(body.into()).unwrap()).await;
            assert_eq!(answer.status, 403, "{path} with {name}: {value}: {}", answer.text);
        }
    }
    assert!(get(&asked, "/o/1/zones/example.org").await.text.contains("data-state=\"pending\""));
}

#[tokio::test]
async fn every_page_forbids_to_load_anything_from_elsewhere_and_to_be_kept() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let open = ["/sign-in", "/sign-up", "/forgotten", "/link/0", "/link/%ff", "/nowhere"];
    for path in PAGES.iter().filter(|(_, methods)| methods.contains(&"GET")).map(|(path, _)| *path).chain(open) {
        if path.ends_with("/live") {
            continue;
        }
        let answer = get(&asked, path).await;
        let said = |name: header::HeaderName| answer.headers[name].to_str().unwrap().to_owned();
        let policy = said(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(said(header::CACHE_CONTROL), "no-store", "{path}");
        assert_eq!(said(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        for from_elsewhere in ["src=\"http", "href=\"http", "url(", "<style", " style=\"", "onclick"] {
            assert!(!answer.text.contains(from_elsewhere), "{path} has {from_elsewhere}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn wrong_huge_and_hostile_values_get_a_sentence_and_create_nothing() {
    let asked = Asked::new();
    let huge = "x".repeat(20_000);
    let name = |name: &'static str| [("name", name), ("address", "192.0.2.1")];
    for fields in [
        name(""),
        name("not a name"),
        name("<script>alert(1)</script>"),
        name("example..org"),
        name("192.0.2.1"),
        [("name", "example.org"), ("address", "")],
        [("name", "example.org"), ("address", "<img src=x onerror=alert(1)>")],
        [("name", "example.org"), ("address", "192.0.2.1:99999")],
        [("name", "example.org"), ("address", "ns1.example.org")],
        [("name", "example.org"), ("address", &huge)],
        [("name", &huge), ("address", "192.0.2.1")],
        [("name", "example.org"), ("port", "53")],
    ] {
        let answer = send(&asked, "/o/1/zones/new", &fields).await;
        let shown: Vec<_> = fields.iter().map(|(name, value)| (name, &value[..value.len().min(40)])).collect();
        assert!(answer.status.is_client_error(), "{shown:?}: {}", answer.status);
        assert!(answer.text.contains("role=\"alert\""), "{shown:?}");
        for tag in ["<script>alert", "<img src=x"] {
            assert!(!answer.text.contains(tag), "{shown:?}");
        }
    }
    let rows: Vec<(&str, &str)> =
        [("name", "example.org")].into_iter().chain((0..100).map(|_| ("address", "192.0.2.1"))).collect();
    assert!(send(&asked, "/o/1/zones/new", &rows).await.status.is_client_error(), "more than a zone may have");
    let too_large = "x".repeat(200_000);
    let answer = send(&asked, "/o/1/zones/new", &[("name", &too_large)]).await;
    assert!(answer.status == 413 && answer.text.contains("nothing was done"), "{}", answer.text);
    assert!(get(&asked, "/o/1/zones").await.text.contains("No zones yet"));
}

#[tokio::test]
async fn what_others_have_written_is_text_on_every_page() {
    let asked = Asked::new();
    // A name may hold whatever a label may.
    asked.add("\\<b\\>bold.example").await;
    let list = get(&asked, "/o/1/zones").await;
    assert!(list.status == 200 && !list.text.contains("<b>"), "{}", list.text);
    let zone = get(&asked, "/o/1/zones/%5C%3Cb%5C%3Ebold.example.").await;
    assert!(zone.status == 200 && !zone.text.contains("<b>"), "{}", zone.text);
    let find = get(&asked, "/o/1/zones?find=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(find.status == 200 && !find.text.contains("<script>alert"), "{}", find.text);
    let typed = get(&asked, "/o/1/zones/%5C%3Cb%5C%3Ebold.example.?typed=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(typed.status == 200 && !typed.text.contains("<script>alert"), "{}", typed.text);
    // Nobody puts pages of text under our address.
    let name = "%5C%3Cb%5C%3Ebold.example.";
    let long = format!("https://%5C%3Cb%5C%3Ebold.example/{}", "call+this+number.".repeat(60));
    let typed = get(&asked, &format!("/o/1/zones/{name}?typed={long}")).await;
    assert!(typed.status == 200 && !typed.text.contains("call this number"), "{}", typed.text);
}

#[tokio::test]
async fn a_zone_is_pointed_elsewhere_only_after_what_is_there_was_seen() {
    let asked = Asked::new();
    asked.add("example.org").await;
    asked.post("/api/v1/zones/example.org/refresh", "").await;
    let promote = "/o/1/zones/example.org/promote";
    let frozen = send(&asked, promote, &[("software", "knot"), ("new_key", "emergency.example")]).await;
    assert!(frozen.status == 200 && frozen.text.contains("bmV3IHNlY3JldA=="), "{}", frozen.text);
    assert!(!get(&asked, promote).await.text.contains("bmV3IHNlY3JldA=="), "it is shown once");
    let wrong = send(&asked, &format!("{promote}/compare"), &[("address", "nowhere")]).await;
    assert!(wrong.status == 400 && wrong.text.contains("is not a primary"), "{}", wrong.text);
    let compared = send(&asked, &format!("{promote}/compare"), &[("address", "192.0.2.9")]).await;
    for shown in ["name=\"digest\" value=\"d1\"", "value=\"192.0.2.9:53\"", "&#60;new&#62;", "Point the zone there"] {
        assert!(compared.text.contains(shown), "{shown}: {}", compared.text);
    }
    let finish = format!("{promote}/finish");
    let is_done = send(&asked, &finish, &[("primary", "192.0.2.9:53"), ("digest", "d1")]).await;
    assert_eq!(is_done.status, 303, "{}", is_done.text);
    assert_eq!(send(&asked, &finish, &[("primary", "192.0.2.9:53"), ("digest", "d0")]).await.status, 409);
    let back = send(&asked, &format!("{promote}/compare"), &[("back", "yes")]).await;
    assert!(back.text.contains("type=\"checkbox\" name=\"accept\""), "{}", back.text);
    assert_eq!(send(&asked, &finish, &[("digest", "d1")]).await.status, 409);
    assert_eq!(send(&asked, &finish, &[("digest", "d1"), ("accept", "yes")]).await.status, 303);
}

#[tokio::test]
async fn a_zone_that_is_not_there_has_no_pages() {
    let asked = Asked::new();
    for (method, path) in requests().filter(|(_, path)| path.contains("/example.org")) {
        let body = format!("form_token={}&name=example.org&order=pause", fake::FORM_TOKEN);
        let answer = asked.send(request(method, path, fake::SESSION).body(body.into()).unwrap()).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
    }
    assert_eq!(get(&asked, "/o/1/zones/%FF%00").await.status, 404);
}

#[tokio::test]
async fn a_zone_is_created_as_it_was_typed_and_the_page_says_what_it_was_taken_for() {
    let asked = Asked::new();
    let fields = [("name", "https://www.B\u{fc}cher.example/"), ("address", "192.0.2.1"), ("port", "5353")];
    let answer = send(&asked, "/o/1/zones/new", &fields).await;
    let to = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert!(answer.status == 303 && to.starts_with("/o/1/zones/xn--bcher-kva.example.?typed="), "{to}");
    let page = get(&asked, &to).await;
    assert!(page.text.contains("You typed <q>https://www.B\u{fc}cher.example/</q>"), "{}", page.text);
    assert!(page.text.contains("192.0.2.1:5353"), "{}", page.text);
}

#[tokio::test]
async fn what_a_link_says_was_typed_is_shown_only_for_the_zone_that_it_was_taken_for() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let page = async |typed: &str| {
        let typed = api::percent_encoded(typed);
        get(&asked, &format!("/o/1/zones/example.org?typed={typed}")).await.text
    };
    assert!(page("Example.ORG").await.contains("You typed <q>Example.ORG</q>"));
    assert!(page("https://example.org/call+0800").await.contains("You typed <q>https://example.org/…</q>"));
    for forged in
        ["https://example.net/", "example.net", "example.org", "call 0800", "https://call-0800@example.org/"]
    {
        let page = page(forged).await;
        assert!(!page.contains("You typed") && !page.contains("0800"), "{forged}: {page}");
    }
}

#[tokio::test]
async fn an_address_that_asks_for_what_no_list_has_gets_a_sentence_and_the_way_back() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let zone = "/o/1/zones/example.org";
    for (path, says, back) in [
        (
            "/o/1/zones?state=nonsense",
            "There is no state &#34;nonsense&#34; here, only failing, active, ",
            "/o/1/zones",
        ),
        ("/o/1/zones?sort=size", "There is no order &#34;size&#34; here, only name, ", "/o/1/zones"),
        ("/o/1/zones?sort=--name", "There is no order", "/o/1/zones"),
        ("/o/1/zones?after=a..b", "is not a zone name", "/o/1/zones"),
        ("/o/1/zones?sort=serial&after=example.org.", "begin with the first page", "/o/1/zones"),
        ("/o/1/zones?tag=a+b", "is no tag", "/o/1/zones"),
        ("/o/1/zones?sate=stale", "unknown field `sate`", "/o/1/zones"),
        ("/o/1/zones?state=%3Cscript%3E", "There is no state &#34;&#60;script&#62;&#34;", "/o/1/zones"),
        ("/o/1/events?severity=fatal", "only info, warning, error", "/o/1/events"),
        ("/o/1/events?before=x", "is the number of no page", "/o/1/events"),
        ("/o/1/audit?before=-1", "is the number of no page", "/o/1/audit"),
        ("/o/1/claims?after=x", "is the number of no page", "/o/1/claims"),
        ("/organisations?after=x", "is the number of no page", "/organisations"),
        (&format!("{zone}/history?outcome=bad"), "There is no outcome", "/o/1/zones/example.org./history"),
        (&format!("{zone}/queries?span=hour"), "only day, week, month, ", "/o/1/zones/example.org./queries"),
        (&format!("{zone}/records?rtype=NONE+SUCH"), "is no type of records", "/o/1/zones/example.org./records"),
        (&format!("{zone}/records?from=a..b"), "is not a zone name", "/o/1/zones/example.org./records"),
    ] {
        let answer = get(&asked, path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
        assert!(answer.text.contains(&format!("class=\"button\" href=\"{back}\"")), "{path}: {}", answer.text);
        assert!(!answer.text.contains("<script>"), "{path}: {}", answer.text);
        // What leads back is there.
        assert_ne!(get(&asked, back).await.status, 400, "{back}");
    }
    // Forms send empty fields along.
    let all = get(&asked, "/o/1/zones?find=&state=&tag=&sort=&after=").await;
    assert!(all.status == 200 && all.text.contains("example.org"), "{}", all.text);
    for path in ["/o/1/events?before=&severity=", "/o/1/zones/example.org/history?outcome="] {
        assert_eq!(get(&asked, path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn tags_are_given_with_a_new_zone_and_stay_as_they_were_typed_where_something_is_wrong() {
    let asked = Asked::new();
    let create = async |name: &str, tags: &str| {
        let fields = [("name", name), ("address", "192.0.2.1"), ("tags", tags)];
        send(&asked, "/o/1/zones/new", &fields).await
    };
    let wrong = create("example.org", "Berlin a/b").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.text.contains("value=\"Berlin a/b\"") && wrong.text.contains("id=\"tags-error\""),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains("<details open>\n    <summary>More: tags</summary>"), "{}", wrong.text);
    // The same sentence as by the API, once.
    let body = r#"{"name": "example.org", "primaries": [{"address": "192.0.2.1"}], "tags": ["a/b"]}"#;
    let said = asked.post("/api/v1/zones", body).await.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(
        wrong.text.matches(&said.replace('"', "&#34;").replace('\'', "&#39;")).count(),
        1,
        "{said}: {}",
        wrong.text
    );
    let elsewhere = create("not a name", "Berlin").await;
    assert!(elsewhere.status == 400 && elsewhere.text.contains("value=\"Berlin\""), "{}", elsewhere.text);
    assert!(!elsewhere.text.contains("tags-error"), "{}", elsewhere.text);
    assert!(get(&asked, "/o/1/zones").await.text.contains("No zones yet"));
    assert_eq!(create("example.org", "Site:Berlin, customers").await.status, 303);
    let zone = asked.get("/api/v1/zones/example.org").await.json();
    assert_eq!(zone["tags"], serde_json::json!(["customers", "site:berlin"]));
}

#[tokio::test]
async fn adding_a_row_keeps_what_was_typed_and_creates_nothing() {
    let asked = Asked::new();
    let fields = [("name", "example.org"), ("address", "192.0.2.1"), ("add_row", "yes")];
    let answer = send(&asked, "/o/1/zones/new", &fields).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.text.contains("value=\"192.0.2.1\"") && answer.text.contains("id=\"address-2\""),
        "{}",
        answer.text
    );
    assert!(get(&asked, "/o/1/zones").await.text.contains("No zones yet"));
}

#[tokio::test]
async fn people_get_pages_and_programs_json_where_there_is_nothing() {
    let asked = Asked::new();
    for (path, status) in [("/nowhere", 404), ("/o", 404), ("/link/%ff", 410), ("/link/0", 410), ("/apiary", 404)] {
        let answer = get(&asked, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.text.starts_with("<!doctype html>"), "{path}: {}", answer.text);
    }
    let answer = send(&asked, "/sign-out/x", &[]).await;
    assert!(answer.status == 404 && answer.text.starts_with("<!doctype html>"), "{}", answer.text);
    let deleted = asked.send(request("DELETE", "/sign-in", "").body(Body::empty()).unwrap()).await;
    assert!(deleted.status == 405 && deleted.text.starts_with("<!doctype html>"), "{}", deleted.text);
    for path in ["/api", "/api/", "/api/v1/nowhere"] {
        get(&asked, path).await.is_problem(404, "route_unknown");
    }
}

#[tokio::test]
async fn a_request_says_once_to_which_server_it_is_sent() {
    use axum::http::Version;

    let asked = Asked::new();
    let send = async |hosts: &[&str], uri: &str, version: Version| {
        let mut request = Request::builder().uri(uri).version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let response = tower::ServiceExt::oneshot(asked.router.clone(), request.body(Body::empty()).unwrap()).await;
        response.unwrap().status().as_u16()
    };
    let page = "/sign-in";
    assert_eq!(send(&["localhost"], page, Version::HTTP_11).await, 200);
    assert_eq!(send(&[], page, Version::HTTP_11).await, 400);
    assert_eq!(send(&[], page, Version::HTTP_10).await, 200, "it had no such field yet");
    assert_eq!(send(&["localhost", "localhost"], page, Version::HTTP_11).await, 400);
    assert_eq!(send(&["localhost", "evil.example"], page, Version::HTTP_11).await, 400);
    assert_eq!(send(&["evil.example"], page, Version::HTTP_11).await, 421);
    // A whole URI says what counts.
    assert_eq!(send(&["localhost"], "http://evil.example/sign-in", Version::HTTP_11).await, 421);
    assert_eq!(send(&["evil.example"], "http://localhost/sign-in", Version::HTTP_11).await, 200);
    assert_eq!(send(&[], "/healthz", Version::HTTP_11).await, 200, "load balancers ask as they like");
}

#[tokio::test]
async fn what_organisations_are_called_is_text_on_every_page() {
    let asked = Asked::new();
    for path in ["/organisations", "/organisations?find=%22%3E%3Cb%3E", "/o/1/organisation", "/o/1/members"] {
        let answer = get(&asked, path).await;
        assert!(answer.status == 200 && !answer.text.contains("<b>"), "{path}: {}", answer.text);
    }
    let hostile = [("name", "<b>evil</b>"), ("owner", "<script>alert(1)</script>@example.org")];
    let answer = send(&asked, "/organisations", &hostile).await;
    assert!(answer.status == 400 && !answer.text.contains("<b>") && !answer.text.contains("<script>alert"));
    for fields in [[("name", "\u{202e}gnihtemos"), ("owner", "")], [("name", ""), ("owner", "")]] {
        let answer = send(&asked, "/organisations", &fields).await;
        assert!(answer.status == 400 && answer.text.contains("role=\"alert\""), "{fields:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn whoever_signs_up_or_has_forgotten_is_told_the_same_whoever_they_are() {
    let asked = Asked::new();
    let nobody = async |path: &str, fields: &[(&str, &str)]| {
        let body: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", api::percent_encoded(value))).collect();
        asked.send(request("POST", path, "").body(body.join("&").into()).unwrap()).await
    };
    let asks = [("email", "alice@example.org"), ("password", "four words make it long"), ("organisation", "Example")];
    let signed_up = nobody("/sign-up", &asks).await;
    assert!(signed_up.status == 200 && signed_up.text.contains("Look into your mail"), "{}", signed_up.text);
    let forgotten = nobody("/forgotten", &asks).await;
    assert!(forgotten.status == 200 && forgotten.text.contains("If <strong>alice@example.org</strong> has"));
    for email in ["", "alice", "alice@example.org\r\nBcc: bob@example.org", "<script>@example.org"] {
        for path in ["/sign-up", "/forgotten"] {
            let answer = nobody(path, &[("email", email), ("organisation", "x"), ("password", "x")]).await;
            assert!(answer.status == 400 && answer.text.contains("role=\"alert\""), "{path} {email:?}");
            assert!(!answer.text.contains("<script>@"), "{path}: {}", answer.text);
        }
    }
}
