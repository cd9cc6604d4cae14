//! Lists of zones as people have them: our own lines, tables with a header, and the configurations of BIND, NSD, Knot and PowerDNS.
//!
//! A configuration says of a secondary zone where it is copied from, and that is taken over. Of a zone that is primary there, the
//! primary is that server itself, which the configuration does not say: whoever imports it does ([`Otherwise`]).
//!
//! Invariants: every zone that is named has a result, with the number of the line that names it; what cannot be read is said at its
//! line and keeps nothing else from being read; no file is opened that a configuration includes, which is said too. Pure, and
//! total: any text is read to its end.

mod knot;
mod lines;
mod named;
mod nsd;
mod pdns;
mod table;

use std::fmt;
use std::str::FromStr;

use dns::Name;
use xfr::Primary;

use super::import::ImportLine;
use super::name::{key_name, zone_name};
use super::primary::address;
use crate::doors::NewZone;
use crate::json::UnknownWord;
use crate::problem::{Code, Problem};

/// Nested deeper than that no configuration is.
const DEPTH_MAX: usize = 32;

/// Steps to the primaries of one zone: several times the primaries that one may have.
const LOOKS_MAX: usize = 200;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// A zone a line: `NAME ADDR[:PORT][,ADDR[:PORT]…] [KEY] [tags=TAG,TAG…]`.
    Lines,
    /// A table whose first line names its columns: `name`, `primaries`, `key`, `tags`.
    Csv,
    /// BIND's `named.conf`.
    Named,
    /// `nsd.conf`.
    Nsd,
    /// `knot.conf`.
    Knot,
    /// What `pdnsutil list-all-zones` prints, or what PowerDNS's API answers at `/servers/localhost/zones`.
    PowerDns,
}

impl ListFormat {
    pub const ALL: [Self; 6] = [Self::Lines, Self::Csv, Self::Named, Self::Nsd, Self::Knot, Self::PowerDns];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Csv => "csv",
            Self::Named => "named",
            Self::Nsd => "nsd",
            Self::Knot => "knot",
            Self::PowerDns => "powerdns",
        }
    }
}

impl ListFormat {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Csv => "a table (CSV)",
            Self::Named => "BIND's named.conf",
            Self::Nsd => "nsd.conf",
            Self::Knot => "knot.conf",
            Self::PowerDns => "PowerDNS's list",
        }
    }
}

impl fmt::Display for ListFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ListFormat {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| UnknownWord { text: text.to_owned(), known: Self::ALL.map(Self::as_str).join(", ") })
    }
}

/// Where zones are copied from of which a list does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Otherwise {
    pub primaries: Vec<Primary>,
}

/// What a list has at a line.
pub type ListLine = (u64, ImportLine);

/// Reads a list, in the order of its lines.
pub fn read_list(text: &str, format: ListFormat, otherwise: &Otherwise) -> Vec<ListLine> {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = match format {
        ListFormat::Lines => lines::read(text, otherwise),
        ListFormat::Csv => table::read(text, otherwise),
        ListFormat::Named => named::read(text, otherwise),
        ListFormat::Nsd => nsd::read(text, otherwise),
        ListFormat::Knot => knot::read(text, otherwise),
        ListFormat::PowerDns => pdns::read(text, otherwise),
    };
    found.sort_by_key(|(line, _)| *line);
    found
}

/// The format that a text most likely is.
pub fn likely_format(text: &str) -> ListFormat {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with(['[', '{']) {
        return ListFormat::PowerDns;
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if table::is_header(lines.clone().next().unwrap_or_default()) {
        return ListFormat::Csv;
    }
    let found = lines.find_map(|line| {
        let first = line.split([' ', '\t', '"', '{']).next().unwrap_or_default();
        match first {
            "zone" | "options" | "key" | "acl" | "include" | "view" | "logging" | "masters" | "primaries"
            | "controls"
                if line.contains(['{', ';']) || line.contains('"') =>
            {
                Some(ListFormat::Named)
            }
            "//" | "/*" => Some(ListFormat::Named),
            "-" => Some(ListFormat::Knot),
            "domain:" => Some(ListFormat::Knot),
            "name:" | "request-xfr:" | "zonefile:" | "pattern:" => Some(ListFormat::Nsd),
            "All" if line.starts_with("All zonecount") => Some(ListFormat::PowerDns),
            _ => None,
        }
    });
    found.unwrap_or(ListFormat::Lines)
}

/// A primary as a configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    /// As in [`address`].
    address: String,
    key: Option<String>,
}

