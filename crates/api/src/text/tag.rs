//! Tags as people and programs write them.

use zone::{Tags, tags};

use crate::problem::{Code, Problem};

/// Reads one tag.
///
/// # Errors
/// [`Code::TagInvalid`].
pub fn tag(text: &str) -> Result<String, Problem> {
    tags::tag(text.trim()).map_err(|error| invalid(&error))
}

/// Reads a zone's tags, one in each text.
///
/// # Errors
/// [`Code::TagInvalid`].
pub fn tags<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Tags, Problem> {
    Tags::read(texts.into_iter().map(|text| text.trim())).map_err(|error| invalid(&error))
}

/// Reads tags out of one field, with spaces or commas between.
///
/// # Errors
/// [`Code::TagInvalid`].
pub fn listed_tags(text: &str) -> Result<Tags, Problem> {
    let words = text.split(|character: char| character == ',' || character.is_whitespace());
    Tags::read(words.filter(|word| !word.is_empty())).map_err(|error| invalid(&error))
}

fn invalid(error: &tags::TagError) -> Problem {
    Problem::new(Code::TagInvalid, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{listed_tags, tag, tags};
    use crate::problem::Code;

    #[test]
    fn tags_are_read_one_by_one_and_out_of_one_field() {
        assert_eq!(tag(" Berlin ").unwrap(), "berlin");
        assert_eq!(tags(&["b".to_owned(), "A".to_owned()]).unwrap().as_str(), "a b");
        assert_eq!(listed_tags(" b, A\tc,,\n").unwrap().as_str(), "a b c");
        assert!(listed_tags(" , ").unwrap().is_empty());
        for wrong in ["a b", "", "a/b", "a\u{3164}", "\u{115f}"] {
            assert_eq!(tag(wrong).unwrap_err().code(), Code::TagInvalid, "{wrong:?}");
        }
        assert_eq!(listed_tags("fine <b>").unwrap_err().code(), Code::TagInvalid);
    }
}
