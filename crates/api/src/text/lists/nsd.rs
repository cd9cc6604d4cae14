//! `nsd.conf`: clauses `zone:` and `pattern:`, each with attributes of one line.

use std::collections::HashMap;

use super::{DEPTH_MAX, Gathered, ListLine, Otherwise, included, listed, wrong};

/// A clause with what is set in it.
#[derive(Clone, Debug, Default)]
struct Clause {
    kind: String,
    line: u64,
    /// Each attribute with its words, and its line.
    attributes: Vec<(String, Vec<String>, u64)>,
}

impl Clause {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [String]> {
        self.attributes.iter().filter(move |(attribute, ..)| attribute == name).map(|(_, words, _)| &words[..])
    }

    fn name(&self) -> Option<&str> {
        self.all("name").next()?.first().map(String::as_str)
    }
}

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let mut found = Vec::new();
    let clauses = clauses(text, &mut found);
    let named = clauses.iter().filter(|clause| clause.kind == "pattern");
    let patterns: HashMap<&str, &Clause> = named.filter_map(|clause| Some((clause.name()?, clause))).collect();
    for zone in clauses.iter().filter(|clause| clause.kind == "zone") {
        let Some(name) = zone.name() else {
            found.push(wrong(zone.line, "the zone that begins here has no name"));
            continue;
        };
        let mut gathered = Gathered::default();
        match primaries(zone, &patterns, 0, &mut gathered) {
            Ok(()) => found.push((zone.line, listed(name, &gathered.written, otherwise))),
            Err(detail) => found.push(wrong(zone.line, format!("the zone {name}: {detail}"))),
        }
    }
    found
}

fn primaries(
    clause: &Clause,
    patterns: &HashMap<&str, &Clause>,
    depth: usize,
    gathered: &mut Gathered,
) -> Result<(), String> {
    for words in clause.all("request-xfr") {
        gathered.look()?;
        let mut words = words.iter().filter(|word| !matches!(word.to_uppercase().as_str(), "AXFR" | "UDP"));
        let Some(address) = words.next() else { return Err("a request-xfr has no address".to_owned()) };
        let key = words.next().filter(|key| !matches!(key.as_str(), "NOKEY" | "BLOCKED"));
        if words.next().is_some() {
            return Err(format!("{address} is asked over TLS, which a list does not say in full: add it by itself"));
        }
        gathered.push(at_port(address), key.map(String::as_str));
    }
    for words in clause.all("include-pattern") {
        gathered.look()?;
        let name = words.first().map_or("", String::as_str);
        let pattern = patterns.get(name).filter(|_| depth < DEPTH_MAX);
        let pattern =
            pattern.ok_or_else(|| format!("there is no pattern {name:?} here: is it in a file that is included?"))?;
        primaries(pattern, patterns, depth + 1, gathered)?;
    }
    Ok(())
}

/// `192.0.2.1@5353` as we have it.
pub(super) fn at_port(address: &str) -> String {
    match address.split_once('@') {
        Some((address, port)) if address.contains(':') => format!("[{address}]:{port}"),
        Some((address, port)) => format!("{address}:{port}"),
        None => address.to_owned(),
    }
}

fn clauses(text: &str, found: &mut Vec<ListLine>) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index as u64 + 1;
        let mut words = words(line).into_iter();
        let Some(first) = words.next() else { continue };
        let Some(attribute) = first.strip_suffix(':') else { continue };
        let words: Vec<String> = words.collect();
        match (attribute, clauses.last_mut()) {
            ("include", _) => {
                let file = words.first().map_or("?", String::as_str);
                found.push(included(number, file));
            }
            (kind, _) if words.is_empty() => {
                clauses.push(Clause { kind: kind.to_owned(), line: number, attributes: Vec::new() });
            }
            (attribute, Some(clause)) => clause.attributes.push((attribute.to_owned(), words, number)),
            (_, None) => {}
        }
    }
    clauses
}

/// The words of a line; some have quotes, and none is behind a `#`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in line.chars() {
        match (character, quote) {
            ('"' | '\'', None) => quote = Some(character),
            (character, Some(open)) if character == open => {
                quote = None;
                words.push(std::mem::take(&mut word));
            }
            ('#', None) => break,
            (character, None) if character.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (character, _) => word.push(character),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::Nsd;
    use super::super::tests::found;

    #[test]
    fn zones_and_their_patterns_say_where_they_are_copied_from() {
        let text = "server:\n  ip-address: 192.0.2.100\npattern:\n  name: \"ours\"\n  request-xfr: AXFR 2001:db8::1@5353 k.test\n\
                    zone:\n  name: one.test\n  request-xfr: 192.0.2.1 NOKEY # first\n  request-xfr: 192.0.2.2@5353 \"k.test\"\n\
                    zone:\n  name: 'two.test'\n  include-pattern: ours\nzone:\n  name: three.test\n  zonefile: three\n\
                    zone:\n  zonefile: x\nzone:\n  name: four.test\n  include-pattern: elsewhere\ninclude: \"/etc/nsd/more.conf\"\n";
        assert_eq!(
            found(text, Nsd, Some("192.0.2.100")),
            [
                "6 one.test. 192.0.2.1:53,192.0.2.2:5353/k.test.",
                "10 two.test. [2001:db8::1]:5353/k.test.",
                "13 three.test. 192.0.2.100:53",
                "16 ? list_invalid",
                "18 ? list_invalid",
                "21 ? list_invalid",
            ]
        );
    }
}
