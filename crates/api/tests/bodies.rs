//! JSON bodies are what the API's document says, however deep one looks.

#![allow(clippy::unwrap_used)]

mod ask;
mod fake;

use ask::{Asked, with_token};
use axum::http::header;
use serde_json::{Value, json};

/// Where an object is meant in a body: what the place is called, and the body with a list there.
type Places = Vec<(String, Value)>;

/// The schema that is meant, where it is named, or may be null, or both.
fn meant<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str() {
        return meant(document, document.pointer(&name[1..]).unwrap());
    }
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().find_map(|word| schema[word].as_array());
    match choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
        Some(choice) => meant(document, choice),
        None => schema,
    }
}

fn is_of(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&kind.into()))
}

/// All places in what `schema` describes, which stands at `place` of the body that `around` makes of it.
fn places(document: &Value, schema: &Value, place: &str, around: &dyn Fn(Value) -> Value, found: &mut Places) {
    let schema = meant(document, schema);
    if is_of(schema, "array") {
        let each = |within: Value| around(json!([within]));
        return places(document, &schema["items"], &format!("{place}[0]"), &each, found);
    }
    if !is_of(schema, "object") {
        return;
    }
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    if schema["additionalProperties"].is_object() {
        let value = |within: Value| around(json!({ "a": within }));
        return places(document, &schema["additionalProperties"], &below("a"), &value, found);
    }
    for list in [json!([]), json!([null]), json!([null, null, null, null])] {
        found.push((place.to_owned(), around(list)));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        places(document, property, &below(name), &|within| around(json!({ name: within })), found);
    }
}

#[tokio::test]
async fn a_list_is_refused_wherever_the_document_says_that_an_object_is_meant() {
    let asked = Asked::new();
    let document: Value = serde_json::from_str(&api::openapi()).unwrap();
    let mut nested = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let mut found = Places::new();
            if !body.is_null() {
                places(&document, body, "", &|list| list, &mut found);
                assert!(found.len() >= 3, "{method} {path} takes no object: {body}");
            }
            for (place, body) in found {
                let path: String = path
                    .split('{')
                    .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
                    .collect::<Vec<_>>()
                    .join("1");
                let request =
                    with_token(&method.to_uppercase(), &path).header(header::CONTENT_TYPE, "application/json");
                let answer = asked.send(request.body(body.to_string().into()).unwrap()).await;
                answer.is_problem(400, "body_invalid");
                let place = if place.is_empty() { place } else { format!("{place}: ") };
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                let expected =
                    format!("the body is not what this route takes: {place}invalid type: a list, expected an object");
                assert!(detail.starts_with(&expected), "{method} {path} {body}: {detail}");
                nested.push(place);
            }
        }
    }
    for place in ["limits: ", "rules: ", "primaries[0]: ", "primaries[0].tls: ", "rules.groups.a.primaries[0].tls: "]
    {
        assert!(nested.iter().any(|one| one == place), "{place} is nowhere: {nested:?}");
    }
}

#[tokio::test]
async fn what_is_json_is_said_in_the_header_and_stands_alone_in_the_body() {
    let asked = Asked::new();
    let zone = r#"{"name":"a.example","primaries":[{"address":"192.0.2.1"}]}"#;
    for (kind, body, status, code) in [
        ("application/json", format!("{zone} x"), 400, "body_invalid"),
        ("application/json", zone[..20].to_owned(), 400, "body_invalid"),
        ("application/json", String::new(), 400, "body_invalid"),
        ("text/json", zone.to_owned(), 415, "content_type_invalid"),
        ("application/jsonp", zone.to_owned(), 415, "content_type_invalid"),
        ("", String::new(), 415, "content_type_invalid"),
    ] {
        let request = with_token("POST", "/api/v1/zones").header(header::CONTENT_TYPE, kind);
        asked.send(request.body(body.into()).unwrap()).await.is_problem(status, code);
    }
    for (name, kind) in [("a.example", "Application/JSON; charset=utf-8"), ("b.example", "application/zone+json")] {
        let request = with_token("POST", "/api/v1/zones").header(header::CONTENT_TYPE, kind);
        let answer = asked.send(request.body(zone.replace("a.example", name).into()).unwrap()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}
