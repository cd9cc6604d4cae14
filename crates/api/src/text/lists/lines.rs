//! Our own lines. A name alone is a zone that is copied from where all others are.

use super::{ListLine, Otherwise, listed};
use crate::text::import::import_line;

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let line = |(index, line): (usize, &str)| {
        let content = line.split('#').next().unwrap_or_default();
        let mut words = content.split_whitespace();
        let is_name_alone = words.next().is_some() && words.next().is_none();
        let what = if is_name_alone && !otherwise.primaries.is_empty() {
            listed(content.trim(), &[], otherwise)
        } else {
            import_line(line)
        };
        (index as u64 + 1, what)
    };
    text.lines().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::Lines;
    use super::super::tests::found;

    #[test]
    fn a_name_alone_is_copied_from_where_all_are() {
        let text = "a.test 192.0.2.1 k\n\nb.test # alone\n";
        assert_eq!(found(text, Lines, None), ["1 a.test. 192.0.2.1:53/k.", "2", "3 b.test. primary_invalid"]);
        assert_eq!(found(text, Lines, Some("192.0.2.9"))[2], "3 b.test. 192.0.2.9:53");
    }
}
