//! What is asked of zones and used by organisations, through the router and in the console.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::{Answer, Asked};
use axum::body::Body;
use axum::http::{Request, header};

async fn page(asked: &Asked, path: &str) -> Answer {
    let request = Request::builder().uri(path).header(header::COOKIE, format!("secondo={}", fake::SESSION));
    asked.send(request.body(Body::empty()).unwrap()).await
}

async fn with_token(asked: &Asked, path: &str, token: &str) -> Answer {
    let request = Request::builder().uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    asked.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn queries_are_shown_by_hours_and_days_as_far_back_as_they_are_kept() {
    let asked = Asked::new();
    asked.add("example.org").await;
    for (query, step, points) in [
        ("", "hour", 24),
        ("?hours=1", "hour", 1),
        ("?hours=840", "hour", 840),
        ("?days=1", "day", 1),
        ("?days=731", "day", 731),
    ] {
        let queries = asked.get(&format!("/api/v1/zones/example.org/queries{query}")).await.json();
        assert_eq!(
            (&queries["step"], queries["points"].as_array().unwrap().len()),
            (&step.into(), points),
            "{query}"
        );
        let point = &queries["points"][points - 1];
        assert!(point["at"].is_string() && point["total"].is_u64(), "{point}");
        assert_eq!(point["by_result"].as_object().unwrap().len(), 5, "{point}");
        assert_eq!(point["by_type"].as_object().unwrap().len(), 8, "{point}");
    }
    for query in ["?hours=0", "?hours=841", "?days=0", "?days=732", "?hours=1&days=1", "?days=-1", "?weeks=1"] {
        let answer = asked.get(&format!("/api/v1/zones/example.org/queries{query}")).await;
        answer.is_problem(400, "query_invalid");
    }
    asked.get("/api/v1/zones/none.example/queries").await.is_problem(404, "zone_unknown");
}

#[tokio::test]
async fn usage_is_json_and_a_table_in_which_no_cell_is_a_formula() {
    let asked = Asked::new();
    let usage = asked.get("/api/v1/usage?month=2026-10").await.json();
    assert_eq!((&usage["month"], usage["organisations"].as_array().unwrap().len()), (&"2026-10".into(), 2));
    assert_eq!(usage["organisations"][0]["queries"], 1_000_000);
    let table = asked.get("/api/v1/usage.csv").await;
    assert_eq!(table.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    assert_eq!(table.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"usage-2026-11.csv\"");
    assert_eq!(
        table.text,
        "month,id,organisation,queries,zones,records\r\n\
         2026-11,1,default,1000000,2,20\r\n\
         2026-11,2,\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"pay\"\")\",7,2,20\r\n"
    );
    for path in ["/api/v1/usage", "/api/v1/usage.csv"] {
        for month in ["2026-13", "2026", "=1", "2026-11-01"] {
            asked.get(&format!("{path}?month={month}")).await.is_problem(400, "query_invalid");
        }
        // Whoever runs no service sees no other organisation.
        let own = with_token(&asked, path, fake::READING_TOKEN).await;
        assert!(own.status == 200 && own.text.contains("default") && !own.text.contains("HYPERLINK"), "{}", own.text);
    }
}

#[tokio::test]
async fn the_page_of_a_zones_queries_has_something_to_say_of_nothing_some_and_more_than_can_be_counted() {
    let asked = Asked::new();
    for (zone, said) in [
        ("quiet.example", "Nothing has been asked here in this time"),
        ("example.org", "Names asked for most"),
        ("huge.example", "By type"),
    ] {
        asked.add(zone).await;
        for span in ["", "?span=week", "?span=month", "?span=year", "?span=all"] {
            let page = page(&asked, &format!("/o/1/zones/{zone}/queries{span}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            assert!(page.text.contains(said), "{zone}{span}: {}", page.text);
            assert!(!page.text.contains("<script>.") && !page.text.contains("NaN"), "{zone}{span}");
        }
        let wrong = page(&asked, &format!("/o/1/zones/{zone}/queries?span=%3Cscript%3E")).await;
        assert!(wrong.status == 400 && !wrong.text.contains("<script>"), "{}", wrong.text);
        let overview = page(&asked, &format!("/o/1/zones/{zone}")).await;
        assert!(overview.text.contains("Queries of the last 24 hours"), "{}", overview.text);
        assert_eq!(overview.text.contains("class=\"area"), zone != "quiet.example");
    }
}
