//! What is wrong with a body or a query that could not be read, in words for those who have not read our source.
//!
//! The libraries that read them say it in Rust's terms: "invalid type: sequence, expected struct Primary". What stands before
//! the last "expected" and behind it is said here in JSON's words; what the client sent stays as it came.

/// What a library says of query parameters, or of text, in plain words.
pub(crate) fn plain(said: &str) -> String {
    let found = INTRODUCTIONS.iter().find_map(|(theirs, ours)| Some((ours, said.strip_prefix(theirs)?)));
    let (introduction, said) = found.unwrap_or((&"", said));
    match FAULTS.iter().filter_map(|fault| said.find(fault)).min() {
        Some(at) => format!("{introduction}{}{}", &said[..at], in_words_of_json(&said[at..])),
        None => format!("{introduction}{said}"),
    }
}

/// What is wrong with JSON at a place in it, which is `.` where it has none.
pub(crate) fn of_json(place: &str, error: &serde_json::Error) -> String {
    let introduction = match error.classify() {
        serde_json::error::Category::Data => "the body is not what this route takes: ",
        _ => "the body is no JSON: ",
    };
    let place = if matches!(place, "." | "?") { String::new() } else { format!("{place}: ") };
    format!("{introduction}{place}{}", in_words_of_json(&error.to_string()))
}

/// How axum begins what it says of query parameters.
pub(crate) const OF_A_QUERY: &str = "Failed to deserialize query string: ";

/// How axum begins its sentences, and how they begin here.
const INTRODUCTIONS: [(&str, &str); 2] = [
    (OF_A_QUERY, "the query parameters are not what this route takes: "),
    ("Request body didn't contain valid UTF-8: ", "the body is no UTF-8 text: "),
];

/// How serde begins to say that something stands where something else is meant.
const FAULTS: [&str; 2] = ["invalid type: ", "invalid value: "];
const EXPECTED: &str = ", expected ";

/// What serde says of one value. All but its ends may hold what the client sent.
fn in_words_of_json(said: &str) -> String {
    let fault = FAULTS.iter().find_map(|fault| Some((*fault, said.strip_prefix(fault)?)));
    let parts = fault.and_then(|(fault, rest)| Some((fault, rest.rsplit_once(EXPECTED)?)));
    let Some((fault, (found, wanted))) = parts else { return said.to_owned() };
    format!("{fault}{}{EXPECTED}{}", found_plainly(found), plainly(wanted))
}

/// What was found, as JSON calls it.
fn found_plainly(found: &str) -> String {
    let quoted = |kind: &str| found.strip_prefix(kind)?.strip_prefix(" `")?.strip_suffix('`');
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        "unit value" => "null".to_owned(),
        _ => match (found.strip_prefix("string "), quoted("boolean")) {
            (Some(text), _) => format!("the text {text}"),
            (None, Some(value)) => value.to_owned(),
            (None, None) => match quoted("integer").or_else(|| quoted("floating point")) {
                Some(number) => format!("the number {number}"),
                None => found.to_owned(),
            },
        },
    }
}

/// A Rust type as what JSON has in its place; the position behind it stays.
fn plainly(wanted: &str) -> String {
    let (wanted, place) = wanted.find(" at line ").map_or((wanted, ""), |at| wanted.split_at(at));
    let plain = match wanted {
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number that is not too large, and not below 0",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number that is not too large",
        "f32" | "f64" => "a number",
        _ if wanted.starts_with("struct ") => "an object",
        _ if wanted.contains("enum ") => "one of the words that the API's document names",
        _ if wanted.starts_with("a string") || wanted == "a borrowed string" => "a text",
        _ => wanted,
    };
    format!("{plain}{place}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::{of_json, plain};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read, and never looked at")]
    struct Thing {
        #[serde(default)]
        name: String,
        #[serde(default)]
        limit: u8,
        #[serde(default)]
        is_open: bool,
        #[serde(default)]
        parts: Vec<Thing>,
        #[serde(default)]
        settings: BTreeMap<String, u8>,
    }

    #[test]
    fn what_is_wrong_is_said_in_words_of_json() {
        for (sent, expected) in [
            ("5", "invalid type: the number 5, expected an object"),
            ("[]", "invalid type: a list, expected an object"),
            (r#"{"parts":[{},[]]}"#, "parts[1]: invalid type: a list, expected an object"),
            (r#"{"parts":["x"]}"#, r#"parts[0]: invalid type: the text "x", expected an object"#),
            (r#"{"parts":{}}"#, "parts: invalid type: an object, expected a list"),
            (r#"{"name":{}}"#, "name: invalid type: an object, expected a text"),
            (r#"{"name":null}"#, "name: invalid type: null, expected a text"),
            (r#"{"name":true}"#, "name: invalid type: true, expected a text"),
            (r#"{"is_open":1.5}"#, "is_open: invalid type: the number 1.5, expected true or false"),
            (
                r#"{"limit":300}"#,
                "limit: invalid value: the number 300, expected a whole number that is not too large, and not below 0",
            ),
            (
                r#"{"limit":-1.0}"#,
                "limit: invalid type: the number -1.0, expected a whole number that is not too large, and not below 0",
            ),
            // What a client sent stays as it is.
            (
                r#"{"parts":[", expected struct X, sequence"]}"#,
                r#"parts[0]: invalid type: the text ", expected struct X, sequence", expected an object"#,
            ),
            (
                r#"{"settings":{"invalid type: map, expected u8":"map"}}"#,
                "settings.invalid type: map, expected u8: invalid type: the text \"map\", expected a whole number that is not \
                 too large, and not below 0",
            ),
            (r#"{"a":1}"#, "a: unknown field `a`, expected one of `name`, `limit`, `is_open`, `parts`, `settings`"),
        ] {
            let mut json = serde_json::Deserializer::from_str(sent);
            let read: Result<Thing, _> = serde_path_to_error::deserialize(crate::strict::Strict(&mut json));
            let error = read.unwrap_err();
            let said = of_json(&error.path().to_string(), error.inner());
            let expected = format!("the body is not what this route takes: {expected} at line 1 column ");
            assert!(said.starts_with(&expected), "{sent}: {said}");
        }
        let broken = serde_json::from_str::<Thing>("{").unwrap_err();
        assert_eq!(of_json(".", &broken), "the body is no JSON: EOF while parsing an object at line 1 column 1");
    }

    #[test]
    fn what_is_wrong_with_query_parameters_is_said_in_the_same_words() {
        let query = "Failed to deserialize query string: ";
        let ours = "the query parameters are not what this route takes: ";
        for (said, expected) in [
            (
                "limit: invalid type: string \"1\", expected u32",
                "limit: invalid type: the text \"1\", expected a whole number that is not too large, and not below 0",
            ),
            ("limit: invalid digit found in string", "limit: invalid digit found in string"),
            ("unknown field `a`, expected one of `b`, `c`", "unknown field `a`, expected one of `b`, `c`"),
            (
                "unknown variant `u32, expected u32`, expected `b`",
                "unknown variant `u32, expected u32`, expected `b`",
            ),
        ] {
            assert_eq!(plain(&format!("{query}{said}")), format!("{ours}{expected}"));
        }
        assert_eq!(plain("something else"), "something else");
    }
}
