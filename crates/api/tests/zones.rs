//! Zones, through the router.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use axum::body::Body;
use axum::http::header;
use serde_json::json;

#[tokio::test]
async fn a_zone_is_added_shown_listed_and_removed() {
    let asked = Asked::new();
    let body = json!({ "name": "Example.org", "primaries": [{ "address": "192.0.2.1" }, { "address": "[2001:db8::1]:5353", "key": null }] });
    let added = asked.post("/api/v1/zones", body.to_string()).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.headers[header::LOCATION], "/api/v1/zones/Example.org.");
    assert_eq!(added.json()["name"], "Example.org.");
    assert_eq!(
        added.json()["primaries"][0],
        json!({ "address": "192.0.2.1:53", "key": null, "source": null, "tls": null })
    );

    let shown = asked.get("/api/v1/zones/example.ORG").await.json();
    assert_eq!((&shown["state"], &shown["serial"]), (&json!("pending"), &json!(null)));
    assert_eq!(shown["created_at"], "2026-11-21T12:00:00.000Z");

    asked.post("/api/v1/zones", body.to_string()).await.is_problem(409, "zone_exists");
    assert_eq!(asked.get("/api/v1/zones").await.json()["zones"].as_array().unwrap().len(), 1);
    assert_eq!(asked.delete("/api/v1/zones/example.org.").await.status, 204);
    asked.delete("/api/v1/zones/example.org").await.is_problem(404, "zone_unknown");
    asked.get("/api/v1/zones/example.org").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn a_zone_is_changed_and_what_cannot_be_is_said() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let path = "/api/v1/zones/example.org";
    let change = json!({
        "primaries": [{ "address": "192.0.2.7", "tls": { "name": "ns1.example.org", "alpn_may_be_missing": true } }],
        "service": "pause",
        "settings": { "refresh-max": "120m", "notify": "signed" },
    });
    let changed = asked.patch(path, change.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let zone = changed.json();
    assert_eq!((&zone["service"], &zone["primaries"][0]["address"]), (&json!("paused"), &json!("192.0.2.7:853")));
    assert_eq!(zone["settings"].as_object().unwrap().len(), 2);
    let changed = asked.patch(path, json!({ "settings": { "notify": null } }).to_string()).await.json();
    assert_eq!((changed["settings"].as_object().unwrap().len(), &changed["service"]), (1, &json!("paused")));
    for (body, code) in [
        (json!({ "primaries": [] }), "primary_invalid"),
        (json!({ "primaries": [{ "address": "192.0.2.7", "tls": { "name": "a", "pin": "b" } }] }), "primary_invalid"),
        (json!({ "settings": { "refresh": "2h" } }), "setting_invalid"),
        (json!({ "settings": { "refresh_max": "soon" } }), "setting_invalid"),
        (json!({ "service": "unproven" }), "body_invalid"),
        (json!({ "service": "answering" }), "body_invalid"),
        (json!({ "state": "active" }), "body_invalid"),
    ] {
        asked.patch(path, body.to_string()).await.is_problem(400, code);
    }
    asked.patch("/api/v1/zones/example.net", "{}").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn the_root_zone_and_names_with_slashes_have_paths() {
    let asked = Asked::new();
    for (name, segment) in
        [(".", "@"), ("0/25.2.0.192.in-addr.arpa.", "0%2F25.2.0.192.in-addr.arpa."), ("\\@.", "%5C%40.")]
    {
        asked.add(name).await;
        let shown = asked.get(&format!("/api/v1/zones/{segment}")).await.json();
        assert_eq!(shown["name"].as_str().unwrap().parse(), name.parse::<dns::Name>());
        assert_eq!(api::segment_of(&name.parse().unwrap()), segment);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_with_its_code() {
    let asked = Asked::new();
    let good = json!([{ "address": "192.0.2.1" }]);
    for (body, code) in [
        (json!({ "name": "exam ple", "primaries": good }), "zone_name_invalid"),
        (json!({ "name": "", "primaries": good }), "zone_name_invalid"),
        (json!({ "name": "a..b", "primaries": good }), "zone_name_invalid"),
        (json!({ "name": "192.0.2.1", "primaries": good }), "zone_name_invalid"),
        (json!({ "name": "example.org", "primaries": [] }), "primary_invalid"),
        (json!({ "name": "example.org", "primaries": [{ "address": "ns1.example.org" }] }), "primary_invalid"),
        (json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1:99999" }] }), "primary_invalid"),
        (
            json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1" }, { "address": "192.0.2.1:53" }] }),
            "primary_invalid",
        ),
        (
            json!({ "name": "example.org", "primaries": vec![json!({ "address": "192.0.2.1" }); 17] }),
            "primary_invalid",
        ),
        (
            json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1", "key": "a..b" }] }),
            "key_name_invalid",
        ),
        (json!({ "name": "example.org" }), "body_invalid"),
        (json!({ "name": 7, "primaries": good }), "body_invalid"),
        (json!({ "name": "example.org", "primaries": good, "more": 1 }), "body_invalid"),
        (json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1", "tsig": "k" }] }), "body_invalid"),
        (json!([]), "body_invalid"),
    ] {
        asked.post("/api/v1/zones", body.to_string()).await.is_problem(400, code);
    }
    for text in ["", "{", "\u{0}", "[[[[[[[["] {
        asked.post("/api/v1/zones", text).await.is_problem(400, "body_invalid");
    }
    asked.post("/api/v1/zones", vec![0xff, 0xfe, b'{']).await.is_problem(400, "body_invalid");
    asked.post("/api/v1/zones", " ".repeat(100_000)).await.is_problem(413, "body_too_large");
    asked.post_text("/api/v1/zones", "{}").await.is_problem(415, "content_type_invalid");
    assert!(asked.get("/api/v1/zones").await.json()["zones"].as_array().unwrap().is_empty(), "nothing half-added");
}

#[tokio::test]
async fn an_unknown_key_is_said() {
    let body = json!({ "name": "example.org", "primaries": [{ "address": "192.0.2.1", "key": "missing" }] });
    Asked::new().post("/api/v1/zones", body.to_string()).await.is_problem(404, "key_unknown");
}

#[tokio::test]
async fn what_is_no_name_in_a_path_is_said() {
    let asked = Asked::new();
    for segment in ["a..b", "b%C3%BCcher.example", &"a.".repeat(128)] {
        asked.get(&format!("/api/v1/zones/{segment}")).await.is_problem(400, "zone_name_invalid");
        asked.delete(&format!("/api/v1/zones/{segment}")).await.is_problem(400, "zone_name_invalid");
        asked.get(&format!("/api/v1/zones/{segment}/history")).await.is_problem(400, "zone_name_invalid");
    }
    asked.get("/api/v1/zones/%FF").await.is_problem(400, "zone_name_invalid");
}

#[tokio::test]
async fn zones_are_listed_page_by_page() {
    let asked = Asked::new();
    for number in 0..7 {
        asked.add(&format!("z{number}.example")).await;
    }
    let first = asked.get("/api/v1/zones?limit=5").await.json();
    assert_eq!((first["zones"].as_array().unwrap().len(), &first["next"]), (5, &json!("z4.example.")));
    let second = asked.get("/api/v1/zones?limit=5&after=z4.example.").await.json();
    assert_eq!((second["zones"].as_array().unwrap().len(), &second["next"]), (2, &json!(null)));
    for query in ["limit=0", "limit=1001", "limit=x", "limit=-1", "page=2"] {
        asked.get(&format!("/api/v1/zones?{query}")).await.is_problem(400, "query_invalid");
    }
    asked.get("/api/v1/zones?after=a..b").await.is_problem(400, "zone_name_invalid");
}

#[tokio::test]
async fn zones_have_tags_and_are_listed_by_them() {
    let asked = Asked::new();
    let primaries = json!([{ "address": "192.0.2.1" }]);
    let tagged =
        json!({ "name": "a.example", "primaries": primaries, "tags": ["Site:Berlin", "customers", "customers"] });
    let added = asked.post("/api/v1/zones", tagged.to_string()).await;
    assert_eq!((added.status.as_u16(), &added.json()["tags"]), (201, &json!(["customers", "site:berlin"])));
    let line = "b.example 192.0.2.1 tags=customers\n";
    assert_eq!(asked.post_text("/api/v1/zones/import", line).await.json()["added"], 1);
    asked.add("c.example").await;

    let names = async |query: &str| {
        let listed = asked.get(&format!("/api/v1/zones?{query}")).await.json();
        let zones = listed["zones"].as_array().unwrap().clone();
        zones.iter().map(|zone| zone["name"].as_str().unwrap()[..1].to_owned()).collect::<String>()
    };
    assert_eq!(names("tag=customers").await, "ab");
    assert_eq!(names("tag=SITE:berlin&sort=expires&reversed=true").await, "a");
    assert_eq!(names("tag=nobodys").await, "");
    let tags = asked.get("/api/v1/zones/tags").await.json();
    assert_eq!(tags["tags"], json!([{ "tag": "customers", "zones": 2 }, { "tag": "site:berlin", "zones": 1 }]));

    let path = "/api/v1/zones/a.example";
    let changed = asked.patch(path, json!({ "tags": ["2026"] }).to_string()).await.json();
    assert_eq!(changed["tags"], json!(["2026"]));
    let paused = asked.patch(path, json!({ "service": "pause" }).to_string()).await.json();
    assert_eq!(paused["tags"], json!(["2026"]), "what is left out stays");
    assert_eq!(asked.patch(path, json!({ "tags": [] }).to_string()).await.json()["tags"], json!([]));

    let many: Vec<String> = (0..17).map(|number| format!("tag{number}")).collect();
    for wrong in [json!(["two words"]), json!([""]), json!(["<b>"]), json!(["x".repeat(33)]), json!(many)] {
        asked.patch(path, json!({ "tags": wrong }).to_string()).await.is_problem(400, "tag_invalid");
        let zone = json!({ "name": "d.example", "primaries": primaries, "tags": wrong });
        asked.post("/api/v1/zones", zone.to_string()).await.is_problem(400, "tag_invalid");
    }
    asked.get("/api/v1/zones/d.example").await.is_problem(404, "zone_unknown");
    asked.get("/api/v1/zones?tag=two%20words").await.is_problem(400, "tag_invalid");
    for query in ["sort=size", "reversed=maybe", "sort=serial&after=a.example"] {
        asked.get(&format!("/api/v1/zones?{query}")).await.is_problem(400, "query_invalid");
    }
}

#[tokio::test]
async fn another_order_goes_on_where_its_page_has_ended() {
    let asked = Asked::new();
    asked.add("a.example").await;
    let first = asked.get("/api/v1/zones?limit=1&sort=serial").await.json();
    assert_eq!(first["next"], "serial:7:a.example.");
    let second = asked.get("/api/v1/zones?limit=1&sort=serial&after=serial:7:a.example.").await.json();
    assert_eq!((second["zones"].as_array().unwrap().len(), &second["next"]), (0, &json!(null)));
    for other in ["sort=state", "sort=name", "find=a"] {
        let wrong = asked.get(&format!("/api/v1/zones?limit=1&{other}&after=serial:7:a.example.")).await;
        wrong.is_problem(400, "query_invalid");
    }
}

#[tokio::test]
async fn a_refresh_is_answered_with_its_attempt_however_it_ended() {
    let asked = Asked::new();
    asked.add("example.org").await;
    asked.add("refusing.example").await;
    let done = asked.post("/api/v1/zones/example.org/refresh", r#"{"transfer":"full"}"#).await.json();
    assert_eq!((&done["ending"], &done["attempt"]["kind"]), (&json!("done"), &json!("axfr")));
    assert_eq!(done["zone"]["serial"], 7);
    let refused = asked.post("/api/v1/zones/refusing.example/refresh", r#"{"transfer":"incremental"}"#).await;
    assert_eq!(refused.status, 200);
    let attempt = &refused.json()["attempt"];
    assert_eq!((&attempt["outcome"], &attempt["reason"]["code"]), (&json!("failed"), &json!("refused")));
    assert_eq!(attempt["reason"]["fault"], "primary");
    for body in [r#"{"transfer":"some"}"#, r#"{"transfer":true}"#, "[]", " "] {
        asked.post("/api/v1/zones/example.org/refresh", body).await.is_problem(400, "body_invalid");
    }
    asked.post("/api/v1/zones/none.example/refresh", r#"{"transfer":"full"}"#).await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn a_refresh_needs_no_body() {
    let asked = Asked::new();
    asked.add("example.org").await;
    for empty in [asked.post("/api/v1/zones/example.org/refresh", "{}").await, {
        let bare = ask::with_token("POST", "/api/v1/zones/example.org/refresh").body(Body::empty());
        asked.send(bare.unwrap()).await
    }] {
        assert_eq!((empty.status.as_u16(), &empty.json()["ending"]), (200, &json!("done")), "{}", empty.text);
    }
    let untyped = ask::with_token("POST", "/api/v1/zones/example.org/refresh").body(Body::from("{}"));
    asked.send(untyped.unwrap()).await.is_problem(415, "content_type_invalid");
    let document = asked.get("/api/openapi.json").await.json();
    let refresh = &document["paths"]["/api/v1/zones/{name}/refresh"]["post"]["requestBody"];
    assert_ne!(refresh["required"], true, "{refresh:#}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_a_refresh() {
    let asked = Asked::new();
    asked.add("slow.example").await;
    let answer = asked.post("/api/v1/zones/slow.example/refresh", r#"{"transfer":"incremental"}"#).await;
    assert_eq!(answer.json(), json!({ "ending": "running", "attempt": null, "zone": null }));
}

#[tokio::test]
async fn history_holds_versions_and_attempts() {
    let asked = Asked::new();
    asked.add("example.org").await;
    asked.post("/api/v1/zones/example.org/refresh", r#"{"transfer":"full"}"#).await;
    let history = asked.get("/api/v1/zones/example.org/history?limit=1").await.json();
    assert_eq!((&history["versions"][0]["serial"], &history["attempts"][0]["bytes"]), (&json!(7), &json!(512)));
    asked.get("/api/v1/zones/example.org/history?limit=0").await.is_problem(400, "query_invalid");
    asked.get("/api/v1/zones/none.example/history").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn notifies_are_shown_with_why_they_were_refused() {
    let asked = Asked::new();
    asked.add("example.org").await;
    let shown = asked.get("/api/v1/zones/example.org/notifies").await.json();
    assert_eq!(
        (&shown["notifies"][0]["outcome"], &shown["notifies"][0]["reason"]),
        (&json!("accepted"), &json!(null))
    );
    assert_eq!(shown["notifies"][1]["reason"]["code"], "stranger");
    let newest = asked.get("/api/v1/zones/example.org/notifies?limit=1").await.json();
    assert_eq!(newest["notifies"].as_array().unwrap().len(), 1);
    asked.get("/api/v1/zones/example.org/notifies?limit=0").await.is_problem(400, "query_invalid");
    asked.get("/api/v1/zones/none.example/notifies").await.is_problem(404, "zone_unknown");
    let strangers = asked.get("/api/v1/notifies").await.json();
    assert_eq!(strangers["strangers"][0]["from"], "2001:db8:1::/48");
}

#[tokio::test]
async fn a_large_zone_is_exported_whole_in_pieces() {
    let asked = Asked::new();
    asked.add("huge.example").await;
    asked.get("/api/v1/zones/huge.example/export").await.is_problem(409, "zone_not_loaded");
    asked.post("/api/v1/zones/huge.example/refresh", r#"{"transfer":"full"}"#).await;
    let export = asked.get("/api/v1/zones/huge.example/export").await;
    assert_eq!(export.text.lines().count(), fake::HUGE_PIECES * 1_000);
    assert!(export.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/dns"));
    assert_eq!(export.headers["secondo-serial"], "7");
    asked.get("/api/v1/zones/none.example/export").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn an_import_tells_of_each_line_what_came_of_it() {
    let asked = Asked::new();
    let text = "# zones\na.example 192.0.2.1\n\nnot!a!name 192.0.2.1\nb.example 192.0.2.1,192.0.2.2:5353 # two\nA.example 192.0.2.3\nc.example nowhere\n";
    let imported = asked.post_text("/api/v1/zones/import", text).await.json();
    assert_eq!((&imported["added"], &imported["failed"]), (&json!(2), &json!(3)));
    let lines: Vec<_> = imported["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["name"].as_str().unwrap_or_default().to_owned(),
                line["code"].as_str().unwrap_or("-").to_owned(),
            )
        })
        .collect();
    let expected = [
        (2, "a.example.", "-"),
        (4, "", "zone_name_invalid"),
        (5, "b.example.", "-"),
        (6, "A.example.", "zone_exists"),
        (7, "c.example.", "primary_invalid"),
    ];
    assert_eq!(lines, expected.map(|(line, name, code)| (line, name.to_owned(), code.to_owned())));
    assert!(imported["lines"][1]["detail"].as_str().unwrap().contains("is not a zone name"));
}

#[tokio::test]
async fn an_import_that_is_too_large_adds_nothing() {
    let asked = Asked::new();
    let lines: String = (0..10_001).map(|number| format!("z{number}.example 192.0.2.1\n")).collect();
    asked.post_text("/api/v1/zones/import", lines).await.is_problem(413, "body_too_large");
    asked.post_text("/api/v1/zones/import", "#".repeat(5_000_000)).await.is_problem(413, "body_too_large");
    asked.post_text("/api/v1/zones/import", vec![0xff]).await.is_problem(400, "body_invalid");
    assert!(asked.get("/api/v1/zones").await.json()["zones"].as_array().unwrap().is_empty());
    assert_eq!(asked.post_text("/api/v1/zones/import", "").await.json()["added"], 0);
}
