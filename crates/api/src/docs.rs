//! The OpenAPI document as a page for people: every route with what it takes and answers, what can go wrong, and a line to try.
//!
//! It is made of the document itself when the program starts, loads nothing but the console's style, and says nothing of this
//! server: anybody may read it.

use askama::Template;
use axum::response::Html;
use serde_json::{Map, Value};

use crate::console::style;
use crate::problem::Code;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Things within things are shown so deep in an example.
const EXAMPLE_DEPTH_MAX: usize = 6;

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    style: &'static str,
    about: String,
    groups: Vec<(String, Vec<Route>)>,
    things: Vec<Thing>,
    codes: &'static [Code],
}

struct Route {
    id: String,
    method: String,
    path: String,
    title: String,
    about: String,
    parameters: Vec<Parameter>,
    /// What is sent: its type, and which thing it is.
    body: Option<(String, Kind)>,
    answers: Vec<(String, Kind)>,
    curl: String,
}

struct Parameter {
    name: String,
    place: String,
    kind: Kind,
    is_required: bool,
    about: String,
}

/// A type in words, and the thing that it leads to.
struct Kind {
    words: String,
    thing: Option<String>,
}

struct Thing {
    name: String,
    about: String,
    words: Vec<String>,
    fields: Vec<Parameter>,
}

/// A part of a text, which stands in the document between backticks or does not.
struct Span<'a> {
    text: &'a str,
    is_code: bool,
}

/// The text's parts. A backtick without its other one is a backtick.
fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some((before, (code, behind))) =
        rest.split_once('`').and_then(|(before, behind)| Some((before, behind.split_once('`')?)))
    {
        spans.push(Span { text: before, is_code: false });
        spans.push(Span { text: code, is_code: true });
        rest = behind;
    }
    spans.push(Span { text: rest, is_code: false });
    spans.retain(|span| !span.text.is_empty());
    spans
}

/// The page for this document.
pub(crate) fn page(document: &str) -> Html<String> {
    let document: Value = serde_json::from_str(document).expect("the document was written as JSON");
    let mut groups: Vec<(String, Vec<Route>)> = Vec::new();
    let none = Map::new();
    for (path, item) in document["paths"].as_object().unwrap_or(&none) {
        for method in METHODS {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let group = text(&operation["tags"][0]);
            let route = route(&document, path, method, operation);
            match groups.iter_mut().find(|(name, _)| *name == group) {
                Some((_, routes)) => routes.push(route),
                None => groups.push((group, vec![route])),
            }
        }
    }
    let things = document["components"]["schemas"].as_object().unwrap_or(&none).iter().map(|(name, schema)| Thing {
        name: name.clone(),
        about: text(&schema["description"]),
        words: words(schema),
        fields: fields(schema),
    });
    let about = text(&document["info"]["description"]);
    let docs = Docs { style: style(), about, groups, things: things.collect(), codes: Code::ALL };
    Html(docs.render().expect("writing into a string does not fail"))
}

fn route(document: &Value, path: &str, method: &str, operation: &Value) -> Route {
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind: kind(&parameter["schema"]),
        is_required: parameter["required"] == true,
        about: text(&parameter["description"]),
    });
    let body = content(&operation["requestBody"]);
    let answers = operation["responses"].as_object().into_iter().flatten().map(|(status, response)| {
        let nothing = Kind { words: "nothing".to_owned(), thing: None };
        let kind = content(response).map_or(nothing, |(_, schema)| kind(schema));
        (if status == "default" { "else".to_owned() } else { status.clone() }, kind)
    });
    Route {
        id: format!("{method}-{}", path.trim_start_matches('/').replace(['/', '{', '}'], "-")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: text(&operation["summary"]),
        about: text(&operation["description"]),
        parameters: parameters.collect(),
        curl: curl(document, path, method, body),
        body: body.map(|(media, schema)| (media.to_owned(), kind(schema))),
        answers: answers.collect(),
    }
}

