//! From text to sections: TOML, the names of settings, and of what kind each value is.
//!
//! serde stops at the first thing that it cannot read. Here that is noted and taken out of the document, and the rest is read
//! again, so that all such things are found. What is left is never used; it is only looked at for further problems.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue, Deserializer};

use super::inventory_location::without_urls;
use super::problems::Problems;

/// Each costs another reading of the whole.
const TAKEN_OUT_MAX: usize = 200;

/// Reads the sections; what cannot be read is noted, and left out.
pub(super) fn read<T: for<'de> Deserialize<'de> + Default>(text: &str, problems: &mut Problems) -> T {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    let mut is_torn = false;
    for error in errors {
        let at = start(error.span());
        is_torn |= is_in_header(text, at);
        // One slip may be several errors to a parser.
        if !problems.is_noted_on_line_of(text, at) {
            problems.note(at, words(error.message()));
        }
    }
    if is_torn {
        // What follows a header that is none seems to be in another section than was meant.
        return T::default();
    }
    for _ in 0..TAKEN_OUT_MAX {
        let error = match T::deserialize(Deserializer::from(document.clone())) {
            Ok(sections) => return sections,
            Err(error) => error,
        };
        let at = start(error.span());
        if !problems.is_noted_on_line_of(text, at) {
            problems.note(at, words(error.message()));
        }
        let is_out = error.span().is_some_and(|span| take_out_of_table(document.get_mut(), &span));
        if !is_out {
            break;
        }
    }
    T::default()
}

fn is_in_header(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or(text);
    before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with('['))
}

fn start(span: Option<Range<usize>>) -> usize {
    span.map_or(0, |span| span.start)
}

/// Takes the innermost entry out whose name or value the span is; false when there is none.
fn take_out_of_table<'i>(table: &mut DeTable<'i>, span: &Range<usize>) -> bool {
    if table.iter_mut().any(|(_, value)| take_out_of_value(value, span)) {
        return true;
    }
    let entries = table.len();
    let stays =
        |(name, value): &(Spanned<DeString<'i>>, Spanned<DeValue<'i>>)| name.span() != *span && value.span() != *span;
    *table = std::mem::take(table).into_iter().filter(stays).collect();
    table.len() < entries
}

fn take_out_of_value(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => take_out_of_table(table, span),
        DeValue::Array(array) => take_out_of_array(array, span),
        _ => false,
    }
}

fn take_out_of_array(array: &mut DeArray<'_>, span: &Range<usize>) -> bool {
    if array.iter_mut().any(|value| take_out_of_value(value, span)) {
        return true;
    }
    let values = array.len();
    *array = array.iter().filter(|value| value.span() != *span).cloned().collect();
    array.len() < values
}

/// What the parser says, without what it has found: that may be a secret that is out of place.
fn words(message: &str) -> String {
    let message = without_urls(message);
    match (message.find("string \""), message.rfind("\", expected")) {
        (Some(begin), Some(end)) if begin < end => format!("{}string{}", &message[..begin], &message[end + 1..]),
        _ => message,
    }
}
