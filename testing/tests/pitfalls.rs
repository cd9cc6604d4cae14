//! Every pitfall that other secondaries have met is on record with what shows that we do not fall into it.
//!
//! The register is `testing/pitfalls.toml`. What is missing is no failure, as long as it is said; this prints it.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod workspace;

use std::collections::BTreeMap;

use serde::Deserialize;

/// Numbers of the register; more come at its end.
const LAST: u32 = 153;

/// Sections, each of numbered entries.
type Register = BTreeMap<String, BTreeMap<String, Pitfall>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pitfall {
    title: String,
    evidence: String,
    #[serde(default)]
    tests: Vec<String>,
    reason: Option<String>,
    not_yet: Option<String>,
}

/// The pitfalls by their numbers.
fn register() -> BTreeMap<u32, Pitfall> {
    let text = std::fs::read_to_string(workspace::root().join("testing/pitfalls.toml")).unwrap();
    let sections: Register = toml::from_str(&text).unwrap();
    let mut pitfalls = BTreeMap::new();
    for (number, pitfall) in sections.into_values().flatten() {
        assert!(!pitfall.title.is_empty() && !pitfall.evidence.is_empty(), "{number}");
        let before = pitfalls.insert(number.parse().unwrap(), pitfall);
        assert!(before.is_none(), "there are two of number {number}");
    }
    pitfalls
}

#[test]
fn every_pitfall_has_a_test_or_a_reason_or_says_what_is_missing() {
    let pitfalls = register();
    assert!(pitfalls.keys().copied().eq(1..=LAST), "{:?}", pitfalls.keys());
    let silent: Vec<String> = pitfalls
        .iter()
        .filter(|(_, pitfall)| pitfall.tests.is_empty() && pitfall.reason.is_none() && pitfall.not_yet.is_none())
        .map(|(number, pitfall)| format!("{number}: {}", pitfall.title))
        .collect();
    assert!(silent.is_empty(), "nothing shows that we do not fall into these:\n  {}", silent.join("\n  "));
}

#[test]
fn every_test_that_the_register_names_exists() {
    let tests = workspace::tests();
    let lost: Vec<String> = register()
        .iter()
        .flat_map(|(number, pitfall)| pitfall.tests.iter().map(move |name| (number, name)))
        .filter(|(_, name)| !tests.contains(*name))
        .map(|(number, name)| format!("{number}: {name}"))
        .collect();
    assert!(lost.is_empty(), "the register names tests that are not there:\n  {}", lost.join("\n  "));
}

#[test]
#[expect(clippy::print_stdout, reason = "a list for people")]
fn what_is_not_yet_shown_has_no_reason_why_it_need_not_be() {
    for (number, pitfall) in register() {
        let Some(missing) = pitfall.not_yet else { continue };
        let part = if pitfall.tests.is_empty() { "" } else { " (a part is shown)" };
        println!("{number} {}{part}: {}", pitfall.title, missing.trim().replace('\n', " "));
        assert!(pitfall.reason.is_none(), "{number} is missing and has a reason not to be there");
    }
}
