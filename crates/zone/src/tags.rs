//! Words that an owner sorts zones by: `customers`, `berlin`, `2026`.
//!
//! Invariants: each is there once, in lower case and in order; there are at most [`TAGS_MAX`], each of at most
//! [`TAG_CHARACTERS_MAX`] characters, so that what a zone costs in memory and in lists is bounded. What they mean is the
//! owner's own: nothing here goes by them.

use std::collections::BTreeSet;
use std::fmt;

use crate::is_unseen;

/// More than anybody sorts by, and few enough for a line of a list.
pub const TAGS_MAX: usize = 16;
/// A long word. In octets it is at most four times as much.
pub const TAG_CHARACTERS_MAX: usize = 32;

/// The tags of a zone. As text, in which they are kept: with a space between each two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Box<str>);

/// Why something is no tag, or too many are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("a tag is empty: write it as letters and digits, like customers")]
    Empty,
    #[error("the tag {0:?} is too long: at most {TAG_CHARACTERS_MAX} characters")]
    TooLong(String),
    #[error(
        "{tag:?} is no tag because of {character:?}: it is of letters and digits, with . - _ or : between them, like \
         customers or site:berlin"
    )]
    Character { tag: String, character: char },
    #[error("a zone has at most {TAGS_MAX} tags, and these are {0}")]
    TooMany(usize),
}

impl Tags {
    /// Reads tags as people type them, in any order and case.
    ///
    /// # Errors
    /// [`TagError`], for the first that is none.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, TagError> {
        let mut tags = BTreeSet::new();
        let mut count = 0;
        for word in words {
            count += 1;
            // Of what a stranger sends no more is kept than a zone may have, and one.
            if tags.len() <= TAGS_MAX {
                tags.insert(tag(word)?);
            }
        }
        if tags.len() > TAGS_MAX {
            return Err(TagError::TooMany(count));
        }
        Ok(Self::of(&tags))
    }

    /// Reads what [`Tags::as_str`] gave, maybe of another version of this program: what would be no tag any more is left out.
    pub fn from_stored(text: &str) -> Self {
        let words = text.split(' ').filter_map(|word| tag(word).ok());
        Self::of(&words.take(TAGS_MAX).collect())
    }

    fn of(tags: &BTreeSet<String>) -> Self {
        let words: Vec<&str> = tags.iter().map(String::as_str).collect();
        Self(words.join(" ").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|tag| !tag.is_empty())
    }

    /// Whether `tag` is one of them; it is in lower case.
    pub fn has(&self, tag: &str) -> bool {
        self.iter().any(|one| one == tag)
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads one tag.
///
/// # Errors
/// [`TagError`].
pub fn tag(word: &str) -> Result<String, TagError> {
    if word.is_empty() {
        return Err(TagError::Empty);
    }
    // Before anything is made of it, so that nobody's megabyte is put into a sentence.
    if word.chars().nth(TAG_CHARACTERS_MAX).is_some() {
        return Err(TagError::TooLong(word.chars().take(TAG_CHARACTERS_MAX).chain(['…']).collect()));
    }
    let is_seen = |character: char| character.is_alphanumeric() && !is_unseen(character);
    let is_part = |character: char| is_seen(character) || ".-_:".contains(character);
    if let Some(character) = word.chars().find(|character| !is_part(*character)) {
        return Err(TagError::Character { tag: word.to_owned(), character });
    }
    let lower = word.to_lowercase();
    // In a few scripts it takes more characters.
    if lower.chars().nth(TAG_CHARACTERS_MAX).is_some() {
        return Err(TagError::TooLong(lower));
    }
    match lower.chars().find(|character| !is_part(*character)) {
        Some(character) => Err(TagError::Character { tag: word.to_owned(), character }),
        None => Ok(lower),
    }
}

#[cfg(test)]
mod tests {
    use super::{TAG_CHARACTERS_MAX, TAGS_MAX, TagError, Tags, tag};

    #[test]
    fn tags_are_there_once_in_lower_case_and_in_order() {
        let tags = Tags::read(["site:berlin", "Customers", "customers", "Übung", "2026"]).unwrap();
        assert_eq!(tags.as_str(), "2026 customers site:berlin übung");
        assert_eq!(tags.iter().collect::<Vec<_>>(), ["2026", "customers", "site:berlin", "übung"]);
        assert!(tags.has("customers") && !tags.has("customer") && !tags.has("") && !tags.has("2026 customers"));
        assert_eq!(Tags::from_stored(tags.as_str()), tags);
        assert!(Tags::read([]).unwrap().is_empty() && Tags::from_stored("").iter().next().is_none());
    }

    #[test]
    fn what_is_no_tag_is_refused_with_a_sentence() {
        for (word, says) in [
            ("", "a tag is empty"),
            ("two words", "' '"),
            ("a,b", "','"),
            ("<script>", "'<'"),
            ("line\nbreak", "'\\n'"),
            ("\u{202e}gnp", "'\\u{202e}'"),
        ] {
            let error = tag(word).unwrap_err().to_string();
            assert!(error.contains(says), "{word:?}: {error}");
        }
        let long = "x".repeat(TAG_CHARACTERS_MAX);
        assert!(tag(&long).is_ok());
        assert!(matches!(tag(&format!("{long}y")), Err(TagError::TooLong(_))));
        assert!(tag(&"ß".repeat(1_000_000)).unwrap_err().to_string().len() < 200, "what is said of it is bounded");
        // Its lower case is an i and a dot above.
        assert!(tag("\u{130}").is_err());
    }

    #[test]
    fn a_zone_has_so_many_tags_and_no_more() {
        let words: Vec<String> = (0..=TAGS_MAX).map(|number| format!("tag-{number}")).collect();
        let read = |count: usize| Tags::read(words.iter().take(count).map(String::as_str));
        assert_eq!(read(TAGS_MAX).unwrap().iter().count(), TAGS_MAX);
        assert_eq!(read(TAGS_MAX + 1), Err(TagError::TooMany(TAGS_MAX + 1)));
    }

    #[test]
    fn what_another_version_wrote_is_left_out_and_loses_no_zone() {
        assert_eq!(Tags::from_stored("b a  A <x>").as_str(), "a b");
        let many: Vec<String> = (10..99).map(|number| number.to_string()).collect();
        assert_eq!(Tags::from_stored(&many.join(" ")).iter().count(), TAGS_MAX);
    }
}
