//! Every dependency's licence is one that `deny.toml` allows.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod workspace;

use std::collections::BTreeSet;

use spdx::{Expression, ParseMode};

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allowed = allowed_licences();
    let mut refused = Vec::new();
    for package in workspace::metadata()["packages"].as_array().unwrap() {
        let name = format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        let Some(licence) = package["license"].as_str() else {
            refused.push(format!("{name} names no licence"));
            continue;
        };
        if let Err(reason) = judge(licence, &allowed) {
            refused.push(format!("{name} is under {licence:?}: {reason}"));
        }
    }
    assert!(refused.is_empty(), "not allowed by deny.toml:\n  {}", refused.join("\n  "));
}

#[test]
fn a_choice_needs_one_allowed_licence_and_a_sum_all() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()]);
    for licence in ["MIT", "MIT OR GPL-3.0-only", "MIT/Apache-2.0", "Apache-2.0 WITH LLVM-exception"] {
        assert_eq!(judge(licence, &allowed), Ok(()), "{licence}");
    }
    for licence in ["GPL-3.0-only", "MIT AND MPL-2.0", "Apache-2.0", "no licence at all"] {
        assert!(judge(licence, &allowed).is_err(), "{licence}");
    }
}

fn judge(licence: &str, allowed: &BTreeSet<String>) -> Result<(), String> {
    // Older crates write `MIT/Apache-2.0`, which this mode reads.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| error.to_string())?;
    if expression.evaluate(|requirement| allowed.contains(&requirement.to_string())) {
        Ok(())
    } else {
        Err("none of its alternatives is wholly allowed".into())
    }
}

fn allowed_licences() -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace::root().join("deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let allow = table["licenses"]["allow"].as_array().unwrap();
    allow.iter().map(|licence| licence.as_str().unwrap().to_owned()).collect()
}
