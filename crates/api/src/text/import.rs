//! Lines of an import: `NAME ADDR[:PORT][,ADDR[:PORT]…] [KEY] [tags=TAG,TAG…]`, `#` begins a comment.

use xfr::Primary;

use super::name::{key_name, zone_name};
use super::primary::address;
use super::tag::listed_tags;
use crate::doors::NewZone;
use crate::problem::{Code, Problem};

/// Before tags: no name of a key has such a sign.
const TAGS: &str = "tags=";

/// What a line of an import holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportLine {
    /// Nothing but space or a comment.
    Empty,
    Zone(NewZone),
    /// `name` is there if the line could be read that far.
    Wrong {
        name: Option<String>,
        problem: Problem,
    },
}

/// Reads one line, with or without its end.
pub fn import_line(line: &str) -> ImportLine {
    // A name never holds `#` without a backslash, and addresses never do, so that a comment may begin anywhere.
    // Editors on Windows begin files with a byte order mark.
    let content = line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default();
    let mut words = content.split_whitespace();
    let Some(name_text) = words.next() else {
        return ImportLine::Empty;
    };
    let name = match zone_name(name_text) {
        Ok(name) => name,
        Err(problem) => return ImportLine::Wrong { name: None, problem },
    };
    match zone(name.clone(), words) {
        Ok(zone) => ImportLine::Zone(zone),
        Err(problem) => ImportLine::Wrong { name: Some(name.to_string()), problem },
    }
}

fn zone<'a>(name: dns::Name, mut words: impl Iterator<Item = &'a str>) -> Result<NewZone, Problem> {
    let Some(addresses) = words.next() else {
        let detail =
            format!("the line of {name} has no primary; write it like: example.org 192.0.2.1,[2001:db8::1]:5353");
        return Err(Problem::new(Code::PrimaryInvalid, detail));
    };
    let (mut key, mut tags) = (None, None);
    for word in words {
        match word.strip_prefix(TAGS) {
            Some(listed) if tags.is_none() => tags = Some(listed_tags(listed)?),
            None if key.is_none() && tags.is_none() => key = Some(key_name(word)?),
            _ => return Err(too_much(&name, word)),
        }
    }

    let primaries = addresses
        .split(',')
        .map(|text| Ok(Primary { key: key.clone(), ..Primary::at(address(text)?) }))
        .collect::<Result<Vec<_>, Problem>>()?;
    let mut zone = NewZone::new(name, primaries)?;
    zone.tags = tags.unwrap_or_default();
    Ok(zone)
}

fn too_much(name: &dns::Name, word: &str) -> Problem {
    let form = "NAME ADDR[:PORT][,ADDR[:PORT]…] [KEY] [tags=TAG,TAG…]";
    let detail = format!("the line of {name} has {word:?} behind its key or its tags; write it as: {form}");
    Problem::new(Code::PrimaryInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::{ImportLine, import_line};
    use crate::problem::Code;

    #[test]
    fn a_line_holds_a_name_addresses_and_perhaps_a_key() {
        let ImportLine::Zone(zone) = import_line("Example.org\t192.0.2.1,[2001:db8::1]:5353 transfer.key # ours\r\n")
        else {
            panic!("not a zone");
        };
        assert_eq!(zone.name().to_string(), "Example.org.");
        let primaries: Vec<_> = zone.primaries().iter().map(|primary| primary.address.to_string()).collect();
        assert_eq!(primaries, ["192.0.2.1:53", "[2001:db8::1]:5353"]);
        assert!(zone.primaries().iter().all(|primary| primary.key == Some("transfer.key".parse().unwrap())));
    }

    #[test]
    fn a_line_may_end_with_tags() {
        for (line, has_key) in
            [("a.example 192.0.2.1 tags=Two,one", false), ("a.example 192.0.2.1 key tags=two,one", true)]
        {
            let ImportLine::Zone(zone) = import_line(line) else { panic!("not a zone") };
            assert_eq!((zone.tags.as_str(), zone.primaries()[0].key.is_some()), ("one two", has_key));
        }
    }

    #[test]
    fn comments_and_empty_lines_hold_nothing() {
        for line in ["", "  \t", "# example.org 192.0.2.1", "   # x", "\r\n"] {
            assert_eq!(import_line(line), ImportLine::Empty, "{line:?}");
        }
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong_and_for_which_name() {
        for (line, name, code) in [
            ("exa@mple 192.0.2.1", None, Code::ZoneNameInvalid),
            ("example.org", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1,", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1,192.0.2.1", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1 a..b", Some("example.org."), Code::KeyNameInvalid),
            ("example.org 192.0.2.1 key more", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1 tags=a key", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1 tags=a tags=b", Some("example.org."), Code::PrimaryInvalid),
            ("example.org 192.0.2.1 tags=a/b", Some("example.org."), Code::TagInvalid),
        ] {
            let ImportLine::Wrong { name: found, problem } = import_line(line) else {
                panic!("{line:?} was read");
            };
            assert_eq!((found.as_deref(), problem.code()), (name, code), "{line:?}");
        }
    }
}
