//! The API's page for people.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::Asked;
use serde_json::Value;

#[tokio::test]
async fn every_route_is_on_the_page_which_loads_nothing_but_the_style() {
    let asked = Asked::new();
    let page = asked.get("/api/docs").await;
    assert_eq!(page.status, 200);
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            assert!(page.text.contains(&format!("<code>{method} {path}</code>")), "{method} {path}");
        }
    }
    for code in api::Code::ALL {
        assert!(page.text.contains(&format!("<code>{code}</code>")), "{code}");
    }
    // What is code in the document is code on the page.
    let outside = page.text.split("<pre>").flat_map(|part| part.split("</pre>").last());
    assert_eq!(outside.filter(|part| part.contains('`')).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(page.text.contains("Only this type: <code>MX</code>, or <code>TYPE15</code>."));
    // Each link leads somewhere.
    for link in page.text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.text.contains(&format!("id=\"{link}\"")), "{link}");
    }
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    for word in ["<script", "style=\"", "onclick", "src=\"", "href=\"http"] {
        assert!(!page.text.contains(word), "{word}");
    }
    let loaded = page.text.split("<link").skip(1);
    assert!(loaded.into_iter().all(|link| link.contains("href=\"/assets/")));
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    let items = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<&str> = items.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[test]
fn the_words_of_the_document_are_those_of_the_answers() {
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    let words = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    let states: Vec<&str> = api::json::State::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(words("State"), serde_json::json!(states));
    assert_eq!(words("AttemptOutcome"), serde_json::json!(["unchanged", "updated", "held", "failed"]));
    assert_eq!(words("Health"), serde_json::json!(["ok"]));
}
