//! What is wrong with a body or a query that could not be read, in words for those who have not read our source.
//!
//! The libraries that read them say it in Rust's terms: "invalid type: string, expected struct AddZone". What stands
//! behind the last "expected" is theirs alone, and is said otherwise here; all before it may hold what the client sent, and
//! stays.

/// What a library says, in plain words.
pub(crate) fn plain(said: &str) -> String {
    let why = INTRODUCTIONS.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", said.strip_prefix(theirs)?)));
    let why = why.unwrap_or_else(|| said.to_owned());
    match why.rsplit_once(EXPECTED) {
        Some((before, wanted)) if before.contains("invalid ") => format!("{before}{EXPECTED}{}", plainly(wanted)),
        _ => why,
    }
}

/// How axum begins what it says of query parameters.
pub(crate) const OF_A_QUERY: &str = "Failed to deserialize query string: ";

const EXPECTED: &str = ", expected ";

/// How axum begins its sentences, and how they begin here.
const INTRODUCTIONS: [(&str, &str); 4] = [
    ("Failed to deserialize the JSON body into the target type: ", "the body is not what this route takes: "),
    ("Failed to parse the request body as JSON: ", "the body is no JSON: "),
    (OF_A_QUERY, "the query parameters are not what this route takes: "),
    ("Request body didn't contain valid UTF-8: ", "the body is no UTF-8 text: "),
];

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
    use super::plain;

    #[test]
    fn what_is_wrong_is_said_in_words_of_json() {
        let body = "Failed to deserialize the JSON body into the target type: ";
        for (said, expected) in [
            (
                "primaries[0]: invalid type: string \"x\", expected struct Primary at line 1 column 30",
                "primaries[0]: invalid type: string \"x\", expected an object at line 1 column 30",
            ),
            (
                "limit: invalid type: string \"1\", expected u32",
                "limit: invalid type: string \"1\", expected a whole number that is not too large, and not below 0",
            ),
            (
                "name: invalid type: map, expected a string at line 1 column 9",
                "name: invalid type: map, expected a text at line 1 column 9",
            ),
            // What a client sent stays as it is.
            (
                "invalid type: string \", expected struct X at line\", expected a map",
                "invalid type: string \", expected struct X at line\", expected an object",
            ),
            ("missing field `name` at line 1 column 2", "missing field `name` at line 1 column 2"),
            ("unknown field `a`, expected one of `b`, `c`", "unknown field `a`, expected one of `b`, `c`"),
            (
                "unknown variant `u32, expected u32`, expected `b`",
                "unknown variant `u32, expected u32`, expected `b`",
            ),
        ] {
            assert_eq!(plain(&format!("{body}{said}")), format!("the body is not what this route takes: {expected}"));
        }
        assert_eq!(
            plain("Failed to parse the request body as JSON: EOF while parsing an object at line 1 column 1"),
            "the body is no JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(plain("something else"), "something else");
    }
}
