//! What the documents point to is there.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod workspace;

use std::path::PathBuf;

fn documents() -> Vec<PathBuf> {
    let root = workspace::root();
    let mut found: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    found.extend(workspace::files(&root.join("docs"), "md"));
    found
}

#[test]
fn links_to_files_lead_somewhere() {
    let mut lost = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if link.contains("://") || path.is_empty() {
                continue;
            }
            if !document.parent().unwrap().join(path).exists() {
                lost.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(lost.is_empty(), "links that lead nowhere:\n  {}", lost.join("\n  "));
}

#[test]
fn every_test_that_the_roadmap_names_exists() {
    let tests = workspace::tests();
    let roadmap = std::fs::read_to_string(workspace::root().join("ROADMAP.md")).unwrap();
    let mut lost = Vec::new();
    for line in roadmap.lines() {
        let Some((_, shown_by)) = line.split_once("shown by") else { continue };
        for name in shown_by.split('`').skip(1).step_by(2) {
            // Folder and file in front of the name are for people.
            let name = name.rsplit("::").next().unwrap();
            if !tests.contains(name) {
                lost.push(format!("{name} ({line})"));
            }
        }
    }
    assert!(lost.is_empty(), "the roadmap names tests that are not there:\n  {}", lost.join("\n  "));
}

#[test]
fn every_point_of_the_roadmap_says_how_it_is_shown() {
    let roadmap = std::fs::read_to_string(workspace::root().join("ROADMAP.md")).unwrap();
    let silent: Vec<&str> = roadmap
        .lines()
        .filter(|line| {
            line.starts_with("- ") && !["shown by `", "measured by `", "not yet"].iter().any(|how| line.contains(how))
        })
        .collect();
    assert!(silent.is_empty(), "neither a test, nor a measure, nor \"not yet\":\n  {}", silent.join("\n  "));
}