/// The primaries of one zone, as they are found where a configuration leads to.
#[derive(Default)]
struct Gathered {
    written: Vec<Written>,
    looks: usize,
}

impl Gathered {
    /// Before each step: lists that name each other over and over lead to nothing.
    fn look(&mut self) -> Result<(), String> {
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            return Err("its primaries are lists of lists without an end".to_owned());
        }
        Ok(())
    }

    fn push(&mut self, address: String, key: Option<&str>) {
        self.written.push(Written { address, key: key.map(str::to_owned) });
    }
}

/// The zone that a configuration names there, copied from these, or from where others are copied when there are none.
fn listed(name: &str, written: &[Written], otherwise: &Otherwise) -> ImportLine {
    match zone_name(name) {
        Err(problem) => ImportLine::Wrong { name: None, problem },
        Ok(name) => {
            let text = name.to_string();
            zone(name, written, otherwise)
                .map_or_else(|problem| ImportLine::Wrong { name: Some(text), problem }, ImportLine::Zone)
        }
    }
}

fn zone(name: Name, written: &[Written], otherwise: &Otherwise) -> Result<NewZone, Problem> {
    if !written.is_empty() {
        let mut primaries: Vec<Primary> = Vec::new();
        for one in written {
            let at =
                Primary { key: one.key.as_deref().map(key_name).transpose()?, ..Primary::at(address(&one.address)?) };
            // A list of primaries that is named twice has each twice.
            if !primaries.contains(&at) {
                primaries.push(at);
            }
        }
        return NewZone::new(name, primaries);
    }
    if otherwise.primaries.is_empty() {
        let detail = format!(
            "the list does not say where {name} is copied from, as of a zone that is primary there: say it for all such zones, \
             with --primary or in the field below the list"
        );
        return Err(Problem::new(Code::PrimaryInvalid, detail));
    }
    NewZone::new(name, otherwise.primaries.clone())
}

/// Something at a line that is no zone and should be known.
fn wrong(line: u64, detail: impl Into<String>) -> ListLine {
    (line, ImportLine::Wrong { name: None, problem: Problem::new(Code::ListInvalid, detail) })
}

/// A file that a configuration includes: what a list names is nothing that we may open.
fn included(line: u64, file: &str) -> ListLine {
    wrong(line, format!("the file {file} is included here and not read: import it too"))
}

