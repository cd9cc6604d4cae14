//! `knot.conf`: sections of items, a part of YAML. A zone has a `master`, which names remotes, or a template that does.

use std::collections::HashMap;

use super::nsd::at_port;
use super::{Gathered, ListLine, Otherwise, included, listed, wrong};

/// An item of a section: `- KEY: VALUE` and what stands below it.
#[derive(Clone, Debug, Default)]
struct Item {
    line: u64,
    settings: HashMap<String, Vec<String>>,
}

impl Item {
    fn all(&self, name: &str) -> &[String] {
        self.settings.get(name).map_or(&[], Vec::as_slice)
    }

    fn one(&self, name: &str) -> &str {
        self.all(name).first().map_or("", String::as_str)
    }
}

type Sections = HashMap<String, Vec<Item>>;

pub(super) fn read(text: &str, otherwise: &Otherwise) -> Vec<ListLine> {
    let mut found = Vec::new();
    let sections = sections(text, &mut found);
    let by_id = |section: &str| -> HashMap<String, &Item> {
        let items = sections.get(section).map_or(&[][..], Vec::as_slice);
        items.iter().map(|item| (item.one("id").to_owned(), item)).collect()
    };
    let (remotes, templates) = (by_id("remote"), by_id("template"));
    let groups = by_id("remotes");
    for zone in sections.get("zone").into_iter().flatten() {
        let name = zone.one("domain");
        if name.is_empty() {
            found.push(wrong(zone.line, "the zone that begins here has no domain"));
            continue;
        }
        let template = match zone.one("template") {
            "" => templates.get("default"),
            id => templates.get(id),
        };
        let masters = match (zone.all("master"), template) {
            ([], Some(template)) => template.all("master"),
            (own, _) => own,
        };
        match primaries(masters, &remotes, &groups) {
            Ok(gathered) => found.push((zone.line, listed(name, &gathered.written, otherwise))),
            Err(detail) => found.push(wrong(zone.line, format!("the zone {name}: {detail}"))),
        }
    }
    found
}

/// The addresses of remotes, and of those of groups of them.
fn primaries(
    masters: &[String],
    remotes: &HashMap<String, &Item>,
    groups: &HashMap<String, &Item>,
) -> Result<Gathered, String> {
    let mut gathered = Gathered::default();
    for master in masters {
        let ids = groups.get(master).map_or(std::slice::from_ref(master), |group| group.all("remote"));
        for id in ids {
            let remote = remotes.get(id);
            let remote =
                remote.ok_or_else(|| format!("there is no remote {id:?} here: is it in a file that is included?"))?;
            for address in remote.all("address") {
                gathered.look()?;
                gathered.push(at_port(address), Some(remote.one("key")).filter(|key| !key.is_empty()));
            }
        }
    }
    Ok(gathered)
}

fn sections(text: &str, found: &mut Vec<ListLine>) -> Sections {
    let mut sections = Sections::new();
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index as u64 + 1;
        let content = without_comment(line);
        let is_inner = content.starts_with([' ', '\t', '-']);
        let content = content.trim();
        let (is_new, content) = content.strip_prefix('-').map_or((false, content), |rest| (true, rest.trim_start()));
        let Some((key, value)) = content.split_once(':') else { continue };
        let (key, values) = (key.trim(), values(value));
        match (is_inner, sections.entry(section.clone()).or_default()) {
            (false, _) if key == "include" => {
                let file = values.first().map_or("?", String::as_str);
                found.push(included(number, file));
            }
            (false, _) => key.clone_into(&mut section),
            (true, items) => {
                if is_new || items.is_empty() {
                    items.push(Item { line: number, settings: HashMap::new() });
                }
                if let Some(item) = items.last_mut() {
                    item.settings.entry(key.to_owned()).or_default().extend(values);
                }
            }
        }
    }
    sections
}

/// `a`, `"a"` or `[a, "b"]`.
fn values(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = text.strip_prefix('[').map_or(text, |rest| rest.trim_end_matches(']'));
    let plain = inner.split(',').map(|value| value.trim().trim_matches(['"', '\'']).to_owned());
    plain.filter(|value| !value.is_empty()).collect()
}

fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (place, character) in line.char_indices() {
        match (character, quote) {
            ('#', None) => return &line[..place],
            ('"' | '\'', None) => quote = Some(character),
            (character, Some(open)) if character == open => quote = None,
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::ListFormat::Knot;
    use super::super::tests::found;

    #[test]
    fn zones_their_templates_and_remotes_say_where_they_are_copied_from() {
        let text = "# Knot\nremote:\n  - id: one\n    address: [ 192.0.2.1, 2001:db8::1@5353 ]\n    key: k.test # ours\n  - id: two\n    address: \"192.0.2.2@54\"\n\
                    template:\n  - id: default\n    storage: /x\n  - id: copied\n    master: [one, two]\n\
                    zone:\n  - domain: one.test\n    master: two\n  - domain: \"two.test\"\n    template: copied\n  - domain: three.test\n    file: three\n\
                    - domain: four.test\n  master: nobody\ninclude: more.conf\n";
        assert_eq!(
            found(text, Knot, Some("192.0.2.100")),
            [
                "14 one.test. 192.0.2.2:54",
                "16 two.test. 192.0.2.1:53/k.test.,[2001:db8::1]:5353/k.test.,192.0.2.2:54",
                "18 three.test. 192.0.2.100:53",
                "20 ? list_invalid",
                "22 ? list_invalid",
            ]
        );
    }
}
