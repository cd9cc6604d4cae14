//! The workspace as its files and Cargo describe it, for the tests of the house-keeping.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace is where it was built")
}

/// What Cargo knows of all packages that are built on this machine.
#[allow(dead_code, reason = "not every test that includes this file uses it")]
pub(crate) fn metadata() -> Value {
    let host = testing::process::run(Command::new("rustc").arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    // Offline: whoever runs this test has just built everything.
    let printed = testing::process::run(
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
            .current_dir(root()),
    );
    serde_json::from_str(&printed).expect("cargo metadata prints JSON")
}

/// Every file below `folder` with this extension, but nothing that was built.
#[allow(dead_code, reason = "not every test that includes this file uses it")]
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names of all tests of the workspace, without their modules.
#[allow(dead_code, reason = "not every test that includes this file uses it")]
pub(crate) fn tests() -> BTreeSet<String> {
    let files = ["crates", "testing", "tests"].map(|folder| files(&root().join(folder), "rs"));
    let mut found = BTreeSet::new();
    for path in files.iter().flatten() {
        let text = std::fs::read_to_string(path).expect("the workspace's files are there");
        let mut is_test = false;
        let mut is_list = false;
        for line in text.lines().map(str::trim_start) {
            // The names of cases that the inventory's tests run on each engine.
            let listed = line.strip_prefix("on_both_engines!(");
            is_list |= listed.is_some();
            if is_list {
                let names = listed.unwrap_or(line).split([',', ')', ';']).map(str::trim);
                found.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
                is_list = !line.ends_with(");");
            }
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                found.extend(rest.split(['(', '<']).next().map(str::to_owned));
                is_test = false;
            }
        }
    }
    found
}