fn content(described: &Value) -> Option<(&str, &Value)> {
    let (media, content) = described["content"].as_object()?.iter().next()?;
    Some((media, &content["schema"]))
}

fn curl(document: &Value, path: &str, method: &str, body: Option<(&str, &Value)>) -> String {
    let mut line = String::from("curl -H \"Authorization: Bearer $SECONDO_TOKEN\"");
    if method != "get" && (method != "post" || body.is_none()) {
        line.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    if let Some((media, schema)) = body {
        let sent = match example(document, schema, 0) {
            Value::String(text) => text,
            value => value.to_string(),
        };
        line.push_str(&format!(" -H 'Content-Type: {media}' -d '{sent}'"));
    }
    let path = path.replace("{name}", "example.org").replace("{email}", "ada%40example.org").replace("{id}", "1");
    format!("{line} https://SERVER{path}")
}

fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    if depth == EXAMPLE_DEPTH_MAX {
        return Value::Null;
    }
    if let Some(name) = thing_of(schema) {
        return example(document, &document["components"]["schemas"][name], depth + 1);
    }
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    let of = |schema: &Value| example(document, schema, depth + 1);
    match first_type(schema) {
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields = required.map(|name| (name.to_owned(), of(&schema["properties"][name])));
            Value::Object(fields.collect())
        }
        "array" => Value::Array(vec![of(&schema["items"])]),
        "integer" | "number" => 1.into(),
        "boolean" => true.into(),
        "string" => "…".into(),
        _ => Value::Null,
    }
}

fn first_type(schema: &Value) -> &str {
    let of_many = || schema["type"].get(0).and_then(Value::as_str);
    schema["type"].as_str().or_else(of_many).unwrap_or_default()
}

fn thing_of(schema: &Value) -> Option<&str> {
    let direct = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    direct.or_else(|| {
        let choices = ["oneOf", "anyOf", "allOf"].iter().filter_map(|choice| schema[*choice].as_array());
        choices.flatten().find_map(thing_of)
    })
}

fn kind(schema: &Value) -> Kind {
    if let Some(thing) = thing_of(schema) {
        return Kind { words: thing.to_owned(), thing: Some(thing.to_owned()) };
    }
    match first_type(schema) {
        "array" => {
            let items = kind(&schema["items"]);
            Kind { words: format!("list of {}", items.words), thing: items.thing }
        }
        "object" if schema["additionalProperties"].is_object() => {
            let values = kind(&schema["additionalProperties"]);
            Kind { words: format!("{} by name", values.words), thing: values.thing }
        }
        "" => Kind { words: "any JSON".to_owned(), thing: None },
        word => Kind { words: word.to_owned(), thing: None },
    }
}

/// The words that it may be, where it is one of several.
fn words(schema: &Value) -> Vec<String> {
    let own = schema["enum"].as_array().into_iter().flatten();
    let others = schema["oneOf"].as_array().into_iter().flatten();
    own.chain(others.flat_map(|one| one["enum"].as_array().into_iter().flatten())).map(text).collect()
}

fn fields(schema: &Value) -> Vec<Parameter> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, field)| Parameter {
        name: name.clone(),
        place: String::new(),
        kind: kind(field),
        is_required: required.contains(&name.as_str()),
        about: text(&field["description"]),
    });
    fields.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::spans;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_gets_lost() {
        let read = |text| spans(text).iter().map(|span| (span.text, span.is_code)).collect::<Vec<_>>();
        assert_eq!(read("`MX`, or `TYPE15`."), [("MX", true), (", or ", false), ("TYPE15", true), (".", false)]);
        assert_eq!(read("a ` alone, <b>"), [("a ` alone, <b>", false)]);
        assert_eq!(read("`a` and `b"), [("a", true), (" and `b", false)]);
        assert_eq!(read(""), []);
    }
}