/// Names that every server answers by itself, and no secondary copies (RFC 6303 §4, RFC 6761 §6.3).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_lowercase();
    matches!(
        name.as_str(),
        "localhost" | "0.in-addr.arpa" | "127.in-addr.arpa" | "0.0.127.in-addr.arpa" | "255.in-addr.arpa" | ""
    )
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};
    use proptest::sample::select;

    use super::{ListFormat, Otherwise, likely_format, read_list};
    use crate::text::ImportLine;

    /// What is found in a text: line, name, and either primaries with their keys or the problem's code.
    pub(super) fn found(text: &str, format: ListFormat, primary: Option<&str>) -> Vec<String> {
        let primaries = primary.map(|text| crate::text::primary(text).unwrap()).into_iter().collect();
        let show = |line: u64, what: ImportLine| match what {
            ImportLine::Empty => format!("{line}"),
            ImportLine::Zone(zone) => {
                let primaries = zone.primaries().iter().map(|primary| match &primary.key {
                    Some(key) => format!("{}/{key}", primary.address),
                    None => primary.address.to_string(),
                });
                format!("{line} {} {}", zone.name(), primaries.collect::<Vec<_>>().join(","))
            }
            ImportLine::Wrong { name, problem } => {
                format!("{line} {} {}", name.unwrap_or_else(|| "?".into()), problem.code())
            }
        };
        read_list(text, format, &Otherwise { primaries }).into_iter().map(|(line, what)| show(line, what)).collect()
    }

    #[test]
    fn a_format_is_known_by_its_text() {
        for (text, format) in [
            ("", ListFormat::Lines),
            ("# ours\nexample.org 192.0.2.1\n", ListFormat::Lines),
            ("name,primaries\nexample.org,192.0.2.1\n", ListFormat::Csv),
            ("\u{feff}Name;Primaries\n", ListFormat::Csv),
            ("// named\nzone \"example.org\" { type slave; };\n", ListFormat::Named),
            ("options { directory \"/x\"; };\n", ListFormat::Named),
            ("server:\n  ip-address: 192.0.2.1\nzone:\n  name: example.org\n", ListFormat::Nsd),
            ("zone:\n  - domain: example.org\n", ListFormat::Knot),
            ("example.org\nexample.net\nAll zonecount:2\n", ListFormat::PowerDns),
            ("[{\"name\": \"example.org.\"}]", ListFormat::PowerDns),
        ] {
            assert_eq!(likely_format(text), format, "{text}");
        }
    }

    #[test]
    fn lists_that_name_each_other_over_and_over_end() {
        let mut named = String::from("zone \"a.test\" { type secondary; primaries { l0; }; };\n");
        let mut nsd = String::from("zone:\n  name: a.test\n  include-pattern: l0\n");
        for number in 0..30 {
            let next = number + 1;
            named.push_str(&format!("primaries l{number} {{ l{next}; l{next}; }};\n"));
            nsd.push_str(&format!(
                "pattern:\n  name: l{number}\n  include-pattern: l{next}\n  include-pattern: l{next}\n"
            ));
        }
        named.push_str("primaries l30 { };\n");
        nsd.push_str("pattern:\n  name: l30\n");
        assert_eq!(found(&named, ListFormat::Named, None), ["1 ? list_invalid"]);
        assert_eq!(found(&nsd, ListFormat::Nsd, None), ["1 ? list_invalid"]);
        let many = vec!["r"; 300].join(", ");
        let knot =
            format!("remote:\n  - id: r\n    address: 192.0.2.1\nzone:\n  - domain: a.test\n    master: [{many}]\n");
        assert_eq!(found(&knot, ListFormat::Knot, None), ["5 ? list_invalid"]);
    }

    #[test]
    fn any_text_is_read_to_its_end_in_any_format() {
        let texts = [
            "zone \"",
            "zone {",
            "zone \"a\" {{{{",
            "}}}};;;",
            "/* never ends",
            "- - - :",
            "zone:\n  - domain: [",
            "\"",
            "[{",
            "name,\"primaries\nx",
            "zone:\n name:\n request-xfr: AXFR",
            "\u{0}\u{feff}\r\r\n",
            "key: 'a",
            "a\\",
            "{\"a\":",
        ];
        for text in texts {
            for format in ListFormat::ALL {
                read_list(text, format, &Otherwise::default());
                read_list(&text.repeat(1_000), format, &Otherwise::default());
            }
        }
    }

    /// What lists are made of, in any order.
    const PIECES: &[&str] = &[
        "zone",
        "zone:",
        " ",
        "\n",
        "\n  ",
        "\n- ",
        "{",
        "}",
        ";",
        "\"",
        "'",
        "a.test",
        "b.test.",
        "..",
        "192.0.2.1",
        "2001:db8::1",
        "@53",
        "type",
        "secondary",
        "primary",
        "primaries",
        "masters",
        "view",
        "include",
        "key",
        "port",
        "l1",
        "name:",
        "pattern:",
        "include-pattern:",
        "request-xfr:",
        "domain:",
        "template:",
        "remote:",
        "id:",
        "master:",
        "address:",
        "[",
        "]",
        ",",
        ":",
        "#",
        "//",
        "/*",
        "*/",
        "name",
        "tags",
        "=",
        "{\"name\":",
        "\u{feff}",
        "\\",
        "ü",
        "\0",
    ];

    proptest! {
        #[test]
        fn whatever_stands_in_a_list_each_result_is_at_a_line_of_it(pieces in vec(select(PIECES), 0..60)) {
            let text = pieces.concat();
            likely_format(&text);
            for format in ListFormat::ALL {
                let lines = text.lines().count() as u64;
                for (line, what) in read_list(&text, format, &Otherwise::default()) {
                    prop_assert!((1..=lines).contains(&line), "{format} {line} {text:?}");
                    if let ImportLine::Zone(zone) = what {
                        prop_assert!(!zone.primaries().is_empty(), "{format} {text:?}");
                    }
                }
            }
        }
    }
}
